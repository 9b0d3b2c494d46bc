"""The server: who may come in, by which key, and a thread for each command. No shell, no forwarding, no terminal."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import asyncssh
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.utils.translation import gettext as _

from models_hub.git.ssh import talking
from models_hub.git.ssh.channels import Channel, HungUp
from models_hub.git.ssh.door import MAX_COMMANDS, Door
from models_hub.git.ssh.host_key import host_key
from models_hub.git.ssh.talking import BROKEN, REFUSED, Client
from portal import public_keys, rates
from portal.models import SshKey
from portal.ssh_addresses import USER

LOGIN_SECONDS = 30
IDLE_SECONDS = 300.0  # that a connection may stay without a command
STOP_SECONDS = 15.0  # for what runs when the server is told to stop
MAX_TRIES = 12  # keys that one connection may offer
MAX_CHANNELS = 8  # that one connection may have open
LOOKUP_THREADS = 4
PROTOCOL, MAX_PROTOCOL = b"GIT_PROTOCOL", 200
logger = logging.getLogger(__name__)

Streams = tuple["asyncssh.SSHReader[bytes]", "asyncssh.SSHWriter[bytes]", "asyncssh.SSHWriter[bytes]"]


@dataclass
class Server:
    """What all connections share; `site_of` gives the portal’s address over HTTP for the address that was called."""

    site_of: Callable[[str], str]
    door: Door = field(default_factory=Door)
    open: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MAX_COMMANDS, "ssh"))
    lookups: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(LOOKUP_THREADS, "ssh-key"))

    async def listen(self, host: str, port: int) -> asyncssh.SSHAcceptor:
        """Begin to take connections."""
        return await asyncssh.listen(
            host,
            port,
            server_factory=lambda: Connection(self),
            server_host_keys=[host_key()],
            server_version="portal",
            login_timeout=LOGIN_SECONDS,
            keepalive_interval=30,
            keepalive_count_max=4,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            public_key_auth=True,
            gss_host=None,
            allow_pty=False,
            agent_forwarding=False,
            line_editor=False,
            encoding=None,
            # What rests on SHA-1, and compression: it would cost memory, and packs are compressed.
            kex_algs="-*-sha1",
            mac_algs="-hmac-sha1*",
            signature_algs="-ssh-rsa*",
            compression_algs=["none"],
        )

    async def run(self, host: str, port: int, stopping: asyncio.Event) -> None:
        """Serve until told to stop, then let what runs come to its end for a while."""
        acceptor = await self.listen(host, port)
        logger.info("git over SSH listens on %s port %d", host, acceptor.get_port())
        await stopping.wait()
        acceptor.close()
        deadline = asyncio.get_running_loop().time() + STOP_SECONDS
        while self.door.commands.total() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.1)
        for connection in list(self.open):
            connection.abort()
        await asyncio.to_thread(self.workers.shutdown)  # while there is a loop, threads see that nobody listens


class Connection(asyncssh.SSHServer):
    """One connection, from the moment at which nothing is known of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._address = ""
        self._is_in = False
        self._key: SshKey | None = None  # the last one that was tried and is known
        self._is_known = False  # whether its owner has signed for it
        self._tries = self._channels = self._running = 0
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        self._address = str(conn.get_extra_info("peername", ("",))[0])
        rate = rates.count("ssh", user=AnonymousUser(), address=self._address)
        self._is_in = not (rate and rate.is_over) and self._server.door.enter(self._address)
        if self._is_in:
            self._server.open.add(conn)
        else:
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_in:
            self._server.door.leave(self._address, stranger=not self._is_known)
            self._server.open.discard(self._conn)
        self._is_in = False
        self._stay()

    def begin_auth(self, username: str) -> bool:
        if username != USER:
            self._conn.send_auth_banner(f"Use the user name {USER}, and a key that you have added to your account.\n")
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Say whether a key is known. Whether the client has it is checked next; until then it proves nothing."""
        self._tries += 1
        if username != USER or self._tries > MAX_TRIES:
            return False
        fingerprint = public_keys.fingerprint_of(key.public_data)
        found = await self._loop.run_in_executor(self._server.lookups, _found, fingerprint)
        if not self._is_known:
            self._key = found
        return found is not None

    def auth_completed(self) -> None:
        self._is_known = True
        if self._is_in:
            self._server.door.recognize()
        self._wait_for_command()

    def session_requested(self) -> Any:
        """Open a channel for one command. Of its variables only the version of git’s protocol is kept."""
        if self._channels >= MAX_CHANNELS:
            return False
        self._channels += 1
        chan = self._conn.create_server_channel(encoding=None)
        chan._env = _Variables()  # no other way leads to them, and a client may send any number
        self._conn.create_task(self._forget(chan))
        return chan, self._handle

    async def _forget(self, chan: "asyncssh.SSHServerChannel[bytes]") -> None:
        await chan.wait_closed()
        self._channels -= 1

    async def _handle(self, *streams: Any) -> None:
        """Do what is asked for on a channel, and end it with a status."""
        chan, status = streams[0].channel, BROKEN
        self._running += 1
        self._stay()
        try:
            status = await self._served(streams)
        finally:
            self._running -= 1
            if not self._running:
                self._wait_for_command()
            with contextlib.suppress(OSError):
                chan.exit(status)

    async def _served(self, streams: Any) -> int:
        key, chan, stderr = self._key, streams[0].channel, streams[2]
        if key is None or chan.get_subsystem():
            return REFUSED
        if not self._server.door.begin(key.user_id):
            text = _("Too many commands run at the same time. Try again in a minute.")
            stderr.write(f"{text}\n".encode())
            return REFUSED
        channel = Channel(self._loop, *streams)
        work = self._loop.run_in_executor(
            self._server.workers, _talk, chan.get_command(), self._client(key, chan), channel
        )
        work.add_done_callback(lambda _done: self._server.door.end(key.user_id))
        return await asyncio.shield(work)  # the thread goes on until it sees that nobody listens

    def _client(self, key: SshKey, chan: "asyncssh.SSHServerChannel[bytes]") -> Client:
        called = str(self._conn.get_extra_info("sockname", ("",))[0])
        return Client(
            key_id=key.pk,
            address=self._address,
            agent=str(self._conn.get_extra_info("client_version", "")),
            protocol=chan.get_environment_bytes().get(PROTOCOL, b"").decode("ascii", "replace"),
            site=self._server.site_of(called),
        )

    def _wait_for_command(self) -> None:
        self._stay()
        self._idle = self._loop.call_later(IDLE_SECONDS, self._conn.close)

    def _stay(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None


class _Variables(dict[bytes, bytes]):
    """What a client sets before its command, but for all that is none of git’s business."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name == PROTOCOL and len(value) <= MAX_PROTOCOL:
            super().__setitem__(name, value)


def _found(fingerprint: str) -> SshKey | None:
    try:
        return SshKey.opened(fingerprint=fingerprint)
    finally:
        connections.close_all()


def _talk(text: str | None, client: Client, channel: Channel) -> int:
    try:
        status = talking.talk(text, client, channel)
        channel.flush()
        return status
    except HungUp:
        return BROKEN
    except Exception:
        logger.exception("A command over SSH failed")
        with contextlib.suppress(HungUp):
            channel.complain(_("Something went wrong here. It is in the log of the portal."))
        return BROKEN
    finally:
        connections.close_all()
