"""Threads that carry large files keep no connection to the database, and all others keep theirs."""

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from portal import database
from portal.middleware import LARGE, TransferMiddleware


class Connection:
    def __init__(self, *, in_atomic_block=False) -> None:
        self.in_atomic_block = in_atomic_block
        self.is_open = True

    def close(self):
        self.is_open = False


@pytest.fixture
def connection(monkeypatch):
    return _known(monkeypatch, Connection())


def _known(monkeypatch, connection):
    monkeypatch.setattr(database.connections, "all", lambda **_options: [connection], raising=False)
    return connection


def _file(size):
    return StreamingHttpResponse([b""], headers={"Content-Length": str(size)})


def test_a_large_answer_leaves_without_one(rf, connection):
    TransferMiddleware(lambda _request: _file(LARGE))(rf.get("/"))
    assert not connection.is_open


def test_a_large_body_leaves_none_behind(rf, connection):
    TransferMiddleware(lambda _request: HttpResponse())(rf.put("/", CONTENT_LENGTH=str(LARGE)))
    assert not connection.is_open


@pytest.mark.parametrize("method", ["get", "head"])
def test_small_files_and_questions_about_large_ones_keep_it(rf, connection, method):
    size = LARGE if method == "head" else LARGE - 1
    TransferMiddleware(lambda _request: _file(size))(getattr(rf, method)("/"))
    assert connection.is_open


def test_a_transaction_is_not_cut_off(rf, monkeypatch):
    connection = _known(monkeypatch, Connection(in_atomic_block=True))
    TransferMiddleware(lambda _request: _file(LARGE))(rf.get("/"))
    assert connection.is_open
