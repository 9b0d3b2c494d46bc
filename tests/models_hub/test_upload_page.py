"""Files from the browser become a commit."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from models_hub import browsing, proposing, referencing
from models_hub.models import Repo
from tests.evaluating import safetensors

ADDRESS = "/alice/bert/upload/main"


@pytest.fixture
def model(alice, make_repo):
    return make_repo(alice, "bert")


def sent(*files: tuple[str, bytes], **fields: object) -> dict[str, object]:
    return {"files": [SimpleUploadedFile(name, content) for name, content in files], "title": "Upload", **fields}


def paths(repo: Repo, revision: str = "main") -> list[str]:
    entries = browsing.list_folder(repo, browsing.resolve_revision(repo, revision), recursive=True)
    return [entry.path for entry in entries if not entry.is_folder]


def test_several_files_are_one_commit(as_user, alice, model):
    answer = as_user(alice).post(ADDRESS, sent(("a.txt", b"1"), ("b.txt", b"2"), description="Both."))
    assert answer.headers["Location"] == "/alice/bert/tree/main"
    assert paths(model) == [".gitattributes", "a.txt", "b.txt"]
    newest = browsing.resolve_revision(model, "main")
    assert (newest.title, newest.description, newest.author) == ("Upload", "Both.", alice)


def test_folders_come_with_the_paths_that_a_script_sends(as_user, alice, model):
    files = sent(("a.txt", b"1"), ("a.txt", b"2"), paths=["x/a.txt", "y/a.txt"], folder="/data/")
    assert as_user(alice).post(ADDRESS, files).headers["Location"] == "/alice/bert/tree/main/data"
    assert paths(model) == [".gitattributes", "data/x/a.txt", "data/y/a.txt"]


def test_weights_are_stored_as_large_content_and_counted(as_user, alice, model):
    as_user(alice).post(ADDRESS, sent(("model.safetensors", safetensors(1, 2, 3))))
    entry = browsing.find(model, browsing.resolve_revision(model, "main"), "model.safetensors")
    assert entry.blob is not None
    model.refresh_from_db()
    assert model.parameters == 3


def test_files_go_to_the_branch_of_the_address(as_user, alice, model):
    referencing.create_branch(model, by=alice, name="dev/next")
    as_user(alice).post("/alice/bert/upload/dev/next", sent(("a.txt", b"1")))
    assert "a.txt" in paths(model, "dev/next")
    assert "a.txt" not in paths(model)


def test_the_folder_of_the_address_is_filled_in(as_user, alice, model):
    assert 'value="data/deep"' in as_user(alice).get(f"{ADDRESS}/data/deep").text


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (sent(("a.txt", b"1"), paths=["../a.txt"]), "folder name"),
        (sent(("a.txt", b"1"), paths=[".git/config"]), "reserved by git"),
        (sent(("model.safetensors", b"no header")), "not a valid safetensors file"),
        (sent(("README.md", b"---\na: [\n---\n")), "malformed at its line"),
        (sent(("a.txt", b"1"), ("a.txt", b"2")), "same name"),
        (sent(("a.txt", b"1"), title=""), "required"),
        ({"title": "Nothing"}, "required"),
    ],
)
def test_a_refusal_says_what_to_mend_keeps_what_was_typed_and_publishes_nothing(as_user, alice, model, files, message):
    answer = as_user(alice).post(ADDRESS, files | {"description": "as typed"})
    assert answer.status_code == 400
    assert message in answer.text
    assert "as typed" in answer.text
    assert paths(model) == [".gitattributes"]


def test_an_empty_file_may_be_uploaded(as_user, alice, model):
    as_user(alice).post(ADDRESS, sent(("empty.txt", b"")))
    assert "empty.txt" in paths(model)


def test_members_who_write_may_upload(as_user, alice, bob, team, make_repo):
    repo = make_repo(alice, "shared", namespace="team")
    assert as_user(bob).post("/team/shared/upload/main", sent(("a.txt", b"1"))).status_code == 302
    assert "a.txt" in paths(repo)


def test_a_reader_s_upload_becomes_a_pull_request(as_user, charlie, model):
    answer = as_user(charlie).post(ADDRESS, sent(("a.txt", b"1"), ("w.bin", b"\0" * 50)))
    assert answer.headers["Location"] == "/alice/bert/discussions/1"
    assert paths(model) == [".gitattributes"]
    assert paths(model, "refs/pr/1") == [".gitattributes", "a.txt", "w.bin"]


def test_a_reader_uploads_only_so_much(as_user, charlie, model, monkeypatch):
    monkeypatch.setattr(proposing, "MAX_BYTES_PER_PROPOSER", 40)
    assert as_user(charlie).post(ADDRESS, sent(("w.bin", b"\0" * 50))).status_code == 507


def test_anonymous_readers_are_led_to_the_sign_in_and_back(client, model):
    assert client.get(ADDRESS).headers["Location"] == "/accounts/login/?next=%2Falice%2Fbert%2Fupload%2Fmain"


def test_an_unknown_branch_is_404(as_user, alice, model):
    assert as_user(alice).post("/alice/bert/upload/none", sent(("a.txt", b"1"))).status_code == 404


def test_the_form_works_without_a_script(as_user, alice, model):
    page = as_user(alice).get(ADDRESS).text
    assert 'enctype="multipart/form-data"' in page
    assert 'type="file" name="files"' in page
    assert "multiple" in page
    assert "csrfmiddlewaretoken" in page


def test_a_body_over_the_limit_is_refused_before_it_is_stored(as_user, alice, model, settings):
    settings.MAX_COMMIT_BODY_BYTES = 10_000
    browser = as_user(alice)
    assert browser.post(ADDRESS, sent(("a.txt", b"x" * 20_000))).status_code == 413
    assert paths(model) == [".gitattributes"]
    assert browser.post(ADDRESS, sent(("a.txt", b"x" * 1000))).status_code == 302


def begun(browser) -> str:
    body = {"files": [{"path": "a.txt", "size": 5_000_000}]}
    return browser.post("/api/v1/models/alice/bert/uploads", body, content_type="application/json").json()["key"]


def test_unfinished_uploads_are_listed_to_their_sender_and_cancelled_without_a_script(as_user, alice, bob, model):
    browser = as_user(alice)
    key = begun(browser)
    assert "0 B of 5.0 MB have arrived" in browser.get(ADDRESS).text.replace("\xa0", " ")
    assert "have arrived" not in as_user(bob).get(ADDRESS).text
    assert as_user(bob).post(f"/alice/bert/uploads/{key}/cancellation").status_code == 404
    assert browser.post(f"/alice/bert/uploads/{key}/cancellation").headers["Location"] == ADDRESS
    assert "have arrived" not in browser.get(ADDRESS).text
