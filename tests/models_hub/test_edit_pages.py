"""Text files written, changed and removed in the browser."""

import pytest

from models_hub import browsing, publishing
from models_hub.changes import PutFile
from models_hub.models import Repo


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert", files={"a.txt": "one\n", "dos.txt": "a\r\nb\r\n", "w.bin": b"\x00\x01"})


def content(repo: Repo, path: str, revision: str = "main") -> bytes:
    return browsing.read(repo, browsing.find(repo, browsing.resolve_revision(repo, revision), path), 10_000)


def seen(repo: Repo, path: str) -> str:
    return browsing.find(repo, browsing.resolve_revision(repo, "main"), path).oid


def typed(text: str, path: str = "a.txt", **fields: str) -> dict[str, str]:
    return {"path": path, "content": text, "title": "Change it", **fields}


def test_a_new_file_is_written(as_user, alice, model):
    answer = as_user(alice).post("/alice/bert/new/main/docs", typed("x\r\ny", "docs/new.md"))
    assert answer.headers["Location"] == "/alice/bert/blob/main/docs/new.md"
    assert content(model, "docs/new.md") == b"x\ny"


def test_a_new_card_begins_with_what_readers_look_for(as_user, alice, model):
    page = as_user(alice).get("/alice/bert/new/main?path=README.md").text
    for piece in ("license: apache-2.0", "pipeline_tag", "# bert", "Limits"):
        assert piece in page


def test_a_new_file_does_not_replace_one_that_is_there(as_user, alice, model):
    answer = as_user(alice).post("/alice/bert/new/main", typed("other text"))
    assert answer.status_code == 409
    assert "exists already" in answer.text
    assert "other text" in answer.text
    assert content(model, "a.txt") == b"one\n"


def test_a_file_is_changed(as_user, alice, model):
    assert "one" in as_user(alice).get("/alice/bert/edit/main/a.txt").text
    answer = as_user(alice).post("/alice/bert/edit/main/a.txt", typed("two\r\n", seen=seen(model, "a.txt")))
    assert answer.headers["Location"] == "/alice/bert/blob/main/a.txt"
    assert content(model, "a.txt") == b"two\n"
    assert browsing.resolve_revision(model, "main").title == "Change it"


def test_line_ends_stay_as_they_were(as_user, alice, model):
    as_user(alice).post("/alice/bert/edit/main/dos.txt", typed("a\r\nc\r\n", "dos.txt", seen=seen(model, "dos.txt")))
    assert content(model, "dos.txt") == b"a\r\nc\r\n"


def test_a_file_is_renamed_in_one_commit(as_user, alice, model):
    as_user(alice).post("/alice/bert/edit/main/a.txt", typed("one\n", "b/c.txt", seen=seen(model, "a.txt")))
    assert content(model, "b/c.txt") == b"one\n"
    with pytest.raises(browsing.EntryNotFound):
        content(model, "a.txt")


def test_somebody_else_s_change_is_not_overwritten_unseen(as_user, alice, model):
    before = seen(model, "a.txt")
    publishing.commit(repo=model, by=alice, title="Meanwhile", changes=[PutFile("a.txt", b"theirs\n")])
    browser = as_user(alice)
    answer = browser.post("/alice/bert/edit/main/a.txt", typed("mine", seen=before))
    assert answer.status_code == 409
    assert "mine" in answer.text
    assert content(model, "a.txt") == b"theirs\n"
    current = answer.context["form"]["seen"].value()
    assert current == seen(model, "a.txt")
    browser.post("/alice/bert/edit/main/a.txt", typed("mine", seen=current))
    assert content(model, "a.txt") == b"mine"


def test_a_change_to_another_file_is_no_obstacle(as_user, alice, model):
    before = seen(model, "a.txt")
    publishing.commit(repo=model, by=alice, title="Meanwhile", changes=[PutFile("b.txt", b"x")])
    assert as_user(alice).post("/alice/bert/edit/main/a.txt", typed("mine", seen=before)).status_code == 302


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("README.md", "---\nlicense: [\n---\n", "malformed at its line"),
        ("../x", "text", "folder name"),
        ("a/", "text", "not a file path"),
        ("", "text", "required"),
    ],
)
def test_a_refusal_keeps_what_was_typed(as_user, alice, model, path, text, message):
    answer = as_user(alice).post("/alice/bert/new/main", typed(text + "kept", path, description="also kept"))
    assert answer.status_code == 400
    assert message in answer.text
    assert "kept" in answer.context["form"]["content"].value()
    assert "also kept" in answer.text


def test_text_that_looks_like_html_comes_back_escaped(as_user, alice, model):
    page = as_user(alice).post("/alice/bert/new/main", typed("</textarea><script>alert(1)</script>", "")).text
    assert "<script>alert" not in page


def test_only_small_text_is_edited(as_user, alice, model):
    answer = as_user(alice).get("/alice/bert/edit/main/w.bin")
    assert answer.status_code == 400
    assert "upload a new version" in answer.text


