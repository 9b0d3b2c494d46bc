"""Lists of the REST API: what is counted of repositories, and the counts of facets."""

import pytest

from tests.models_hub.headers import safetensors

pytestmark = pytest.mark.django_db
WEIGHTS = {"model.safetensors": safetensors({"w": ("F16", (10, 10))})}


@pytest.fixture(autouse=True)
def repos(alice, make_repo):
    make_repo(alice, "bert", files=WEIGHTS)
    make_repo(alice, "gpt", files=WEIGHTS, private=True)


def counts(answer):
    body = answer.json()
    values = {facet["name"]: {one["value"]: one["count"] for one in facet["values"]} for facet in body["facets"]}
    return body["count"], values.get("format"), values.get("precision")


def test_what_was_counted_of_a_model_is_told(client):
    [found] = client.get("/api/v1/models").json()["results"]
    assert (found["parameters"], found["formats"], found["precisions"]) == (100, ["safetensors"], ["fp16"])
    assert (found["memory_bytes"], found["license_class"], found["best_score"]) == (200, "unknown", None)


def test_facets_are_counted_of_what_the_asker_sees(client, as_user, alice, charlie):
    assert counts(client.get("/api/v1/models/facets")) == (1, {"safetensors": 1}, {"fp16": 1})
    assert counts(as_user(charlie).get("/api/v1/models/facets")) == (1, {"safetensors": 1}, {"fp16": 1})
    assert counts(as_user(alice).get("/api/v1/models/facets")) == (2, {"safetensors": 2}, {"fp16": 2})


def test_facets_follow_the_filters_of_the_list(client):
    assert counts(client.get("/api/v1/models/facets?format=gguf&search=bert"))[0] == 0
    assert client.get("/api/v1/datasets/facets").json()["count"] == 0


def test_the_list_is_narrowed_by_format_too(client):
    names = [len(client.get(f"/api/v1/models?format={name}").json()["results"]) for name in ("safetensors", "gguf")]
    assert names == [1, 0]


def test_a_version_is_published_read_changed_and_withdrawn(client, as_user, alice, charlie):
    mine, address = as_user(alice), "/api/v1/models/alice/bert/releases"
    sent = {"tag": "v1.0.0-rc.1", "title": "First", "notes": "- bert"}
    made = mine.post(address, sent, content_type="application/json")
    assert (made.status_code, made.json()["is_preview"], made.json()["author"]) == (201, True, "alice")
    [listed] = client.get(address).json()["results"]
    assert (listed["tag"], listed["notes"], listed["changes_weights"]) == ("v1.0.0-rc.1", "- bert", True)
    assert listed["files"] == len({"model.safetensors", ".gitattributes"})
    one = f"{address}/v1.0.0-rc.1"
    changed = mine.put(one, {"title": "Second"}, content_type="application/json").json()
    assert (changed["title"], changed["notes"], changed["edited_at"] is not None) == ("Second", "", True)
    assert as_user(charlie).delete(one).status_code == 403
    assert mine.delete(one).status_code == 204
    assert client.get(one).json()["published_at"] is None
    assert mine.delete(one).status_code == client.get(f"{address}/v9").status_code == 404
