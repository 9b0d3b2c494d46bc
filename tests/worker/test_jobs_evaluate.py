"""The job kind `evaluate`, in real sandboxes with the engine's stand-in."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leaderboard import benchmarks, reproducing, submitting
from leaderboard.models import Benchmark, Evaluation
from models_hub import contents
from models_hub.models import Blob, Repo
from models_hub.storage import blob_store
from portal.models import Event, Job, User
from tests.evaluating import EVAL_YAML, TEXTS, adapter_files, data_lines, make_benchmark, make_evaluation, model_files
from tests.worker.performing import perform
from worker import answered, sandbox
from worker.attempts import SHUTDOWN, Attempt
from worker.engine.recipe import parse_recipe
from worker.jobs import evaluate
from worker.sandbox_texts import MEND

pytestmark = pytest.mark.django_db(transaction=True)
MakeRepo = Callable[..., Repo]


@pytest.fixture(autouse=True)
def scratch(settings, tmp_path: Path) -> Path:
    settings.FAKE_ENGINE = True
    settings.SCRATCH_DIR = str(tmp_path / "scratch")
    return tmp_path / "scratch"


@pytest.fixture
def benchmark(make_repo: MakeRepo, alice: User) -> Benchmark:
    return make_benchmark(make_repo, alice)


def run(evaluation: Evaluation) -> Evaluation:
    assert evaluation.job is not None
    perform(evaluation.job.pk)
    return Evaluation.objects.select_related("job", "benchmark", "predictions").get(pk=evaluation.pk)


def outcome(**changes: object) -> sandbox.Outcome:
    ended = sandbox.Outcome(returncode=-11, killed_because=None, seconds=1, peak_rss_bytes=None, stderr_tail="")
    return replace(ended, **changes)  # type: ignore[arg-type]


def test_a_model_gets_a_score_with_interval_and_provenance(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, scratch: Path
) -> None:
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    assert evaluation.job.state == "succeeded", evaluation.job.reason_text
    assert evaluation.value == evaluation.metrics["f1_macro"]["value"]
    assert evaluation.low <= evaluation.value <= evaluation.high
    assert evaluation.n == 20
    assert set(evaluation.provenance["model"]["files"]) == {"config.json", "tokenizer.json", "model.safetensors"}
    assert evaluation.provenance["dataset"]["sha256"] == benchmark.data_sha256
    assert evaluation.provenance["isolation"]
    assert evaluation.versions["python"]
    assert not list(scratch.glob("job-*"))


def test_an_adapter_is_scored_on_its_base(
    make_repo: MakeRepo, alice: User, charlie: User, benchmark: Benchmark, as_user: Any
) -> None:
    base = make_repo(alice, "bert", files=model_files())
    adapter = make_repo(alice, "tuned", files=adapter_files())
    asked, _is_new = submitting.submit(adapter, benchmark, by=alice)
    evaluation = run(asked)
    assert evaluation.job.state == "succeeded", evaluation.job.reason_text
    assert set(evaluation.provenance["base"]["files"]) == {"config.json", "tokenizer.json", "model.safetensors"}
    address = f"/api/v1/evaluations/{evaluation.pk}"
    recipe = as_user(charlie).get(address).json()["recipe"]
    assert (recipe["base"]["repo"], recipe["base"]["commit"]) == ("alice/bert", base.head)
    assert parse_recipe({"recipe": recipe})[0].base is not None
    assert "alice/bert" in as_user(charlie).get(evaluation.get_absolute_url()).text
    Repo.objects.filter(pk=base.pk).update(private=True)
    assert as_user(charlie).get(address).json()["recipe"]["base"]["repo"] == ""
    assert "alice/bert" not in as_user(charlie).get(evaluation.get_absolute_url()).text


def test_the_answers_to_each_example_are_kept(make_repo: MakeRepo, alice: User, benchmark: Benchmark) -> None:
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    raw = b"".join(contents.stream(evaluation.predictions))
    rows = [json.loads(line) for line in raw.splitlines()]
    assert [row["id"] for row in rows] == [json.loads(line)["id"] for line in data_lines().splitlines()]
    assert sum(evaluation.confusion["rows"][i][i] for i in (0, 1)) == round(
        evaluation.metrics["accuracy"]["value"] * 20
    )


def test_the_score_and_the_end_of_the_job_are_one_event_each(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark
) -> None:
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    perform(evaluation.job.pk)
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds.count("evaluation.completed") == kinds.count("job.succeeded") == 1


def test_what_is_wrong_with_a_model_ends_its_job_with_that_reason(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark
) -> None:
    evaluation = run(
        make_evaluation(make_repo, alice, benchmark, error="weights_incomplete", message="The head is missing.")
    )
    assert (evaluation.job.state, evaluation.job.reason_code) == ("failed", "weights_incomplete")
    assert evaluation.job.reason_text.startswith("Some weights are missing.")
    assert evaluation.job.reason_text.endswith("Details: The head is missing.")
    assert (evaluation.job.attempt, evaluation.is_finished) == (1, False)


def test_asking_again_after_a_failure_is_another_job(make_repo: MakeRepo, alice: User, benchmark: Benchmark) -> None:
    failed = run(make_evaluation(make_repo, alice, benchmark, error="label_mismatch"))
    again, is_new = submitting.submit(failed.model, benchmark, by=alice)
    assert is_new
    assert again.pk == failed.pk
    assert again.job_id != failed.job_id


def test_a_bad_row_of_the_data_is_named(make_repo: MakeRepo, alice: User) -> None:
    definition = EVAL_YAML.replace("[negative, positive]", "[good, bad]")
    evaluation = run(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice, definition=definition)))
    assert evaluation.job.reason_code == "bad_data"
    assert "line 1" in evaluation.job.reason_text


def test_a_model_that_takes_too_long_is_ended(make_repo: MakeRepo, alice: User, benchmark: Benchmark, settings) -> None:
    settings.JOB_MAX_SECONDS = 2
    evaluation = run(make_evaluation(make_repo, alice, benchmark, seconds=30))
    assert (evaluation.job.state, evaluation.job.reason_code) == ("failed", "time_limit")
    assert evaluation.job.reason_text.startswith("It took longer than the 2 s a job may take. Publish a smaller model")


def test_a_model_that_needs_too_much_memory_says_how_much_it_may_have(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = outcome(killed_because="memory")
    monkeypatch.setattr(sandbox, "run", lambda *_args, **_options: killed)
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    assert (evaluation.job.state, evaluation.job.reason_code) == ("failed", "out_of_memory")
    assert "2048 MB" in evaluation.job.reason_text


def test_a_crash_of_the_engine_is_tried_again_and_its_last_words_are_kept(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = outcome(stderr_tail="Segmentation fault")
    monkeypatch.setattr(sandbox, "run", lambda *_args, **_options: crashed)
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    assert (evaluation.job.state, evaluation.job.reason_code) == ("queued", "engine_crashed")
    assert "Segmentation fault" in evaluation.job.lines.last().text


def test_a_model_that_would_not_fit_is_not_fetched(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, settings
) -> None:
    settings.JOB_MEMORY_MB = 0
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    assert (evaluation.job.state, evaluation.job.reason_code) == ("failed", "too_large")
    assert evaluation.job.reason_text.startswith("alice/bert: ")


def test_altered_bytes_in_the_store_are_noticed(make_repo: MakeRepo, alice: User, benchmark: Benchmark) -> None:
    evaluation = make_evaluation(make_repo, alice, benchmark)
    blob = Blob.objects.get(repo_blobs__repo=evaluation.model)
    path = blob_store().path(blob.sha256)  # type: ignore[attr-defined]
    path.chmod(0o600)
    path.write_bytes(b"x" * blob.size)
    evaluation = run(evaluation)
    assert (evaluation.job.state, evaluation.job.reason_code) == ("failed", "corrupt_content")


def test_a_deleted_model_ends_the_job(make_repo: MakeRepo, alice: User, benchmark: Benchmark) -> None:
    evaluation = make_evaluation(make_repo, alice, benchmark)
    job = evaluation.job
    evaluation.model.delete()
    perform(job.pk)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == ("failed", "gone")


def test_who_may_no_longer_read_the_model_gets_no_score_of_it(
    make_repo: MakeRepo, alice: User, charlie: User, benchmark: Benchmark
) -> None:
    model = make_repo(alice, "bert", files=model_files())
    asked, _is_new = submitting.submit(model, benchmark, by=charlie)
    Repo.objects.filter(pk=model.pk).update(private=True)
    assert run(asked).job.reason_code == "closed"
    asked, is_new = submitting.submit(Repo.objects.get(pk=model.pk), benchmark, by=alice)
    assert is_new
    assert run(asked).job.state == "succeeded"


def test_a_score_of_another_engine_version_is_not_taken(make_repo: MakeRepo, alice: User, benchmark: Benchmark) -> None:
    evaluation = make_evaluation(make_repo, alice, benchmark)
    Evaluation.objects.filter(pk=evaluation.pk).update(engine_version="0.9.0")
    assert run(evaluation).job.reason_code == "engine_changed"


def test_the_models_process_sees_the_questions_and_never_the_answers(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: dict[str, list[Path]] = {}
    real = evaluate.run_verb

    def spy(attempt, what, **options):
        shown[what.verb] = [*what.readonly, what.writable]
        return real(attempt, what, **options)

    monkeypatch.setattr(evaluate, "run_verb", spy)
    run(make_evaluation(make_repo, alice, benchmark))
    names = {verb: {path.name for path in paths} for verb, paths in shown.items()}
    assert names == {
        "prepare": {"data", "prepared"},
        "evaluate": {"model", "questions", "run"},
        "score": {"answers", "judged", "scores"},
    }


def test_a_missing_wall_of_the_sandbox_is_shown_beside_the_job(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = replace(
        sandbox.detect("auto"), warning="bubblewrap is not installed. Install it.\nRuns share the worker's user."
    )
    monkeypatch.setattr(sandbox, "detect", lambda _policy: weak)
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    assert evaluation.job.warning.splitlines() == [
        "bubblewrap is not installed on the worker's machine.",
        "Runs share the worker's user.",
        MEND,
    ]


def test_a_result_that_comes_after_the_lease_was_lost_is_not_stored(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = make_evaluation(make_repo, alice, benchmark)
    real = evaluate.recording.record

    def too_late(*args, **options):
        Job.objects.filter(pk=evaluation.job_id).update(fence=99, worker="another")
        return real(*args, **options)

    monkeypatch.setattr(evaluate.recording, "record", too_late)
    evaluation = run(evaluation)
    assert not evaluation.is_finished
    assert (evaluation.job.state, evaluation.job.worker) == ("running", "another")
    assert not Event.objects.filter(kind__in=("evaluation.completed", "job.succeeded")).exists()


def test_only_the_files_that_an_evaluation_reads_are_fetched(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark
) -> None:
    files = model_files() | {"onnx/model.onnx": b"\0" * 10, "training.log": "x"}
    model = make_repo(alice, "cluttered", files=files)
    evaluation = run(submitting.submit(model, benchmark, by=alice)[0])
    assert set(evaluation.provenance["model"]["files"]) == {"config.json", "tokenizer.json", "model.safetensors"}


def test_a_bad_row_of_a_withheld_test_is_told_to_nobody(make_repo: MakeRepo, alice: User) -> None:
    definition = EVAL_YAML.replace("[negative, positive]", "[good, bad]").replace(
        "test_is_public: true", "test_is_public: false"
    )
    evaluation = run(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice, definition=definition)))
    job = evaluation.job
    assert job.reason_code == "bad_data"
    said = [job.reason_text, job.message, *job.lines.values_list("text", flat=True)]
    for secret in ("line 1", "positive", "label"):
        assert not [text for text in said if secret in text]
    assert "withheld" in job.reason_text


def test_what_is_wrong_with_a_model_is_told_even_so(make_repo: MakeRepo, alice: User) -> None:
    withheld = make_benchmark(make_repo, alice, definition=EVAL_YAML.replace("is_public: true", "is_public: false"))
    evaluation = run(make_evaluation(make_repo, alice, withheld, error="weights_incomplete", message="No head."))
    assert evaluation.job.reason_text.endswith("Details: No head.")


def test_a_further_run_finds_the_same_and_leaves_the_score_alone(
    make_repo: MakeRepo, alice: User, charlie: User, benchmark: Benchmark
) -> None:
    evaluation = run(make_evaluation(make_repo, alice, benchmark))
    again = reproducing.reproduce(evaluation, by=charlie)
    assert again.job is not None
    perform(again.job.pk)
    again.refresh_from_db()
    assert again.is_finished, again.job.reason_text
    assert again.has_same_answers
    assert (again.value, again.worker) == (evaluation.value, "worker-of-the-tests")
    assert Evaluation.objects.values_list("finished_at", "value").get() == (evaluation.finished_at, evaluation.value)


def test_changed_texts_are_asked_in_the_same_run_and_scored_with_the_slices(
    make_repo: MakeRepo, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"id": str(n), "text": f"It was really {text} {n}", "label": label, "year": 2020 + n % 2}
        for n, (text, label) in enumerate(TEXTS * 15)
    ]
    dataset = make_repo(alice, "moods", kind="dataset", files={
        "eval.yaml": EVAL_YAML + "robustness: {rows: 40, perturbations: [swap, upper_case, names]}\nslices: [year]\n",
        "data/test.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
    })  # fmt: skip
    shown: list[str] = []
    real = evaluate.run_verb

    def spy(attempt, what, **options):
        if what.verb == "evaluate":
            shown.extend((what.readonly[1] / "perturbed.jsonl").read_text().splitlines())
        return real(attempt, what, **options)

    monkeypatch.setattr(evaluate, "run_verb", spy)
    evaluation = run(make_evaluation(make_repo, alice, benchmarks.register(dataset, by=alice)[0]))
    assert evaluation.job.state == "succeeded", evaluation.job.reason_text
    found = evaluation.details["robustness"]
    assert [row["name"] for row in found["perturbations"]] == ["swap", "upper_case"]
    assert (found["rows"], found["metric"]) == (40, "f1_macro")
    assert found["questions"] == sum(row["changed"] for row in found["perturbations"]) == len(shown) > 40
    assert evaluation.relative_drop == found["relative_drop"]
    assert evaluation.report["robustness"]["questions"] == len(shown)
    assert {key for line in shown for key in json.loads(line)} == {"id", "text"}
    assert [(row["name"], row["n"]) for row in evaluation.details["slices"] if row["by"] == "year"] == [
        ("2020", 30),
        ("2021", 30),
    ]


def test_an_attempt_that_was_cut_short_is_not_begun_anew(
    make_repo: MakeRepo, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answered, "SAVE_EVERY", 0.0)
    lines = [json.dumps({"id": str(n), "text": f"good {n}", "label": "positive"}) for n in range(1100)]
    dataset = make_repo(alice, "many", kind="dataset", files={
        "eval.yaml": EVAL_YAML + "robustness: false\n", "data/test.jsonl": "\n".join(lines),
    })  # fmt: skip
    evaluation = make_evaluation(make_repo, alice, benchmarks.register(dataset, by=alice)[0], turn_seconds=0.4)
    real = Attempt.save

    def save_and_go_down(attempt: Attempt, name: str, content: bytes) -> str:
        digest = real(attempt, name, content)
        if content and attempt.job.attempt == 1:
            attempt.stop(SHUTDOWN)
        return digest

    monkeypatch.setattr(Attempt, "save", save_and_go_down)
    assert not run(evaluation).is_finished
    assert evaluation.job.checkpoints.exists()
    Job.objects.filter(pk=evaluation.job_id).update(not_before=None, attempt=1)
    again = run(evaluation)
    assert again.job.state == "succeeded", again.job.reason_text
    assert again.report["resumed_rows"] == 512
    assert not evaluation.job.checkpoints.exists()
