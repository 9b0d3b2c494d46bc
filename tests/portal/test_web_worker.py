"""The web server under clients that are slow on purpose: everybody else is still answered."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from portal.config.web_worker import BLOCK, HEAD_BYTES, SMALL_BODY, PacedSocket, is_complete, is_transfer
from tests.live import LivePortal

MANY = 60  # more than all threads
SOON = 8  # seconds: sooner than the slow ones are given up, which would let others in too
HOST = b"Host: 127.0.0.1\r\n"
FORM = b"POST /accounts/login/ HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    ("received", "complete", "transfer"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST, False, False),
        (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", True, False),
        (b"GET / HTTP/1.1\r\n" + b"x" * HEAD_BYTES, True, False),
        (FORM + b"Content-Length: 5\r\n\r\nab", False, False),
        (FORM + b"Content-Length: 5\r\n\r\nabcde", True, False),
        (FORM + b"content-length: %d\r\n\r\n" % (SMALL_BODY + 1), True, True),
        (FORM + b"Transfer-Encoding: chunked\r\n\r\n", True, True),
        (FORM + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", True, True),
        (b"GET /alice/bert/resolve/main/model.safetensors HTTP/1.1\r\n" + HOST + b"\r\n", True, True),
        (b"POST /alice/bert.git/git-upload-pack HTTP/1.1\r\n" + HOST + b"\r\n", True, True),
        (b"GET /alice/bert/tree/main/resolve HTTP/1.1\r\n" + HOST + b"\r\n", True, False),
        (b"GET /models?search=/resolve/ HTTP/1.1\r\n" + HOST + b"\r\n", True, False),
        (b"GET /api/v1/evaluations/1/predictions HTTP/1.1\r\n" + HOST + b"\r\n", True, True),
    ],
)
def test_what_the_main_loop_waits_for_and_what_counts_as_a_transfer(
    received: bytes, complete: bool, transfer: bool
) -> None:
    assert (is_complete(received), is_transfer(received)) == (complete, transfer)


def test_a_sender_slower_than_any_line_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 10_000, 10))
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"x" * 100)
        paced = PacedSocket(ours)
        assert [paced.recv(1) for _second in range(3)] == [b"x"] * 3
        with pytest.raises(TimeoutError):
            paced.recv(1)


def test_a_body_is_taken_block_by_block_however_much_is_asked_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"x" * (BLOCK + 1))
        paced = PacedSocket(ours)
        assert [len(paced.recv(1024 * 1024)) for _turn in range(2)] == [BLOCK, 1]


@contextmanager
def connections(portal: LivePortal, said: bytes) -> Iterator[list[socket.socket]]:
    """Open many connections that say something and then nothing more."""
    opened = [socket.create_connection(("127.0.0.1", portal.port)) for _number in range(MANY)]
    try:
        for connection in opened:
            connection.sendall(said)
        time.sleep(1)
        yield opened
    finally:
        for connection in opened:
            connection.close()


@pytest.mark.live
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTTP/1.1\r\nHo",
        FORM + b"Content-Length: 60000\r\n\r\na=",
        FORM + b"Content-Length: 600000\r\n\r\na=",
        FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\na",
        b"POST /cas/v1/shards HTTP/1.1\r\n" + HOST + b"Content-Length: 60000000\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",  # and the client does not close
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\nGET / HTTP/1.1\r\nHo",  # the second is not whole
    ],
)
def test_many_slow_clients_do_not_silence_the_site(live_portal: LivePortal, said: bytes) -> None:
    with connections(live_portal, said):
        for _time in range(3):
            assert requests.get(f"{live_portal.url}/healthz", timeout=SOON).ok


@pytest.mark.live
def test_transfers_wait_for_their_turn_and_get_it(live_portal: LivePortal) -> None:
    large = b"POST /api/validate-yaml HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\nConnection: close\r\n\r\n"
    with connections(live_portal, large) as opened:
        for connection in opened:
            connection.settimeout(30)
            connection.sendall(b"{" * 100_000)
        assert {connection.recv(12) for connection in opened} == {b"HTTP/1.1 400"}


@pytest.mark.live
def test_requests_that_follow_each_other_on_one_connection_are_all_answered(live_portal: LivePortal) -> None:
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
    with socket.create_connection(("127.0.0.1", live_portal.port), timeout=60) as connection:
        connection.sendall(request + request[:20])
        time.sleep(0.2)
        connection.sendall(request[20:] + request)
        answers = b""
        while answers.count(b"HTTP/1.1 200 OK") < 3:
            answers += connection.recv(65536)
