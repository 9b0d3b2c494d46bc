"""A repository that is missing here is copied from the upstream hub when somebody asks for it, and then follows it.

Local names win: below a name that belongs to an account here nothing is ever copied, and a copied name can no longer be
taken by an account. Copies are read-only for everybody and charged to nobody.
"""

import hashlib
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from models_hub import adopting, browsing, quotas
from models_hub.adopting import Tip
from models_hub.browsing import RepoMoved, RepoNotFound
from models_hub.checking import is_text
from models_hub.git import packs
from models_hub.models import Mirror, QuotaAccount, Ref, Repo
from models_hub.models.refs import HEADS, TAGS
from models_hub.upstream.hub import Hub, NotThere, upstream
from portal.errors import DomainError, NotAllowed, Unavailable
from portal.models import Asker, Event, Namespace
from portal.names import RESERVED, check_name

_EMPTY = b"PACK" + struct.pack(">II", 2, 0)
EMPTY_PACK = _EMPTY + hashlib.sha1(_EMPTY, usedforsecurity=False).digest()
KINDS = frozenset({Repo.Kind.MODEL, Repo.Kind.DATASET})
UNLIMITED = 2**62
ABSENT = gettext_noop("Repository not found")
# How long a name that the upstream hub does not have, or a hub that does not answer, is not asked for again.
ABSENT_SECONDS = 60
DOWN_SECONDS = 15
WAIT_SECONDS = 45.0
LOOK_SECONDS = 0.1


class StillCopying(Unavailable):
    """Somebody else asked for the same missing repository a moment ago, and its history is long."""

    code = "still_copying"


def visible_repo(user: Asker, *, kind: str, namespace: str, name: str) -> Repo:
    """Return the repository of this name, copied or brought up to date first where it belongs to the upstream hub.

    Raises what `browsing.visible_repo` raises: what the upstream hub lacks is missing here too.
    """
    try:
        repo = browsing.visible_repo(user, kind=kind, namespace=namespace, name=name)
    except RepoMoved:
        raise
    except RepoNotFound:
        hub = upstream()
        if hub is None or not _may_be_copied(user, kind, namespace, name):
            raise
        _copy(hub, kind, namespace, name)
        return browsing.visible_repo(user, kind=kind, namespace=namespace, name=name)
    if repo.namespace.is_mirror and is_due(repo):
        repo = _refresh_quietly(repo, user)
    return repo


def is_due(repo: Repo) -> bool:
    """Say whether a mirror is so old that it is to be compared with the upstream hub."""
    hub = upstream()
    mirror = Mirror.objects.filter(repo=repo).first()
    if hub is None or mirror is None or mirror.upstream != hub.address:
        return False
    wait = timedelta(seconds=DOWN_SECONDS if mirror.problem else settings.UPSTREAM_REFRESH_SECONDS)
    return mirror.checked_at is None or timezone.now() - mirror.checked_at >= wait


def refresh_now(repo: Repo, *, by: Asker) -> Mirror:
    """Compare a mirror with the upstream hub at once, for an admin; raises NotAllowed, or what went wrong."""
    if not (by.is_authenticated and by.is_superuser):
        raise NotAllowed(_("Only an admin of this portal may do that."))
    hub = upstream()
    mirror = Mirror.objects.filter(repo=repo).first()
    if hub is None or mirror is None or mirror.upstream != hub.address:
        raise NotThere(_("This repository follows no hub that this portal mirrors now."))
    with _turn(repo.kind, repo.full_name, patience=WAIT_SECONDS):
        _refresh(hub, repo, mirror)
    return Mirror.objects.get(pk=mirror.pk)


def _may_be_copied(user: Asker, kind: str, namespace: str, name: str) -> bool:
    if kind not in KINDS or (settings.UPSTREAM_MEMBERS_ONLY and not user.is_authenticated):
        return False
    if not is_text(namespace + name) or namespace.lower() in RESERVED:
        return False
    try:
        check_name(namespace)
        check_name(name)
    except DomainError:
        return False
    owner = Namespace.objects.named(namespace).first()
    return owner is None or owner.is_mirror


