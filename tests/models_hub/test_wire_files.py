"""Files on the wire: resolve, ranges, raw, trees, and what a browser may not run."""

import hashlib

import pytest

from models_hub import publishing
from models_hub.git.pointers import pointer_text
from models_hub.models import Blob
from models_hub.publishing import PutFile
from models_hub.storage import blob_store
from tests.models_hub.wire import LARGE, Wire, body_of

HELLO_OID = "ce013625030ba8dba906f756967f9e9ca394464a"  # git's id of "hello\n"


@pytest.fixture
def repo(alice, make_repo):
    return make_repo(alice, files={"hello.txt": "hello\n", "d/weights.bin": LARGE, "empty": ""})


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_small_file_has_gits_id_as_etag(repo, method):
    response = Wire().call(method, "/alice/bert/resolve/main/hello.txt")
    assert (response.status_code, response["ETag"], response["Content-Length"]) == (200, f'"{HELLO_OID}"', "6")
    assert (response["X-Repo-Commit"], response["Accept-Ranges"]) == (repo.head, "bytes")
    assert response["Content-Disposition"] == "inline; filename*=UTF-8''hello.txt; filename=\"hello.txt\";"
    assert "Location" not in response
    assert body_of(response) == (b"hello\n" if method == "GET" else b"")


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("revision", ["main", "{head}", "refs%2Fheads%2Fmain"])
def test_a_large_file_has_its_sha256_as_etag_and_its_real_size(repo, method, revision):
    response = Wire().call(method, f"/alice/bert/resolve/{revision.format(head=repo.head)}/d/weights.bin")
    assert response["ETag"] == f'"{hashlib.sha256(LARGE).hexdigest()}"'
    assert (response["Content-Length"], response["X-Repo-Commit"]) == (str(len(LARGE)), repo.head)
    assert not any(header.lower().startswith("x-xet") for header in response.headers)
    assert body_of(response) == (LARGE if method == "GET" else b"")


def test_the_head_of_a_large_file_reads_no_content(repo):
    blob_store().delete(Blob.objects.get().sha256)
    assert Wire().head("/alice/bert/resolve/main/d/weights.bin").status_code == 200


def test_lost_content_is_no_200(repo):
    blob_store().delete(Blob.objects.get().sha256)
    with pytest.raises(FileNotFoundError):
        Wire().get("/alice/bert/resolve/main/d/weights.bin")


@pytest.mark.parametrize("name", ["hello.txt", "d/weights.bin"])
@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=1-3", 1, 4), ("bytes=2-", 2, None), ("bytes=-2", -2, None), ("bytes=0-999", 0, None)],
)
def test_ranges(repo, name, asked, start, end):
    content = b"hello\n" if name == "hello.txt" else LARGE
    expected = content[start:end]
    response = Wire().get(f"/alice/bert/resolve/main/{name}", Range=asked)
    first = content.index(expected) if start >= 0 else len(content) - 2
    assert (response.status_code, body_of(response)) == (206, expected)
    assert response["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(content)}"
    assert response["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=6-", "bytes=999-1000", "bytes=-0"])
def test_a_range_outside_is_416_with_the_size(repo, asked):
    response = Wire().get("/alice/bert/resolve/main/hello.txt", Range=asked)
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */6")


NOT_SERVED = ["bytes=0-1,3-4", "bytes=3-1", "bytes=a-b", "items=0-1", "bytes=-", f"bytes={'9' * 30}-"]


@pytest.mark.parametrize("asked", NOT_SERVED)
def test_a_range_we_do_not_serve_gets_the_whole_file(repo, asked):
    assert body_of(Wire().get("/alice/bert/resolve/main/hello.txt", Range=asked)) == b"hello\n"


def test_a_range_of_another_content_gets_the_whole_file(repo):
    headers = {"Range": "bytes=1-", "If-Range": '"other"'}
    assert Wire().get("/alice/bert/resolve/main/hello.txt", **headers).status_code == 200
    headers["If-Range"] = f'"{HELLO_OID}"'
    assert Wire().get("/alice/bert/resolve/main/hello.txt", **headers).status_code == 206


@pytest.mark.parametrize("path", ["nope", "d", "d/", "hello.txt/x", "..%2Fx", "%00", "%ff"])
def test_a_missing_file_names_the_commit(repo, path):
    for method in ("GET", "HEAD"):
        response = Wire().call(method, f"/alice/bert/resolve/main/{path}")
        assert (response.status_code, response["X-Error-Code"]) == (404, "EntryNotFound")
        assert response["X-Repo-Commit"] == repo.head
        assert bool(response.content) == (method == "GET")


def test_a_missing_revision_is_told_apart(repo):
    response = Wire().get("/alice/bert/resolve/nope/hello.txt")
    assert (response.status_code, response["X-Error-Code"]) == (404, "RevisionNotFound")
    assert "X-Repo-Commit" not in response


