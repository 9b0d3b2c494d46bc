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
