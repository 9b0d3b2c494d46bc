"""The receiving end of a push: git's commands read from the wire, and what became of them reported."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from models_hub import pushing
from models_hub.git import pktlines
from models_hub.git.bodies import GitBody
from models_hub.git.pack_entries import PackRefused
from models_hub.git.packs import PackTooLarge
from models_hub.git.pktlines import FLUSH, PACK, LineRefused, Mark, line
from models_hub.models import Repo
from models_hub.pushing import MAX_COMMANDS, RefCommand
from portal.errors import DomainError, TooLarge
from portal.models import Asker

MAX_UNHEARD = 100_000  # lines that change nothing: a body of gigabytes has room for hundreds of millions
MAX_DRAINED = 2 * 1024**3
_COMMAND = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40}) ([^\x00 ]+)")


@dataclass(frozen=True)
class _Request:
    commands: list[RefCommand]
    options: frozenset[str]


def answer(repo: Repo, by: Asker, body: GitBody) -> Iterator[bytes]:
    """Do what a push says and yield the report; an expected failure is in it, with what to mend."""
    asked = _read(body)
    if not asked.commands:  # git asks first whether it may, with nothing to do
        return iter(())
    failure: DomainError | None = None
    brings = any(not command.deletes for command in asked.commands)
    try:
        pushing.push(repo=repo, by=by, commands=asked.commands, pack=body.rest() if brings else None)
    except DomainError as error:
        failure = error
        if brings:
            body.drain(MAX_DRAINED)
    return _report(asked, failure)


def _read(body: GitBody) -> _Request:
    commands: list[RefCommand] = []
    options = frozenset[str]()
    room = MAX_UNHEARD
    while isinstance(one := pktlines.read(body.take), bytes):
        if one.startswith(b"shallow "):  # what the client lacks itself, we have or refuse
            room = _less(room)
            continue
        text, _nul, words = one.partition(b"\0")
        found = _COMMAND.fullmatch(text)
        if found is None:
            raise LineRefused(_("The request is not one of git’s."))
        if len(commands) >= MAX_COMMANDS:
            raise TooLarge(_("Push at most %(max)d branches and tags at a time.") % {"max": MAX_COMMANDS})
        if not commands:
            options = frozenset(pktlines.word(words).split())
        commands.append(RefCommand(pktlines.word(found[3]), found[1].decode(), found[2].decode()))
    if "push-options" in options:
        while (one := pktlines.read(body.take)) is not None and one is not Mark.FLUSH:
            room = _less(room)  # nothing here listens to them
    return _Request(commands, options)


def _less(room: int) -> int:
    """Count a line that changes nothing; raises LineRefused when there were too many."""
    if room <= 0:
        raise LineRefused(_("The request is not one of git’s."))
    return room - 1


def _report(asked: _Request, failure: DomainError | None) -> Iterator[bytes]:
    report = b"".join(_status(asked, failure)) + FLUSH if "report-status" in asked.options else b""
    if "side-band-64k" not in asked.options:
        yield report
        return
    if failure is not None:
        yield pktlines.message(_("error: %(message)s") % {"message": failure.message})
    yield from pktlines.banded(PACK, [report])
    yield FLUSH


def _status(asked: _Request, failure: DomainError | None) -> Iterator[bytes]:
    short = failure.message.partition("\n")[0][:300] if failure else ""
    broken = isinstance(failure, PackRefused | PackTooLarge)
    yield line(f"unpack {short}\n" if broken else "unpack ok\n")
    at_fault = failure.data.get("ref") if failure else None
    together = _("refused together with the others")
    for command in asked.commands:
        if failure is None:
            yield line(f"ok {command.name}\n")
        elif at_fault in (None, command.name):
            yield line(f"ng {command.name} {short}\n")
        else:
            yield line(f"ng {command.name} {together}\n")
