"""Clone and fetch: what a client asks for, in either version of git's protocol, and the answer to it.

https://git-scm.com/docs/protocol-v2 and https://git-scm.com/docs/pack-protocol
"""

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import unquote

from django.utils.translation import gettext as _

from models_hub.git import packing, pktlines
from models_hub.git.graph import Cut, History, Meeting
from models_hub.git.packing import Filter
from models_hub.git.pktlines import DELIMITER, FAILURE, FLUSH, PACK, Line, LineRefused, Mark, line
from models_hub.models import Ref, Repo
from models_hub.models.refs import HEADS, TAGS
from portal.errors import DomainError, InvalidInput

_OID = re.compile(rb"[0-9a-f]{40}")
_FILTER = re.compile(r"(?:blob:(none)|blob:limit=(\d{1,15})([kmg]?)|tree:(\d{1,6}))", re.IGNORECASE)
COMBINED = "combine:"
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
MAX_WITHOUT = 100
MAX_ROUNDS = 10_000  # in which a client tells what it has; git names hundreds of commits in each
SMALL_BAND, WIDE_BAND = 1000, pktlines.MAX_LINE


@dataclass
class Asked:
    """One request of a client."""

    wants: list[str] = field(default_factory=list)
    haves: list[str] = field(default_factory=list)
    shallow: set[str] = field(default_factory=set)
    cut: Cut = field(default_factory=Cut)
    filter: Filter = packing.ALL
    options: set[str] = field(default_factory=set)
    done: bool = False


