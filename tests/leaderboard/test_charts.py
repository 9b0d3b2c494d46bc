"""Pictures of boards: their scales, what is drawn and named, and who is left out."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import numpy as np
import pytest

from leaderboard import ranking, submitting, suites
from leaderboard.charting import axes, crowd, forest, history, radar, scatter
from leaderboard.charting.measures import MEASURES
from leaderboard.models import Benchmark, SuiteEntry
from leaderboard.ranking import Places
from models_hub import publishing
from models_hub.changes import PutFile
from models_hub.models import Repo
from tests.evaluating import EVAL_YAML, make_benchmark, model_files, safetensors
from tests.leaderboard.scored import REPORT, record, renew, scores

MB = 10**6
NAN = float("nan")
ALL = ("size", "disk", "memory", "latency", "robustness", "calibration", "ranks", "radar", "history")


def board(*rows: tuple[str, float, float, float]) -> Places:
    """A board of models with a score, a number of parameters and a latency, the best first; each may err by 5."""
    names, values, parameters, latencies = zip(*rows, strict=True)
    score, count = np.array(values, dtype=float), len(rows)
    columns = [SuiteEntry(benchmark=Benchmark(pk=pk, name=f"Task {pk}", task="regression")) for pk in range(3)]
    draws = score[:, None] + np.random.RandomState(0).normal(0, 5, (count, 200))
    days = [datetime(2026, 1, count - place, tzinfo=UTC).timestamp() for place in range(count)]
    facts = {name: np.full(count, NAN) for name in ranking.FACTS}
    facts |= {"parameters": np.array(parameters, float), "latency": np.array(latencies, float)}
    return Places(
        columns=columns, rows=np.arange(count), models=np.arange(count), names=list(names), scores=score,
        low=score - 5, high=score + 5, cells=np.stack([score] * 3, axis=1), drawn=draws.astype(np.float32),
        ranks=np.arange(count) + 1, groups=np.ones(count, dtype=int), facts=facts | {"finished": np.array(days)},
        unranked=[], total=count, machine="", machines=[], held=[], is_computed=True,
    )  # fmt: skip


# Two on the front of score and size, one that is dearer and worse, and one whose size is not known.
FOUR = board(
    ("a/unknown", 90, NAN, 90), ("a/large", 80, 60 * MB, 30), ("a/dear", 60, 80 * MB, 8), ("a/small", 40, 4 * MB, 2)
)


def drawn(places: Places, chart: str) -> scatter.Scatter:
    found = scatter.scatter_of(places, MEASURES[chart])
    assert found is not None
    return found


def test_round_numbers_hold_all_that_is_drawn():
    found = axes.linear([12, 47], axes.plain)
    assert (found.low, found.high) == (10, 50)
    assert [tick.text for tick in found.ticks] == ["10", "20", "30", "40", "50"]
    assert (found.at(10), found.at(30), found.at(90)) == (0, 50, 100)


def test_equal_factors_are_equal_ways():
    found = axes.logarithmic([1, 50], axes.plain)
    assert found.at(50**0.5) == pytest.approx(50)
    assert [tick.text for tick in found.ticks] == ["1", "2", "5", "10", "20", "50"]


def test_a_scale_of_ranks_begins_with_the_best():
    assert [tick.text for tick in axes.ranks(1, 4).ticks] == ["1", "2", "3", "4"]
    assert [tick.text for tick in axes.ranks(1, 40).ticks][:3] == ["1", "5", "10"]
    assert [tick.text for tick in axes.ranks(3, 3).ticks] == ["3"]


@pytest.mark.parametrize("numbers", [[], [5], [5, 5], [-3, 0.001]])
def test_any_numbers_make_a_scale(numbers):
    for made in (axes.linear(numbers, axes.plain), axes.logarithmic(numbers, axes.plain)):
        assert made.high > made.low


def test_the_front_names_what_nothing_as_small_beats():
    found = drawn(FOUR, "size")
    assert [(point.number, point.name) for point in found.front] == [(1, "a/small"), (2, "a/large")]
    assert (found.known, found.unknown) == (3, 1)
    assert [(step.x1 == step.x2, step.y1 == step.y2) for step in found.steps][:2] == [(False, True), (True, False)]


def test_the_best_within_each_limit_is_computed_from_the_rows():
    found = drawn(FOUR, "latency")
    assert [(preset.limit, preset.best.name, preset.tied) for preset in found.presets] == [
        (5, "a/small", 0), (20, "a/dear", 0), (50, "a/large", 0), (200, "a/unknown", 1),
    ]  # fmt: skip


def test_models_of_the_crowd_are_drawn_small_and_once(monkeypatch):
    monkeypatch.setattr(scatter, "CLEAR", 2)
    crowd = board(("a/best", 90, 9 * MB, 1), ("a/next", 80, 9 * MB, 1), *[("a/same", 50, 20 * MB, 1)] * 5)
    found = drawn(crowd, "size")
    assert [point.name for point in found.points] == ["a/best", "a/next"]
    assert len(found.faint) == 1


def test_a_crowd_is_thinned_evenly(monkeypatch):
    monkeypatch.setattr(crowd, "MOST", 10)
    found = crowd.thinned((place, place) for place in range(101))
    assert (len(found), found[0], found[-1]) == (10, (0, 0), (99.2, 99.2))  # every eleventh, on the grid


def test_fewer_than_two_models_are_no_picture():
    assert scatter.scatter_of(board(("a/lonely", 70, 4 * MB, 1)), MEASURES["size"]) is None
    assert scatter.scatter_of(FOUR, MEASURES["calibration"]) is None


def test_ranks_are_drawn_between_their_ends():
    found = forest.forest_of(FOUR)
    assert found.lines[0].name == "a/unknown"
    # Ten points are less than two standard errors of the difference of two that err by 5 each, twenty are more.
    assert [line.words for line in found.lines] == ["1–2", "1–2", "3", "4"]
    assert all(line.start <= line.at <= line.end for line in found.lines)
    assert forest.forest_of(FOUR, 99).lines[0].rank == 4


def test_a_web_has_a_corner_for_each_benchmark():
    found = radar.radar_of(FOUR, ["a/small", "A/Large", "a/none"])
    assert [web.name for web in found.webs] == ["a/small", "a/large"]
    assert found.unknown == ["a/none"]
    assert radar._short("情绪与意图识别任务") == "情绪与意图识…"
    assert radar._short("Mood of reviews") == "Mood of reviews"
    # A score of 40 is 140 · 0.4 above the centre on the spoke that points up.
    assert found.webs[0].dots[0] == (200.0, 144.0)
    assert [values for _one, values in found.rows] == [[40, 80]] * 3


def test_the_best_score_grows_with_time():
    found = history.growth_of(FOUR)  # the worst came first
    assert [(mark.name, mark.when.day) for mark in found.records] == [
        ("a/small", 1), ("a/dear", 2), ("a/large", 3), ("a/unknown", 4),
    ]  # fmt: skip
    assert found.records[1].gain == pytest.approx(20)


# The pages


@pytest.fixture
def benchmarks(alice, make_repo):
    """Three of one kind, for a web needs as many."""
    names = ("mood", "tone", "sky")
    texts = {name: EVAL_YAML.replace("name: Mood", f"name: {name.title()}") for name in names}
    return [make_benchmark(make_repo, alice, name, definition=text) for name, text in texts.items()]


@pytest.fixture
def suite(morgan, benchmarks):
    return suites.create_suite(by=morgan, slug="moods", title="Moods", benchmarks=[(one, 1.0) for one in benchmarks])


def measure(model: Repo, benchmarks: list[Benchmark], value: float) -> None:
    for benchmark in benchmarks:
        row, _new = submitting.submit(model, benchmark, by=model.namespace.user)
        record(row, scores(value) | {"details": {"robustness": {"relative_drop": value / 10}}}, dict(REPORT))


@pytest.fixture
def two(suite, alice, make_repo, benchmarks):
    for name, value, parameters in (("small", 0.7, 4 * MB), ("large", 0.9, 60 * MB)):
        model = make_repo(alice, name, files=model_files(value))
        measure(model, benchmarks, value)
        Repo.objects.filter(pk=model.pk).update(parameters=parameters)
    renew()


def test_each_picture_has_a_page_a_table_and_a_file(client, two, django_assert_max_num_queries):
    for chart in ALL:
        with django_assert_max_num_queries(8):
            page = client.get(f"/leaderboard/moods/charts?chart={chart}")
        assert page.status_code == 200
        assert "<figcaption" in page.text, chart
        assert "<table" in page.text, chart
        saved = client.get(f"/leaderboard/moods/charts.svg?chart={chart}")
        assert saved.headers["Content-Type"] == "image/svg+xml"
        assert "attachment" in saved.headers["Content-Disposition"]
        assert ElementTree.fromstring(saved.text).tag.endswith("svg")
    filtered = client.get("/leaderboard/moods/charts?chart=ranks&max_parameters=30M").text
    assert "1 model is left out" in filtered
    assert "alice/large" not in filtered
    assert 'href="?chart=latency&amp;max_parameters=30000000"' in filtered


def test_a_model_says_on_which_fronts_it_stands(client, two):
    words = "On the front of Moods"
    assert words in client.get("/alice/small/evaluations/summary").text
    assert words in client.get("/alice/large/evaluations/summary").text
    Repo.objects.filter(name="large").update(parameters=4 * MB)  # as small, and better
    assert words not in client.get("/alice/small/evaluations/summary").text


def test_versions_of_a_model_are_drawn_in_their_order(client, two, alice, benchmarks):
    small = Repo.objects.get(name="small")
    publishing.commit(repo=small, by=alice, title="Longer", changes=[PutFile("model.safetensors", safetensors(9.0))])
    small.refresh_from_db()
    measure(small, benchmarks[:1], 0.75)
    found = history.versions_of(small, list(SuiteEntry.objects.select_related("benchmark")))
    assert [one.score is None for one in found.versions] == [False, True]  # two benchmarks are lacking
    assert [round(value, 6) for _x, _y, value in found.lines[0].dots] == [40, 50]
    assert "Versions of alice/small" in client.get("/leaderboard/moods/charts?chart=history&model=alice/small").text


def test_an_empty_board_has_no_picture_and_says_so(client, suite):
    for chart in ALL:
        assert 'class="empty' in client.get(f"/leaderboard/moods/charts?chart={chart}").text
        assert client.get(f"/leaderboard/moods/charts.svg?chart={chart}").status_code == 404
    for query in ("chart=none", "chart=ranks&start=99999", "version=7", "chart=history&model=%00"):
        assert client.get(f"/leaderboard/moods/charts?{query}").status_code in {200, 404}


def test_a_private_model_is_in_no_picture(client, as_user, alice, two):
    publishing.set_private(Repo.objects.get(name="large"), by=alice, private=True)
    for browser in (client, as_user(alice)):
        for chart in ALL:
            assert "alice/large" not in browser.get(f"/leaderboard/moods/charts?chart={chart}").text, chart
    page = as_user(alice).get("/leaderboard/moods/charts?chart=history&model=alice/large").text
    assert "There is no such model" in page
