"""Models beside each other: what is compared, what is more than chance, and who may see it."""

import json

import pytest

from leaderboard import submitting
from leaderboard.comparing import differences, facts
from leaderboard.comparing.differences import Pair, Task
from leaderboard.comparing.items import Reader
from models_hub import publishing, referencing, tensor_diffs
from models_hub.changes import PutFile
from tests.evaluating import EVAL_YAML, make_benchmark, model_files, safetensors
from tests.leaderboard.compared import ROWS, answered
from tests.leaderboard.scored import REPORT, record, score, scores

N = len(ROWS)
ALL_RIGHT, HALF, TWO_WRONG = [1] * N, [1, 0] * (N // 2), [0, 0] + [1] * (N - 2)
PAIR = "/compare?model=alice/good&model=alice/poor"


@pytest.fixture
def mood(alice, make_repo):
    return make_benchmark(make_repo, alice, definition=EVAL_YAML.replace("primary: f1_macro", "primary: accuracy"))


@pytest.fixture
def good(alice, make_repo, mood):
    model = make_repo(alice, "good", files=model_files(1.0))
    answered(score(model, mood, alice, 1.0, low=0.84, high=1.0), ALL_RIGHT)
    return model


@pytest.fixture
def poor(alice, make_repo, mood):
    model = make_repo(alice, "poor", files=model_files(2.0, 3.0))
    answered(score(model, mood, alice, 0.5, low=0.3, high=0.7), HALF)
    return model


@pytest.fixture
def near(alice, make_repo, mood):
    model = make_repo(alice, "near", files=model_files(4.0))
    answered(score(model, mood, alice, 0.9, low=0.7, high=0.97), TWO_WRONG)
    return model


def pair(**changes) -> Pair:
    return Pair(**{"first": 1, "second": 0, "metric": "accuracy", "difference": 0.1, "low": 0, "high": 0.2, **changes})


# Which differences are more than chance


def test_what_one_model_alone_has_right_is_tested_exactly(good, poor, alice):
    found = facts.compare(["alice/good", "alice/poor"], alice)
    only = found.tasks[0].pairs[0]
    # 10 of 20 are right for the first alone and none for the second: p = 2 · 0.5 ** 10.
    assert only.test == "mcnemar_exact"
    assert only.p == pytest.approx(2 / 1024)
    assert only.difference == pytest.approx(-0.5)
    assert only.verdict == "behind"
    assert [tally.behind for tally in found.tallies] == [1]


def test_two_examples_are_not_enough_to_tell_models_apart(good, near, alice):
    only = facts.compare(["alice/good", "alice/near"], alice).tasks[0].pairs[0]
    assert only.p == pytest.approx(0.5)
    assert only.verdict == "even"
    # The standard error of differences of which 2 of 20 are -1 is sqrt(1.8 / 380).
    assert only.smallest == pytest.approx(2.80159 * (1.8 / 380) ** 0.5, rel=1e-4)


def test_all_pairs_that_are_shown_are_corrected_together(good, poor, near, alice):
    names = ["alice/good", "alice/poor", "alice/near"]
    first = facts.compare(names, alice).tasks[0].pairs
    assert [one.corrected for one in first] == [pytest.approx(4 / 1024), pytest.approx(0.5)]
    every = facts.compare(names, alice, all_pairs=True)
    assert every.tested == 3
    assert min(one.corrected for one in every.tasks[0].pairs) == pytest.approx(6 / 1024)


def test_where_less_is_better_the_smaller_number_is_ahead():
    assert pair(metric="log_loss", difference=-0.1, p=0.01, corrected=0.01).verdict == "ahead"
    assert pair(metric="log_loss", difference=0.1, p=0.01, corrected=0.01).verdict == "behind"
    assert pair(difference=0.1, p=0.01, corrected=0.01).verdict == "ahead"


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.01, 0.2, "apart"), (-0.2, -0.1, "apart"), (-0.1, 0.2, "overlap")]
)
def test_without_examples_intervals_lie_apart_or_overlap(low, high, verdict):
    assert pair(low=low, high=high).verdict == verdict


def test_a_metric_of_the_whole_is_tested_by_another_one_of_the_same_answers(alice, make_repo):
    benchmark = make_benchmark(make_repo, alice)  # ranks by the macro mean of F1
    for name, numbers, right in (("one", (1.0,), ALL_RIGHT), ("two", (2.0,), HALF)):
        model = make_repo(alice, name, files=model_files(*numbers))
        answered(score(model, benchmark, alice, 0.9), right)
    task = facts.compare(["alice/one", "alice/two"], alice).tasks[0]
    assert (task.metric, task.tested, task.is_other) == ("f1_macro", "accuracy", True)


