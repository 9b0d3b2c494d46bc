"""Requests to addresses that people have typed reach the open network and nothing else."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from portal import outbound
from portal.outbound import AddressRefused, Unreachable


class Listener(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        for name, value in self.server.answer_headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *args):
        pass


@pytest.fixture
def listener():
    """A program of the own machine that nobody may call, and what it has seen."""
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        server.seen, server.status, server.answer, server.answer_headers = [], 200, b"ok", []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def call(host, listener, scheme="http"):
    return outbound.send("POST", f"{scheme}://{host}:{listener.server_port}/hook?x=1", headers={"X-A": "b"}, body=b"hi")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "017700000001", "0.0.0.0", "[::1]",
        "[::ffff:127.0.0.1]", "[::]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "LOCALHOST", "localhost.",
    ],
)  # fmt: skip
def test_this_machine_is_out_of_reach_under_any_name(listener, host):
    with pytest.raises(Unreachable):
        call(host, listener)
    assert listener.seen == []


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]", "[fe80::1]", "224.0.0.1",
     "255.255.255.255", "198.18.0.1", "[ff02::1]"],
)  # fmt: skip
def test_private_networks_are_refused_without_a_connection(host, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("a connection was tried"))
    with pytest.raises(AddressRefused):
        outbound.send("POST", f"http://{host}/", headers={})


@pytest.mark.parametrize(
    "url",
    ["", "file:///etc/passwd", "gopher://x/", "http://", "//x/", "http://u:p@example.org/", "http://example.org:22/",
     "http://example.org:99999/", "http://exa mple.org/", "http://example.org\\@127.0.0.1/", "http://[::1", "x"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(AddressRefused):
        outbound.check(url)


def test_a_name_with_one_private_address_among_public_ones_is_refused(listener, monkeypatch):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 80)) for host in ("1.1.1.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: answers)
    with pytest.raises(AddressRefused):
        outbound.send("POST", "http://two-faced.example/", headers={})


def test_a_name_is_asked_for_once_and_the_judged_address_is_called(monkeypatch):
    """A name server that answers with a public address first and a private one later gains nothing."""
    asked, called = [], []

    def answer(host, port, **_options):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(address, _timeout):
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        outbound.send("POST", "http://rebinding.example/", headers={})
    assert (asked, called) == (["rebinding.example"], ["1.1.1.1"])


def test_a_host_that_the_installation_allows_is_called(listener, settings):
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    answer = call("127.0.0.1", listener)
    assert (answer.status, answer.body) == (200, b"ok")
    path, headers, body = listener.seen[0]
    assert (path, headers["X-A"], body) == ("/hook?x=1", "b", b"hi")
    assert headers["Host"] == f"127.0.0.1:{listener.server_port}"


def test_a_redirect_is_an_answer_and_not_followed(listener, settings):
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    listener.status, listener.answer_headers = 302, [("Location", f"http://localhost:{listener.server_port}/other")]
    assert call("127.0.0.1", listener).status == 302
    assert len(listener.seen) == 1


def test_of_a_long_answer_only_the_beginning_is_read(listener, settings):
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    listener.answer = b"x" * 1_000_000
    assert len(call("127.0.0.1", listener).body) == outbound.MAX_ANSWER


def test_an_answer_that_trickles_is_cut_off(settings, monkeypatch):
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 0.5)
    over = threading.Event()

    def trickle(server):
        connection, _address = server.accept()
        with connection:
            while not over.wait(0.05):
                try:
                    connection.send(b"H")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        try:
            with pytest.raises(Unreachable):
                outbound.send("POST", f"http://127.0.0.1:{server.getsockname()[1]}/", headers={})
        finally:
            over.set()
            thread.join()


def test_a_plain_server_is_no_secure_one(listener, settings):
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with pytest.raises(Unreachable):
        call("127.0.0.1", listener, scheme="https")
