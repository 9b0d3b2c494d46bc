"""History that was made elsewhere becomes that of a repository here, under the ids it has: mirrors, imports, bundles.

It passes the checks of a push. Two steps, since large content may come between them, or later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import contents, inspecting, landing, quotas, referencing
from models_hub.describing import Description
from models_hub.git import formats, objects
from models_hub.git.packs import TAG, IncomingPack
from models_hub.git.pointers import Pointer
from models_hub.inspecting import NewCommit
from models_hub.models import DEFAULT_BRANCH, AwaitedBlob, Blob, Commit, GitObject, Ref, Repo
from models_hub.models.refs import HEADS, TAGS
from portal.errors import InvalidInput, TooLarge
from portal.models import Event, User

MAIN = HEADS + DEFAULT_BRANCH


class HistoryRefused(InvalidInput):
    """A history that is not whole, or holds what no repository here may hold."""

    code = "history_refused"


class Tip(NamedTuple):
    """A branch or tag as it is to be: the commit it names, and for an annotated tag the tag's own id."""

    name: str
    oid: str
    tag_oid: str = ""


@dataclass(frozen=True)
class Arrival:
    """A history that was looked through, and the large content that it names and the repository lacks."""

    pack: IncomingPack
    tips: Sequence[Tip]
    new: Sequence[NewCommit]
    lacking: Mapping[str, Pointer]


def check_names(tips: Sequence[Tip]) -> None:
    """Refuse references that are no branches or tags, too many of them, or a history without the default branch."""
    names = [tip.name for tip in tips]
    if len(names) > referencing.MAX_REFS:
        raise TooLarge(_("A repository may have at most %(max)d branches and tags.") % {"max": referencing.MAX_REFS})
    if MAIN not in names:
        raise HistoryRefused(_("The repository has no branch “main”, which is the one that is shown here."))
    for name in names:
        if not name.startswith((HEADS, TAGS)):
            raise HistoryRefused(_("“%(name)s” is not a branch or tag.") % {"name": name[:100]})
        referencing.checked_name(name.removeprefix(HEADS).removeprefix(TAGS))
    if len(set(names)) != len(names):
        raise HistoryRefused(_("The same branch or tag is named twice."))


def look(repo: Repo, pack: IncomingPack, tips: Sequence[Tip]) -> Arrival:
    """Check all that the tips need and the repository does not have yet; nothing is stored."""
    check_names(tips)
    lacking: dict[str, Pointer] = {}
    new = inspecting.inspect(repo, pack, [tip.oid for tip in tips], awaited=lacking)
    for tip in tips:
        if tip.tag_oid:
            _check_tag(repo, pack, tip)
    return Arrival(pack, tips, new, lacking)


def land(repo: Repo, arrival: Arrival, *, by: User | None, awaits: bool = False) -> None:
    """Store a history and let the branches and tags be exactly its tips.

    What it lacked must be the repository's by now; with `awaits` it is noted, to be fetched when it is asked for.
    Raises ContentRefused or StorageFull.
    """
    if awaits:
        _note_awaited(repo, arrival.lacking)
    else:
        held = contents.claimed_by(repo, (pointer.sha256 for pointer in arrival.lacking.values()))
        for pointer in arrival.lacking.values():
            contents.require(held, pointer.sha256, pointer.size)
    arrival.pack.store(repo, arrival.pack.marked())
    head = next(tip.oid for tip in arrival.tips if tip.name == MAIN)
    description = inspecting.describe(repo, head, arrival.new)
    with transaction.atomic():
        quotas.hold(repo)  # before the references, see quotas.py
        landing.note_commits(repo, [(one.record, None, one.weights_digest) for one in arrival.new])
        _set_refs(repo, arrival.tips, by=by, description=description)


def blobs_of(repo: Repo) -> list[Blob]:
    """Return the large content that the repository holds or awaits, each once."""
    held = list(Blob.objects.filter(repo_blobs__repo=repo).order_by("sha256"))
    known = {blob.sha256 for blob in held}
    awaited = AwaitedBlob.objects.filter(repo=repo).select_related("repo__namespace").order_by("sha256")
    return held + [row.as_blob() for row in awaited if row.sha256 not in known]


def _check_tag(repo: Repo, pack: IncomingPack, tip: Tip) -> None:
    """Refuse an annotated tag that is not here or names another commit."""
    found = pack.get(tip.tag_oid)
    if found is not None and found.type == TAG:
        pack.mark(tip.tag_oid)
        body = pack.body(tip.tag_oid)
    else:
        row = GitObject.objects.filter(repo=repo, oid=tip.tag_oid, type=TAG).first()
        if row is None:
            raise HistoryRefused(_("The history is not whole: something that its commits need is missing."))
        body = objects.body(row)
    if not tip.name.startswith(TAGS) or formats.read_tag(tip.tag_oid, body).target != tip.oid:
        raise HistoryRefused(_("“%(name)s” leads to something else than it says.") % {"name": tip.name[:100]})


def _note_awaited(repo: Repo, lacking: Mapping[str, Pointer]) -> None:
    rows = (
        AwaitedBlob(repo=repo, sha256=pointer.sha256, size=pointer.size, pointer_oid=oid)
        for oid, pointer in lacking.items()
    )
    AwaitedBlob.objects.bulk_create(rows, ignore_conflicts=True, batch_size=200)


def _set_refs(repo: Repo, tips: Sequence[Tip], *, by: User | None, description: Description) -> None:
    """Move branches and tags to the tips, and remove those that are no tip."""
    before = {ref.name: ref for ref in Ref.objects.filter(repo=repo) if ref.name.startswith((HEADS, TAGS))}
    rows = {row.oid: row for row in _commits(repo, [tip.oid for tip in tips] + [ref.oid for ref in before.values()])}
    for tip in tips:
        old = before.pop(tip.name, None)
        if old is not None and (old.oid, old.tag_oid) == (tip.oid, tip.tag_oid):
            continue
        if tip.name.startswith(TAGS):
            values = {"oid": tip.oid, "tag_oid": tip.tag_oid}
            Ref.objects.update_or_create(repo=repo, name=tip.name, defaults=values)
            Event.record("repo.ref_created", subject=f"repo:{repo.pk}", by=by, ref=tip.name, commit=tip.oid)
        else:
            landing.move_branch(
                repo, tip.name, old=rows[old.oid] if old else None, new=rows[tip.oid], by=by,
                description=description if tip.name == MAIN else None,
            )  # fmt: skip
    for ref in before.values():
        ref.delete()
        Event.record("repo.ref_deleted", subject=f"repo:{repo.pk}", by=by, ref=ref.name, commit=ref.oid)


def _commits(repo: Repo, oids: Iterable[str]) -> Iterator[Commit]:
    wanted = list(dict.fromkeys(oids))
    for start in range(0, len(wanted), objects.BATCH):
        yield from Commit.objects.filter(repo=repo, oid__in=wanted[start : start + objects.BATCH])