def test_numbers_of_single_examples_are_tested_by_swapping_names(alice, make_repo, mood, good, poor):
    for model, values in ((good, [0.5] * N), (poor, [0.7] * N)):
        answered(model.evaluations.get(), ALL_RIGHT, accuracy=values)
    only = facts.compare(["alice/good", "alice/poor"], alice).tasks[0].pairs[0]
    assert only.test == "paired_permutation"
    assert only.p < 0.001


def test_other_examples_or_too_many_are_not_paired(good, poor, alice):
    row = poor.evaluations.get()
    row.items = None
    row.save(update_fields=("items",))
    only = facts.compare(["alice/good", "alice/poor"], alice).tasks[0].pairs[0]
    assert not only.is_tested
    assert only.low == pytest.approx(0.3 - 1.0)
    assert not facts.compare(["alice/good", "alice/poor"], alice, reader=Reader(most=10)).tasks[0].pairs[0].is_tested


def test_holm_leaves_pairs_without_a_test_alone():
    task = Task(None, [], "accuracy", [pair(p=0.01), pair(), pair(p=0.04)])
    assert [one.corrected for one in differences.corrected([task])[0].pairs] == [pytest.approx(0.02), None, 0.04]


# Which evaluations stand for a model


def test_a_version_is_compared_with_its_own_score(good, mood, alice):
    referencing.create_tag(good, by=alice, name="v1")
    publishing.commit(repo=good, by=alice, title="More", changes=[PutFile("model.safetensors", safetensors(9.0))])
    good.refresh_from_db()
    answered(score(good, mood, alice, 0.6), HALF)
    found = facts.compare(["alice/good@v1", "alice/good"], alice)
    assert [one.value for one in found.tasks[0].results] == [1.0, 0.6]
    assert found.address == "/compare?model=alice/good@v1&model=alice/good"


# The pages


def test_the_page_names_who_is_ahead(client, good, poor, near):
    page = client.get(f"{PAIR}&model=alice/near")
    assert page.status_code == 200
    assert "behind beyond chance" in page.text
    assert "cannot be told apart" in page.text
    assert "2 differences were tested" in page.text


@pytest.mark.parametrize("names", ["", "?model=alice/good", "?model=,,"])
def test_with_fewer_than_two_the_page_asks_for_more(client, good, names):
    page = client.get(f"/compare{names}")
    assert page.status_code == 200
    assert 'id="compare-empty"' in page.text


def test_names_may_be_typed_into_one_field(client, good, poor):
    assert 'id="differences"' in client.get("/compare?model=alice/good, alice/poor").text


def test_more_than_five_are_refused_above_the_form(client, good):
    page = client.get("/compare?" + "&".join(f"model=alice/m{n}" for n in range(6)))
    assert page.status_code == 400
    assert "At most 5 models" in page.text


@pytest.mark.parametrize("page", ["/compare", "/compare/speed", "/compare/examples", "/compare/files"])
def test_a_private_model_looks_like_one_that_is_not_there(as_user, alice, charlie, morgan, good, poor, page):
    publishing.set_private(poor, by=alice, private=True)
    address = page + PAIR.removeprefix("/compare")
    for outsider in (None, charlie, morgan):
        hidden, missing = (as_user(outsider).get(address.replace("poor", name)) for name in ("poor", "none"))
        assert (hidden.status_code, missing.status_code) == (404, 404)
        strip = [line for line in hidden.text.replace("poor", "none").splitlines() if "csrf" not in line.lower()]
        assert strip == [line for line in missing.text.splitlines() if "csrf" not in line.lower()]
    assert as_user(alice).get(address).status_code == 200


def test_a_benchmark_of_a_private_data_set_is_not_compared_by_strangers(client, as_user, alice, good, poor, mood):
    publishing.set_private(mood.dataset, by=alice, private=True)
    assert 'id="nothing-shared"' in client.get(PAIR).text
    assert 'id="differences"' in as_user(alice).get(PAIR).text


def test_a_page_asks_as_much_of_the_database_for_many_benchmarks_as_for_one(
    client, alice, make_repo, good, poor, django_assert_max_num_queries
):
    client.get(PAIR)
    with django_assert_max_num_queries(12) as few:
        client.get(PAIR)
    for name in ("sky", "sea", "sun"):
        other = make_benchmark(make_repo, alice, name)
        for model in (good, poor):
            answered(score(model, other, alice, 0.8), ALL_RIGHT)
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(PAIR)