AWKWARD = "subfolder/to?/awful?filename%you:should,never.give"


def test_awkward_names_round_trip(alice, make_repo):
    make_repo(alice, files={AWKWARD: "x", "漢字 1.txt": "y", "100%25.txt": "z"})
    quoted = "subfolder/to%3F/awful%3Ffilename%25you%3Ashould%2Cnever.give"
    assert body_of(Wire().get(f"/alice/bert/resolve/main/{quoted}")) == b"x"
    assert body_of(Wire().get("/alice/bert/resolve/main/100%2525.txt")) == b"z"
    response = Wire().get("/alice/bert/resolve/main/%E6%BC%A2%E5%AD%97%201.txt")
    assert body_of(response) == b"y"
    assert response["Content-Disposition"].endswith('filename="__ 1.txt";')
    paths = [row["path"] for row in Wire().get("/api/models/alice/bert/tree/main?recursive=true").json()]
    assert {AWKWARD, "漢字 1.txt", "100%25.txt"} <= set(paths)


ACTIVE = {"a.html": "<script>", "a.svg": "<svg onload=x>", "a.xhtml": "x", "a.js": "x", "a.xml": "x", "A.HTM": "x"}


@pytest.mark.parametrize("door", ["resolve", "raw"])
def test_no_file_runs_in_a_browser(alice, make_repo, door):
    make_repo(alice, files={**ACTIVE, "b.html.bin": LARGE, "x": "<html>"})
    for name in (*ACTIVE, "b.html.bin", "x"):
        response = Wire().get(f"/alice/bert/{door}/main/{name}")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        # An SVG is shown inside of <img>, where no script runs; by itself it is a download.
        kinds = {"text/plain; charset=utf-8", "application/octet-stream"} | (
            {"image/svg+xml"} if name == "a.svg" else set()
        )
        assert response["Content-Type"] in kinds
        assert response["Content-Disposition"].startswith("attachment" if name in ACTIVE else "inline")


def test_a_download_for_people_is_an_attachment(repo):
    response = Wire().get("/alice/bert/resolve/main/hello.txt?download=true")
    assert response["Content-Disposition"].startswith("attachment; filename*=UTF-8''hello.txt;")


def test_images_show(alice, make_repo):
    make_repo(alice, files={"a.PNG": b"\x89PNG\x00"})
    assert Wire().get("/alice/bert/resolve/main/a.PNG")["Content-Type"] == "image/png"


def test_raw_is_what_git_holds(repo):
    assert Wire().get("/alice/bert/raw/main/hello.txt").content == b"hello\n"
    expected = pointer_text(hashlib.sha256(LARGE).hexdigest(), len(LARGE))
    assert Wire().get("/alice/bert/raw/main/d/weights.bin").content == expected


def test_data_sets_have_their_own_address(alice, make_repo):
    make_repo(alice, "words", kind="dataset", files={"a.txt": "x"})
    assert body_of(Wire().get("/datasets/alice/words/resolve/main/a.txt")) == b"x"
    assert Wire().get("/alice/words/resolve/main/a.txt").status_code == 401


def test_a_repository_called_resolve_keeps_its_pages(alice, make_repo, client):
    make_repo(alice, "resolve", files={"a.txt": "x"})
    assert body_of(Wire().get("/alice/resolve/resolve/main/a.txt")) == b"x"
    assert "X-Error-Code" not in client.get("/alice/resolve/tree/main")


def test_the_tree_lists_a_folder_in_gits_order(repo):
    rows = Wire().get("/api/models/alice/bert/tree/main").json()
    assert [(row["type"], row["path"], row["size"]) for row in rows] == [
        ("file", ".gitattributes", rows[0]["size"]), ("directory", "d", 0), ("file", "empty", 0),
        ("file", "hello.txt", 6),
    ]  # fmt: skip
    assert rows[3]["oid"] == HELLO_OID
    assert all("lastCommit" not in row and "xetHash" not in row for row in rows)


def test_the_recursive_tree_shows_pointers_and_real_sizes(repo):
    rows = {row["path"]: row for row in Wire().get("/api/models/alice/bert/tree/main?recursive=True").json()}
    assert list(rows) == [".gitattributes", "d", "d/weights.bin", "empty", "hello.txt"]
    large = rows["d/weights.bin"]
    sha = hashlib.sha256(LARGE).hexdigest()
    assert large["lfs"] == {"oid": sha, "size": len(LARGE), "pointerSize": len(pointer_text(sha, len(LARGE)))}
    assert (large["size"], len(large["oid"])) == (len(LARGE), 40)


def test_the_tree_below_a_path(repo):
    wire = Wire()
    assert [row["path"] for row in wire.get("/api/models/alice/bert/tree/main/d").json()] == ["d/weights.bin"]
    for path in ("nope", "hello.txt", "additional_chat_templates"):
        response = wire.get(f"/api/models/alice/bert/tree/main/{path}")
        assert (response.status_code, response["X-Error-Code"]) == (404, "EntryNotFound")


