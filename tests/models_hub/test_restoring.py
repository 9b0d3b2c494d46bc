"""Earlier versions brought back as new commits."""

import pytest

from models_hub import browsing, gating, publishing, restoring
from models_hub.changes import Delete, PutFile, PutKnown
from models_hub.models import GitObject
from portal.errors import InvalidInput
from tests.evaluating import safetensors


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files={"a.txt": "one\n", "docs/b.txt": "b\n", "w.safetensors": safetensors(1)})


@pytest.fixture
def first(model, alice):
    """The version before everything changed."""
    head = browsing.resolve_revision(model, "main")
    publishing.commit(
        repo=model,
        by=alice,
        title="All else",
        changes=[
            PutFile("a.txt", b"two\n"),
            Delete("docs"),
            PutFile("w.safetensors", safetensors(2)),
            PutFile("n", b"n"),
        ],
    )
    return head


def now(repo):
    return browsing.resolve_revision(repo, "main")


def seen(repo, **fields):
    return {"title": "Back", "seen": now(repo).oid, **fields}


def test_a_version_is_brought_back_as_a_new_commit(as_user, alice, model, first):
    before = now(model)
    page = as_user(alice).get(f"/alice/bert/restoration/{first.oid}").text
    assert "4 files would change" in page
    assert "-two" in page

    answer = as_user(alice).post(f"/alice/bert/restoration/{first.oid}", seen(model))

    assert answer.headers["Location"] == "/alice/bert/commits/main"
    head = now(model)
    assert (head.tree_oid, head.parents, head.title) == (first.tree_oid, [before.oid], "Back")
    assert head.weights_digest == first.weights_digest


@pytest.mark.parametrize(("path", "files"), [("a.txt", {"a.txt", "n", "w.safetensors"}), ("docs", {"docs/b.txt"})])
def test_a_file_or_folder_is_brought_back_alone(as_user, alice, model, first, path, files):
    as_user(alice).post(f"/alice/bert/restoration/{first.oid}/{path}", seen(model))
    here = {entry.path for entry in browsing.list_folder(model, now(model), recursive=True) if not entry.is_folder}
    assert files <= here
    assert browsing.find_item(model, now(model), path) == browsing.find_item(model, first, path)
    assert browsing.find_item(model, now(model), "w.safetensors") != browsing.find_item(model, first, "w.safetensors")


def test_strangers_propose_it(as_user, charlie, model, first):
    answer = as_user(charlie).post(f"/alice/bert/restoration/{first.oid}", seen(model))
    assert answer.headers["Location"] == "/alice/bert/discussions/1"
    assert browsing.resolve_revision(model, "refs/pr/1").tree_oid == first.tree_oid
    assert now(model).title == "All else"


def test_commits_that_came_meanwhile_are_not_undone_unseen(as_user, alice, model, first):
    old = seen(model)
    publishing.commit(repo=model, by=alice, title="Meanwhile", changes=[PutFile("m", b"m")])
    answer = as_user(alice).post(f"/alice/bert/restoration/{first.oid}", old)
    assert answer.status_code == 409
    assert answer.context["form"]["seen"].value() == now(model).oid
    assert "5 files would change" in answer.text


def test_what_is_the_same_cannot_be_brought_back(as_user, alice, model):
    assert "nothing to bring back" in as_user(alice).get("/alice/bert/restoration/main").text


@pytest.mark.parametrize("place", ["nowhere", "main/missing"])
def test_what_never_was_is_404(as_user, alice, model, place):
    assert as_user(alice).get(f"/alice/bert/restoration/{place}").status_code == 404


def test_signing_in_and_the_gate_come_first(client, as_user, alice, charlie, model, first):
    assert client.get(f"/alice/bert/restoration/{first.oid}").status_code == 302
    gating.set_gate(model, by=alice, gate="manual")
    assert as_user(charlie).get(f"/alice/bert/restoration/{first.oid}").status_code == 403


def test_what_was_removed_for_good_does_not_come_back(model, alice, first):
    item = browsing.find_item(model, first, "a.txt")
    GitObject.objects.filter(repo=model, oid=item.oid).delete()
    with pytest.raises(InvalidInput, match="no longer here"):
        publishing.commit(
            repo=model, by=alice, title="Back", changes=restoring.restored(model, now(model), first, "a.txt")
        )


def test_only_files_of_the_repository_itself_are_known(model, alice, make_repo):
    other = make_repo(alice, "other", files={"secret.txt": "secret"})
    item = browsing.find_item(other, browsing.resolve_revision(other, "main"), "secret.txt")
    tree = browsing.resolve_revision(model, "main").tree_oid
    for oid in (item.oid, tree):
        with pytest.raises(InvalidInput):
            publishing.commit(repo=model, by=alice, title="Take", changes=[PutKnown("x.txt", oid)])
