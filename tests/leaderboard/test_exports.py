"""Boards for others: files, feeds and frames of what everybody may see, with the filters of the page."""

import csv
import io

import duckdb
import pytest

from leaderboard import standings
from leaderboard.models import Suite
from leaderboard.plain_parquet import DOUBLE, INT64, TEXT, Column, table
from models_hub.models import Repo
from tests.evaluating import make_benchmark, model_files
from tests.leaderboard.scored import score

BOARD = "/leaderboard/moods"


@pytest.fixture
def moods(alice, make_repo) -> Suite:
    """Two models on a board of one benchmark."""
    benchmark = make_benchmark(make_repo, alice)
    for place, name in enumerate(("best", "last")):
        score(make_repo(alice, name, files=model_files(float(place))), benchmark, alice, 0.9 - place / 10)
    suite = Suite.objects.create(slug="moods", title="Moods")  # now, so that it is made once
    suite.entries.create(benchmark=benchmark)
    standings.renew(suite)
    return suite


def rows_of(client, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(f"{BOARD}.csv{query}").getvalue().decode())))


def test_csv_holds_ranks_scores_and_the_evaluations_behind_them(client, moods):
    rows = rows_of(client)
    assert [(row["rank"], row["model"]) for row in rows] == [
        ("1", "alice/best"),
        ("2", "alice/last"),
    ]
    (name,) = [name for name in rows[0] if name.endswith(" f1_macro")]
    assert rows[0][name] == "0.9"
    assert float(rows[0]["score"]) == pytest.approx(80)
    assert int(rows[0]["rank_low"]) <= 1 <= int(rows[0]["rank_high"])


def test_filters_and_order_are_those_of_the_page(client, moods):
    Repo.objects.filter(name="best").update(parameters=10_000_000)
    Repo.objects.exclude(name="best").update(parameters=1_000_000)
    small = rows_of(client, "?size=5M&sort=name")
    assert [(row["rank"], row["model"]) for row in small] == [("1", "alice/last")]
    assert client.get(f"{BOARD}.csv?size=huge").status_code == 400


def test_parquet_and_json_say_the_same(client, moods, tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(client.get(f"{BOARD}.parquet").content)
    found = duckdb.sql(f"SELECT rank, model, score FROM '{path}'").fetchall()
    rows = client.get(f"{BOARD}.json").json()["rows"]
    assert found == [(row["rank"], row["model"], row["score"]) for row in rows]
    assert len(found) == 2


def test_our_own_parquet_is_read_by_others_with_what_is_missing(tmp_path):
    path = tmp_path / "a.parquet"
    columns = [Column("n", INT64, [1, None, 3] * 7), Column("text", TEXT, ["x", "小", None] * 7)]
    columns += [Column(f"d{number}", DOUBLE, [None, 0.5, -1.0] * 7) for number in range(20)]
    path.write_bytes(table(columns))
    assert duckdb.sql(f"SELECT n, text, d19 FROM '{path}'").fetchall() == [
        (1, "x", None), (None, "小", 0.5), (3, None, -1.0)
    ] * 7  # fmt: skip
    path.write_bytes(table([Column("n", INT64, [])]))
    assert duckdb.sql(f"SELECT * FROM '{path}'").fetchall() == []


def test_the_feed_has_the_newest_results_of_the_board_or_of_all(client, moods):
    for address in (f"{BOARD}.atom", "/leaderboard.atom"):
        answer = client.get(address)
        assert answer.headers["Content-Type"].startswith("application/atom+xml")
        assert answer.text.count("<entry>") == 2
        assert "alice/best on Mood: F1, macro 90.0 (85.0…95.0)" in answer.text


def test_a_frame_may_stand_anywhere_and_asks_for_no_cookie(client, moods):
    answer = client.get(f"{BOARD}/embed?rows=1&theme=dark&lang=zh")
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors *" in policy
    assert "script-src" not in policy
    assert "X-Frame-Options" not in answer.headers
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert 'data-theme="dark"' in answer.text
    assert 'lang="zh-hans"' in answer.text
    assert "alice/best" in answer.text
    assert "alice/last" not in answer.text
    assert client.get(BOARD).headers["X-Frame-Options"] == "DENY"


def test_the_page_of_exports_keeps_the_view(client, moods):
    page = client.get(f"{BOARD}/export?size=5M").text
    assert f"{BOARD}.csv?size=5M" in page
    assert f"{BOARD}/embed?size=5M" in page


def test_what_became_private_is_in_none_of_them_at_once(as_user, alice, moods):
    Repo.objects.filter(name="best").update(private=True)
    browser = as_user(alice)  # not to its owner either: they are the same for everybody
    for address in (
        f"{BOARD}.csv",
        f"{BOARD}.json",
        f"{BOARD}.parquet",
        f"{BOARD}.atom",
        "/leaderboard.atom",
        f"{BOARD}/embed",
    ):
        assert b"alice/best" not in browser.get(address).getvalue(), address


def test_a_board_that_is_not_approved_is_404_to_all(client, moods):
    Suite.objects.update(standing="proposed")
    for address in (".csv", ".atom", "/embed", "/export"):
        assert client.get(f"{BOARD}{address}").status_code == 404


def test_more_models_cost_no_more_queries(client, alice, moods, make_repo, django_assert_max_num_queries):
    with django_assert_max_num_queries(9):
        client.get(f"{BOARD}.csv").getvalue()
    with django_assert_max_num_queries(9):
        client.get(f"{BOARD}/embed")
