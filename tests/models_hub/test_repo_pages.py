"""Repositories come and go."""

import pytest

from models_hub.models import Repo


def test_a_model_is_created_and_its_page_opened(as_user, alice):
    answer = as_user(alice).post("/new/model", {"namespace": "alice", "name": "bert", "private": "public"})
    assert answer.headers["Location"] == "/alice/bert"
    assert not Repo.objects.get().private


def test_a_private_data_set_is_created_for_an_organization(as_user, bob, team):
    answer = as_user(bob).post("/new/dataset", {"namespace": "team", "name": "mood", "private": "private"})
    assert answer.headers["Location"] == "/datasets/team/mood"
    assert Repo.objects.get().private


def test_the_form_offers_only_owners_one_may_write_for(as_user, bob, charlie, team):
    assert [name for name, _label in as_user(bob).get("/new/model").context["form"].fields["namespace"].choices] == [
        "bob",
        "team",
    ]
    answer = as_user(charlie).post("/new/model", {"namespace": "team", "name": "x", "private": "public"})
    assert answer.status_code == 400
    assert not Repo.objects.exists()


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("bert", 409, "this name already"),
        ("a--b", 400, "may not contain"),
        ("", 400, "required"),
        ("ü", 400, "letters"),
    ],
)
def test_a_refused_name_is_explained_beside_it_and_the_rest_is_kept(as_user, alice, make_repo, name, status, message):
    make_repo(alice, "bert")
    answer = as_user(alice).post("/new/model", {"namespace": "alice", "name": name, "private": "private"})
    assert answer.status_code == status
    assert message in " ".join(answer.context["form"].errors["name"])
    assert answer.context["form"]["private"].value() == "private"
    assert Repo.objects.count() == 1


def test_creating_needs_an_account(client, db):
    assert client.get("/new/model").headers["Location"].startswith("/accounts/login/")


def test_visibility_is_changed_both_ways(as_user, alice, make_repo):
    repo = make_repo(alice, "bert")
    browser = as_user(alice)
    for word, private in (("private", True), ("public", False)):
        browser.post("/alice/bert/settings/visibility", {"private": word})
        repo.refresh_from_db()
        assert repo.private is private


def test_deletion_needs_the_name_typed_in_full(as_user, alice, make_repo):
    make_repo(alice, "bert")
    answer = as_user(alice).post("/alice/bert/settings/deletion", {"confirmation": "bert"})
    assert answer.status_code == 400
    assert "alice/bert" in answer.text
    assert Repo.objects.exists()
    answer = as_user(alice).post("/alice/bert/settings/deletion", {"confirmation": "alice/bert"}, follow=True)
    assert not Repo.objects.visible_to(alice).exists()
    assert "alice/bert is deleted" in answer.text


@pytest.mark.parametrize("address", ["settings/visibility", "settings/deletion"])
def test_changes_are_not_made_by_a_link(as_user, alice, make_repo, address):
    make_repo(alice, "bert")
    assert as_user(alice).get(f"/alice/bert/{address}").status_code == 405


def test_only_admins_of_the_owner_manage(as_user, client, alice, bob, charlie, team, make_repo):
    make_repo(alice, "bert", namespace="team")
    for person in (bob, charlie):
        browser = as_user(person)
        assert browser.get("/team/bert/settings").status_code == 403
        assert browser.post("/team/bert/settings/visibility", {"private": "private"}).status_code == 403
        assert browser.post("/team/bert/settings/deletion", {"confirmation": "team/bert"}).status_code == 403
    assert client.get("/team/bert/settings").status_code == 302
    assert Repo.objects.filter(private=False).count() == 1
    assert as_user(alice).get("/team/bert/settings").status_code == 200