def test_speed_of_different_machines_is_marked(client, alice, make_repo, mood, good):
    slow = make_repo(alice, "slow", files=model_files(7.0))
    row, _new = submitting.submit(slow, mood, by=alice)
    record(row, scores(0.9), {**REPORT, "device_name": "Another processor", "latency": {"p50_ms": 9.0}})
    page = client.get("/compare/speed?model=alice/good&model=alice/slow").text
    assert "9.0 ms" in page
    assert "They were measured on different machines" in page
    assert "They were measured on different machines" not in client.get("/compare/speed?model=alice/good").text


# Single examples


def test_examples_on_which_they_differ_are_shown_with_both_answers(client, good, poor):
    page = client.get(PAIR.replace("/compare", "/compare/examples"))
    assert "only alice/good right" in page.text
    assert "bad 0" in page.text  # the second row, which the second one got wrong
    assert "good 0" not in page.text
    both = client.get(PAIR.replace("/compare", "/compare/examples") + "&show=both&label=positive").text
    assert "good 0" in both
    assert "bad 0" not in both


def test_examples_go_on_where_a_page_ends(client, good, near):
    address = "/compare/examples?model=alice/good&model=alice/near&show=both"
    first = client.get(address).text
    assert "after=" in first
    second = client.get(f"{address}&after=16").text
    assert "poor 4" in second
    assert "fine 0" not in second


def test_of_a_withheld_test_no_row_is_shown(client, alice, good, poor, mood):
    mood.test_is_public = False
    mood.save(update_fields=("test_is_public",))
    page = client.get(PAIR.replace("/compare", "/compare/examples")).text
    assert "withheld" in page
    assert "bad 0" not in page


def test_of_a_gated_data_set_rows_are_for_those_who_may_download(client, as_user, alice, good, poor, mood):
    mood.dataset.gated = "manual"
    mood.dataset.save(update_fields=("gated",))
    address = PAIR.replace("/compare", "/compare/examples")
    assert "bad 0" not in client.get(address).text
    assert "bad 0" in as_user(alice).get(address).text


# Files


def test_keys_and_tensors_that_differ_are_listed(client, alice, make_repo, good, poor):
    page = client.get(PAIR.replace("/compare", "/compare/files")).text
    assert "classifier.weight" in page
    assert "F32 [1]" in page
    assert "F32 [2]" in page
    assert "Their configurations are the same." in page
    config = json.loads(model_files()["config.json"]) | {"hidden_size": 8}
    publishing.commit(repo=poor, by=alice, title="Wider", changes=[PutFile("config.json", json.dumps(config).encode())])
    page = client.get(PAIR.replace("/compare", "/compare/files")).text
    assert "hidden_size" in page
    assert "1 key differs" in page


def test_files_of_a_gated_model_are_not_read(client, good, poor, monkeypatch):
    poor.gated = "manual"
    poor.save(update_fields=("gated",))
    monkeypatch.setattr(tensor_diffs, "look", lambda planned: pytest.fail("read"))
    page = client.get(PAIR.replace("/compare", "/compare/files"))
    assert "The files of alice/poor cannot be read" in page.text


# Discussing, and the API


def test_a_new_topic_begins_with_the_facts(as_user, alice, good, poor):
    page = as_user(alice).get("/forum/new", {"category": "evaluation", "from": PAIR})
    assert "| Mood v1, Accuracy | 100.0 (84.0–100.0) | 50.0 (30.0–70.0) |" in page.text
    assert "alice/good is ahead beyond chance" in page.text
    assert "alice/good · alice/poor compared" in page.text


def test_a_topic_tells_nothing_of_a_private_model(as_user, alice, charlie, good, poor):
    publishing.set_private(poor, by=alice, private=True)
    page = as_user(charlie).get("/forum/new", {"from": PAIR}).text
    assert "alice/poor |" not in page
    assert "50.0" not in page


def test_the_api_gives_the_same(client, alice, good, poor):
    found = client.get("/api/v1/compare?model=alice/good&model=alice/poor").json()
    assert [one["model"] for one in found["models"]] == ["alice/good", "alice/poor"]
    task = found["benchmarks"][0]
    assert [one["value"] for one in task["results"]] == [1.0, 0.5]
    assert task["pairs"][0] | {"p": 0, "corrected": 0, "low": 0, "high": 0, "smallest": 0} == {
        "first": 1, "second": 0, "metric": "accuracy", "difference": -0.5, "low": 0, "high": 0, "p": 0, "corrected": 0,
        "test": "mcnemar_exact", "smallest": 0, "verdict": "behind",
    }  # fmt: skip
    publishing.set_private(poor, by=alice, private=True)
    assert client.get("/api/v1/compare?model=alice/good&model=alice/poor").status_code == 404
