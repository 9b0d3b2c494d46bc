"""Names are found by any part of them, by an index that follows every change."""

import pytest
from django.db import connection

from models_hub import moving, publishing
from models_hub.models import Repo
from models_hub.searching import naming

pytestmark = pytest.mark.django_db


def found(*words):
    return {str(repo) for repo in Repo.objects.filter(pk__in=[*naming.holding(words)])}


@pytest.fixture(autouse=True)
def repos(alice, bob, make_repo):
    return [make_repo(alice, "Tiny_BERT-zh.v1"), make_repo(bob, "tiny-gpt"), make_repo(alice, "roberta", private=True)]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["bert"], {"alice/Tiny_BERT-zh.v1", "alice/roberta"}),
        (["ny_b"], {"alice/Tiny_BERT-zh.v1"}),
        (["ny%b"], set()),
        (["nyxb"], set()),
        (["ce/tiny"], {"alice/Tiny_BERT-zh.v1"}),
        (["b/t"], {"bob/tiny-gpt"}),
        (["zh"], {"alice/Tiny_BERT-zh.v1"}),
        (["-"], {"alice/Tiny_BERT-zh.v1", "bob/tiny-gpt"}),
        (["tiny", "gp"], {"bob/tiny-gpt"}),
        (["tiny", "rob"], set()),
        (['"tiny" OR "gpt"'], set()),
        (["tiny*"], set()),
        (["ti\nny"], set()),
        (["tıny"], set()),
        (["小"], set()),
    ],
)
def test_a_word_is_found_wherever_it_stands(words, names):
    assert found(*words) == names


def test_the_index_follows_names_and_their_owners(alice, bob, repos):
    moving.move_repo(repos[1], by=bob, namespace="bob", name="walrus")
    assert (found("gpt"), found("walr")) == (set(), {"bob/walrus"})
    alice.namespace.name, alice.namespace.lower = "Alexandra", "alexandra"
    alice.namespace.save()
    assert found("ndra/rob") == {"Alexandra/roberta"}
    assert found("alice") == set()
    publishing.delete_repo(repos[2], by=alice)
    assert found("roberta") == set()


def test_many_answers_are_the_same_as_few(client, monkeypatch, alice):
    few = list(naming.narrowed(Repo.objects.visible_to(alice), "TINY b").order_by("pk"))
    monkeypatch.setattr(naming, "FEW", 0)
    assert list(naming.narrowed(Repo.objects.visible_to(alice), "TINY b").order_by("pk")) == few
    assert len(few) == 2


def test_the_wire_finds_parts_of_names_and_nothing_private(client):
    assert [one["id"] for one in client.get("/api/models?search=OBERT").json()] == []
    assert [one["id"] for one in client.get("/api/models?search=BERT").json()] == ["alice/Tiny_BERT-zh.v1"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan of SQLite")
def test_the_index_is_asked():
    conditions, values = naming._fts5(["bert"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN SELECT rowid FROM hub_names WHERE {conditions[0]}", values)
        assert "VIRTUAL TABLE INDEX" in str(cursor.fetchall())
