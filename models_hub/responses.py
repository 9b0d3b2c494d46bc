"""Stored bytes as an answer, for every face: the kernel sends what lies in one file, without a copy through us."""

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from typing import BinaryIO

from django.http import StreamingHttpResponse

from models_hub import bundling, contents, fetching
from models_hub.models import Blob, Repo


class OpenSpan(io.RawIOBase):
    """Bytes [start, start + length) of an open file, as a file that ends where they end.

    A server that knows `sendfile` asks for the descriptor, whose position is `start`; any other one reads.
    """

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        super().__init__()
        # A descriptor of its own: an answer that nobody reads to its end is closed when it is forgotten.
        with file:
            self._descriptor = os.dup(file.fileno())
        self._left = length
        self._end = os.lseek(self._descriptor, start, os.SEEK_SET) + length

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = os.read(self._descriptor, self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        return block

    def seekable(self) -> bool:
        return True

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """Move as in the whole file: `socket.sendfile` puts the position where it was when it has sent all."""
        moved = os.lseek(self._descriptor, position, whence)
        self._left = self._end - moved
        return moved

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class FileSpanResponse(StreamingHttpResponse):
    """An answer that Django hands to the server as an open file (`wsgi.file_wrapper`) where the server can take one."""

    block_size = contents.READ_SIZE

    def __init__(self, span: OpenSpan, **options: str) -> None:
        # The attribute by which Django's handler knows an answer that is a file.
        self.file_to_stream = span
        super().__init__(iter(lambda: span.read(self.block_size), b""), **options)
        self._resource_closers.append(span.close)  # type: ignore[attr-defined]


def blob_response(blob: Blob, start: int, length: int, *, content_type: str) -> StreamingHttpResponse:
    """Answer with bytes of large content; raises OSError before a status is sent where the content cannot be read."""
    file = None if blob.awaited_by else contents.open_whole(blob)
    if file is not None:
        response: StreamingHttpResponse = FileSpanResponse(OpenSpan(file, start, length), content_type=content_type)
    else:
        response = StreamingHttpResponse(begun(fetching.stream(blob, start, length)), content_type=content_type)
    response["Content-Length"] = str(length)
    return response


def bundle_response(repo: Repo) -> StreamingHttpResponse:
    """Answer with a repository as one file. Its history waits on disk for as long as the answer is being sent."""
    with ExitStack() as stack:
        bundle = stack.enter_context(bundling.exported(repo))
        response = StreamingHttpResponse(begun(bundle.blocks), content_type="application/x-tar")
        response["Content-Length"] = str(bundle.size)
        response["Content-Disposition"] = f'attachment; filename="{bundle.name}"'
        response["Cache-Control"] = "private, no-store"
        response._resource_closers.append(stack.pop_all().close)  # type: ignore[attr-defined]
    return response


def begun(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Read the first block now: what is wrong with stored content must show before the status is sent."""
    first = next(blocks, b"")
    return chain([first], blocks)
