"""The history of a repository."""

import pytest

from models_hub import publishing, rendering
from models_hub.changes import Delete, PutFile
from tests.evaluating import safetensors


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files={"a.txt": "one\ntwo\n", "b.txt": "bye\n", "w.safetensors": safetensors(1)})


def change(model, alice, *changes, title="Change"):
    return publishing.commit(repo=model, by=alice, title=title, description="Because.", changes=list(changes))


def test_a_commit_shows_its_message_and_what_it_changed(client, model, alice):
    made = change(
        model, alice, PutFile("a.txt", b"one\n<b>\n"), Delete("b.txt"), PutFile("c.txt", b"new\n"),
        PutFile("w.safetensors", safetensors(2, 3)),
    )  # fmt: skip
    page = client.get(f"/alice/bert/commit/{made.oid}").text
    for piece in ("Because.", "4 files changed", "-two", "+&lt;b&gt;", "-bye", "+new", "changes the weights", made.oid):
        assert piece in page
    assert "<b>" not in page.split('id="change-1"')[1]


def test_the_first_commit_is_compared_with_nothing(client, model):
    page = client.get("/alice/bert/commits/main").text
    assert "initial commit" in page
    first = model.commits.order_by("id").first()
    assert "1 file changed" in client.get(f"/alice/bert/commit/{first.oid}").text


def test_an_unknown_commit_is_404(client, model):
    assert client.get(f"/alice/bert/commit/{'0' * 40}").status_code == 404


def test_a_commit_of_another_repository_is_404(client, model, alice, make_repo):
    other = make_repo(alice, "other", files={"x.txt": "x"})
    assert client.get(f"/alice/bert/commit/{other.head}").status_code == 404


def test_a_diff_that_takes_too_long_leaves_the_list_of_files(client, model, alice, monkeypatch):
    made = change(model, alice, PutFile("a.txt", b"slow\n"))
    monkeypatch.setattr(rendering, "_run_child", lambda *request: None)
    page = client.get(f"/alice/bert/commit/{made.oid}").text
    assert "a.txt" in page
    assert "+slow" not in page


def test_large_and_binary_files_have_no_diff(client, model, alice):
    made = change(model, alice, PutFile("long.txt", b"x\n" * 60_000), PutFile("bin.dat", b"\xff\xfe"))
    page = client.get(f"/alice/bert/commit/{made.oid}").text
    assert "120.0 KB" in page
    assert 'class="diff"' not in page


def test_a_hostile_message_is_escaped(client, model, alice):
    made = change(model, alice, PutFile("a.txt", b"x"), title="<script>alert(1)</script>")
    for address in (f"/alice/bert/commit/{made.oid}", "/alice/bert/commits/main", "/alice/bert/tree/main"):
        assert "<script>alert" not in client.get(address).text


def test_folders_that_did_not_change_are_not_looked_into(client, alice, make_repo, django_assert_max_num_queries):
    files = {f"folder{number}/deep/a.txt": "x" for number in range(30)}
    model = make_repo(alice, "wide", files=files)
    made = change(model, alice, PutFile("folder3/deep/a.txt", b"y"), PutFile("folder4/new.txt", b"z"))
    with django_assert_max_num_queries(14):
        page = client.get(f"/alice/wide/commit/{made.oid}").text
    assert "2 files changed" in page
    assert "folder3/deep/a.txt" in page
    assert "folder4/new.txt" in page
    assert "folder5" not in page


def test_a_file_that_becomes_a_folder_is_a_removal_and_an_addition(client, model, alice):
    made = change(model, alice, Delete("a.txt"), PutFile("a.txt/inside.txt", b"x"))
    page = client.get(f"/alice/bert/commit/{made.oid}").text
    assert "2 files changed" in page
    assert "a.txt/inside.txt" in page
