"""The rows of a data set over the REST API."""

import json

import pytest

ROWS = [{"n": number, "text": f"row {number}", "label": ("a", "b")[number % 2]} for number in range(120)]
BASE = "/api/v1/datasets/alice/rows"


@pytest.fixture(autouse=True)
def data_set(alice, make_repo):
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    return make_repo(
        alice, "rows", kind="dataset", files={"train.jsonl": lines, "dev.csv": "a\n1\n", "dev.jsonl": lines}
    )


def test_splits_are_listed_with_their_files(client):
    assert client.get(f"{BASE}/splits").json() == {
        "splits": [
            {"config": "default", "split": "train", "files": ["train.jsonl"]},
            {"config": "default", "split": "validation", "files": ["dev.jsonl"]},
        ]
    }


def test_following_next_gives_every_row_once(client):
    address, found = f"{BASE}/rows?length=50", []
    while address:
        answer = client.get(address).json()
        found += [one["row"] for one in answer["rows"]]
        address = answer["next"]
    assert found == ROWS
    assert answer["num_rows_total"] == len(ROWS)
    assert answer["partial"] is False


def test_rows_are_found_by_words_and_labels(client):
    answer = client.get(f"{BASE}/rows?query=ROW%201&where=label:b&length=5").json()
    wanted = [row for row in ROWS if "1" in str(row) and "row" in row["text"] and row["label"] == "b"]
    wanted = [row for row in wanted if "1" in f"{row['n']} {row['text']}"]
    assert answer["num_rows_found"] == len(wanted)
    assert [one["row"] for one in answer["rows"]] == wanted[:5]
    assert [one["row_idx"] for one in answer["rows"]] == [row["n"] for row in wanted[:5]]


def test_beyond_the_end_there_are_no_rows(client):
    assert client.get(f"{BASE}/rows?offset=120").json()["rows"] == []


@pytest.mark.parametrize("query", ["offset=x", "offset=-1", "length=1.5", "where=text:a", "where=none"])
def test_a_wrong_question_is_refused(client, query):
    assert client.get(f"{BASE}/rows?{query}").status_code == 400


@pytest.mark.parametrize("query", ["split=none", "config=none", "revision=none"])
def test_what_there_is_not_is_404(client, query):
    assert client.get(f"{BASE}/rows?{query}").status_code == 404


def test_a_model_has_no_rows(client, alice, make_repo):
    make_repo(alice, "bert", files={"train.jsonl": "{}"})
    assert client.get("/api/v1/models/alice/bert/rows").status_code == 404


def test_files_that_cannot_be_read_are_an_error_with_a_reason(client, alice, make_repo):
    make_repo(alice, "broken", kind="dataset", files={"a.parquet": b"PAR1 no PAR1"})
    answer = client.get("/api/v1/datasets/alice/broken/rows")
    assert answer.status_code == 400
    assert "a.parquet is no Parquet file" in answer.json()["error"]


def test_an_answer_ends_where_it_grows_too_long_and_goes_on_at_next(client, alice, make_repo):
    rows = [{"n": number, "text": "x" * 90_000} for number in range(60)]
    make_repo(alice, "long", kind="dataset", files={"a.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    for query in ("length=100", "length=100&query=xxx"):
        address, found = f"/api/v1/datasets/alice/long/rows?{query}", []
        while address:
            answer = client.get(address)
            assert len(answer.content) < 5_000_000
            found += [one["row"]["n"] for one in answer.json()["rows"]]
            address = answer.json()["next"]
        assert found == list(range(60))
