"""Boards."""

import pytest

from leaderboard import suites
from leaderboard.models import Evaluation
from models_hub import publishing
from models_hub.changes import PutFile
from portal import deciding, moderating
from tests.evaluating import make_benchmark, model_files, safetensors
from tests.leaderboard.scored import renew, score


@pytest.fixture
def mood(alice, make_repo):
    return make_benchmark(make_repo, alice)


@pytest.fixture
def suite(morgan, mood):
    return suites.create_suite(by=morgan, slug="moods", title="Moods", title_zh="情绪榜", benchmarks=[(mood, 1.0)])


@pytest.fixture
def scored(alice, make_repo, mood):
    """A model with a score, floor 0.5."""

    def make(name: str, value: float, **interval: float):
        return score(make_repo(alice, name, files=model_files(value)), mood, alice, value, **interval)

    return make


def test_the_only_board_is_opened_at_once(client, suite):
    assert client.get("/leaderboard").headers["Location"] == "/leaderboard/moods"


def test_several_boards_are_listed(client, morgan, mood, suite):
    suites.create_suite(by=morgan, slug="other", title="Other", benchmarks=[(mood, 1.0)])
    page = client.get("/leaderboard").text
    assert 'href="/leaderboard/moods"' in page
    assert 'href="/leaderboard/other"' in page


def test_without_a_board_the_page_says_how_one_comes_about(client, db):
    assert "Register a data set" in client.get("/leaderboard").text


def test_models_are_ranked_with_scores_intervals_and_links_to_the_evidence(client, suite, scored):
    better, worse = scored("better", 0.9), scored("worse", 0.6)
    page = client.get("/leaderboard/moods").text
    assert page.index("better") < page.index("worse")
    for piece in ("80.0", "70.0…90.0", "20.0", better.get_absolute_url(), worse.get_absolute_url(), "90.0</a>"):
        assert piece in page


def test_places_that_cannot_be_told_apart_show_their_range(client, suite, scored):
    scored("a", 0.80, low=0.7, high=0.9)
    scored("b", 0.79, low=0.7, high=0.9)
    scored("c", 0.55, low=0.54, high=0.56)
    page = client.get("/leaderboard/moods").text
    assert page.count("1–2</span>") == 2


def test_models_that_lack_a_score_stand_apart_with_what_is_missing(client, alice, morgan, make_repo, scored, mood):
    other = make_benchmark(make_repo, alice, "tone")
    suites.create_suite(by=morgan, slug="both", title="Both", benchmarks=[(mood, 1.0), (other, 2.0)])
    scored("half", 0.9)
    page = client.get("/leaderboard/both").text
    assert 'id="unranked"' in page
    assert f'<a href="{other.get_absolute_url()}">' in page.split('id="unranked"')[1]


def test_a_score_of_older_weights_is_marked(client, alice, suite, scored):
    evaluation = scored("bert", 0.9)
    assert "older weights" not in client.get("/leaderboard/moods").text
    publishing.commit(
        repo=evaluation.model, by=alice, title="x", changes=[PutFile("model.safetensors", safetensors(5))]
    )
    renew()
    assert "Of older weights" in client.get("/leaderboard/moods").text


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [("", "abcd"), ("not-measured", "bcd"), ("not-declared", "cd"), ("not-found", "c"), ("nonsense", "abcd")],
)
def test_models_are_left_out_by_what_is_known_of_their_training(client, suite, scored, chosen, shown):
    levels = {"a": "measured", "b": "inherited", "c": "not_found", "d": "unknown"}
    for name, level in levels.items():
        Evaluation.objects.filter(pk=scored(f"model-{name}", 0.9).pk).update(contamination=level)
    renew()
    page = client.get("/leaderboard/moods", {"contamination": chosen}).text
    assert "".join(name for name in levels if f"model-{name}<" in page) == shown
    assert ("left out" in page) is (len(shown) < 4)
    if len(shown) < 4:
        assert f'<option value="{chosen}" selected>' in page
        rows = client.get("/api/v1/leaderboard/moods", {"contamination": chosen}).json()
        assert (len(rows["rows"]), rows["left_out"]) == (len(shown), 4 - len(shown))


def test_a_board_of_which_all_are_left_out_leads_back(client, suite, scored):
    scored("only", 0.9)
    assert "Show all models" in client.get("/leaderboard/moods?contamination=not-found").text


def test_the_formula_and_its_reading_are_explained(client, suite, scored):
    scored("only", 0.9)
    page = client.get("/leaderboard/moods").text
    assert 'id="meaning"' in page
    assert "19 times out of 20" in page


def test_an_empty_board_says_how_to_fill_it(client, suite):
    renew()
    assert "ask for a score of every benchmark" in client.get("/leaderboard/moods").text


def test_a_new_board_says_that_it_is_being_computed_until_it_was(client, suite):
    assert "This board is being computed" in client.get("/leaderboard/moods").text
    assert client.get("/api/v1/leaderboard/moods").json()["is_waiting"]
    renew()
    assert not client.get("/api/v1/leaderboard/moods").json()["is_waiting"]


def test_a_board_costs_the_same_however_many_models_it_has(client, suite, scored, django_assert_num_queries):
    scored("a", 0.9)
    client.get("/leaderboard/moods")
    with django_assert_num_queries(7):
        client.get("/leaderboard/moods")
    for number in range(5):
        scored(f"m{number}", 0.6 + number / 50)
    with django_assert_num_queries(7):
        client.get("/leaderboard/moods")


def test_an_unknown_board_is_404(client, db):
    assert client.get("/leaderboard/none").status_code == 404


def test_the_home_page_gets_the_first_places(client, suite, scored):
    for number in range(7):
        scored(f"m{number}", 0.9 - number / 20)
    page = client.get("/leaderboard/top").text
    assert "m0" in page
    assert "m6" not in page


def test_the_home_page_is_told_what_to_do_without_scores(client, db):
    assert 'href="/datasets"' in client.get("/leaderboard/top").text


def test_a_chinese_reader_gets_chinese_titles(client, suite):
    assert "情绪榜" in client.get("/leaderboard/moods", headers={"accept-language": "zh-CN"}).text


@pytest.mark.parametrize("address", ["/leaderboard", "/leaderboard/moods", "/leaderboard/top", "/benchmarks"])
def test_boards_are_for_reading(client, suite, address):
    assert client.post(address).status_code == 405


def test_what_moderators_took_off_boards_is_on_none(client, suite, scored, charlie, morgan):
    kept, false = scored("kept", 0.9), scored("false", 0.99)
    case = moderating.report(f"evaluation:{false.pk}", by=charlie, reason="false-score")
    decision = deciding.decide(case, by=morgan, action="unscore", version=case.version)
    renew()
    page = client.get("/leaderboard/moods").text
    assert kept.get_absolute_url() in page
    assert false.get_absolute_url() not in page
    assert "off the boards" in client.get(false.get_absolute_url()).text
    deciding.undo(decision, by=morgan)
    renew()
    assert false.get_absolute_url() in client.get("/leaderboard/moods").text


def test_a_model_off_lists_is_on_no_board(client, suite, scored, charlie, morgan):
    row = scored("unlisted", 0.9)
    case = moderating.report(f"repo:{row.model_id}", by=charlie, reason="false-score")
    deciding.decide(case, by=morgan, action="unrank", version=case.version)
    assert row.get_absolute_url() not in client.get("/leaderboard/moods").text
