"""One command of a client from its first byte to its last, in a thread of its own; it knows no SSH.

The same verbs as over HTTP, with the same checks. What cannot be served is said on the error channel, which git prints.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from models_hub import mirroring
from models_hub.browsing import RepoMoved
from models_hub.git import advertising, fetching, lfs_sessions, pktlines, receiving, serving
from models_hub.git.bodies import GitBody
from models_hub.git.grants import UPLOAD
from models_hub.git.packs import Limits
from models_hub.git.serving import FETCH, FETCH_COMMAND, MAX_FETCH_BYTES, PUSH
from models_hub.git.ssh import commands
from models_hub.git.ssh.commands import LFS, Command
from models_hub.git.ssh.packs import PackBody
from models_hub.models import Repo
from portal import origin, rates
from portal.authentication import Caller
from portal.errors import DomainError, TooOften, refusal_of
from portal.models import SshKey

AGENT = "git/ssh"  # what the count of downloads takes for git
DONE, REFUSED, BROKEN = 0, 1, 128  # as git's own programs end


class Line(Protocol):
    """The two ends of a channel, for a thread: each call waits until the client has taken or given something."""

    def read(self, most: int) -> bytes:
        """Return at most so many bytes, none at the end."""

    def write(self, block: bytes) -> None:
        """Send bytes, some time before the next read or the end."""

    def complain(self, text: str) -> None:
        """Send a text to the client’s error channel."""


@dataclass(frozen=True)
class Client:
    """Who is on the line: the key, where it calls from, how it was set up, and how it may reach us over HTTP."""

    key_id: int
    address: str
    agent: str
    protocol: str
    site: str


@dataclass(frozen=True)
class Talk:
    """What a command is about."""

    repo: Repo
    caller: Caller
    command: Command
    client: Client
    line: Line

    def send(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self.line.write(block)


def talk(text: str | None, client: Client, line: Line) -> int:
    """Do what a client asks, without a text greet it; return the status with which its command ends."""
    key = SshKey.opened(pk=client.key_id)  # again: the connection may be hours old
    if key is None:
        line.complain(_("This SSH key opens nothing any more."))
        return REFUSED
    language = key.user.language or settings.LANGUAGE_CODE
    with origin.coming_from(client.address, client.agent), translation.override(language):
        key.note_use()
        try:
            return _served(text, Caller(key.user, key=key), client, line) if text else _greeted(key, line)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            line.complain(refusal.message)
            return REFUSED


def _greeted(key: SshKey, line: Line) -> int:
    line.complain(
        _("Hi %(user)s! Your key “%(key)s” works. This portal gives no shell: use git.")
        % {"user": key.user.username, "key": key.name}
    )
    return REFUSED


def _served(text: str, caller: Caller, client: Client, line: Line) -> int:
    rate = rates.count("ssh", user=caller.user, address=client.address)
    if rate is not None and rate.is_over:
        raise TooOften(rate.refusal)
    command = commands.read(text)
    try:
        repo = mirroring.visible_repo(caller.user, kind=command.kind, namespace=command.namespace, name=command.name)
    except RepoMoved as moved:
        repo = moved.repo
        line.complain(_("This repository is called %(name)s now.") % {"name": repo.full_name})
    return _PROGRAMS[command.program](Talk(repo, caller, command, client, line))


def _fetch(talk: Talk) -> int:
    serving.require_fetcher(talk.caller, talk.repo)
    body = GitBody(talk.line.read, MAX_FETCH_BYTES)
    try:
        _answer_v2(talk, body) if serving.is_version_2(talk.client.protocol) else _answer_v0(talk, body)
    except DomainError as error:
        talk.line.write(pktlines.error(error.message))
        return BROKEN
    return DONE


def _answer_v2(talk: Talk, body: GitBody) -> None:
    """Answer one command after the other: each is whole in itself, as over HTTP."""
    talk.line.write(advertising.capabilities())
    lines = pktlines.lines(body.take)
    while True:
        body.begin_anew()
        command, arguments = serving.command(lines)
        if command is None:
            return
        if command == FETCH_COMMAND:
            _note(talk)
        talk.send(serving.answer(talk.repo, command, arguments))


def _answer_v0(talk: Talk, body: GitBody) -> None:
    """Say each thing when the client waits for it."""
    talk.send(advertising.for_fetch(talk.repo))
    conversation = fetching.converse_v0(talk.repo, pktlines.lines(body.take))
    while True:
        try:
            talk.line.write(next(conversation))
        except StopIteration as end:
            pack = end.value
            break
    for number, block in enumerate(pack):
        if number == 0:
            _note(talk)
        talk.line.write(block)


def _note(talk: Talk) -> None:
    serving.note_fetch(talk.repo, talk.caller, address=talk.client.address, agent=AGENT)


def _push(talk: Talk) -> int:
    serving.require_pusher(talk.caller, talk.repo)
    talk.send(advertising.for_push(talk.repo))
    body = PackBody(talk.line.read, Limits.packed_bytes + 1024 * 1024)
    try:
        talk.send(receiving.answer(talk.repo, talk.caller.user, body))
    except DomainError as error:
        talk.line.write(pktlines.error(error.message))
        return BROKEN
    return DONE


def _begin_lfs(talk: Talk) -> int:
    serving.require_fetcher(talk.caller, talk.repo)
    if talk.command.operation == UPLOAD:
        serving.require_sender(talk.caller, talk.repo)
    word = lfs_sessions.begin(talk.repo, talk.caller, talk.command.operation, site=talk.client.site)
    talk.line.write(json.dumps(word).encode())
    return DONE


_PROGRAMS: dict[str, Callable[[Talk], int]] = {FETCH: _fetch, PUSH: _push, LFS: _begin_lfs}
