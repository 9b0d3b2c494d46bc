"""Similarity, search and order, from eval.yaml to the page of the result: real sandboxes, the engine's stand-in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from leaderboard import benchmarks, fitting, model_files, submitting
from leaderboard.definition_values import DefinitionRefused
from leaderboard.models import Evaluation
from models_hub import browsing
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import model_files as classifier_files
from tests.worker.performing import perform

MakeRepo = Callable[..., Repo]
EVAL_YAML = "version: 1\nname: Kin\ntask: {task}\nsplit: {{path: test.jsonl}}\nbootstrap: 200\n{more}"
BODY = {"architectures": ["BertModel"], "model_type": "bert"}
MODULES = {
    "modules.json": json.dumps([{"type": "sentence_transformers.models.Transformer", "path": ""}]),
    "1_Pooling/config.json": json.dumps({"pooling_mode_mean_tokens": True}),
    "1_Pooling/notes.txt": "not read",
}


has_jobs = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def scratch(settings, tmp_path: Path) -> None:
    settings.FAKE_ENGINE = True
    settings.SCRATCH_DIR = str(tmp_path / "scratch")


def lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def sentences(**config: object) -> dict[str, bytes | str]:
    return classifier_files() | MODULES | {"config.json": json.dumps(BODY | config)}


def declaring(architecture: str) -> dict[str, bytes | str]:
    return classifier_files() | {"config.json": json.dumps({"architectures": [architecture]})}


def evaluated(
    make_repo: MakeRepo, alice: User, task: str, rows: list[dict], more: str = "", **files: str
) -> Evaluation:
    definition = EVAL_YAML.format(task=task, more=more)
    contents = {"eval.yaml": definition, "test.jsonl": lines(rows)} | {f"{n}.jsonl": text for n, text in files.items()}
    benchmark, _new = benchmarks.register(make_repo(alice, "kin", kind="dataset", files=contents), by=alice)
    evaluation, _new = submitting.submit(make_repo(alice, "sentences", files=sentences()), benchmark, by=alice)
    assert evaluation.job is not None
    perform(evaluation.job.pk)
    evaluation.refresh_from_db()
    assert evaluation.is_finished, evaluation.job and evaluation.job.reason_text
    return evaluation


def part(page: str, name: str) -> str:
    return page.split(f'id="{name}"')[1].split("</section>")[0]


@has_jobs
def test_similarity_is_shown_by_the_degree_that_people_found(make_repo: MakeRepo, alice: User, client: Client) -> None:
    rows = [{"sentence1": f"cat {n}", "sentence2": f"dog {n}", "score": n % 6} for n in range(60)]
    evaluation = evaluated(make_repo, alice, "sentence-similarity", rows)
    page = client.get(evaluation.get_absolute_url()).text
    table = part(page, "by-similarity")
    assert table.count("<tr>") == 7, "a head, and a row for each degree"
    examples = part(page, "examples")
    assert "dog" in examples
    assert "farthest from that among the references" in examples
    assert set(evaluation.provenance["model"]["files"]) == {
        "config.json", "tokenizer.json", "model.safetensors", "modules.json", "1_Pooling/config.json",
    }  # fmt: skip
    assert evaluation.floors["characters"]["metrics"]["spearman"] < 1


@has_jobs
def test_a_search_shows_what_was_found_and_what_stood_first_instead(
    make_repo: MakeRepo, alice: User, client: Client
) -> None:
    corpus = [{"id": str(n), "title": f"Title {n}", "text": f"text of {n}"} for n in range(24)]
    rows = [{"id": f"q{n}", "query": f"question {n}", "relevant": [str(n % 24)]} for n in range(48)]
    more = "files: {corpus: {path: corpus.jsonl}}\n"
    evaluation = evaluated(make_repo, alice, "text-retrieval", rows, more, corpus=lines(corpus))
    page = client.get(evaluation.get_absolute_url()).text
    assert part(page, "recall").count("<tr>") == 8
    assert "further back" in part(page, "places")
    examples = part(page, "examples")
    assert "Stood first" in examples
    assert "text of" in examples
    assert 0 < evaluation.metrics["recall_at_10"]["value"] < 1
    assert client.get(evaluation.benchmark.get_absolute_url()).text.count("corpus.jsonl") >= 1


@has_jobs
def test_an_order_of_candidates_shows_the_places_of_the_right_ones(
    make_repo: MakeRepo, alice: User, client: Client
) -> None:
    rows = [{"query": f"q{n}", "candidates": [f"right {n}", "x", "y"], "relevance": [1, 0, 0]} for n in range(20)]
    evaluation = evaluated(make_repo, alice, "text-ranking", rows, "relevant_label: fits\n")
    page = client.get(evaluation.get_absolute_url()).text
    assert "further back" in part(page, "places")
    assert "right" in part(page, "examples")
    assert evaluation.floors["chance"]["metrics"]["map"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert "fits" in client.get(evaluation.benchmark.get_absolute_url()).text


def test_a_corpus_must_be_named(make_repo: MakeRepo, alice: User) -> None:
    contents = {"eval.yaml": EVAL_YAML.format(task="text-retrieval", more=""), "test.jsonl": "{}\n"}
    with pytest.raises(DefinitionRefused, match="files"):
        benchmarks.register(make_repo(alice, "kin", kind="dataset", files=contents), by=alice)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (sentences(architectures=["BertForMaskedLM"]), None),
        ({name: file for name, file in sentences().items() if name != "modules.json"}, None),
        (classifier_files(), "wrong_architecture"),
        (
            classifier_files() | {"config.json": json.dumps({"architectures": ["GPT2LMHeadModel"]})},
            "wrong_architecture",
        ),
        (
            classifier_files() | {"config.json": json.dumps({"architectures": ["BertForMaskedLM"]})},
            "wrong_architecture",
        ),
    ],
    ids=["left head", "no modules", "classifier", "language model", "masked"],
)
def test_the_gate_takes_bodies_and_says_how_to_save_one(
    make_repo: MakeRepo, alice: User, files: dict[str, bytes | str], code: str | None
) -> None:
    model = make_repo(alice, "model", files=files)
    commit = browsing.resolve_revision(model, "main")
    entries = model_files.entries_of(model, commit)
    if code is None:
        fitting.check_evaluable(model, commit, entries, "sentence-similarity")
        return
    with pytest.raises(fitting.NotEvaluable, match="sentence-transformers") as refused:
        fitting.check_evaluable(model, commit, entries, "sentence-similarity")
    assert refused.value.code == code


def test_a_head_for_candidates_has_one_output_or_two(make_repo: MakeRepo, alice: User) -> None:
    labels = {str(n): f"label {n}" for n in range(3)}
    config = json.loads(classifier_files()["config.json"]) | {"id2label": labels}
    for files, fits in ((classifier_files(), True), (classifier_files() | {"config.json": json.dumps(config)}, False)):
        model = make_repo(alice, f"model-{fits}", files=files)
        commit = browsing.resolve_revision(model, "main")
        assert ("text-ranking" in fitting.fitting_kinds(model, commit, model_files.entries_of(model, commit))) is fits
