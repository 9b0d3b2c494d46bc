"""The real curl, and what any HTTP client may rely on: ranges, resuming, validators, redirects."""

import hashlib

import pytest
import requests

from tests.servers import need
from tests.wire.clients import Machine

pytestmark = pytest.mark.live
CONTENT = bytes(range(256)) * 8000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def address(live_portal, tmp_path_factory):
    """The address of a large file and a small one beside it."""
    need("curl")
    machine = Machine(live_portal, tmp_path_factory.mktemp("curl"), live_portal.user("alice"))
    (machine.home / "folder").mkdir(parents=True)
    (machine.home / "folder" / "w.bin").write_bytes(CONTENT)
    (machine.home / "folder" / "notes.txt").write_text("hello")
    machine.hf("upload", "alice/for-curl", "folder", ".")
    (machine.home / "s.bin").write_bytes(CONTENT[:1000])
    machine.hf("repos", "create", "alice/private-for-curl", "--private")
    machine.hf("upload", "alice/private-for-curl", "s.bin")
    return f"{live_portal.url}/alice/for-curl/resolve/main/w.bin"


@pytest.fixture
def curl(live_portal, tmp_path):
    """Run curl in a folder of its own and return what it printed."""
    machine = Machine(live_portal, tmp_path)
    return lambda *arguments: machine.run("curl", "--silent", "--show-error", *arguments)


def heads(text: str) -> list[tuple[int, dict[str, str]]]:
    """Return status and headers of each answer that `curl --dump-header -` printed."""
    found = []
    for block in filter(None, text.replace("\r", "").split("\n\n")):
        first, *lines = block.splitlines()
        found.append((int(first.split()[1]), {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}))
    return found


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-99", 0, 100), ("2047900-", 2_047_900, 2_048_000), ("-7", 2_047_993, 2_048_000), ("5-9999999", 5, 2_048_000)],
)
def test_a_range_is_answered_with_its_bytes(curl, tmp_path, address, asked, start, end):
    [(status, headers)] = heads(curl("--range", asked, "--output", "part", "--dump-header", "-", address))
    assert status == 206
    assert headers["content-range"] == f"bytes {start}-{end - 1}/2048000"
    assert (tmp_path / "part").read_bytes() == CONTENT[start:end]


def test_a_range_past_the_end_says_how_long_the_file_is(curl, address):
    [(status, headers)] = heads(curl("--range", "2048000-", "--output", "part", "--dump-header", "-", address))
    assert (status, headers["content-range"]) == (416, "bytes */2048000")


def test_a_broken_download_goes_on_where_it_was(curl, tmp_path, address):
    (tmp_path / "w.bin").write_bytes(b"?" * 1000 + CONTENT[1000:700_000])
    curl("--continue-at", "-", "--remote-name", address)
    # The mark at the beginning tells that only the rest was sent.
    assert (tmp_path / "w.bin").read_bytes() == b"?" * 1000 + CONTENT[1000:]


@pytest.mark.parametrize("path", ["w.bin", "notes.txt"])
def test_what_the_client_has_is_not_sent_again(curl, tmp_path, address, path):
    address = address.replace("w.bin", path)
    curl("--etag-save", "etag", "--remote-name", address)
    etag = (tmp_path / "etag").read_text().strip()
    assert path == "notes.txt" or etag == f'"{SHA256}"'
    [(status, headers)] = heads(curl("--etag-compare", "etag", "--output", "again", "--dump-header", "-", address))
    assert (status, headers["etag"]) == (304, etag)
    assert not (tmp_path / "again").exists() or not (tmp_path / "again").read_bytes()
    stale = heads(curl("--header", 'If-None-Match: "other"', "--output", "again", "--dump-header", "-", address))
    assert stale[0][0] == 200


@pytest.mark.parametrize(
    ("validator", "status"), [('"*"', 200), ("*", 304), ('W/"{}"', 304), ('"a", "{}"', 304), ("", 200)]
)
def test_if_none_match_is_read_in_each_of_its_forms(curl, address, validator, status):
    header = f"If-None-Match: {validator.format(SHA256)}" if validator else "X-Nothing: 1"
    [(answered, _headers)] = heads(curl("--header", header, "--output", "got", "--dump-header", "-", address))
    assert answered == status