def _copy(hub: Hub, kind: str, namespace: str, name: str) -> None:
    """Bring a repository here; raises RepoNotFound, as for any that is missing."""
    asked = f"{namespace}/{name}"
    if reason := cache.get(_absence(kind, asked)):
        raise _absent(reason)
    with _turn(kind, asked, patience=WAIT_SECONDS) as is_mine:
        known = Repo.objects.named(kind, namespace, name).select_related("namespace").first()
        if known is not None and not Mirror.objects.filter(repo=known, synced_at__isnull=True).exists():
            _look_for_hidden(hub, known)
            return
        if not is_mine:
            raise StillCopying(_("This repository is being copied from the upstream hub. Try again in a minute."))
        try:
            with translation.override("en"):
                _bring(hub, kind, asked)
        except NotThere as error:
            cache.set(_absence(kind, asked), ABSENT, ABSENT_SECONDS)
            raise _absent(ABSENT) from error
        except DomainError as error:
            cache.set(_absence(kind, asked), error.message, DOWN_SECONDS)
            raise _absent(error.message) from error


def _absent(reason: str) -> RepoNotFound:
    text, why = _(ABSENT), _(reason)
    return RepoNotFound(text if reason == ABSENT else f"{text}. {why}")


def _look_for_hidden(hub: Hub, repo: Repo) -> None:
    """See whether a copy that was hidden with its original may be shown again."""
    mirror = Mirror.objects.filter(repo=repo, gone_at__isnull=False).first()
    if mirror is not None and is_due(repo):
        with suppress(DomainError):
            _refresh(hub, repo, mirror)


def _bring(hub: Hub, kind: str, full_name: str) -> None:
    """Make a repository that follows the upstream one; until all of its history is here nobody sees it."""
    found = hub.find(kind, full_name)
    if not (found.is_open or settings.UPSTREAM_SHARED) or found.name.lower() != full_name.lower():
        raise NotThere(_("The other hub has no such repository, or does not show it to this portal."))
    repo, mirror = _begun(hub, kind, found.name)
    try:
        _follow(hub, repo)
    except DomainError:
        _give_up(repo)
        raise
    with transaction.atomic():
        now = timezone.now()
        Mirror.objects.filter(pk=mirror.pk).update(checked_at=now, synced_at=now)
        Repo.objects.filter(pk=repo.pk).update(private=False)
        Event.record("repo.created", subject=f"repo:{repo.pk}", by=None, name=repo.full_name, repo_kind=kind)


def _begun(hub: Hub, kind: str, full_name: str) -> tuple[Repo, Mirror]:
    """Return a hidden repository to copy into: a new one, or what a copy left that was killed on its way."""
    owner, _slash, name = full_name.partition("/")
    with transaction.atomic():
        namespace = _mirrored_namespace(owner)
        repo, _created = Repo.objects.get_or_create(
            kind=kind, namespace=namespace, lower=name.lower(), defaults={"name": name, "private": True}
        )
        mirror, _created = Mirror.objects.get_or_create(repo=repo, defaults={"upstream": hub.address})
    return repo, mirror


def _give_up(repo: Repo) -> None:
    """Remove what is left of a copy that failed, and its namespace when that holds nothing else."""
    with transaction.atomic():
        quotas.forget(repo)
        repo.delete()
        Namespace.objects.filter(pk=repo.namespace_id, is_mirror=True, repos__isnull=True).delete()


def _mirrored_namespace(name: str) -> Namespace:
    """Return the namespace for copies of this name; raises NotThere when an account took it meanwhile."""
    try:
        with transaction.atomic():
            namespace, created = Namespace.objects.get_or_create(
                lower=name.lower(), defaults={"name": name, "is_mirror": True}
            )
    except IntegrityError as error:
        raise NotThere(_("The name belongs to an account of this portal.")) from error
    if not namespace.is_mirror:
        raise NotThere(_("The name belongs to an account of this portal."))
    if created:
        QuotaAccount.objects.create(namespace=namespace, limit=UNLIMITED)
    return namespace


