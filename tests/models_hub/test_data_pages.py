"""The rows of a data set on its page: splits, paging, search, filters, statistics."""

import csv
import io
import json
import statistics
from collections import Counter

import pytest

from models_hub import permissions
from models_hub.models import Repo

ROWS = [
    {"id": number, "text": f"row {number} " + "好词" * (number % 7), "label": ("good", "bad", "so")[number % 3]}
    for number in range(200)
]
ADDRESS = "/datasets/alice/rows/data/main"


def jsonl(rows) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def csv_text(rows) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture
def data_set(alice, make_repo) -> Repo:
    return make_repo(alice, "rows", kind="dataset", files={"train.jsonl": jsonl(ROWS), "test.jsonl": jsonl(ROWS[:5])})


def test_the_first_split_is_shown_and_the_others_are_offered(client, data_set):
    page = client.get(ADDRESS).text
    assert "row 0 " in page
    assert "row 49 " in page
    assert "row 50 " not in page
    assert "<strong>200</strong> rows" in page
    assert 'href="?split=test"' in page
    assert "<strong>5</strong> rows" in client.get(ADDRESS + "?split=test").text


def test_pages_follow_each_other_by_row_number(client, data_set):
    page = client.get(ADDRESS + "?split=train&row=51").text
    assert "row 50 " in page
    assert "row 100 " not in page
    assert f'href="{ADDRESS}?split=train&amp;row=101"' in page
    assert f'href="{ADDRESS}?split=train&amp;row=1"' in page
    assert "51–100 of 200" in page
    assert 'rel="next"' not in client.get(ADDRESS + "?row=151").text


@pytest.mark.parametrize("row", ["0", "-3", "x", "99999999999999", "٣"])
def test_a_number_that_is_no_row_shows_rows_all_the_same(client, data_set, row):
    assert client.get(f"{ADDRESS}?row={row}").status_code == 200


def test_words_are_found_in_any_case_and_marked(client, data_set):
    page = client.get(ADDRESS + "?q=ROW+17").text
    found = [row for row in ROWS if "17" in f"{row['text']} {row['id']}"]
    assert f"{len(found)} rows found" in page
    assert "<mark>row</mark> <mark>17</mark>" in page
    assert "row 0 " not in page


def test_chinese_words_are_found(client, data_set):
    wanted = [row for row in ROWS if "好词好词好词好词好词" in row["text"]]
    assert f"{len(wanted)} rows found" in client.get(ADDRESS + "?q=好词好词好词好词好词").text


def test_found_rows_have_pages_too(client, data_set):
    page = client.get(ADDRESS + "?q=好词").text
    matches = [row["id"] for row in ROWS if "好词" in row["text"]]
    assert f"{ADDRESS}?q=%E5%A5%BD%E8%AF%8D&amp;row={matches[50] + 1}" in page
    second = client.get(f"{ADDRESS}?q=好词&row={matches[50] + 1}").text
    assert f"row={matches[0] + 1}&" in second.replace("amp;", "") + "&" or f'row={matches[0] + 1}"' in second


def test_rows_are_filtered_by_label(client, data_set):
    count = sum(row["label"] == "bad" for row in ROWS)
    page = client.get(ADDRESS + "?is_label=bad").text
    assert f"{count} rows found" in page
    assert "row 1 " in page
    assert "row 0 " not in page


def test_nothing_found_says_so(client, data_set):
    assert "No row holds all of that" in client.get(ADDRESS + "?q=zzzz").text


def test_a_row_is_seen_in_full(client, alice, make_repo):
    long = "x" * 20_000 + "end"
    make_repo(alice, "rows", kind="dataset", files={"a.jsonl": jsonl([{"text": long, "more": {"k": [1]}}])})
    assert long not in client.get(ADDRESS).text
    page = client.get(ADDRESS + "?one=1").text
    assert long in page
    assert "&quot;k&quot;" in page
    assert "no row of this number" in client.get(ADDRESS + "?one=2").text


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", jsonl(ROWS)), ("a.csv", csv_text(ROWS))])
def test_statistics_are_those_of_the_rows(client, alice, make_repo, name, content):
    make_repo(alice, "rows", kind="dataset", files={name: content})
    page = client.get("/api/v1/datasets/alice/rows/statistics").json()
    columns = {column["name"]: column for column in page["columns"]}
    ids, lengths = [row["id"] for row in ROWS], [len(row["text"]) for row in ROWS]
    assert columns["id"]["numbers"]["mean"] == statistics.mean(ids)
    assert columns["id"]["numbers"]["median"] == statistics.median(ids)
    assert columns["id"]["numbers"]["std"] == pytest.approx(statistics.stdev(ids))
    assert columns["text"]["lengths"]["mean"] == pytest.approx(statistics.mean(lengths))
    assert columns["text"]["lengths"]["std"] == pytest.approx(statistics.stdev(lengths))
    assert columns["text"]["distinct"] == len({row["text"] for row in ROWS})
    assert {one["value"]: one["count"] for one in columns["label"]["labels"]} == Counter(r["label"] for r in ROWS)
    assert sum(columns["id"]["numbers"]["histogram"]["counts"]) == len(ROWS)