def answer_v2(repo: Repo, arguments: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the answer to `fetch`: what is common, or the pack."""
    asked = Asked()
    for argument in arguments:
        _note(repo, asked, argument)
    only_asks = "wait-for-done" in asked.options and not asked.done  # what is common, before a push
    if not asked.wants and not (only_asks and asked.haves):
        return iter([FLUSH])
    history = History(repo)
    head = b""
    if asked.haves and not asked.done:
        common = [oid for oid in dict.fromkeys(asked.haves) if oid in history]
        meeting = Meeting(history, asked.wants)
        for oid in common:
            meeting.add(oid)
        ready = meeting.is_complete and bool(common) and not only_asks
        head = line("acknowledgments\n") + b"".join(line(f"ACK {oid}\n") for oid in common)
        head += b"" if common else line("NAK\n")
        if not ready:
            return iter([head + FLUSH])
        head += line("ready\n") + DELIMITER
    cut, only = _cut(repo, history, asked)
    if cut:
        head += line("shallow-info\n") + b"".join(cut) + DELIMITER
    head += line("packfile\n")
    return chain([head], _banded(_pack(repo, history, asked, only), WIDE_BAND), [FLUSH])


def answer_v0(repo: Repo, lines: Iterator[Line]) -> Iterator[bytes]:
    """Yield the answer to a client of the first protocol: each request tells all that was said before."""
    talk, conversation = [], converse_v0(repo, lines)
    while True:
        try:
            talk.append(next(conversation))
        except StopIteration as end:
            return chain(talk, end.value)


def converse_v0(repo: Repo, lines: Iterator[Line]) -> Generator[bytes, None, Iterator[bytes]]:
    """Yield what is said to a client of the first protocol, each piece when it waits for it; return the pack."""
    asked = Asked()
    for one in lines:
        if isinstance(one, Mark):
            break
        name, _space, value = one.partition(b" ")
        oid, _space, options = value.partition(b" ")
        if name == b"want":  # the first one has the client's capabilities behind it
            asked.options.update(pktlines.word(options).split())
            one = b"want " + oid
        _note(repo, asked, one)
    if not asked.wants:
        return iter(())
    history = History(repo)
    cut, only = _cut(repo, history, asked)
    if not asked.cut.is_whole:
        yield b"".join(cut) + FLUSH
    if not (yield from _negotiate(history, asked, lines)):
        return iter(())
    pack = _pack(repo, history, asked, only)
    if asked.options & {"side-band-64k", "side-band"}:
        width = WIDE_BAND if "side-band-64k" in asked.options else SMALL_BAND
        return chain(_banded(pack, width), [FLUSH])
    return pack


def _note(repo: Repo, asked: Asked, argument: bytes) -> None:
    name, _space, value = argument.partition(b" ")
    if name == b"want":
        asked.wants.append(_oid(value))
    elif name == b"have":
        asked.haves.append(_oid(value))
    elif name == b"shallow":
        asked.shallow.add(_oid(value))
    elif name == b"done":
        asked.done = True
    elif name == b"filter":
        asked.filter = _filter(pktlines.word(value))
    elif name.startswith(b"deepen"):
        asked.cut = _deepened(repo, asked, name, value)
    else:  # thin-pack, ofs-delta, no-progress, include-tag, wait-for-done, and what later versions may add
        asked.options.add(pktlines.word(name))


def _deepened(repo: Repo, asked: Asked, name: bytes, value: bytes) -> Cut:
    cut = asked.cut
    if name == b"deepen":
        return Cut(depth=_number(value), from_boundary=cut.from_boundary or "deepen-relative" in asked.options)
    if name == b"deepen-relative":
        return Cut(cut.depth, cut.since, cut.without, from_boundary=True)
    if name == b"deepen-since":
        return Cut(since=_number(value), without=cut.without)
    if name != b"deepen-not":
        raise LineRefused(_("The request is not one of git’s."))
    if len(cut.without) >= MAX_WITHOUT:
        raise InvalidInput(_("Leave out the history of at most %(max)d branches and tags.") % {"max": MAX_WITHOUT})
    return Cut(since=cut.since, without=(*cut.without, _named(repo, pktlines.word(value))))


def _named(repo: Repo, name: str) -> str:
    names = [name, HEADS + name, TAGS + name]
    found = dict(Ref.objects.filter(repo=repo, name__in=names).values_list("name", "oid"))
    oid = next((found[one] for one in names if one in found), None)
    if oid is None:
        raise InvalidInput(_("This repository has no branch or tag “%(name)s”.") % {"name": name[:100]})
    return oid


def _negotiate(history: History, asked: Asked, lines: Iterator[Line]) -> Generator[bytes, None, bool]:
    """Read what the client has and yield what is said to it; return whether the pack follows."""
    detailed = "multi_ack_detailed" in asked.options
    last, common = "", set[str]()
    meeting = Meeting(history, asked.wants)
    for one in _in_rounds(lines):
        if one is Mark.FLUSH:
            ready = detailed and bool(common) and meeting.is_complete
            talk = line(f"ACK {last} ready\n") if ready else b""
            talk += line("NAK\n") if detailed or not common else b""
            yield talk
            if ready and "no-done" in asked.options:
                asked.haves = list(common)
                yield line(f"ACK {last}\n")
                return True
        elif one == b"done":
            asked.haves = list(common)
            if not common:
                yield line("NAK\n")
            elif detailed:
                yield line(f"ACK {last}\n")
            return True
        elif isinstance(one, bytes) and one.startswith(b"have "):
            oid = _oid(one[5:])
            if oid in history and oid not in common:
                if detailed or not common:
                    yield line(f"ACK {oid} common\n" if detailed else f"ACK {oid}\n")
                common.add(oid)
                meeting.add(oid)
                last = oid
    return False


def _in_rounds(lines: Iterator[Line]) -> Iterator[Line]:
    """Pass lines on; raises LineRefused when there are more flushes among them than any client needs."""
    rounds = 0
    for one in lines:
        rounds += one is Mark.FLUSH
        if rounds > MAX_ROUNDS:
            raise LineRefused(_("The request is not one of git’s."))
        yield one


def _cut(repo: Repo, history: History, asked: Asked) -> tuple[list[bytes], set[str] | None]:
    """Return the lines that tell a client where its history ends from now on, and the commits that it wants at all."""
    if asked.cut.is_whole:
        return [], None
    peeled = dict(Ref.objects.filter(repo=repo).exclude(tag_oid="").values_list("tag_oid", "oid"))
    kept = history.keep([peeled.get(oid, oid) for oid in asked.wants], asked.cut, shallow=asked.shallow)
    if not kept.commits:
        raise InvalidInput(_("No commit is left of what was asked for: ask for more of the history."))
    lines = [line(f"shallow {oid}") for oid in sorted(kept.boundary - asked.shallow)]
    lines += [line(f"unshallow {oid}") for oid in sorted(asked.shallow & kept.commits - kept.boundary)]
    return lines, kept.commits


def _pack(repo: Repo, history: History, asked: Asked, only: set[str] | None) -> Iterator[bytes]:
    return packing.write(
        repo,
        asked.wants,
        asked.haves,
        history=history,
        only=only,
        shallow=asked.shallow,
        filter=asked.filter,
        tags="include-tag" in asked.options,
    )


def _banded(pack: Iterator[bytes], width: int) -> Iterator[bytes]:
    try:
        yield from pktlines.banded(PACK, pack, most=width)
    except DomainError as error:
        yield pktlines.message(error.message, FAILURE)


def _oid(value: bytes) -> str:
    if not _OID.fullmatch(value):
        raise LineRefused(_("The request is not one of git’s."))
    return value.decode()


def _number(value: bytes) -> int:
    if not value.isdigit() or len(value) > 12:
        raise LineRefused(_("The request is not one of git’s."))
    return int(value)


def _filter(text: str) -> Filter:
    """Read one filter, or several of which each leaves something out."""
    if text.startswith(COMBINED):
        parts = [_one_filter(unquote(part)) for part in text.removeprefix(COMBINED).split("+")]
        limits, depths = [one.blob_limit for one in parts], [one.tree_depth for one in parts]
        return Filter(_least(limits), _least(depths))
    return _one_filter(text)


def _least(numbers: Iterable[int | None]) -> int | None:
    return min((number for number in numbers if number is not None), default=None)


def _one_filter(text: str) -> Filter:
    found = _FILTER.fullmatch(text)
    if found is None:
        raise InvalidInput(
            _("The filter “%(name)s” is not known here; blob:none, blob:limit and tree are.") % {"name": text[:60]}
        )
    if found[4] is not None:
        return Filter(tree_depth=int(found[4]))
    return Filter(blob_limit=0 if found[1] else int(found[2]) * _UNITS[found[3].lower()])
