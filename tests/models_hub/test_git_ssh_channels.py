"""What a client sends faster than it is read waits with the client, and not in the memory of the server."""

import asyncio
import tracemalloc
from typing import Any

import asyncssh

from models_hub.git.ssh.channels import Channel

SENT = 64 * 1024 * 1024
BLOCK = 16 * 1024


class Open(asyncssh.SSHServer):
    """Lets everybody in."""

    def begin_auth(self, username: str) -> bool:
        return False


async def send_to_slow_reader() -> tuple[int, int]:
    """Return how many bytes were read in small pieces, and how many were in memory at most."""
    loop, read = asyncio.get_running_loop(), 0

    def work(channel: Channel) -> int:
        return sum(len(block) for block in iter(lambda: channel.read(BLOCK), b""))

    async def serve(*streams: Any) -> None:
        nonlocal read
        read = await loop.run_in_executor(None, work, Channel(loop, *streams))
        streams[0].channel.exit(0)

    key = asyncssh.generate_private_key("ssh-ed25519")
    listening = asyncssh.listen(
        "127.0.0.1", 0, server_factory=Open, server_host_keys=[key], session_factory=serve, encoding=None
    )
    async with await listening as server, asyncssh.connect(
        "127.0.0.1", server.get_port(), known_hosts=None, username="git", client_keys=None, config=None
    ) as client:  # fmt: skip
        process = await client.create_process("read", encoding=None)
        tracemalloc.start()
        try:
            for _ in range(SENT // (256 * 1024)):
                process.stdin.write(bytes(256 * 1024))
                await process.stdin.drain()
            process.stdin.write_eof()
            await process.wait()
            return read, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_no_more_than_some_windows_wait_in_memory():
    read, most = asyncio.run(send_to_slow_reader())
    assert read == SENT
    assert most < SENT / 3
