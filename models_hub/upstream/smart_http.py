"""Fetching by git's own protocol, version 2, over HTTP: https://git-scm.com/docs/protocol-v2.

Two questions: which references there are, and the pack of what is missing here.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.utils.translation import gettext as _
from urllib3.response import BaseHTTPResponse

from models_hub.models.refs import HEADS, TAGS
from models_hub.upstream import outbound
from models_hub.upstream.outbound import UpstreamDown
from portal.errors import InvalidInput

MAX_LISTING_BYTES = 4 * 1024 * 1024
MAX_PACKET = 65520
FLUSH, DELIMITER, RESPONSE_END = b"0000", b"0001", b"0002"
RESULT = "application/x-git-upload-pack-result"
HEADERS = {
    "Content-Type": "application/x-git-upload-pack-request",
    "Accept": RESULT,
    "Git-Protocol": "version=2",
}
_LINE = re.compile(rb"([0-9a-f]{40}) (\S+)((?: \S+)*)\n?")


class NoGit(InvalidInput):
    """The other hub does not speak git, so that commits could not keep their ids."""

    code = "upstream_without_git"


class RemoteRef(NamedTuple):
    """A branch or tag of the other hub: the commit it names, and for an annotated tag the tag's own id."""

    name: str
    oid: str
    tag_oid: str = ""


def list_refs(url: str, *, trusted: str, token: str) -> list[RemoteRef]:
    """Return the branches and tags of the repository whose page is `url`."""
    wanted = [b"peel\n", b"ref-prefix %s\n" % HEADS.encode(), b"ref-prefix %s\n" % TAGS.encode()]
    body = _line(b"command=ls-refs\n") + DELIMITER + b"".join(map(_line, wanted)) + FLUSH
    with _asked(url, body, trusted=trusted, token=token) as response:
        packets = list(_packets(iter([outbound.read(response, MAX_LISTING_BYTES)])))
    return [_ref(packet) for packet in packets]


def fetch(url: str, *, wants: Iterable[str], haves: Iterable[str], trusted: str, token: str) -> Iterator[bytes]:
    """Yield the pack that brings `wants` to somebody who has all of `haves`."""
    lines = [b"thin-pack\n", b"ofs-delta\n", b"no-progress\n"]
    lines += [b"want %s\n" % oid.encode() for oid in wants]
    lines += [b"have %s\n" % oid.encode() for oid in haves]
    body = _line(b"command=fetch\n") + DELIMITER + b"".join(map(_line, [*lines, b"done\n"])) + FLUSH
    with _asked(url, body, trusted=trusted, token=token) as response:
        packets = _packets(outbound.blocks(response))
        if next(packets, b"").strip() != b"packfile":
            raise _not_understood()
        for packet in packets:
            band, data = packet[:1], packet[1:]
            if band == b"\x03":
                raise UpstreamDown(_("The other hub broke off the transfer of the history."))
            if band == b"\x01":
                yield data


@contextmanager
def _asked(url: str, body: bytes, *, trusted: str, token: str) -> Iterator[BaseHTTPResponse]:
    address = f"{url}.git/git-upload-pack"
    with outbound.ask("POST", address, trusted=trusted, token=token, headers=HEADERS, body=body) as response:
        if response.status >= 500:
            raise UpstreamDown(_("The other hub cannot be reached at the moment. Try again later."))
        if response.status != 200 or response.headers.get("Content-Type", "").partition(";")[0] != RESULT:
            raise NoGit(
                _("The other hub does not give out its history by git; without it commits would not keep their ids.")
            )
        yield response


def _packets(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines of git's framing until the first end mark."""
    buffer = bytearray()
    while True:
        while len(buffer) < 4:
            _fill(buffer, blocks)
        mark = bytes(buffer[:4])
        if mark in (FLUSH, RESPONSE_END):
            return
        if mark == DELIMITER:
            del buffer[:4]
            continue
        try:
            length = int(mark, 16)
        except ValueError as error:
            raise _not_understood() from error
        if not 4 <= length <= MAX_PACKET:
            raise _not_understood()
        while len(buffer) < length:
            _fill(buffer, blocks)
        yield bytes(buffer[4:length])
        del buffer[:length]


def _fill(buffer: bytearray, blocks: Iterator[bytes]) -> None:
    block = next(blocks, b"")
    if not block:
        raise UpstreamDown(_("The other hub broke off the transfer of the history."))
    buffer += block


def _line(data: bytes) -> bytes:
    return b"%04x" % (len(data) + 4) + data


def _ref(packet: bytes) -> RemoteRef:
    found = _LINE.fullmatch(packet)
    if found is None:
        raise _not_understood()
    oid, name = found[1].decode(), found[2].decode("utf-8", "replace")
    peeled = next((word[7:].decode() for word in found[3].split() if word.startswith(b"peeled:")), "")
    return RemoteRef(name, peeled, oid) if peeled else RemoteRef(name, oid)


def _not_understood() -> UpstreamDown:
    return UpstreamDown(_("The other hub answers in a way that this portal does not understand."))