def test_a_file_is_removed(as_user, alice, model):
    assert "Earlier versions still hold it" in as_user(alice).get("/alice/bert/removal/main/a.txt").text
    gone = {"title": "Away", "seen": seen(model, "a.txt")}
    answer = as_user(alice).post("/alice/bert/removal/main/a.txt", gone)
    assert answer.headers["Location"] == "/alice/bert/tree/main"
    with pytest.raises(browsing.EntryNotFound):
        content(model, "a.txt")


def test_a_file_that_changed_meanwhile_is_not_removed_unseen(as_user, alice, model):
    answer = as_user(alice).post("/alice/bert/removal/main/a.txt", {"title": "Away", "seen": "0" * 40})
    assert answer.status_code == 409
    assert content(model, "a.txt") == b"one\n"


@pytest.mark.parametrize("address", ["new/main", "edit/main/a.txt", "removal/main/a.txt"])
def test_the_anonymous_are_led_to_the_sign_in(client, model, address):
    assert client.get(f"/alice/bert/{address}").status_code == 302


@pytest.mark.parametrize("address", ["new/main", "edit/main/a.txt", "removal/main/a.txt"])
def test_a_reader_s_change_becomes_a_pull_request(as_user, charlie, model, address):
    browser, seen = as_user(charlie), browsing.find(model, browsing.resolve_revision(model, "main"), "a.txt").oid
    form = browser.get(f"/alice/bert/{address}").text
    assert "Open a pull request for main" in form
    assert "Commit directly" not in form

    change = typed("changed\n", seen=seen, path="b.txt" if address == "new/main" else "a.txt")
    assert browser.post(f"/alice/bert/{address}", change | {"target": "branch"}).status_code == 400
    answer = browser.post(f"/alice/bert/{address}", change)

    assert answer.headers["Location"] == "/alice/bert/discussions/1"
    assert content(model, "a.txt") == b"one\n"
    assert browsing.resolve_revision(model, "refs/pr/1").author == charlie


def test_a_writer_chooses_between_the_branch_and_a_pull_request(as_user, alice, model):
    browser = as_user(alice)
    assert "Commit directly to main" in browser.get("/alice/bert/new/main").text
    proposed = typed("new\n", path="b.txt", target="pull_request")

    assert browser.post("/alice/bert/new/main", proposed).headers["Location"] == "/alice/bert/discussions/1"
    assert browser.post("/alice/bert/new/main", typed("x\n", path="c.txt")).headers["Location"].endswith("c.txt")


def test_an_author_goes_on_in_the_pull_request_and_others_do_not(as_user, charlie, bob, model):
    as_user(charlie).post("/alice/bert/new/main", typed("new\n", path="b.txt"))
    address = "/alice/bert/new/refs/pr/1"

    assert as_user(bob).get(address).status_code == 403
    answer = as_user(charlie).post(address, typed("more\n", path="c.txt"))

    assert answer.headers["Location"] == "/alice/bert/discussions/1"
    assert content(model, "c.txt", "refs/pr/1") == b"more\n"
    assert "/edit/refs/pr/1/c.txt" in as_user(charlie).get("/alice/bert/blob/refs/pr/1/c.txt").text


def test_a_preview_shows_the_lines_and_saves_nothing(as_user, alice, model):
    before = seen(model, "a.txt")
    page = as_user(alice).post("/alice/bert/edit/main/a.txt", typed("one\ntwo <b>\n", seen=before, preview="1"))
    assert page.status_code == 200
    assert "+two &lt;b&gt;" in page.text
    assert "one\ntwo" in page.context["form"]["content"].value()
    assert content(model, "a.txt") == b"one\n"


def test_a_preview_of_a_new_file_tells_what_is_wrong_with_it(as_user, alice, model):
    page = as_user(alice).post("/alice/bert/new/main", typed("x", preview="1"), HTTP_HX_REQUEST="true")
    assert page.status_code == 200
    assert "exists already" in page.text.split('id="edit-preview"')[1]


def test_a_conflict_shows_what_the_others_did_and_what_saving_would_do(as_user, alice, model):
    before = seen(model, "a.txt")
    publishing.commit(repo=model, by=alice, title="Meanwhile", changes=[PutFile("a.txt", b"one\ntheirs\n")])
    page = as_user(alice).post("/alice/bert/edit/main/a.txt", typed("one\nmine\n", seen=before))
    assert page.status_code == 409
    assert "What changed since you opened it" in page.text
    assert "+theirs" in page.text
    assert "-theirs" in page.text
    assert "+mine" in page.text


def test_a_made_up_base_shows_no_other_file(as_user, charlie, alice, model, make_repo):
    other = make_repo(alice, "other", files={"secret.txt": "secret"}, private=True)
    oid = seen(other, "secret.txt")
    page = as_user(charlie).post("/alice/bert/edit/main/a.txt", typed("mine", seen=oid))
    assert page.status_code == 409
    assert "secret" not in page.text


@pytest.fixture
def folders(alice, make_repo):
    files = {"docs/a.txt": "a", "docs/deep/w.bin": b"\x00\x01", "keep.txt": "k"}
    return make_repo(alice, "deep", files=files)