def test_the_statistics_page_shows_each_column(client, data_set):
    page = client.get(ADDRESS + "?view=statistics").text
    assert "99.5" in page  # mean and median of the ids
    assert "33.5 %" in page  # 67 of 200
    assert "<svg" in page
    assert "style=" not in page.split('id="data-table"')[1].split("</main>")[0]


def test_a_private_data_set_is_missing(as_user, alice, charlie, make_repo):
    make_repo(alice, "rows", kind="dataset", files={"a.jsonl": jsonl(ROWS)}, private=True)
    for address in (ADDRESS, "/datasets/alice/rows/table/main/a.jsonl", "/api/v1/datasets/alice/rows/rows"):
        assert as_user(charlie).get(address).status_code == 404
        assert as_user(None).get(address).status_code == 404
        assert as_user(alice).get(address).status_code == 200


def test_a_gated_data_set_asks_at_the_gate(as_user, alice, charlie, data_set, monkeypatch):
    Repo.objects.filter(pk=data_set.pk).update(gated="manual")
    for address in (ADDRESS, "/datasets/alice/rows/table/main/train.jsonl"):
        answer = as_user(charlie).get(address)
        assert answer.status_code == 403
        assert "Ask for access" in answer.text
        assert "row 0 " not in answer.text
        assert as_user(alice).get(address).status_code == 200
    assert as_user(charlie).get("/api/v1/datasets/alice/rows/rows").status_code == 403
    assert permissions.can_download(alice, data_set)


def test_what_is_hostile_is_shown_as_text(client, alice, make_repo):
    rows = [
        {"<img src=x onerror=alert(1)>": "<script>alert(1)</script>", "b": {"</pre><script>": 1}},
        {"b": "\u0000\u001b"},
    ]
    make_repo(alice, "rows", kind="dataset", files={"a.jsonl": jsonl(rows)})
    for address in (ADDRESS, ADDRESS + "?q=script", ADDRESS + "?one=1", ADDRESS + "?view=statistics"):
        page = client.get(address).text.split('id="data-table"')[1].split("</main>")[0]
        assert "<script" not in page
        assert "<img" not in page
        assert "\x1b" not in page


def test_what_is_wrong_is_named_with_its_line(client, alice, make_repo):
    make_repo(alice, "rows", kind="dataset", files={"a.jsonl": '{"a": 1}\n{"a": \n[1]\n{"a": 2}\n'})
    page = client.get(ADDRESS).text
    assert "a.jsonl, line 2: no valid JSON" in page
    assert "a.jsonl, line 3: not a JSON object" in page
    assert "<strong>2</strong> rows" in page


def test_a_data_set_without_tables_says_what_to_do(client, alice, make_repo):
    make_repo(alice, "rows", kind="dataset", files={"a.txt": "x"})
    assert "No rows to show" in client.get(ADDRESS).text


def test_class_labels_have_their_names_of_the_card(client, alice, make_repo):
    card = (
        "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n"
        "          '0': negative\n          '1': positive\n---\n"
    )
    rows = [{"text": f"t{n}", "label": n % 2} for n in range(10)]
    make_repo(alice, "rows", kind="dataset", files={"README.md": card, "a.jsonl": jsonl(rows)})
    page = client.get(ADDRESS).text
    assert "positive" in page
    assert ">negative (5)</option>" in page
    assert "5 rows found" in client.get(ADDRESS + "?is_label=1").text


def test_htmx_gets_the_table_alone(client, data_set):
    answer = client.get(ADDRESS, headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert 'id="data-table"' in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_a_file_of_any_repository_is_a_table_too(client, alice, make_repo):
    make_repo(alice, "bert", files={"out/rows.csv": 'text,n\n"a, <b>",1\n', "x.txt": "x"})
    page = client.get("/alice/bert/table/main/out/rows.csv").text
    assert "a, &lt;b&gt;" in page
    assert client.get("/alice/bert/table/main/x.txt").status_code == 404
    assert client.get("/alice/bert/table/main/out").status_code == 404


def test_a_page_costs_the_same_however_many_rows_there_are(
    client, data_set, alice, make_repo, django_assert_max_num_queries
):
    client.get(ADDRESS)
    with django_assert_max_num_queries(16):
        client.get(ADDRESS)
    with django_assert_max_num_queries(16):
        client.get(ADDRESS + "?q=row&row=100")


@pytest.mark.parametrize("query", ["?split=none", "?config=none&split=train", "?image=0.0", "?image=x"])
def test_what_there_is_not_is_404(client, data_set, query):
    assert client.get(ADDRESS + query).status_code == 404


def test_the_card_of_a_data_set_brings_in_its_first_rows(client, data_set, alice, make_repo):
    address = f"{ADDRESS}?view=preview"
    assert f'hx-get="{address}"' in client.get("/datasets/alice/rows").text
    preview = client.get(address, headers={"HX-Request": "true"}).text
    assert "row 4 " in preview
    assert "row 5 " not in preview
    assert 'href="/datasets/alice/rows/data/main?split=test"' in preview
    assert "<html" not in preview
    make_repo(alice, "words", kind="dataset", files={"a.txt": "x"})
    answer = client.get("/datasets/alice/words/data/main?view=preview", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (200, b"")
