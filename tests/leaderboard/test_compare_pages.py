"""The pages on which models stand beside each other, and who may see what."""

import json

import pytest

from leaderboard import submitting
from leaderboard.comparing import facts
from leaderboard.models import Evaluation
from models_hub import publishing, referencing, tensor_diffs
from models_hub.changes import PutFile
from tests.evaluating import EVAL_YAML, make_benchmark, model_files, safetensors
from tests.leaderboard.compared import ROWS, answered
from tests.leaderboard.scored import REPORT, record, score, scores

ALL_RIGHT, HALF = [1] * len(ROWS), [1, 0] * (len(ROWS) // 2)
PAIR = "/compare?model=alice/good&model=alice/poor"
EXAMPLES = PAIR.replace("/compare", "/compare/examples")
FILES = PAIR.replace("/compare", "/compare/files")


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


def test_page_topic_and_api_tell_the_same(client, as_user, alice, good, poor):
    page = client.get(PAIR.replace("&model=", ","))  # names may be typed into one field
    assert page.status_code == 200
    assert "behind beyond chance" in page.text
    assert "1 difference was tested" in page.text
    assert f"from={PAIR.replace('/', '%2F')[:10]}" not in page.text  # who is not signed in cannot write

    assert 'id="tallies-title"' in client.get(f"{PAIR}&pairs=all").text  # who is ahead of whom, as a matrix

    topic = as_user(alice).get("/forum/new", {"category": "evaluation", "from": PAIR}).text
    assert "| Mood v1, Accuracy | 100.0 (84.0–100.0) | 50.0 (30.0–70.0) |" in topic
    assert "alice/good is ahead beyond chance" in topic
    assert "alice/good · alice/poor compared" in topic

    found = client.get(f"/api/v1{PAIR}").json()
    assert [one["model"] for one in found["models"]] == ["alice/good", "alice/poor"]
    assert [one["value"] for one in found["benchmarks"][0]["results"]] == [1.0, 0.5]
    pair = found["benchmarks"][0]["pairs"][0]
    assert (pair["first"], pair["second"], pair["verdict"], pair["test"]) == (1, 0, "behind", "mcnemar_exact")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 200, "Name two models"),
        ("?model=,,", 200, "Name two models"),
        ("?model=nobody/none", 404, "There is no model “nobody/none”."),
        ("?model=a/b@%00", 404, "There is no model"),
        ("?" + "&".join(f"model=alice/m{n}" for n in range(6)), 400, "At most 5 models"),
    ],
)
def test_what_makes_no_comparison_is_said_above_the_form(client, db, query, status, words):
    page = client.get(f"/compare{query}")
    assert page.status_code == status
    assert words in page.text
    assert 'id="compare-chooser"' in page.text


def test_a_private_model_looks_like_one_that_is_not_there(as_user, alice, charlie, morgan, good, poor):
    publishing.set_private(poor, by=alice, private=True)
    for outsider in (None, charlie, morgan):
        browser = as_user(outsider)
        for path in ("/compare", "/compare/speed", "/compare/examples", "/compare/files"):
            hidden, missing = (
                browser.get(PAIR.replace("/compare", path).replace("poor", name)) for name in ("poor", "none")
            )
            assert (hidden.status_code, missing.status_code) == (404, 404)
            strip = [line for line in hidden.text.replace("poor", "none").splitlines() if "csrf" not in line.lower()]
            assert strip == [line for line in missing.text.splitlines() if "csrf" not in line.lower()]
        assert browser.get(f"/api/v1{PAIR}").status_code == 404
    assert "alice/poor |" not in as_user(charlie).get("/forum/new", {"from": PAIR}).text
    assert as_user(alice).get(PAIR).status_code == 200
    publishing.set_private(poor, by=alice, private=False)
    publishing.set_private(poor.evaluations.get().benchmark.dataset, by=alice, private=True)
    assert 'id="nothing-shared"' in as_user(charlie).get(PAIR).text
    assert 'id="differences"' in as_user(alice).get(PAIR).text


