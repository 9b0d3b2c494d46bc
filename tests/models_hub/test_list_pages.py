"""Lists of models and data sets."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from models_hub import listing
from models_hub.models import Repo
from models_hub.searching import trail
from tests.evaluating import model_files


@pytest.fixture(autouse=True)
def fresh_facets():
    cache.clear()


def card(**fields: object) -> dict[str, bytes | str]:
    lines = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return {"README.md": f"---\n{lines}---\n# Card\n"}


def names(answer) -> list[str]:
    return [repo.full_name for repo in answer.context["page"].repos]


def test_a_model_stands_in_the_list_with_its_facts(client, alice, make_repo):
    make_repo(alice, "bert", files=model_files() | card(language="zh", license="mit", pipeline_tag="fill-mask"))
    page = client.get("/models").text
    for piece in ('href="/alice/bert"', "Fill mask", "Chinese", "2</li>"):
        assert piece in page


def test_models_and_data_sets_are_apart(client, alice, make_repo):
    make_repo(alice, "bert")
    make_repo(alice, "imdb", kind="dataset")
    assert names(client.get("/models")) == ["alice/bert"]
    assert names(client.get("/datasets")) == ["alice/imdb"]


@pytest.mark.parametrize(
    ("words", "found"),
    [("senti", ["alice/sentiment"]), ("ALICE", ["alice/sentiment"]), ("bob tagged", ["bob/other"]), ("nowhere", [])],
)
def test_search_reads_names_owners_and_tags(client, alice, bob, make_repo, words, found):
    make_repo(alice, "sentiment")
    make_repo(bob, "other", files=card(tags="[tagged]"))
    assert names(client.get("/models", {"search": words})) == found


@pytest.mark.parametrize(
    ("name", "value"),
    [("task", "fill-mask"), ("library", "peft"), ("language", "zh"), ("license", "mit"), ("author", "bob")],
)
def test_each_filter_narrows_and_can_be_taken_away(client, alice, bob, make_repo, name, value):
    make_repo(alice, "one", files=card(license="apache-2.0", language="en"))
    make_repo(bob, "two", files=card(pipeline_tag="fill-mask", library_name="peft", language="zh", license="mit"))
    answer = client.get("/models", {name: value, "search": "two"})
    assert names(answer) == ["bob/two"]
    assert 'id="active-filters"' in answer.text
    assert 'href="?search=two"' in answer.text


def test_filters_offer_what_public_repositories_have_and_nothing_of_private_ones(client, alice, make_repo):
    make_repo(alice, "open", files=card(license="mit"))
    make_repo(alice, "hidden", files=card(license="secret-licence"), private=True)
    page = client.get("/models").text
    assert "?license=mit" in page
    assert "secret-licence" not in page


def test_data_sets_are_filtered_by_language_too(client, alice, make_repo):
    make_repo(alice, "zh", kind="dataset", files=card(language="zh"))
    make_repo(alice, "en", kind="dataset", files=card(language="en"))
    assert names(client.get("/datasets", {"language": "zh"})) == ["alice/zh"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("largest", ["alice/big", "alice/Small", "alice/unknown"]),
        ("smallest", ["alice/Small", "alice/big", "alice/unknown"]),
        ("name", ["alice/big", "alice/Small", "alice/unknown"]),
        ("updated", ["alice/Small", "alice/unknown", "alice/big"]),
        ("nonsense", ["alice/Small", "alice/unknown", "alice/big"]),
    ],
)
def test_lists_sort(client, alice, make_repo, sort, order):
    make_repo(alice, "big", files=model_files(1, 2, 3, 4))
    make_repo(alice, "unknown")
    make_repo(alice, "Small", files=model_files(1))
    assert names(client.get("/models", {"sort": sort})) == order


@pytest.mark.parametrize("sort", listing.ORDERS)
def test_pages_follow_each_other_without_gaps_or_repeats(client, alice, make_repo, monkeypatch, sort):
    monkeypatch.setattr(listing, "PAGE", 2)
    made = {make_repo(alice, f"m{number}").full_name for number in range(5)}
    Repo.objects.filter(name__in=["m1", "m3"]).update(parameters=7, updated_at=F("created_at"))
    seen: list[str] = []
    query = {"sort": sort}
    while True:
        answer = client.get("/models", query)
        seen += names(answer)
        query = {"sort": sort, "cursor": answer.context["page"].next_cursor}
        if not query["cursor"]:
            break
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwgMV0", "é", "a" * 900])
def test_a_broken_cursor_is_a_clear_refusal(client, db, cursor):
    assert client.get("/models", {"cursor": cursor}).status_code == 400


def test_a_private_model_is_listed_and_counted_for_its_people_alone(as_user, alice, charlie, make_repo):
    make_repo(alice, "secret", private=True)
    assert names(as_user(alice).get("/models")) == ["alice/secret"]
    answer = as_user(charlie).get("/models", {"search": "secret"})
    assert names(answer) == []
    assert answer.context["page"].count == 0


def test_a_list_costs_the_same_however_long_it_is(client, alice, make_repo, monkeypatch):
    # Tests that flush leave gaps in the numbers of the trail, which a reader would ask for once more for a while.
    monkeypatch.setattr(trail, "NEAR", 0)

    def queries_of() -> int:
        client.get("/models")  # what changed is taken in by the first reader
        with CaptureQueriesContext(connection) as captured:
            client.get("/models")
        return len(captured)

    make_repo(alice, "one")
    few = queries_of()
    for number in range(6):
        make_repo(alice, f"m{number}", files=card(language="zh", tags="[a, b]"))
    assert [few, queries_of()] == [2, 2]


def test_an_empty_list_says_what_to_do(client, db):
    assert 'href="/new/model"' in client.get("/models").text
    assert "Show all" in client.get("/models", {"search": "nothing"}).text


def test_the_home_page_gets_the_latest_models(client, alice, make_repo, django_assert_num_queries):
    for number in range(8):
        make_repo(alice, f"m{number}")
    make_repo(alice, "secret", private=True)
    with django_assert_num_queries(1):
        page = client.get("/models/latest").text
    assert "m7" in page
    assert "m1" not in page
    assert "secret" not in page


def test_a_profile_gets_what_its_owner_published(client, as_user, alice, bob, make_repo):
    make_repo(alice, "bert")
    make_repo(alice, "imdb", kind="dataset")
    make_repo(bob, "other")
    make_repo(alice, "secret", private=True)
    page = client.get("/fragments/repos", {"author": "Alice"}).text
    assert 'href="/alice/bert"' in page
    assert 'href="/datasets/alice/imdb"' in page
    assert "other" not in page
    assert "secret" not in page
    assert "secret" in as_user(alice).get("/fragments/repos", {"author": "alice"}).text


@pytest.mark.parametrize("address", ["/models", "/datasets", "/models/latest", "/fragments/repos"])
def test_lists_are_for_reading(client, db, address):
    assert client.post(address).status_code == 405
