"""Lists and facts of repositories: every order and filter, counted fields, groups of labels."""

from datetime import timedelta

import pytest
from django.utils import timezone

from models_hub.models import Repo
from tests.models_hub.wire import LARGE, Wire

CHILD = "---\nbase_model: alice/bert\n---\n# Child\n"


def ids(response):
    return [row["id"] for row in response.json()]


def follow(address):
    seen = []
    while address:
        response = Wire().get(address)
        seen += ids(response)
        address = response.get("Link", "").partition(">")[0].removeprefix("<http://portal.example")
    return seen


@pytest.mark.parametrize("sort", ["lastModified", "createdAt", "downloads", "likes", "trendingScore"])
def test_every_order_goes_from_most_to_least_over_all_pages(alice, make_repo, sort):
    now = timezone.now()
    for n in range(5):
        repo = make_repo(alice, f"m{n}")
        moment = now - timedelta(hours=n)
        values = {"downloads": n // 2, "likes": n // 2, "trend": n / 3}
        Repo.objects.filter(pk=repo.pk).update(updated_at=moment, created_at=moment, **values)
    expected = [f"alice/m{n}" for n in range(5)]
    if sort not in {"lastModified", "createdAt"}:
        expected.reverse()
    assert follow(f"/api/models?sort={sort}&limit=2") == expected
    assert follow(f"/api/models?sort={sort}&direction=-1") == expected


def test_children_are_counted_where_they_are_public(alice, charlie, make_repo):
    make_repo(alice, files={"README.md": "# Base\n"})
    make_repo(charlie, "one", files={"README.md": CHILD})
    make_repo(charlie, "two", files={"README.md": CHILD}, private=True)
    keys = "expand=childrenModelCount&expand=baseModels"
    assert Wire().get(f"/api/models/alice/bert?{keys}").json()["childrenModelCount"] == 1
    rows = {row["id"]: row for row in Wire().get(f"/api/models?{keys}").json()}
    assert (rows["alice/bert"]["childrenModelCount"], rows["alice/bert"]["baseModels"]) == (1, None)
    assert (rows["charlie/one"]["childrenModelCount"], rows["charlie/one"]["baseModels"]) == (0, ["alice/bert"])
    assert ids(Wire().get("/api/models?filter=base_model:alice/bert")) == ["charlie/one"]


def test_storage_counts_all_versions(alice, make_repo):
    make_repo(alice, files={"w.bin": LARGE})
    single = Wire().get("/api/models/alice/bert?expand=usedStorage").json()["usedStorage"]
    assert single > len(LARGE)
    assert Wire().get("/api/models?expand=usedStorage").json()[0]["usedStorage"] == single


def test_a_list_with_every_counted_field_costs_the_same_however_long(alice, make_repo, django_assert_num_queries):
    for n in range(6):
        make_repo(alice, f"m{n}", files={"README.md": CHILD})
    keys = ("usedStorage", "childrenModelCount", "baseModels", "downloads", "trendingScore", "gated", "tags")
    query = "&".join(f"expand={key}" for key in keys)
    for limit in (1, 6):
        with django_assert_num_queries(2):
            assert len(Wire().get(f"/api/models?{query}&limit={limit}").json()) == limit


def test_gates_and_programs_are_filters(alice, make_repo):
    make_repo(alice, "open", files={"tiny.gguf": b"GGUF"})
    gated = make_repo(alice, "shut")
    Repo.objects.filter(pk=gated.pk).update(gated="auto")
    for value, expected in (("true", ["alice/shut"]), ("True", ["alice/shut"]), ("false", ["alice/open"])):
        assert ids(Wire().get(f"/api/models?gated={value}")) == expected
    assert ids(Wire().get("/api/models?apps=llama.cpp")) == ["alice/open"]
    assert ids(Wire().get("/api/models?apps=llama.cpp&apps=vllm")) == []
    for query in ("apps=unknown", "inference=warm", "inference_provider=all"):
        assert ids(Wire().get(f"/api/models?{query}")) == []


def test_a_data_set_tells_its_description_and_citation(alice, make_repo):
    card = "# Cars\n\n![x](y.png)\n\nTen cars\nand their prices.\n\n```bibtex\n@misc{cars, year=1}\n```\n"
    make_repo(alice, "cars", kind="dataset", files={"README.md": card, "a.csv": "a\n"})
    shown = Wire().get("/api/datasets/alice/cars").json()
    assert (shown["description"], shown["citation"]) == ("Ten cars and their prices.", "@misc{cars, year=1}")
    assert Wire().get("/api/datasets").json()[0]["description"] == "Ten cars and their prices."
    assert Wire().get("/api/datasets/alice/cars?expand=mainSize").json()["mainSize"] > len(card)


def test_labels_come_in_groups_without_those_of_private_repositories(alice, make_repo):
    card = "---\nlicense: mit\nlanguage: zh\npipeline_tag: fill-mask\ntags: [tiny]\ndatasets: [imdb]\n---\n"
    make_repo(alice, files={"README.md": card})
    make_repo(alice, "secret", files={"README.md": "---\ntags: [hidden]\n---\n"}, private=True)
    make_repo(alice, "cars", kind="dataset", files={"README.md": "---\ntask_categories: [translation]\n---\n"})
    shown = Wire().get("/api/models-tags-by-type").json()
    groups = {group: [row["id"] for row in rows] for group, rows in shown.items()}
    assert groups == {
        "pipeline_tag": ["fill-mask"],
        "license": ["license:mit"],
        "language": ["zh"],
        "dataset": ["dataset:imdb"],
        "other": ["tiny"],
    }
    assert shown["license"] == [{"type": "license", "id": "license:mit", "label": "mit"}]
    data = Wire().get("/api/datasets-tags-by-type").json()
    assert [row["id"] for row in data["task_categories"]] == ["task_categories:translation"]


@pytest.mark.parametrize("cursor", ["W3RydWUsMV0", "W05hTiwxXQ", "W0luZmluaXR5LDFd", "WzFlMzA4LDFd", "WyIyMDI0IiwxXQ"])
@pytest.mark.parametrize("sort", ["trendingScore", "likes", "createdAt"])
def test_a_made_up_cursor_of_any_order_does_no_harm(alice, make_repo, cursor, sort):
    make_repo(alice)
    assert Wire().get(f"/api/models?sort={sort}&cursor={cursor}").status_code == 200