def _refresh_quietly(repo: Repo, user: Asker) -> Repo:
    """Bring a mirror up to date if nobody else does so now; what is here stays good when that fails."""
    hub = upstream()
    mirror = Mirror.objects.filter(repo=repo).first()
    if hub is None or mirror is None:
        return repo
    with _turn(repo.kind, repo.full_name, patience=0) as is_mine:
        if is_mine and is_due(repo):
            try:
                _refresh(hub, repo, mirror)
            except DomainError:  # noted on the mirror
                return browsing.visible_repo(user, kind=repo.kind, namespace=repo.namespace.name, name=repo.name)
    return browsing.visible_repo(user, kind=repo.kind, namespace=repo.namespace.name, name=repo.name)


def _refresh(hub: Hub, repo: Repo, mirror: Mirror) -> None:
    """Compare with the upstream hub and take over what is new; what went wrong is noted, in English, and raised."""
    row = Mirror.objects.filter(pk=mirror.pk)
    row.update(checked_at=timezone.now())
    try:
        with translation.override("en"):
            found = hub.find(repo.kind, repo.full_name)
            if not (found.is_open or settings.UPSTREAM_SHARED):
                raise NotThere(_("The other hub has no such repository, or does not show it to this portal."))
            _follow(hub, repo)
    except NotThere as error:
        _hide(repo, mirror)
        row.update(problem=error.message)
        raise
    except DomainError as error:
        row.update(problem=error.message)
        raise
    with transaction.atomic():
        was_hidden = mirror.gone_at is not None or mirror.synced_at is None
        if was_hidden and Repo.objects.filter(pk=repo.pk, private=True).update(private=False):
            Event.record("repo.visibility_changed", subject=f"repo:{repo.pk}", by=None, private=False)
        row.update(synced_at=timezone.now(), problem="", gone_at=None)


def _follow(hub: Hub, repo: Repo) -> None:
    """Fetch what is new; the references alone tell whether there is anything."""
    tips = [Tip(*ref) for ref in hub.refs(repo.kind, repo.full_name)]
    adopting.check_names(tips)
    before = _tips_of(repo)
    if sorted(before) == sorted(tips):
        return
    had = {oid for tip in before for oid in (tip.oid, tip.tag_oid) if oid}
    wants = sorted({tip.tag_oid or tip.oid for tip in tips} - had)
    blocks = hub.pack(repo.kind, repo.full_name, wants=wants, haves=sorted(had)) if wants else iter([EMPTY_PACK])
    with packs.receive(repo, blocks) as pack:
        adopting.land(repo, adopting.look(repo, pack, tips), by=None, awaits=True)


def _tips_of(repo: Repo) -> Sequence[Tip]:
    rows = Ref.objects.filter(repo=repo)
    return [Tip(ref.name, ref.oid, ref.tag_oid) for ref in rows if ref.name.startswith((HEADS, TAGS))]


def _hide(repo: Repo, mirror: Mirror) -> None:
    """Hide a copy when its original disappears: it may have become private. An admin may show it again."""
    if mirror.gone_at is None:
        with transaction.atomic():
            Mirror.objects.filter(pk=mirror.pk).update(gone_at=timezone.now())
            Repo.objects.filter(pk=repo.pk).update(private=True)
            Event.record("repo.visibility_changed", subject=f"repo:{repo.pk}", by=None, private=True)


def _absence(kind: str, asked: str) -> str:
    return f"mirroring:absent:{kind}:{hashlib.sha256(asked.lower().encode()).hexdigest()}"


@contextmanager
def _turn(kind: str, full_name: str, *, patience: float) -> Iterator[bool]:
    """Let one process of this machine at a time copy a repository; gives False when there was no turn in time."""
    folder = Path(settings.DATA_DIR) / "mirroring"
    folder.mkdir(parents=True, exist_ok=True)
    stripe = hashlib.sha256(f"{kind}:{full_name.lower()}".encode()).hexdigest()[:2]
    deadline = time.monotonic() + patience
    with (folder / f"turn-{stripe}").open("w") as file:
        while True:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    yield False
                    return
                time.sleep(LOOK_SECONDS)
            else:
                yield True
                return
