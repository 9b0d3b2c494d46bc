"""gunicorn's worker with threads, made so that slow clients cannot use its threads up.

Its own threads wait for every byte of a request: a few dozen connections that send a letter a second would silence the
site. Here the main loop, which waits for any number of connections, collects the head of a request and a small body
before a thread gets it. Transfers, whose pace is the client's, get a part of the threads and no more, and wait their
turn without one. And no thread waits for long.
"""

import re
import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_BYTES = 64 * 1024  # beyond this gunicorn refuses the head
HEAD_SECONDS = 10.0
SMALL_BODY = 64 * 1024
BLOCK = 64 * 1024
# The longest wait for the next byte of a body, and for a page or a block of a file to be taken.
PAGE_SECONDS, TRANSFER_SECONDS = 20.0, 120.0
# Who sends more slowly, after a while, is as good as gone.
SLOWEST_BYTES_A_SECOND, GRACE_SECONDS = 1024, 30.0
LINGER_SECONDS = 2.0
SHARE_OF_TRANSFERS = 0.75

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_BODY_COMES_LATER = re.compile(rb"\r\n(?:transfer-encoding|expect):", re.IGNORECASE)
_FILES = re.compile(
    rb"[A-Z]+ [^ ?]*(?:/(?:resolve|raw)/|/git-upload-pack|\.git/info/lfs/objects/[0-9a-f]{64}|/predictions"
    rb"|/cas/v1/fetch/|/jobs/\d+/content/|/bundle[? ]|/api/v1/bundles/)"
)


def is_complete(received: bytes | bytearray) -> bool:
    """Say whether a thread has nothing to wait for: the head is here, and the body if it is a small one."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return len(received) > HEAD_BYTES
    length = _body_length(received)
    return length is None or length > SMALL_BODY or len(received) >= end + 4 + length


def is_transfer(received: bytes | bytearray) -> bool:
    """Say whether how long the request takes is up to its sender: it brings a large body, or fetches a file."""
    length = _body_length(received)
    return length is None or length > SMALL_BODY or _FILES.match(received) is not None


def _body_length(received: bytes | bytearray) -> int | None:
    """Return how long the body is, None where the head does not say or wants an answer first."""
    head = bytes(received[: received.find(b"\r\n\r\n") + 4])
    if _BODY_COMES_LATER.search(head):
        return None
    length = _LENGTH.search(head)
    return int(length[1]) if length else 0


class PacedSocket:
    """A socket to read a request from, which gives up on a sender who keeps a thread waiting.

    It gives a block at a time. gunicorn asks for 1 MiB of a body and copies what is left of it with each small read,
    each time into new pages: a Xet upload spent four fifths of its time on that.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._waited = 0.0
        self._received = 0

    def recv(self, size: int) -> bytes:
        began = time.monotonic()
        data = self._sock.recv(min(size, BLOCK))
        self._waited += time.monotonic() - began
        self._received += len(data)
        if self._waited > GRACE_SECONDS and self._received < SLOWEST_BYTES_A_SECOND * self._waited:
            raise TimeoutError("the sender is too slow")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """The main loop waits for clients, the threads work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._transfers: set[TConn] = set()  # those that have a thread
        self._waiting: deque[TConn] = deque()  # transfers that wait for one
        self._lingering: deque[TConn] = deque()

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection a thread as soon as its next request is here."""
        received = bytearray(conn.parser.unreader.take_buffered() if conn.parser else b"")
        if is_complete(received):
            self._admit(conn, received)
            return
        conn.sock.settimeout(0)
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read, conn, received))

    def _read(self, conn: TConn, received: bytearray, sock: socket.socket) -> None:
        block = _received_now(sock)
        if block is None:
            return
        received += block
        if block and not is_complete(received):
            return
        self.poller.unregister(sock)
        self.pending_conns.remove(conn)
        if block:
            self._admit(conn, received)
        else:
            self._drop(conn)

    def _admit(self, conn: TConn, received: bytearray) -> None:
        conn.init()
        conn.data_ready = True
        conn.parser.unreader.sock = PacedSocket(conn.sock)
        conn.parser.unreader.unread(bytes(received))
        conn.is_transfer = is_transfer(received)
        if conn.is_transfer:
            self._waiting.append(conn)
            self._start_transfers()
        else:
            super().enqueue_req(conn)

    def _start_transfers(self) -> None:
        share = max(1, int(self.cfg.threads * SHARE_OF_TRANSFERS))
        while self._waiting and len(self._transfers) < share:
            conn = self._waiting.popleft()
            self._transfers.add(conn)
            super().enqueue_req(conn)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer one request, in a thread."""
        conn.sock.settimeout(TRANSFER_SECONDS if conn.is_transfer else PAGE_SECONDS)
        try:
            return bool(super().handle_request(req, conn))
        except TimeoutError:
            self.log.debug("A client took too long to take its answer.")
            return False

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Wait for the connection's next request, or close it: in the main loop, where nothing may wait."""
        self._transfers.discard(conn)
        self._start_transfers()
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self._linger(conn)

    def _linger(self, conn: TConn) -> None:
        """Close once the client has: an earlier end could cut off the answer on its way."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.settimeout(0)
        except OSError:
            self._drop(conn)
            return
        conn.timeout = time.monotonic() + LINGER_SECONDS
        self._lingering.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._await_end, conn))

    def _await_end(self, conn: TConn, sock: socket.socket) -> None:
        if _received_now(sock) == b"":
            self._lingering.remove(conn)
            self.poller.unregister(sock)
            self._drop(conn)

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close what has had its time: unfinished heads, and connections that their clients do not close."""
        super().murder_pending()
        while self._lingering and self._lingering[0].timeout <= time.monotonic():
            conn = self._lingering.popleft()
            self.poller.unregister(conn.sock)
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Let a worker that stops wait no longer for unfinished heads than for kept connections."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def _received_now(sock: socket.socket) -> bytes | None:
    """Return what has arrived, b"" at the end of the connection and None when there is nothing yet."""
    try:
        return sock.recv(BLOCK)
    except BlockingIOError:
        return None
    except OSError:
        return b""
