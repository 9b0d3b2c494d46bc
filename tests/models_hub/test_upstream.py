"""Asking another hub: what it may say, where it may lead to, and who hears the token."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from models_hub.upstream import outbound, smart_http
from models_hub.upstream.hub import Hub, HubRefused, NotThere, importable
from models_hub.upstream.outbound import AddressRefused, UpstreamDown
from models_hub.upstream.smart_http import NoGit, RemoteRef

Answer = tuple[int, dict[str, str], bytes]
GIT = {"Content-Type": smart_http.RESULT}
A, B = "a" * 40, "b" * 40


@dataclass
class Server:
    """Answers with what a test says, and remembers what it was asked."""

    url: str = ""
    answer: Callable[[str], Answer] = lambda _path: (404, {}, b"")
    seen: list[tuple[str, str, str]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Callable[[], Server]]:
    running = []

    def start() -> Server:
        made = Server()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                made.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = made.answer(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the server's name

            def log_message(self, *args: object) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        made.url = f"http://127.0.0.1:{http.server_port}"
        threading.Thread(target=http.serve_forever, daemon=True).start()
        running.append(http)
        return made

    yield start
    outbound._trusted_pool.cache_clear()
    for http in running:
        http.shutdown()
        http.server_close()


def line(data: bytes) -> bytes:
    return b"%04x" % (len(data) + 4) + data


def info(**values: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps({"id": "acme/bert", **values}).encode()


def test_a_repository_is_found_by_its_name_with_the_token(server):
    hub = server()
    hub.answer = lambda _path: info(private=False, gated=False)
    assert Hub(hub.url, "hf_secret").find("model", "acme/bert") == ("acme/bert", True)
    assert hub.seen == [("GET", "/api/models/acme/bert?expand=private&expand=gated&expand=sha", "Bearer hf_secret")]


@pytest.mark.parametrize("values", [{"private": True}, {"gated": "auto"}, {"gated": "manual", "private": False}])
def test_private_and_gated_ones_are_not_open(server, values):
    hub = server()
    hub.answer = lambda _path: info(**values)
    assert not Hub(hub.url).find("model", "acme/bert").is_open


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_is_hidden_there_is_not_there(server, status):
    hub = server()
    hub.answer = lambda _path: (status, {}, b"{}")
    with pytest.raises(NotThere):
        Hub(hub.url).find("dataset", "acme/cars")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"id": 3}', b"[" * 100_000, b"{" + b" " * 2_000_000 + b"}"])
def test_nonsense_is_an_outage(server, body):
    hub = server()
    hub.answer = lambda _path: (200, {}, body)
    with pytest.raises(UpstreamDown):
        Hub(hub.url).find("model", "acme/bert")


def test_a_hub_that_is_not_there_is_an_outage(server):
    with pytest.raises(UpstreamDown):
        Hub("http://127.0.0.1:9").find("model", "acme/bert")


@pytest.mark.parametrize("path", ["/stolen", "/moved?x=1"])
def test_a_redirect_into_the_private_network_is_not_followed(server, path):
    hub, inside = server(), server()
    hub.answer = lambda _path: (302, {"Location": inside.url + path}, b"")
    with pytest.raises(AddressRefused):
        Hub(hub.url, "hf_secret").find("model", "acme/bert")
    assert inside.seen == []


@pytest.mark.parametrize(
    "location",
    ["https://127.0.0.1:1/x", "https://[::1]/x", "https://169.254.169.254/latest", "https://10.0.0.1/", "file:///etc/passwd",
     "https://localhost/", "https://[::ffff:127.0.0.1]/"],
)  # fmt: skip
def test_no_address_inside_is_reached_by_a_redirect(server, location):
    hub = server()
    hub.answer = lambda _path: (302, {"Location": location}, b"")
    with pytest.raises(AddressRefused):
        Hub(hub.url).find("model", "acme/bert")


def test_a_redirect_within_the_hub_is_followed_and_circles_end(server):
    hub = server()
    hub.answer = lambda path: info() if path == "/there" else (307, {"Location": "/there"}, b"")
    assert Hub(hub.url).find("model", "acme/bert").name == "acme/bert"
    hub.answer = lambda _path: (302, {"Location": "/round"}, b"")
    with pytest.raises(UpstreamDown, match="circles"):
        Hub(hub.url).find("model", "acme/bert")


def test_references_are_read_with_what_annotated_tags_lead_to(server):
    hub = server()
    lines = [f"{A} refs/heads/main\n", f"{B} refs/tags/v1 peeled:{A}\n"]
    hub.answer = lambda _path: (200, GIT, b"".join(line(text.encode()) for text in lines) + b"0000")
    assert Hub(hub.url).refs("dataset", "acme/cars") == [
        RemoteRef("refs/heads/main", A),
        RemoteRef("refs/tags/v1", A, B),
    ]
    assert hub.seen[0][:2] == ("POST", "/datasets/acme/cars.git/git-upload-pack")


@pytest.mark.parametrize("body", [b"", b"zzzz", b"0003", line(b"nonsense"), b"ffff" + b"a" * 10])
def test_broken_framing_is_an_outage(server, body):
    hub = server()
    hub.answer = lambda _path: (200, GIT, body)
    with pytest.raises(UpstreamDown):
        Hub(hub.url).refs("model", "acme/bert")


def test_a_hub_without_git_is_refused_and_not_imitated(server):
    hub = server()
    hub.answer = lambda _path: (200, {"Content-Type": "text/html"}, b"<html>")
    with pytest.raises(NoGit, match="keep their ids"):
        Hub(hub.url).refs("model", "acme/bert")


def test_a_pack_comes_out_of_its_bands(server):
    hub = server()
    hub.answer = lambda _path: (
        200, GIT, line(b"packfile\n") + line(b"\x02words") + line(b"\x01PA") + line(b"\x01CK") + b"0000",
    )  # fmt: skip
    assert b"".join(Hub(hub.url).pack("model", "acme/bert", wants=[A], haves=[])) == b"PACK"
    hub.answer = lambda _path: (200, GIT, line(b"packfile\n") + line(b"\x01PA") + line(b"\x03fatal") + b"0000")
    with pytest.raises(UpstreamDown):
        list(Hub(hub.url).pack("model", "acme/bert", wants=[A], haves=[]))


def test_content_goes_on_in_the_middle_whether_the_hub_knows_ranges_or_not(server):
    hub, data = server(), bytes(range(100))

    def answer(path: str) -> Answer:
        if path.endswith("/batch"):
            href = {"href": f"{hub.url}/bytes", "header": {}}
            return 200, {}, json.dumps({"objects": [{"actions": {"download": href}}]}).encode()
        return (206, {}, data[40:]) if knows_ranges else (200, {}, data)

    hub.answer = answer
    for knows_ranges in (True, False):  # noqa: B007 - read by the answer
        got = Hub(hub.url, "hf_secret").content("model", "acme/bert", sha256=A, size=100, start=40)
        assert b"".join(got) == data[40:]
    # The address itself is the right to the bytes: the token stays with the API.
    assert [seen[2] for seen in hub.seen] == ["Bearer hf_secret", "", "Bearer hf_secret", ""]


def test_content_that_ends_early_is_an_outage(server):
    hub = server()

    def answer(path: str) -> Answer:
        href = {"href": f"{hub.url}/bytes"}
        listing = json.dumps({"objects": [{"actions": {"download": href}}]}).encode()
        return 200, {}, listing if path.endswith("/batch") else b"short"

    hub.answer = answer
    with pytest.raises(UpstreamDown, match="broke off"):
        list(Hub(hub.url).content("model", "acme/bert", sha256=A, size=100))
    hub.answer = lambda _path: (200, {}, b'{"objects": [{"error": {"code": 404}}]}')
    with pytest.raises(NotThere):
        list(Hub(hub.url).content("model", "acme/bert", sha256=A, size=100))


def test_imports_use_no_token_and_only_named_hubs(settings):
    settings.UPSTREAM_HUB, settings.UPSTREAM_TOKEN = "https://hub.example", "hf_secret"
    assert importable("https://hub.example/") == Hub("https://hub.example", "")
    for address in (
        "https://hub.example.org",
        "https://hub.example:8443",
        "https://user:pw@hub.example",
        "hub.example",
    ):
        with pytest.raises((HubRefused, AddressRefused)):
            importable(address)
