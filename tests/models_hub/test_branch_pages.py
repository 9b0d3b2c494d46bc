"""Branches and tags in the browser."""

from urllib.parse import quote

import pytest

from models_hub import browsing, publishing, referencing
from models_hub.changes import PutFile
from models_hub.models import Ref
from models_hub.views import branches


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files={"a.txt": "one\n"})


@pytest.fixture
def dev(model, alice):
    referencing.create_branch(model, by=alice, name="feature/dev")
    publishing.commit(repo=model, by=alice, title="On dev", changes=[PutFile("b.txt", b"b")], branch="feature/dev")
    publishing.commit(repo=model, by=alice, title="On main", changes=[PutFile("c.txt", b"c")])
    publishing.commit(repo=model, by=alice, title="On main too", changes=[PutFile("d.txt", b"d")])
    return model


def test_branches_say_how_far_they_are_from_the_default_one(client, dev):
    page = client.get("/alice/bert/branches").text
    assert page.index(">main<") < page.index(">feature/dev<")
    assert "1 ahead · 2 behind" in page
    assert "Begin a branch" not in page


def test_a_branch_is_begun_at_any_revision(as_user, alice, model):
    first = browsing.history(model, browsing.resolve_revision(model, "main"))[-1]
    answer = as_user(alice).post("/alice/bert/branches", {"name": "old", "start": first.oid[:10]})
    assert answer.headers["Location"] == "/alice/bert/branches"
    assert browsing.resolve_revision(model, "old").oid == first.oid


@pytest.mark.parametrize(
    ("name", "start", "status"),
    [("main", "main", 409), ("a..b", "main", 400), ("x", "nowhere", 404), ("", "main", 400), ("<b>~", "main", 400)],
)
def test_a_bad_branch_is_refused_with_its_reason(as_user, alice, model, name, start, status):
    answer = as_user(alice).post("/alice/bert/branches", {"name": name, "start": start})
    assert answer.status_code == status
    assert "invalid-feedback" in answer.text
    assert "<b>~" not in answer.text


def test_strangers_begin_and_delete_no_branches(as_user, charlie, client, dev):
    browser = as_user(charlie)
    assert browser.post("/alice/bert/branches", {"name": "x", "start": "main"}).status_code == 403
    assert browser.get("/alice/bert/branches/feature/dev/deletion").status_code == 403
    assert browser.post("/alice/bert/branches/feature/dev/deletion", {"confirmation": "feature/dev"}).status_code == 403
    assert client.post("/alice/bert/branches/feature/dev/deletion").status_code == 302
    assert Ref.objects.filter(repo=dev, name="refs/heads/feature/dev").exists()


def test_a_branch_with_commits_of_its_own_is_deleted_by_typing_its_name(as_user, alice, dev):
    browser, address = as_user(alice), "/alice/bert/branches/feature/dev/deletion"
    assert "1 commit is not on the default branch" in browser.get(address).text
    assert browser.post(address, {"confirmation": "dev"}).status_code == 400
    assert browser.post(address, {"confirmation": "feature/dev"}).headers["Location"] == "/alice/bert/branches"
    assert not Ref.objects.filter(repo=dev, name="refs/heads/feature/dev").exists()


def test_a_branch_that_loses_nothing_is_deleted_without_typing(as_user, alice, model):
    referencing.create_branch(model, by=alice, name="same")
    assert "nothing is lost" in as_user(alice).get("/alice/bert/branches/same/deletion").text
    assert as_user(alice).post("/alice/bert/branches/same/deletion").status_code == 302


def test_the_default_branch_stays(as_user, alice, model):
    assert as_user(alice).post("/alice/bert/branches/main/deletion").status_code == 400
    assert browsing.resolve_revision(model, "main")


def test_tags_are_listed_and_deleted_by_typing_their_names(as_user, alice, model):
    referencing.create_tag(model, by=alice, name="v1", message="The <b>first</b> one")
    browser = as_user(alice)
    page = browser.get("/alice/bert/tags").text
    assert "v1" in page
    assert "&lt;b&gt;first" in page
    assert browser.post("/alice/bert/tags/v1/deletion", {"confirmation": "v2"}).status_code == 400
    assert browser.post("/alice/bert/tags/v1/deletion", {"confirmation": "v1"}).status_code == 302
    assert "No tags yet" in browser.get("/alice/bert/tags").text


def test_many_branches_come_in_pages_and_cost_no_more_queries(
    client, model, alice, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(branches, "PAGE", 5)
    for number in range(12):
        referencing.create_branch(model, by=alice, name=f"b{number:02}")
    with django_assert_max_num_queries(10):
        first = client.get("/alice/bert/branches").text
    assert ">main<" in first
    assert ">b03<" in first
    assert ">b04<" not in first
    second = client.get("/alice/bert/branches?after=b03").text
    assert ">b04<" in second
    assert ">main<" not in second


@pytest.mark.parametrize("page", ["branches", "tags", "branches/main/deletion", "tags/v1/deletion"])
def test_a_private_repository_shows_none_of_it(as_user, charlie, alice, make_repo, page):
    make_repo(alice, "hidden", private=True)
    assert as_user(charlie).get(f"/alice/hidden/{page}").status_code == 404


def test_hostile_names_are_escaped_and_quoted_on_every_page_of_versions(as_user, alice, model):
    name = "<img/src=x>&\"'`%41#é"
    referencing.create_branch(model, by=alice, name=name)
    referencing.create_tag(model, by=alice, name=name, message="<script>alert(1)</script>")
    quoted = quote(name)
    browser = as_user(alice)
    for address in (
        "branches", "tags", "releases", f"releases/tag/{quoted}", f"branches/{quoted}/deletion", f"commits/{quoted}",
        f"tags/{quoted}/deletion", f"compare/main...{quoted}", f"restoration/{quoted}", f"tree/{quoted}",
        f"releases/new?tag={quote(name, safe='')}", f"edit/{quoted}/a.txt", f"move/{quoted}/a.txt",
    ):  # fmt: skip
        answer = browser.get(f"/alice/bert/{address}")
        assert answer.status_code == 200, address
        assert "<img/src" not in answer.text, address
        assert "<script>alert" not in answer.text, address
    archive = browser.get(f"/alice/bert/archive/{quoted}")
    assert archive.headers["Content-Disposition"] == 'attachment; filename="bert--img-src-x------41--.zip"'
