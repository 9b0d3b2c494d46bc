"""The channel of one command, between the loop that speaks SSH and the thread that does the work."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import asyncssh

SILENCE_SECONDS = 300.0  # that a client may take or give nothing while we wait for it
FLUSH_BYTES = 64 * 1024
# Twice the window of a channel. asyncssh lets a client send a whole window more whenever something is taken of what
# waits: whoever takes less than a window each time lets all that a client sends pile up in memory.
TAKE_BYTES = 4 * 1024 * 1024

T = TypeVar("T")


class HungUp(Exception):
    """The client has gone, or has been silent for too long."""


class Channel:
    """The ends of a channel for a thread, as `talking.Line` has them.

    Small pieces are sent together. Whoever writes waits until the client has taken what came before, so that no more
    of an answer is in memory than the client’s window and one block.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stdin: "asyncssh.SSHReader[bytes]",
        stdout: "asyncssh.SSHWriter[bytes]",
        stderr: "asyncssh.SSHWriter[bytes]",
    ) -> None:
        self._loop = loop
        self._stdin, self._stdout, self._stderr = stdin, stdout, stderr
        self._waiting = bytearray()
        self._come, self._read = b"", 0  # what was taken, and how much of it was given

    def read(self, most: int) -> bytes:
        """Return what has come, at most so many bytes; what was written is sent first."""
        self.flush()
        if self._read == len(self._come):
            self._come, self._read = self._wait(self._stdin.read(TAKE_BYTES)), 0
        block = self._come[self._read : self._read + most]
        self._read += len(block)
        return block

    def write(self, block: bytes) -> None:
        self._waiting += block
        if len(self._waiting) >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what was written."""
        if self._waiting:
            block, self._waiting = bytes(self._waiting), bytearray()
            self._wait(_sent(self._stdout, block))

    def complain(self, text: str) -> None:
        self._wait(_sent(self._stderr, f"{text}\n".encode()))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the loop do something for this thread; raises HungUp."""
        try:
            return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, SILENCE_SECONDS), self._loop).result()
        except (OSError, asyncssh.Error, CancelledError, RuntimeError) as error:  # of silence and of a closed loop too
            raise HungUp from error


async def _sent(writer: "asyncssh.SSHWriter[bytes]", block: bytes) -> None:
    writer.write(block)
    await writer.drain()
