"""The job kind `import`: a repository of another hub is copied here once, with the branches and tags asked for.

No sandbox: of what comes, only packs and short texts are parsed, by the readers that a push meets. Each large file is
verified and kept as soon as it is here, so an attempt that was killed is gone on with, in the middle of a file too.
"""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.utils.translation import gettext_noop

from models_hub import adopting, fetching, importing, quotas
from models_hub.adopting import Arrival, Tip
from models_hub.fetching import Source
from models_hub.git import packs
from models_hub.models import Import
from models_hub.upstream.hub import importable
from portal.errors import Unavailable
from worker.attempts import Attempt, JobFailed, TryAgain

HISTORY_SHARE = 0.1

GONE = gettext_noop("The repository that was to be filled was deleted.")
NO_STORE = gettext_noop("This worker has no access to the portal's storage, which an import needs.")
READING = gettext_noop("reading the history: %(bytes)d bytes")
CHECKING = gettext_noop("checking the history")
FETCHING = gettext_noop("file %(number)d of %(files)d: %(done)d of %(total)d bytes")
STORING = gettext_noop("storing the result")


def run(attempt: Attempt) -> None:
    """Copy, and end the job with the page of what was copied."""
    if settings.PORTAL_URL:
        raise TryAgain(NO_STORE, code="no_store")
    rows = Import.objects.select_related("repo__namespace", "requested_by")
    origin = rows.filter(pk=attempt.job.spec["import"]).first()
    if origin is None:
        raise JobFailed(GONE, code="gone")
    try:
        _copy(attempt, origin)
    except Unavailable as error:
        raise TryAgain(error.message, code=error.code) from error
    attempt.job.finish({"repo": origin.repo_id, "page": origin.repo.path, "commit": origin.repo.head})


def _copy(attempt: Attempt, origin: Import) -> None:
    hub, repo = importable(origin.upstream), origin.repo
    source = Source(hub, repo.kind, origin.source)
    attempt.report(0.0, READING, bytes=0)
    hub.find(repo.kind, origin.source)
    tips = importing.chosen(hub.refs(repo.kind, origin.source), origin.revisions)
    adopting.check_names(tips)
    blocks = hub.pack(repo.kind, origin.source, wants=_wants(tips), haves=[])
    with packs.receive(repo, _counted(attempt, blocks)) as pack:
        attempt.report(HISTORY_SHARE / 2, CHECKING)
        arrival = adopting.look(repo, pack, tips)
        _fetch(attempt, origin, arrival, source)
        attempt.report(0.99, STORING)
        attempt.show()
        attempt.check()
        importing.finish(origin, arrival, by=origin.requested_by)


def _wants(tips: Iterable[Tip]) -> list[str]:
    return sorted({tip.tag_oid or tip.oid for tip in tips})


def _counted(attempt: Attempt, blocks: Iterator[bytes]) -> Iterator[bytes]:
    received = 0
    for block in blocks:
        attempt.check()
        received += len(block)
        attempt.report(0.0, READING, bytes=received)
        yield block


def _fetch(attempt: Attempt, origin: Import, arrival: Arrival, source: Source) -> None:
    """Fetch the large content that the repository lacks; what an earlier attempt has stored is not lacking."""
    pointers = {pointer.sha256: pointer for pointer in arrival.lacking.values()}
    total = sum(pointer.size for pointer in pointers.values())
    quotas.require_room(origin.repo, [pointer.size for pointer in pointers.values()])
    done = 0
    for number, pointer in enumerate(pointers.values(), 1):

        def heard(count: int, number: int = number) -> None:
            nonlocal done
            attempt.check()
            done += count
            share = HISTORY_SHARE + (0.98 - HISTORY_SHARE) * done / max(total, 1)
            attempt.report(share, FETCHING, number=number, files=len(pointers), done=done, total=total)

        fetching.bring(origin.repo, sha256=pointer.sha256, size=pointer.size, source=source, heard=heard)
        attempt.log(f"{pointer.sha256} {pointer.size}")