def test_expanded_trees_name_the_last_commit(alice, repo):
    made = publishing.commit(repo=repo, by=alice, changes=[PutFile("hello.txt", b"new")], title="Greet anew")
    rows = {row["path"]: row for row in Wire().get("/api/models/alice/bert/tree/main?expand=true").json()}
    assert (rows["hello.txt"]["lastCommit"]["id"], rows["hello.txt"]["lastCommit"]["title"]) == (made.oid, "Greet anew")
    assert rows["d"]["lastCommit"]["title"] == "Add files"
    assert rows["d"]["lastCommit"]["date"].endswith("Z")


def test_a_long_tree_comes_in_pages_of_one_commit(alice, make_repo):
    repo = make_repo(alice, files={f"d/{n:02}.txt": str(n) for n in range(25)})
    seen, address = [], "/api/models/alice/bert/tree/main/d?limit=10&recursive=true"
    while address:
        response = Wire().get(address)
        seen += [row["path"] for row in response.json()]
        if len(seen) == 10:
            publishing.commit(repo=repo, by=alice, changes=[PutFile("d/00a.txt", b"x")], title="t")
        address = response.get("Link", "").partition(">")[0].removeprefix("<http://portal.example")
    assert seen == [f"d/{n:02}.txt" for n in range(25)]


def test_paths_info_takes_forms_and_json_and_leaves_out_the_missing(repo):
    form = "paths=hello.txt&paths=nope&paths=d&expand=False"
    by_form = Wire().post(
        "/api/models/alice/bert/paths-info/main", form, content_type="application/x-www-form-urlencoded"
    )
    by_json = Wire().post("/api/models/alice/bert/paths-info/main", {"paths": ["hello.txt", "nope", "d"]})
    assert [row["path"] for row in by_form.json()] == ["hello.txt", "d"]
    assert by_form.json() == by_json.json()
    expanded = Wire().post("/api/models/alice/bert/paths-info/main", {"paths": "hello.txt", "expand": True}).json()
    assert expanded[0]["lastCommit"]["title"] == "Add files"
    assert Wire().post("/api/models/alice/bert/paths-info/main", {"paths": [5]}).status_code == 400
    many = "&".join(["paths=a"] * 10_003)
    response = Wire().post(
        "/api/models/alice/bert/paths-info/main", many, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 413


def test_the_tree_costs_the_same_however_many_files(alice, make_repo, django_assert_max_num_queries):
    make_repo(alice, files={f"d{n % 5}/{n}.txt": str(n) for n in range(300)})
    for path in ("/api/models/alice/bert/tree/main?recursive=true", "/api/models/alice/bert?blobs=true"):
        with django_assert_max_num_queries(9):
            Wire().get(path)


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_what_the_client_has_is_304_without_a_body(repo, method, form):
    headers = {"If-None-Match": form.format(HELLO_OID), "Range": "bytes=1-2"}
    response = Wire().call(method, "/alice/bert/resolve/main/hello.txt", **headers)
    assert (response.status_code, response["ETag"]) == (304, f'"{HELLO_OID}"')
    assert response["Cache-Control"] == "no-cache"
    assert body_of(response) == b""


@pytest.mark.parametrize("asked", ["", '"other"', HELLO_OID, '"*"'])
def test_another_validator_gets_the_file(repo, asked):
    response = Wire().get("/alice/bert/resolve/main/hello.txt", **{"If-None-Match": asked})
    assert body_of(response) == b"hello\n"


def test_whoever_reads_on_in_another_content_is_told(repo):
    address = "/alice/bert/resolve/main/hello.txt"
    for asked in (f'"{HELLO_OID}"', f'"other", "{HELLO_OID}"', "*"):
        assert body_of(Wire().get(address, **{"If-Match": asked, "Range": "bytes=1-2"})) == b"el"
    refused = Wire().get(address, **{"If-Match": '"other"', "Range": "bytes=1-2"})
    assert (refused.status_code, refused["ETag"], body_of(refused)) == (412, f'"{HELLO_OID}"', b"")


@pytest.mark.parametrize("path", ["hello.txt", "d/weights.bin"])
def test_what_git_holds_is_not_sent_again_to_who_has_it(repo, path):
    address = f"/alice/bert/raw/main/{path}"
    etag = Wire().get(address)["ETag"]
    for known in (etag, f"W/{etag}", "*"):
        response = Wire().get(address, **{"If-None-Match": known})
        assert (response.status_code, response["ETag"], body_of(response)) == (304, etag, b"")
    assert body_of(Wire().get(address, **{"If-None-Match": '"other"'})) == body_of(Wire().get(address)) != b""
