"""What a repository has to offer: its references, as either version of git's protocol lists them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models_hub.git import pktlines
from models_hub.git.pktlines import FLUSH, line
from models_hub.models import ZERO_OID, Ref, Repo
from models_hub.models.refs import HEADS
from models_hub.models.repos import DEFAULT_BRANCH

MAIN = HEADS + DEFAULT_BRANCH
AGENT = "agent=portal/1"
FETCH_V0 = (
    "multi_ack_detailed no-done side-band side-band-64k thin-pack ofs-delta shallow deepen-since deepen-not "
    "deepen-relative no-progress include-tag allow-tip-sha1-in-want allow-reachable-sha1-in-want filter "
    f"object-format=sha1 {AGENT}"
)
PUSH = f"report-status delete-refs side-band-64k quiet atomic ofs-delta push-options object-format=sha1 {AGENT}"
CAPABILITIES_V2 = (
    "version 2", AGENT, "ls-refs=unborn", "fetch=shallow wait-for-done filter", "server-option", "object-format=sha1",
)  # fmt: skip
MAX_PREFIXES = 3000


@dataclass(frozen=True)
class Offered:
    """One reference: the object it names, and behind an annotated tag its commit."""

    name: str
    oid: str
    peeled: str = ""


def references(repo: Repo) -> list[Offered]:
    """Return all references in git's order, HEAD first where it leads somewhere."""
    rows = Ref.objects.filter(repo=repo).values_list("name", "oid", "tag_oid")
    found = [Offered(name, tag or oid, oid if tag else "") for name, oid, tag in rows]
    found.sort(key=lambda one: one.name.encode())
    head = next((one for one in found if one.name == MAIN), None)
    return [Offered("HEAD", head.oid), *found] if head else found


def announced(service: str) -> bytes:
    """Return what stands over HTTP before the references."""
    return line(f"# service={service}\n") + FLUSH


def for_fetch(repo: Repo) -> Iterator[bytes]:
    """Yield the references as a client of the first protocol reads them."""
    offered = references(repo)
    symref = f" symref=HEAD:{MAIN}" if offered and offered[0].name == "HEAD" else ""
    yield from _listed(offered, FETCH_V0 + symref)


def for_push(repo: Repo) -> Iterator[bytes]:
    """Yield the references that a push may move."""
    yield from _listed([one for one in references(repo) if one.name != "HEAD"], PUSH, peel=False)


def capabilities() -> bytes:
    """Return what a client of protocol 2 reads first."""
    return b"".join(line(f"{text}\n") for text in CAPABILITIES_V2) + FLUSH


def ls_refs(repo: Repo, arguments: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the references that a client of protocol 2 asks for."""
    prefixes = tuple(
        pktlines.word(one.removeprefix(b"ref-prefix ")) for one in arguments if one.startswith(b"ref-prefix ")
    )
    offered = references(repo)
    if b"unborn" in arguments and not (offered and offered[0].name == "HEAD"):
        yield line(f"unborn HEAD symref-target:{MAIN}\n")
    for one in offered:
        # Beyond so many a server may send all: the client chooses anyway.
        if prefixes and len(prefixes) <= MAX_PREFIXES and not one.name.startswith(prefixes):
            continue
        text = f"{one.oid} {one.name}"
        if one.name == "HEAD" and b"symrefs" in arguments:
            text += f" symref-target:{MAIN}"
        if one.peeled and b"peel" in arguments:
            text += f" peeled:{one.peeled}"
        yield line(f"{text}\n")
    yield FLUSH


def _listed(offered: Iterable[Offered], capabilities: str, *, peel: bool = True) -> Iterator[bytes]:
    rows = [(one.oid, one.name) for one in offered]
    if peel:
        rows = [row for one in offered for row in ((one.oid, one.name), (one.peeled, f"{one.name}^{{}}")) if row[0]]
    first = True
    for oid, name in rows or [(ZERO_OID, "capabilities^{}")]:
        yield line(f"{oid} {name}" + (f"\0{capabilities}\n" if first else "\n"))
        first = False
    yield FLUSH