def test_a_range_of_another_version_brings_the_whole_file(curl, tmp_path, address):
    arguments = ("--range", "0-9", "--output", "got", "--dump-header", "-", address)
    assert heads(curl("--header", f'If-Range: "{SHA256}"', *arguments))[0][0] == 206
    assert heads(curl("--header", 'If-Range: "another"', *arguments))[0][0] == 200
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_one_connection_serves_one_file_after_another(curl, address):
    """Many small calls are as quick as the network only if the connection stays open after each."""
    small = address.replace("w.bin", "notes.txt")
    arguments = [part for url in (address, small, address, small) for part in ("--output", "got", url)]
    counts = curl("--write-out", "%{num_connects} ", *arguments).split()
    assert counts == ["1", "0", "0", "0"]


def test_a_private_file_needs_the_token_and_tells_nothing_without(curl, tmp_path, live_portal, address):
    private = address.replace("for-curl", "private-for-curl").replace("w.bin", "s.bin")
    missing = private.replace("private-for-curl", "missing-for-curl")
    token = f"Authorization: Bearer {live_portal.user('alice', 'read')}"
    curl("--fail", "--location", "--header", token, "--output", "got", private)
    assert (tmp_path / "got").read_bytes() == CONTENT[:1000]
    options = ("--write-out", "%{http_code}", private)
    assert curl("--output", "refused", *options) == "401"
    told = (tmp_path / "refused").read_text()
    assert curl("--output", "refused", *options[:-1], missing) == "401"
    assert (tmp_path / "refused").read_text() == told


def test_head_has_what_a_download_manager_asks_for(curl, address):
    [(status, headers)] = heads(curl("--head", address))
    assert status == 200
    assert headers["content-length"] == "2048000"
    assert headers["accept-ranges"] == "bytes"
    assert headers["etag"] == f'"{SHA256}"'
    assert len(headers["x-repo-commit"]) == 40
    assert 'filename="w.bin"' in headers["content-disposition"]


@pytest.fixture(scope="module")
def former(live_portal, address):
    """The address that the large file had before its repository was moved."""
    names = [f"{live_portal.url}/alice/{name}/resolve/main/w.bin" for name in ("moved-from", "moved-to")]
    headers = {"Authorization": f"Bearer {live_portal.user('alice')}"}
    for route, body in (
        ("models/alice/for-curl/duplicate", {"repository": "alice/moved-from"}),
        ("repos/move", {"fromRepo": "alice/moved-from", "toRepo": "alice/moved-to", "type": "model"}),
    ):
        requests.post(f"{live_portal.url}/api/{route}", json=body, headers=headers, timeout=60).raise_for_status()
    return names[0]


def test_the_former_address_of_a_file_leads_to_it(curl, tmp_path, former):
    [(status, headers)] = heads(curl("--output", "got", "--dump-header", "-", former))
    assert (status, headers["location"]) == (307, "/alice/moved-to/resolve/main/w.bin")
    first, last = heads(curl("--location", "--output", "got", "--dump-header", "-", former))
    assert (first[0], last[0], last[1]["etag"]) == (307, 200, f'"{SHA256}"')
    assert (tmp_path / "got").read_bytes() == CONTENT


def test_head_follows_from_a_former_address(curl, former):
    first, last = heads(curl("--location", "--head", former))
    assert (first[0], last[0]) == (307, 200)
    assert (last[1]["content-length"], last[1]["etag"]) == ("2048000", f'"{SHA256}"')


def test_a_range_follows_from_a_former_address(curl, tmp_path, former):
    options = ("--location", "--range", "1000-1999", "--output", "part", "--dump-header", "-")
    first, last = heads(curl(*options, former))
    assert (first[0], last[0], last[1]["content-range"]) == (307, 206, "bytes 1000-1999/2048000")
    assert (tmp_path / "part").read_bytes() == CONTENT[1000:2000]


def test_a_broken_download_goes_on_from_a_former_address(curl, tmp_path, former):
    (tmp_path / "w.bin").write_bytes(CONTENT[:700_000])
    curl("--location", "--continue-at", "-", "--remote-name", former)
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
