"""The page that describes the REST API, and the file for programs."""

import pytest
import yaml

from tests.api.conftest import described

pytestmark = pytest.mark.django_db


def test_the_page_shows_every_operation(client):
    page = client.get("/docs/api").text
    for path in described()["paths"]:
        assert path in page
    assert "Idempotency-Key" in page


def test_the_file_names_this_portal(client):
    answer = client.get("/api/v1/openapi.yaml", headers={"host": "models.example:8080"})
    found = yaml.safe_load(answer.content)
    assert found["openapi"] == "3.1.0"
    assert found["servers"] == [{"url": "http://models.example:8080"}]


def test_the_page_asks_nothing_of_the_database(client, django_assert_num_queries):
    client.get("/docs/api")
    with django_assert_num_queries(0):
        client.get("/docs/api")


def test_both_are_in_english_whoever_asked_first(client):
    """What the framework says of a field is in the language of whoever asks."""
    client.cookies["django_language"] = "zh-hans"
    for place in ("/docs/api", "/api/v1/openapi.yaml"):
        assert "只能包含" not in client.get(place).content.decode()  # “letters, digits … only”, of a username