def test_a_page_asks_as_much_of_the_database_for_many_benchmarks_as_for_one(
    client, alice, make_repo, good, poor, django_assert_max_num_queries
):
    client.get(PAIR)
    with django_assert_max_num_queries(12) as few:
        client.get(PAIR)
    for name in ("sky", "sea"):
        other = make_benchmark(make_repo, alice, name)
        for model in (good, poor):
            answered(score(model, other, alice, 0.8), ALL_RIGHT)
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(PAIR)


def test_a_version_is_compared_with_its_own_score(good, mood, alice):
    referencing.create_tag(good, by=alice, name="v1")
    publishing.commit(repo=good, by=alice, title="More", changes=[PutFile("model.safetensors", safetensors(9.0))])
    good.refresh_from_db()
    score(good, mood, alice, 0.6)
    found = facts.compare(["alice/good@v1", "alice/good"], alice)
    assert [one.value for one in found.tasks[0].results] == [1.0, 0.6]
    assert found.address == "/compare?model=alice/good@v1&model=alice/good"


def test_speed_of_different_machines_is_marked(client, alice, make_repo, mood, good, poor):
    words = "They were measured on different machines"
    assert words not in client.get(PAIR.replace("/compare", "/compare/speed")).text
    slow = make_repo(alice, "slow", files=model_files(7.0))
    row, _new = submitting.submit(slow, mood, by=alice)
    record(row, scores(0.9), {**REPORT, "device_name": "Another processor", "latency": {"p50_ms": 9.0}})
    page = client.get("/compare/speed?model=alice/good&model=alice/slow").text
    assert "9.0 ms" in page
    assert words in page


def test_times_of_a_busy_machine_are_marked_and_none_is_the_best(client, good, poor):
    address, words = PAIR.replace("/compare", "/compare/speed"), "so the times say little"
    assert words not in client.get(address).text
    for number, row in enumerate(Evaluation.objects.order_by("pk")):
        row.report |= {"busy": True, "latency": {"p50_ms": 3.0 + number}}
        row.save()
    page = client.get(address).text
    assert words in page
    assert "3.0 ms" in page
    assert "<strong>3.0 ms" not in page


def test_examples_on_which_they_differ_are_shown_with_both_answers(client, good, poor):
    page = client.get(EXAMPLES).text
    assert "only alice/good right" in page
    assert "bad 0" in page  # the second row, which the second one got wrong
    assert "good 0" not in page
    both = client.get(f"{EXAMPLES}&show=both&label=positive").text
    assert "good 0" in both
    assert "bad 0" not in both
    # Fifteen are shown at once.
    answered(poor.evaluations.get(), [0, 0] + [1] * (len(ROWS) - 2))
    assert "after=16" in client.get(f"{EXAMPLES}&show=both").text
    second = client.get(f"{EXAMPLES}&show=both&after=16").text
    assert "fine 4" in second
    assert "fine 0" not in second


def test_rows_are_for_those_who_may_download_and_withheld_ones_for_nobody(client, as_user, alice, good, poor, mood):
    mood.dataset.gated = "manual"
    mood.dataset.save(update_fields=("gated",))
    assert "bad 0" not in client.get(EXAMPLES).text
    assert "bad 0" in as_user(alice).get(EXAMPLES).text
    mood.test_is_public = False
    mood.save(update_fields=("test_is_public",))
    page = as_user(alice).get(EXAMPLES).text
    assert "withheld" in page
    assert "bad 0" not in page


def test_keys_and_tensors_that_differ_are_listed(client, alice, good, poor, monkeypatch):
    page = client.get(FILES).text
    assert "F32 [1]" in page
    assert "F32 [2]" in page
    assert "Their configurations are the same." in page
    config = json.loads(model_files()["config.json"]) | {"hidden_size": 8}
    publishing.commit(repo=poor, by=alice, title="Wider", changes=[PutFile("config.json", json.dumps(config).encode())])
    page = client.get(FILES).text
    assert "hidden_size" in page
    assert "1 key differs" in page
    poor.gated = "manual"
    poor.save(update_fields=("gated",))
    monkeypatch.setattr(tensor_diffs, "look", lambda planned: pytest.fail("read"))
    assert "The files of alice/poor cannot be read" in client.get(FILES).text
