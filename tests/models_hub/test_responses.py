"""Stored bytes as an open file that a server may send by itself."""

import socket
import threading

import pytest

from models_hub.responses import OpenSpan


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(bytes(range(200)))
    return path.open("rb")


def test_a_span_ends_where_it_ends(file):
    with OpenSpan(file, 10, 5) as span:
        assert span.read(3) == bytes([10, 11, 12])
        assert span.read() == bytes([13, 14])
        assert span.read(3) == b""


def test_a_span_can_be_read_again_from_where_it_was(file):
    with OpenSpan(file, 10, 5) as span:
        assert span.read() == bytes(range(10, 15))
        assert span.seek(12) == 12
        assert span.read() == bytes([12, 13, 14])


def test_the_kernel_sends_a_span_and_puts_its_position_back(file):
    ours, theirs = socket.socketpair()
    with ours, theirs, OpenSpan(file, 100, 50) as span:
        sender = threading.Thread(target=ours.sendfile, args=(span, 100, 50))
        sender.start()
        received = theirs.recv(200)
        sender.join()
        assert received == bytes(range(100, 150))
        assert span.seek(0, 1) == 150