def paths(repo):
    head = browsing.resolve_revision(repo, "main")
    return {e.path for e in browsing.list_folder(repo, head, recursive=True) if not e.is_folder} - {".gitattributes"}


def test_a_folder_is_renamed_with_all_that_is_in_it(as_user, alice, folders):
    browser, address = as_user(alice), "/alice/deep/move/main/docs"
    moved = {"path": "notes/new", "title": "Move", "seen": seen(folders, "docs")}
    assert "docs/deep/w.bin" in browser.get(address).text
    preview = browser.post(address, moved | {"preview": "1"}).text
    assert "docs/deep/w.bin → notes/new/deep/w.bin" in preview
    assert browser.post(address, moved).headers["Location"] == "/alice/deep/tree/main/notes/new"
    assert paths(folders) == {"notes/new/a.txt", "notes/new/deep/w.bin", "keep.txt"}
    assert content(folders, "notes/new/deep/w.bin") == b"\x00\x01"


@pytest.mark.parametrize(
    ("path", "status"),
    [("keep.txt", 409), ("docs", 400), ("docs/inside", 400), ("../x", 400), ("", 400), ("a\\b", 400), (".git/x", 400)],
)
def test_a_folder_does_not_go_just_anywhere(as_user, alice, folders, path, status):
    moved = {"path": path, "title": "Move", "seen": seen(folders, "docs")}
    assert as_user(alice).post("/alice/deep/move/main/docs", moved).status_code == status
    assert "docs/a.txt" in paths(folders)


def test_a_large_file_is_renamed_without_being_sent_again(as_user, alice, folders):
    moved = {"path": "w2.bin", "title": "Move", "seen": seen(folders, "docs/deep/w.bin")}
    answer = as_user(alice).post("/alice/deep/move/main/docs/deep/w.bin", moved)
    assert answer.headers["Location"] == "/alice/deep/blob/main/w2.bin"
    assert paths(folders) == {"docs/a.txt", "w2.bin", "keep.txt"}


def test_a_folder_is_removed_when_its_files_were_shown(as_user, alice, folders):
    assert "2 files are in this folder" in as_user(alice).get("/alice/deep/removal/main/docs").text
    gone = {"title": "Away", "seen": seen(folders, "docs")}
    assert as_user(alice).post("/alice/deep/removal/main/docs", gone).status_code == 302
    assert paths(folders) == {"keep.txt"}


def test_a_folder_that_changed_meanwhile_is_not_moved_unseen(as_user, alice, folders):
    moved = {"path": "notes", "title": "Move", "seen": seen(folders, "docs")}
    publishing.commit(repo=folders, by=alice, title="Meanwhile", changes=[PutFile("docs/new.txt", b"x")])
    assert as_user(alice).post("/alice/deep/move/main/docs", moved).status_code == 409


def test_a_stranger_s_move_becomes_a_pull_request(as_user, charlie, client, folders):
    assert client.get("/alice/deep/move/main/docs").status_code == 302
    moved = {"path": "notes", "title": "Move", "seen": seen(folders, "docs")}
    assert as_user(charlie).post("/alice/deep/move/main/docs", moved).headers["Location"] == "/alice/deep/discussions/1"
    assert "docs/a.txt" in paths(folders)


def test_changes_in_other_lines_are_put_together_for_the_writer_to_look_at(as_user, alice, model):
    publishing.commit(repo=model, by=alice, title="Longer", changes=[PutFile("a.txt", b"1\n2\n3\n4\n5\n")])
    before, browser = seen(model, "a.txt"), as_user(alice)
    publishing.commit(repo=model, by=alice, title="Meanwhile", changes=[PutFile("a.txt", b"one\n2\n3\n4\n5\n")])

    answer = browser.post("/alice/bert/edit/main/a.txt", typed("1\r\n2\r\n3\r\n4\r\nfive\r\n", seen=before))

    assert answer.status_code == 409
    assert "in other lines than yours" in answer.text
    form = answer.context["form"]
    assert form["content"].value() == "one\n2\n3\n4\nfive\n"
    assert content(model, "a.txt") == b"one\n2\n3\n4\n5\n"
    browser.post("/alice/bert/edit/main/a.txt", typed(form["content"].value(), seen=form["seen"].value()))
    assert content(model, "a.txt") == b"one\n2\n3\n4\nfive\n"


def test_a_preview_says_that_the_file_was_changed_meanwhile(as_user, alice, model):
    before = seen(model, "a.txt")
    publishing.commit(repo=model, by=alice, title="Meanwhile", changes=[PutFile("a.txt", b"zero\none\n")])
    sent = typed("one\nmine\n", seen=before, preview="1")
    page = as_user(alice).post("/alice/bert/edit/main/a.txt", sent, HTTP_HX_REQUEST="true")
    fragment = page.text.split('id="edit-preview"')[1]
    assert page.status_code == 200
    assert "was changed since you opened it" in fragment
    assert "+zero" in fragment
