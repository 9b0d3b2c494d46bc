"""A model's evaluations, and the page of one."""

import json
import re

import pytest

from leaderboard import recording, submitting
from leaderboard.models import Evaluation
from models_hub import job_contents, publishing
from models_hub.changes import PutFile
from portal.models import Job
from tests.evaluating import EVAL_YAML, make_benchmark, make_evaluation, model_files, safetensors
from tests.leaderboard.scored import REPORT, claimed, record, score, scores


@pytest.fixture
def mood(alice, make_repo):
    return make_benchmark(make_repo, alice)


@pytest.fixture
def waiting(alice, make_repo, mood) -> Evaluation:
    return make_evaluation(make_repo, alice, mood)


@pytest.fixture
def finished(waiting) -> Evaluation:
    return record(waiting, scores(0.9))


def fail(evaluation: Evaluation) -> None:
    job = claimed(evaluation)
    job.report(0.5, "answering")
    job.fail(code="bad_model", reason="The weights do not fit the architecture.")


# The page of one evaluation


def test_while_it_runs_the_page_asks_again_and_says_why_it_waits(client, waiting):
    page = client.get(waiting.get_absolute_url()).text
    assert f'hx-get="{waiting.get_absolute_url()}"' in page
    assert "no worker serves the queue" in page


