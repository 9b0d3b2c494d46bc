"""The finder: one model for a task, by verified scores, with reasons."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leaderboard.finding import answering
from leaderboard.finding.asked import Asked
from leaderboard.models import Evaluation
from models_hub import job_contents, publishing
from models_hub.changes import PutFile
from models_hub.models import Repo
from tests.evaluating import make_benchmark, model_files, safetensors
from tests.leaderboard.scored import score

TASK = "text-classification"


@pytest.fixture
def mood(alice, make_repo):
    return make_benchmark(make_repo, alice)


@pytest.fixture
def scored(alice, make_repo, mood):
    """A model with a score on mood, of so many numbers."""

    def make(name: str, value: float, size: int = 2, **interval: float) -> Evaluation:
        files = model_files(*[value] * size)
        return score(make_repo(alice, name, files=files), mood, alice, value, **interval)

    return make


def find(user, **asked):
    return answering.answer(Asked(task=TASK, **asked), user)


def names(candidates):
    return [one.model.name for one in candidates]


def test_the_best_model_is_the_answer_when_its_lead_is_no_chance(alice, scored):
    scored("far", 0.95, low=0.94, high=0.96)
    scored("behind", 0.7, low=0.69, high=0.71)
    found = find(alice)
    assert (found.chosen.model.name, names(found.tied), names(found.behind)) == ("far", ["far"], ["behind"])


def test_of_those_that_tie_the_smallest_is_the_answer(client, alice, scored):
    scored("large", 0.90, size=50)
    scored("small", 0.89, size=5)
    assert find(alice).chosen.model.name == "small"
    page = client.get(f"/find?task={TASK}").text
    assert "Tied with 1 other" in page
    assert "1.0 points below the best score" in page.replace("\n", " ") or "points below the best score" in page


def test_the_same_examples_show_a_lead_that_intervals_hide(alice, scored, mood):
    better, worse = scored("better", 0.9, size=50), scored("worse", 0.8, size=5)
    mood.primary_metric = "accuracy"
    mood.save()
    ids = [str(n) for n in range(200)]
    hits = [1.0] * 180 + [0.0] * 20
    for evaluation, items in ((better, hits), (worse, [0.0] * 20 + hits[20:])):
        kept = json.dumps({"ids": ids, "metrics": {"accuracy": items}}).encode()
        Evaluation.objects.filter(pk=evaluation.pk).update(items=job_contents.keep([kept]))
    found = find(alice)
    assert found.chosen.model.name == "better"
    assert found.behind[0].difference.paired == 1


def test_what_does_not_fit_is_counted_with_what_would_let_it_in(client, alice, scored):
    scored("small", 0.7, size=10)
    scored("large", 0.9, size=5000)
    found = find(alice, memory_mb=0.001)
    (excluded,) = found.excluded
    assert (found.chosen.model.name, excluded.count, excluded.alone) == ("small", 1, 1)
    assert excluded.nearest == pytest.approx(0.02, rel=0.01)
    assert "1 measured model is shut out" in client.get(f"/find?task={TASK}&memory=0.001").text


def test_a_time_for_an_answer_is_asked_of_the_machine_that_measured_it(alice, scored):
    scored("timed", 0.8)
    assert find(alice, latency_ms=1.5).chosen.speed.machine == "A processor"
    assert find(alice, latency_ms=0.5).chosen is None
    assert find(alice, latency_ms=1.5, machine="Another").chosen is None


def test_what_a_busy_machine_measured_is_no_speed_of_the_model(client, alice, scored):
    scored("timed", 0.8)
    evaluation = Evaluation.objects.get()
    Evaluation.objects.update(report={**evaluation.report, "busy": True})
    assert find(alice, latency_ms=1.5).chosen is None
    assert "No speed is known" in client.get(f"/find?task={TASK}&latency=1.5").text


def test_licences_and_devices_shut_out_what_does_not_suit(alice, scored):
    scored("mine", 0.8)
    assert find(alice, licences=("permissive",), device="laptop").chosen is not None
    assert find(alice, licences=("copyleft",)).chosen is None
    assert find(alice, device="browser").chosen is None


def test_benchmarks_in_other_languages_do_not_count(alice, scored, mood):
    scored("one", 0.8)
    Repo.objects.filter(pk=mood.dataset_id).update(languages=["zh"])
    assert find(alice, languages=("zh",)).chosen is not None
    assert find(alice, languages=("en",)).benchmarks == []


def test_a_score_of_older_weights_counts_no_more(alice, scored):
    model = scored("changed", 0.9).model
    changes = [PutFile("model.safetensors", safetensors(7.0))]
    publishing.commit(repo=model, by=alice, title="Other weights", changes=changes)
    found = find(alice)
    assert found.chosen is None
    assert [one.name for one in found.unscored] in ([], ["changed"])


def test_a_score_on_rows_found_in_the_training_counts_not(alice, scored):
    Evaluation.objects.filter(pk=scored("taught", 0.9).pk).update(contamination="measured")
    assert find(alice).chosen is None


def test_a_private_model_is_the_answer_for_those_alone_who_may_see_it(client, as_user, alice, charlie, scored):
    model = scored("secret-one", 0.9).model
    Repo.objects.filter(pk=model.pk).update(private=True)
    assert find(alice).chosen.model == model
    assert find(charlie).measured == 0
    assert "secret-one" not in client.get(f"/find?task={TASK}").text
    assert "secret-one" not in as_user(charlie).get(f"/api/v1/finder?task={TASK}").text
    assert "secret-one" in as_user(alice).get(f"/find?task={TASK}").text


def test_models_without_a_score_can_be_had_evaluated(client, as_user, alice, make_repo, mood):
    model = make_repo(alice, "new", files=model_files(3.0))
    Repo.objects.filter(pk=model.pk).update(task=TASK, parameters=1, architecture="BertForSequenceClassification")
    page = client.get(f"/find?task={TASK}").text
    assert "Not measured yet" in page
    assert "Sign in to have them evaluated" in page
    answer = as_user(alice).post("/find/evaluations", {"question": f"task={TASK}", "model": [model.pk]})
    assert answer.headers["Location"] == "/submissions"
    assert Evaluation.objects.get().model == model


def test_the_api_gives_the_same_answer(client, scored):
    scored("one", 0.8)
    answer = client.get(f"/api/v1/finder?task={TASK}&memory=50").json()
    assert answer["chosen"]["model"] == "alice/one"
    assert answer["query"] == f"task={TASK}&memory=50"
    assert client.get("/api/v1/finder?task=nonsense").status_code == 400


def test_what_cannot_be_meant_is_said_beside_its_field(client, db):
    answer = client.get(f"/find?task={TASK}&memory=-1&language=nonsense-language")
    assert answer.status_code == 400
    assert "is not a language that is known here" in answer.text


def test_a_question_without_an_answer_says_what_to_do(client, db):
    assert "There is no benchmark for this yet" in client.get(f"/find?task={TASK}").text
    assert "How it answers" in client.get("/find").text


def test_the_page_costs_the_same_for_any_number_of_models(client, scored, django_assert_num_queries):
    scored("a", 0.8)
    scored("b", 0.7)
    client.get(f"/find?task={TASK}")
    with CaptureQueriesContext(connection) as before:
        client.get(f"/find?task={TASK}")
    count = len(before)
    for number in range(4):
        scored(f"more{number}", 0.6 + number / 50)
    client.get(f"/find?task={TASK}")
    with django_assert_num_queries(count):
        client.get(f"/find?task={TASK}")


def test_what_was_measured_elsewhere_or_too_little_is_not_ranked(client, alice, make_repo, mood, scored):
    others = [make_benchmark(make_repo, alice, name) for name in ("second", "third", "alone")]
    full, thin = scored("full", 0.9).model, scored("thin", 0.95).model
    for benchmark in others[:2]:
        score(full, benchmark, alice, 0.8)
    score(make_repo(alice, "elsewhere", files=model_files(4.0)), others[2], alice, 0.99)
    found = find(alice)
    assert (found.chosen.model, names(found.thin), names(found.apart)) == (full, ["thin"], ["elsewhere"])
    page = client.get(f"/find?task={TASK}").text
    assert "1 of 3 benchmarks" in page
    assert "Measured on other benchmarks alone" in page
    narrowed = find(alice, on=f"benchmark:{mood.pk}")
    assert [one.model for one in narrowed.tied] in ([full, thin], [thin, full])


def test_where_nothing_fits_the_closest_is_named(client, scored):
    scored("near", 0.8)
    assert "alice/near comes closest; it misses: licence." in client.get(f"/find?task={TASK}&licence=copyleft").text
