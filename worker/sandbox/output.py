"""What a run writes, passed on in bounded amounts: it may be one endless line, or millions of short ones."""

import os
import time
from collections.abc import Callable

CHUNK = 65536
LINE_BYTES = 8192
TOTAL_BYTES = 32 * 1024**2
LINES_A_SECOND = 50
LINES_AT_ONCE = 200


class Lines:
    """Cuts bytes into lines; what exceeds the length is cut off, what exceeds rate or total is dropped."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self.on_line = on_line
        self.pending = b""
        self.too_long = False
        self.left = TOTAL_BYTES
        self.allowance = float(LINES_AT_ONCE)
        self.refilled = time.monotonic()

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        *complete, rest = (self.pending + data).split(b"\n")
        for line in complete:
            if self.too_long:
                self.too_long = False  # The end of a line whose beginning has been passed on.
            else:
                self._pass_on(line)
        self.pending = b"" if self.too_long else rest
        if len(self.pending) > LINE_BYTES:
            self._pass_on(self.pending)
            self.pending, self.too_long = b"", True

    def close(self) -> None:
        """Pass on a last line that has no end."""
        if self.pending:
            self._pass_on(self.pending)
            self.pending = b""

    def _pass_on(self, line: bytes) -> None:
        line = line[:LINE_BYTES]
        now = time.monotonic()
        self.allowance = min(self.allowance + (now - self.refilled) * LINES_A_SECOND, float(LINES_AT_ONCE))
        self.refilled = now
        if self.allowance >= 1 and len(line) <= self.left:
            self.allowance -= 1
            self.left -= len(line)
            self.on_line(line.decode("utf-8", "replace"))


class Tail:
    """Keeps the last bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.data = b""

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        self.data = (self.data + data)[-self.limit :]

    @property
    def text(self) -> str:
        """The tail as text."""
        return self.data.decode("utf-8", "replace")


def read(descriptor: int) -> bytes | None:
    """Return what a pipe has now: nothing at its end, None when there may be more later."""
    try:
        return os.read(descriptor, CHUNK)
    except BlockingIOError:
        return None