def test_progress_is_shown(client, waiting):
    claimed(waiting).report(0.42, "answering")
    fragment = client.get(waiting.get_absolute_url(), headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert "HX-Request" in fragment.headers["Vary"]
    assert 'aria-valuenow="42"' in fragment.text
    assert "<html" not in fragment.text


def test_polling_ends_when_there_is_a_score_and_the_page_is_read_anew(client, finished):
    fragment = client.get(finished.get_absolute_url(), headers={"HX-Request": "true"})
    assert fragment.status_code == 286
    assert fragment.headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in fragment.text


def test_a_failure_tells_its_reason_and_may_be_tried_again(as_user, alice, waiting):
    fail(waiting)
    browser = as_user(alice)
    page = browser.get(waiting.get_absolute_url()).text
    assert "The weights do not fit the architecture." in page
    assert "every 2s" not in page
    answer = browser.post("/alice/bert/evaluations", {"benchmark": waiting.benchmark_id})
    assert answer.headers["Location"] == waiting.get_absolute_url()
    waiting.refresh_from_db()
    assert waiting.state == "queued"


def test_everything_that_was_found_is_shown(client, finished):
    page = client.get(finished.get_absolute_url()).text
    for piece in (
        "90.0", "85.0…95.0", "20 examples", "Accuracy", "Calibration error", "0.100", "By class", "Confusion matrix",
        "100.0 examples/s", "1.0 ms", "A processor", "python 3.11.7", "float32", finished.commit_oid, "a" * 64,
        finished.benchmark.data_sha256, "namespaces", "d" * 64, "alice",
    ):  # fmt: skip
        assert piece in page


def test_curves_are_drawn_with_their_areas_in_a_table(client, waiting):
    one = {"label": "positive", "support": 10, "auroc": 0.875, "average_precision": 0.75}
    curve = one | {"roc": [[0, 0], [0.25, 0.75], [1, 1]], "pr": [[0, 1], [1, 0.5]]}
    page = client.get(record(waiting, scores(0.9) | {"details": {"curves": [curve]}}).get_absolute_url()).text
    section = page.split('id="curves"')[1].split("</section>")[0]
    for piece in ('points="0.00,100.00 25.00,25.00 100.00,0.00"', "87.5", "75.0", "positive"):
        assert piece in section


def test_the_line_that_reproduces_it_names_this_portal(client, finished):
    page = client.get(finished.get_absolute_url(), headers={"host": "models.example:8080"}).text
    address = f"http://models.example:8080/api/v1/evaluations/{finished.pk}"
    assert f"python -m worker.engine reproduce {address}" in page


def test_all_answers_can_be_downloaded(client, finished):
    page = client.get(finished.get_absolute_url()).text
    address = f"/api/v1/evaluations/{finished.pk}/predictions"
    assert f'href="{address}"' in page
    assert client.get(address).status_code == 200


def answered(evaluation: Evaluation, label: str) -> Evaluation:
    """Store a result whose answers are all `label`."""
    rows = [{"id": str(n), "label": label, "scores": {"negative": 0.25, "positive": 0.75}} for n in range(20)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    recording.record(
        evaluation,
        job=claimed(evaluation),
        scores=scores(0.5),
        report=dict(REPORT),
        provenance={"model": {"files": {}}, "dataset": {}},
        predictions=job_contents.keep([lines.encode()]),
    )
    return evaluation


def test_the_first_wrong_examples_are_shown_with_the_right_and_the_given_answer(client, waiting):
    page = client.get(answered(waiting, "positive").get_absolute_url()).text
    table = page.split('id="examples"')[1].split("</section>")[0]
    assert "bad 0" in table
    assert "75 %" in table
    assert "good 0" not in table


def test_withheld_test_rows_are_not_shown(client, alice, make_repo):
    hidden = make_benchmark(
        make_repo, alice, "held", definition=EVAL_YAML.replace("test_is_public: true", "test_is_public: false")
    )
    evaluation = answered(make_evaluation(make_repo, alice, hidden), "positive")
    page = client.get(evaluation.get_absolute_url()).text
    assert "bad 0" not in page
    assert "withheld" in page


def test_a_score_of_older_weights_says_so_and_offers_the_new_ones(as_user, alice, finished):
    publishing.commit(repo=finished.model, by=alice, title="x", changes=[PutFile("model.safetensors", safetensors(9))])
    page = as_user(alice).get(finished.get_absolute_url()).text
    assert "older weights" in page
    assert "Evaluate the new weights" in page


def test_labels_of_a_hostile_author_are_escaped(client, alice, make_repo):
    evil = "<script>alert(1)</script>"
    definition = EVAL_YAML.replace("[negative, positive]", f'[negative, positive, "{evil}"]')
    mood = make_benchmark(make_repo, alice, "evil", definition=definition.replace("name: Mood", f"name: '{evil}'"))
    evaluation = make_evaluation(make_repo, alice, mood)
    found = scores(0.9)
    found["confusion"] = {"labels": [evil], "rows": [[1]]}
    found["per_class"] = [found["per_class"][0] | {"label": evil}]
    record(evaluation, found, REPORT | {"device_name": evil})
    for address in (evaluation.get_absolute_url(), mood.get_absolute_url(), "/alice/bert/evaluations", "/benchmarks"):
        assert "<script>alert" not in client.get(address).text


def test_only_the_owner_of_the_job_and_staff_are_led_to_its_log(as_user, client, alice, charlie, morgan, finished):
    link = f'href="/jobs/{finished.job_id}"'
    for person, sees in ((alice, True), (morgan, True), (charlie, False), (None, False)):
        assert (link in as_user(person).get(finished.get_absolute_url()).text) is sees


def test_an_unknown_evaluation_is_404(client, db):
    assert client.get("/evaluations/999").status_code == 404


# The page of a model's evaluations


def test_running_failed_finished_and_outdated_ones_are_told_apart(client, alice, make_repo, mood, finished):
    other = make_benchmark(make_repo, alice, "tone")
    failed, _new = submitting.submit(finished.model, other, by=alice)
    fail(failed)
    publishing.commit(repo=finished.model, by=alice, title="x", changes=[PutFile("model.safetensors", safetensors(9))])
    again, _new = submitting.submit(finished.model, mood, by=alice)
    claimed(again).report(0.3, "answering")
    page = client.get("/alice/bert/evaluations").text
    for piece in ("90.0", "older weights", "The weights do not fit the architecture.", "answering", "width: 30%"):
        assert piece in page


def test_asking_for_an_evaluation_leads_to_its_page(as_user, charlie, alice, make_repo, mood):
    make_repo(alice, "bert", files=model_files())
    answer = as_user(charlie).post("/alice/bert/evaluations", {"benchmark": mood.pk})
    evaluation = Evaluation.objects.get()
    assert answer.headers["Location"] == evaluation.get_absolute_url()
    assert evaluation.requested_by == charlie
    assert Job.objects.get().owner == charlie


def test_where_there_is_nothing_to_choose_the_only_benchmark_is_chosen(as_user, alice, make_repo, mood):
    make_repo(alice, "bert", files=model_files())
    browser = as_user(alice)
    assert browser.get("/alice/bert/evaluations").context["form"]["benchmark"].value() == [mood.pk]
    make_benchmark(make_repo, alice, "tone")
    assert browser.get("/alice/bert/evaluations").context["form"]["benchmark"].value() == []


def test_asking_twice_gives_the_same_evaluation(as_user, alice, finished):
    answer = as_user(alice).post("/alice/bert/evaluations", {"benchmark": finished.benchmark_id})
    assert answer.headers["Location"] == finished.get_absolute_url()
    assert Evaluation.objects.count() == 1


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_model_that_cannot_be_evaluated_is_told_why_before_it_is_tried(as_user, alice, make_repo, mood, missing):
    files = model_files()
    del files[missing]
    make_repo(alice, "bert", files=files)
    browser = as_user(alice)
    page = browser.get("/alice/bert/evaluations").text
    assert missing in page
    assert "<select" not in page
    answer = browser.post("/alice/bert/evaluations", {"benchmark": mood.pk})
    assert answer.status_code == 400
    assert missing in answer.text
    assert not Evaluation.objects.exists()


def test_an_unknown_or_invisible_benchmark_is_refused(as_user, alice, charlie, make_repo, mood):
    make_repo(charlie, "bert", files=model_files())
    hidden = make_benchmark(make_repo, alice, "hidden", private=True)
    for number in (hidden.pk, 999, "x"):
        answer = as_user(charlie).post("/charlie/bert/evaluations", {"benchmark": number})
        assert answer.status_code == 400
        assert "does not exist" in answer.text


def test_anonymous_readers_are_asked_to_sign_in(client, alice, make_repo, mood):
    make_repo(alice, "bert", files=model_files())
    assert "/accounts/login/?next=/alice/bert/evaluations" in client.get("/alice/bert/evaluations").text
    assert client.post("/alice/bert/evaluations", {"benchmark": mood.pk}).status_code in {302, 401}
    assert not Evaluation.objects.exists()


def test_a_reader_of_a_private_model_may_not_have_it_evaluated(as_user, alice, charlie, team, make_repo, mood):
    team.add(charlie, role="read", by=alice)
    make_repo(alice, "secret", namespace="team", files=model_files(), private=True)
    browser = as_user(charlie)
    assert "<select" not in browser.get("/team/secret/evaluations").text
    assert browser.post("/team/secret/evaluations", {"benchmark": mood.pk}).status_code == 403


def test_the_list_costs_the_same_however_long_it_is(client, alice, make_repo, finished, django_assert_num_queries):
    client.get("/alice/bert/evaluations")  # what files state is read once
    with django_assert_num_queries(14):
        client.get("/alice/bert/evaluations")
    for number in range(4):
        score(finished.model, make_benchmark(make_repo, alice, f"b{number}"), alice, 0.8)
    with django_assert_num_queries(14):
        client.get("/alice/bert/evaluations")


def test_the_model_s_first_page_gets_its_scores(client, as_user, alice, make_repo, mood, finished):
    other = make_benchmark(make_repo, alice, "tone")
    submitting.submit(finished.model, other, by=alice)
    page = client.get("/alice/bert/evaluations/summary").text
    assert finished.get_absolute_url() in page
    assert "85.0…95.0" in page
    assert "1 running" in page
    assert "Evaluate this model" not in page
    assert "Evaluate this model" in as_user(alice).get("/alice/bert/evaluations/summary").text


def test_a_data_set_named_evaluations_is_still_a_data_set(client, alice, make_repo):
    make_repo(alice, "evaluations", kind="dataset")
    assert client.get("/datasets/alice/evaluations").status_code == 200


def test_a_lost_job_leaves_a_page_that_can_be_read(client, waiting):
    Job.objects.all().delete()
    page = client.get(waiting.get_absolute_url())
    assert page.status_code == 200
    assert "stopped" in page.text


def test_a_metric_without_a_value_is_a_dash(client, finished):
    finished.benchmark.metrics = ["f1_macro", "mcc", "log_loss"]
    finished.benchmark.save(update_fields=["metrics"])
    finished.metrics |= {"log_loss": {"low": 0.1, "high": 0.2}}
    finished.save(update_fields=["metrics"])
    answer = client.get(finished.get_absolute_url())
    assert answer.status_code == 200
    assert re.search(r"Matthews correlation\s*</span>\s*<strong[^>]*>–</strong>", answer.text)


def test_the_title_of_an_evaluation_is_one_sentence_in_each_language(client, finished):
    page = client.get(finished.get_absolute_url(), headers={"accept-language": "zh-hans"}).text
    assert "命名空间隔离" in page
    assert re.search(r"<h1[^>]*><span>bert <span[^>]*>在</span> <a [^>]*>.*</a> <span[^>]*>v1 上的评测</span>", page)


def test_the_list_offers_a_run_of_new_weights_where_only_older_ones_were_measured(as_user, client, alice, finished):
    publishing.commit(repo=finished.model, by=alice, title="x", changes=[PutFile("model.safetensors", safetensors(9))])
    browser, offer = as_user(alice), "Evaluate the new weights"
    assert offer in browser.get("/alice/bert/evaluations").text
    assert offer not in client.get("/alice/bert/evaluations").text
    browser.post("/alice/bert/evaluations", {"benchmark": finished.benchmark_id})
    assert offer not in browser.get("/alice/bert/evaluations").text
