"""A version or a folder as a zip file."""

import io
import zipfile

import pytest

from models_hub import browsing, gating, publishing, zipping
from models_hub.changes import PutFile
from models_hub.models import DownloadDay
from tests.evaluating import safetensors


@pytest.fixture
def model(alice, make_repo):
    return make_repo(
        alice, "bert", files={"a.txt": "one\n" * 100, "docs/你好 b.txt": "b\n", "w.safetensors": safetensors(1, 2)}
    )


def opened(answer) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    return archive


def test_a_version_is_sent_as_one_zip_file(client, model):
    answer = client.get("/alice/bert/archive/main")
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bert-main.zip"'
    assert "Content-Length" not in answer.headers
    archive = opened(answer)
    root = f"bert-{model.head[:7]}/"
    assert set(archive.namelist()) == {
        root + name for name in (".gitattributes", "a.txt", "docs/你好 b.txt", "w.safetensors")
    }
    assert archive.read(root + "w.safetensors") == safetensors(1, 2)
    assert archive.getinfo(root + "w.safetensors").compress_type == zipfile.ZIP_STORED
    assert archive.getinfo(root + "a.txt").compress_size < 100


def test_a_folder_and_an_earlier_version_are_sent_too(client, model, alice):
    first = model.head
    publishing.commit(repo=model, by=alice, title="Next", changes=[PutFile("a.txt", b"two\n")])
    assert len(opened(client.get("/alice/bert/archive/main/docs")).namelist()) == 1
    assert opened(client.get(f"/alice/bert/archive/{first}")).read(f"bert-{first[:7]}/a.txt") == b"one\n" * 100


def test_it_counts_as_one_download(client, model):
    for address in ("main", "main/docs"):
        b"".join(client.get(f"/alice/bert/archive/{address}").streaming_content)
    assert client.head("/alice/bert/archive/main").status_code == 200
    assert [row.count for row in DownloadDay.objects.filter(repo=model)] == [1]


@pytest.mark.parametrize("place", ["nowhere", "main/missing", "main/a.txt", "main/../x"])
def test_what_is_not_there_is_404(client, model, place):
    assert client.get(f"/alice/bert/archive/{place}").status_code == 404


def test_gates_hold_and_private_is_missing(client, as_user, alice, charlie, model, make_repo):
    gating.set_gate(model, by=alice, gate="manual")
    assert client.get("/alice/bert/archive/main").status_code == 403
    assert as_user(alice).get("/alice/bert/archive/main").status_code == 200
    make_repo(alice, "hidden", private=True)
    assert as_user(charlie).get("/alice/hidden/archive/main").status_code == 404


def test_a_large_file_is_sent_in_small_blocks(model, alice, monkeypatch):
    publishing.commit(repo=model, by=alice, title="Big", changes=[PutFile("big.bin", b"\0" * 5_000_000)])
    commit = browsing.resolve_revision(model, "main")
    sizes = [len(block) for block in zipping.blocks(model, commit)]
    assert max(sizes) < 1_200_000
    assert sum(sizes) > 5_000_000


def test_files_that_may_pass_four_gigabytes_get_the_long_form(model, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    data = b"".join(zipping.blocks(model, browsing.resolve_revision(model, "main")))
    assert b"PK\x06\x06" in data
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None


@pytest.mark.parametrize(
    ("path", "written"),
    [("../../etc/passwd", "_/_/etc/passwd"), ("a\\b", "a_b"), ("/x", "_/x"), ("\udce9.txt", "\ufffd.txt"), ("a", "a")],
)
def test_no_name_leads_out_of_the_folder(path, written):
    assert zipping._safe(path) == written


def test_the_name_of_the_file_is_plain(model):
    assert zipping.file_name(model, 'refs/pr/1";\r\n', "a/你") == "bert-refs-pr-1-----a--.zip"
