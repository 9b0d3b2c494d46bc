"""What git sends us: bodies of requests, gzipped or not, of a stated length or in chunks of none, and other streams."""

import zlib
from collections.abc import Callable, Iterator

from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _

from portal.errors import InvalidInput, TooLarge

BLOCK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


Read = Callable[[int], bytes]  # at most so many bytes, none at the end


class GitBody:
    """The bytes that `read` gives, unpacked where they are `gzipped`, at most `most` of them."""

    def __init__(self, read: Read, most: int, *, gzipped: bool = False) -> None:
        self._read = read
        self._inflater = zlib.decompressobj(_GZIP) if gzipped else None
        self._left = most
        self._most = most
        self._buffer, self._at = b"", 0  # and where in it

    @classmethod
    def of(cls, request: HttpRequest, most: int) -> "GitBody":
        """Return the body of one request."""
        encoding = request.headers.get("Content-Encoding", "").lower()
        if encoding not in {"", "identity", "gzip", "x-gzip"}:
            raise InvalidInput(_("The encoding of this request is not known here; gzip is."))
        return cls(_Reader(request), most, gzipped="gzip" in encoding)

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while count:
            if self._at == len(self._buffer):
                self._buffer, self._at = self._more(), 0
                if not self._buffer:
                    break
            parts.append(self._buffer[self._at : self._at + count])
            self._at += len(parts[-1])
            count -= len(parts[-1])
        return b"".join(parts)

    def rest(self) -> Iterator[bytes]:
        """Yield what has not been taken."""
        block = self._buffer[self._at :]
        self._buffer, self._at = b"", 0
        while block := block or self._more():
            yield block
            block = b""

    def begin_anew(self) -> None:
        """Count from here on: one stream may bring many requests."""
        self._left = self._most

    def drain(self, most: int) -> None:
        """Read and drop the rest: git sees an answer only after it has sent everything."""
        while most > 0 and (block := self._read(BLOCK)):
            most -= len(block)

    def _more(self) -> bytes:
        block = self._unpacked() if self._inflater else self._read(BLOCK)
        self._left -= len(block)
        if self._left < 0:
            raise TooLarge(_("The request has more than %(max)d bytes.") % {"max": self._most})
        return block

    def _unpacked(self) -> bytes:
        """Return the next bytes of a gzipped body, never many at a time, whatever they unpack to."""
        assert self._inflater is not None
        while not self._inflater.eof:
            given = self._inflater.unconsumed_tail or self._read(BLOCK)
            try:
                block = self._inflater.decompress(given, BLOCK)
            except zlib.error as error:
                raise InvalidInput(_("The request is not packed by gzip as it says.")) from error
            if block:
                return block
            if not given:
                raise InvalidInput(_("The request ended before all of it had arrived. Send it again."))
        return b""


class _Reader:
    """Reads what the server gives, and takes a client that is gone for the end."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        # Django stops at the Content-Length, which a body in chunks has not; the server knows where that ends.
        self._input = request.META["wsgi.input"] if chunked and request.META.get("wsgi.input_terminated") else None

    def __call__(self, size: int) -> bytes:
        try:
            return bytes(self._request.read(size) if self._input is None else self._input.read(size))
        except (UnreadablePostError, OSError):
            return b""
