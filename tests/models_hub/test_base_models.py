"""Which models were made from which, as the page of each and the tree show it."""

import json

import pytest

from models_hub import lineage, moving
from models_hub.models import Repo
from portal import renaming


def card(*bases: str, **fields: str) -> dict[str, str]:
    lines = [f"base_model: {json.dumps(list(bases))}", *(f"{name}: {value}" for name, value in fields.items())]
    return {"README.md": "\n".join(["---", *lines, "---", "# x", ""])}


@pytest.fixture
def make(alice, make_repo):
    def made(name, *bases, owner=None, private=False, **fields):
        files = card(*bases, **fields) if bases else {"README.md": "# base\n"}
        return make_repo(owner or alice, name, files=files, private=private)

    return made


def names(relatives) -> dict[str, object]:
    return {one.name: names(one.others) for one in relatives}


def test_parents_and_children_are_found_some_levels_away(make, alice):
    make("base")
    make("middle", "alice/base")
    focus = make("focus", "alice/middle")
    make("child", "alice/focus")
    make("grandchild", "alice/child")
    family = lineage.family(focus, alice)
    assert names(family.parents) == {"alice/middle": {"alice/base": {}}}
    assert names(family.children) == {"alice/child": {"alice/grandchild": {}}}


def test_children_are_counted_by_what_was_done(make, alice):
    base = make("base")
    make("one", "alice/base")
    make("two", "alice/base")
    make("small", "alice/base", base_model_relation="quantized")
    make("mixed", "alice/base", "alice/one")
    assert lineage.count_children(base, alice) == {"finetune": 2, "quantized": 1, "merge": 1}


def test_models_made_of_each_other_end(make, alice):
    make("one", "alice/two")
    two = make("two", "alice/one")
    family = lineage.family(two, alice)
    assert names(family.parents) == {"alice/one": {"alice/two": {}}}
    assert names(family.children) == {"alice/one": {}}
    assert family.children[0].seen_before


def test_a_model_made_of_itself_ends(make, alice):
    own = make("own", "alice/own")
    assert lineage.count_children(own, alice) == {}
    assert names(lineage.family(own, alice).parents) == {"alice/own": {}}


def test_a_private_relative_is_as_if_it_were_elsewhere(make, alice, charlie, as_user):
    make("hidden", private=True)
    middle = make("middle", "alice/hidden")
    make("secret-child", "alice/middle", private=True)
    family = lineage.family(middle, charlie)
    assert family.parents[0].repo is None
    assert family.children == []
    assert lineage.count_children(middle, charlie) == {}
    page = as_user(charlie).get("/alice/middle/family").text
    assert "secret-child" not in page
    assert "not on this portal" in page
    assert "secret-child" in as_user(alice).get("/alice/middle/family").text


def test_a_parent_is_found_under_its_former_name(make, alice):
    base = make("base")
    child = make("child", "alice/base")
    moving.move_repo(base, by=alice, namespace="alice", name="renamed")
    assert names(lineage.parents(Repo.objects.get(pk=child.pk), alice)) == {"alice/renamed": {}}


def renamed(kind: str, parent: Repo, alice) -> str:
    """Give the parent, or its owner, another name, one after the other or both; returns the parent's new name."""
    if kind in {"repository", "both"}:
        moving.move_repo(parent, by=alice, namespace="alice", name="Renamed")
    if kind in {"owner", "both"}:
        renaming.rename_account(alice, name="Alicia")
    return Repo.objects.select_related("namespace").get(pk=parent.pk).full_name


@pytest.mark.parametrize("kind", ["repository", "owner", "both"])
def test_the_tree_follows_a_parent_whose_name_or_owner_s_name_changed(make, alice, bob, kind):
    base = make("Base")
    child = make("child", "alice/Base", owner=bob)
    make("grandchild", "bob/child", owner=bob)
    name = renamed(kind, base, alice)
    base = Repo.objects.select_related("namespace").get(pk=base.pk)
    assert lineage.count_children(base, bob) == {"finetune": 1}
    assert names(lineage.family(base, bob).children) == {"bob/child": {"bob/grandchild": {}}}
    assert names(lineage.parents(Repo.objects.get(pk=child.pk), bob)) == {name: {}}


def test_children_of_one_that_took_a_former_name_are_its_own(make, alice):
    base = make("base")
    make("child", "alice/base")
    moving.move_repo(base, by=alice, namespace="alice", name="other")
    make("base", "alice/other")
    base = Repo.objects.select_related("namespace").get(pk=base.pk)
    assert names(lineage.family(base, alice).children) == {"alice/base": {"alice/child": {}}}


def test_an_address_under_two_former_names_leads_on(make, alice, client):
    renamed("both", make("base"), alice)
    assert client.get("/alice/base")["Location"].endswith("/Alicia/Renamed")


def test_what_is_not_here_is_a_word_with_a_way_to_import_it(make, client):
    make("child", "google/bert", "bert-base-uncased")
    for address in ("/alice/child", "/alice/child/family"):
        page = client.get(address).text
        assert "/new/import?kind=model&amp;source=google%2Fbert" in page
        assert "source=bert-base-uncased" not in page


def test_the_import_form_begins_with_the_name(as_user, alice, settings):
    settings.IMPORT_HUBS = ["https://hub.example"]
    assert 'value="google/bert"' in as_user(alice).get("/new/import?kind=model&source=google%2Fbert").text


def test_the_page_of_a_model_counts_and_leads_to_the_tree(make, client):
    make("base")
    make("child", "alice/base")
    page = client.get("/alice/base").text
    assert "1 fine-tune" in page
    assert 'href="/alice/base/family"' in page


def test_the_tree_costs_the_same_however_wide_it_is(make, client, django_assert_max_num_queries):
    make("base")
    make("focus", "alice/base")
    make("child-0", "alice/focus")
    client.get("/alice/focus/family")
    with django_assert_max_num_queries(16):
        client.get("/alice/focus/family")
    for number in range(1, 8):
        make(f"child-{number}", "alice/focus")
        make(f"grandchild-{number}", f"alice/child-{number}")
    with django_assert_max_num_queries(16):
        assert "grandchild-7" in client.get("/alice/focus/family").text


def test_only_models_have_a_tree(client, alice, make_repo):
    make_repo(alice, "rows", kind="dataset")
    assert client.get("/datasets/alice/rows/family").status_code == 404
    assert client.get("/alice/nobody/family").status_code == 404


def test_a_hostile_name_is_escaped_in_the_tree(make, client):
    make("child", "<script>alert(1)</script>/x")
    for address in ("/alice/child", "/alice/child/family"):
        assert "<script>alert" not in client.get(address).text
