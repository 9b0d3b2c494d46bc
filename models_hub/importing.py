"""A repository that is copied here once, from another hub or a bundle, and is its owner's like any other from then on.

It exists from the beginning, private and with its first commit alone, so that what arrives has an owner who pays for
it and a later try goes on with what is stored already. At the end its branches and tags become those of the original.
"""

import re
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import adopting, permissions, publishing
from models_hub.adopting import MAIN, Arrival, Tip
from models_hub.checking import is_text
from models_hub.models import Commit, Import, Ref, Repo
from models_hub.models.refs import HEADS, TAGS
from models_hub.upstream.hub import importable
from models_hub.upstream.smart_http import RemoteRef
from portal.errors import Conflict, InvalidInput
from portal.models import Asker, Event, Job, User
from portal.names import check_name

KIND = "import"
QUEUE = "light"
KINDS = (Repo.Kind.MODEL, Repo.Kind.DATASET)
MAX_REVISIONS = 100
MAX_SECONDS = 7 * 24 * 3600  # the wire is slow and the weights are large; standing still ends it sooner
_SPACES = re.compile(r"[\s,]+")


def begin(
    *, by: Asker, kind: str, namespace: str, name: str, upstream: str, source: str, private: bool,
    revisions: Sequence[str] = (),
) -> Import:  # fmt: skip
    """Create the repository that is to be filled, or return the unfinished one of an earlier try.

    Raises Conflict when there is another one of this name.
    """
    if kind not in KINDS:
        raise InvalidInput(_("Only models and data sets can be imported."))
    begun = _begun(by, kind=kind, namespace=namespace, name=name)
    if begun is not None and (begun.upstream, begun.source) == (upstream, source):
        return begun
    with transaction.atomic():
        repo = publishing.create_repo(by=by, namespace=namespace, kind=kind, name=name, private=True)
        assert isinstance(by, User)  # else nothing was created
        return Import.objects.create(
            repo=repo, upstream=upstream, source=source, revisions=list(revisions), private=private, requested_by=by
        )


def request(
    *, by: Asker, kind: str, hub: str, source: str, namespace: str, name: str = "", private: bool = False,
    revisions: str = "",
) -> Import:  # fmt: skip
    """Ask for an import from another hub as a job; asked again after a failure, it goes on with what is here.

    `revisions` are branches and tags, all of them when there are none. Raises HubRefused, InvalidInput or Conflict.
    """
    address = importable(hub).address
    owner, _slash, short = source.strip().strip("/").partition("/")
    check_name(owner, what=_("owner there"))
    check_name(short, what=_("repository name"))
    wanted = [word for word in _SPACES.split(revisions) if word]
    if len(wanted) > MAX_REVISIONS or not all(map(is_text, wanted)):
        raise InvalidInput(_("Name at most %(max)d branches and tags.") % {"max": MAX_REVISIONS})
    with transaction.atomic():
        origin = begin(
            by=by, kind=kind, namespace=namespace, name=name or short, upstream=address, source=f"{owner}/{short}",
            private=private, revisions=wanted,
        )  # fmt: skip
        if origin.job is not None and not origin.job.is_finished:
            return origin
        assert isinstance(by, User)
        repo = origin.repo
        origin.job = Job.enqueue(
            KIND, spec={"import": origin.pk, "reads": [repo.pk]}, owner=by, queue=QUEUE,
            title=f"{origin.source} → {repo.full_name}", needs={"store": True}, max_seconds=MAX_SECONDS,
        )  # fmt: skip
        origin.private, origin.revisions = private, wanted
        origin.save(update_fields=("job", "private", "revisions"))
    return origin


def chosen(refs: Sequence[RemoteRef], revisions: Sequence[str]) -> list[Tip]:
    """Return the tips to import; of several revisions without “main” the first becomes that. Raises InvalidInput."""
    tips = {ref.name: Tip(*ref) for ref in refs}
    if not revisions:
        return list(tips.values())
    found: dict[str, Tip] = {}
    for revision in revisions:
        names = [name for name in (HEADS + revision, TAGS + revision, revision) if name in tips]
        if not names:
            raise InvalidInput(_("The other hub has no branch or tag “%(name)s”.") % {"name": revision[:100]})
        found[names[0]] = tips[names[0]]
    if MAIN not in found:
        first = next(iter(found.values()))
        found[MAIN] = Tip(MAIN, first.oid)
    return list(found.values())


def finish(origin: Import, arrival: Arrival, *, by: User | None) -> None:
    """Let the repository be what arrived, as visible as was asked for; raises Conflict when somebody wrote to it."""
    repo = origin.repo
    first = _untouched(repo, arrival.tips)
    adopting.land(repo, arrival, by=by)
    with transaction.atomic():
        if first is not None and first.oid not in {one.record.oid for one in arrival.new}:
            first.delete()
        Repo.objects.filter(pk=repo.pk).update(private=origin.private)
        Import.objects.filter(pk=origin.pk).update(finished_at=timezone.now())
        Event.record(
            "repo.imported", subject=f"repo:{repo.pk}", by=by, upstream=origin.upstream, source=origin.source,
            commit=next(tip.oid for tip in arrival.tips if tip.name == MAIN),
        )  # fmt: skip
    repo.refresh_from_db()


def is_untouched(repo: Repo) -> bool:
    """Say whether a repository that is to be filled holds but the commit that it began with."""
    return repo.commits.count() == 1 and repo.refs.count() == 1


def _begun(by: Asker, *, kind: str, namespace: str, name: str) -> Import | None:
    if not is_text(namespace + name):
        return None
    visible = Repo.objects.visible_to(by).named(kind, namespace, name)
    found = Import.objects.filter(repo__in=visible, finished_at__isnull=True)
    origin = found.select_related("repo__namespace", "job").first()
    return origin if origin is not None and permissions.can_manage(by, origin.repo) else None


def _untouched(repo: Repo, tips: Sequence[Tip]) -> Commit | None:
    """Return the repository's first commit, while it is all that the repository holds."""
    refs = set(Ref.objects.filter(repo=repo).values_list("name", "oid"))
    if refs == {(tip.name, tip.oid) for tip in tips}:  # an earlier try ended after its last step
        return None
    commits = list(Commit.objects.filter(repo=repo)[:2])
    if len(refs) != 1 or len(commits) != 1:
        raise Conflict(_("Somebody wrote to the repository while it was being imported. Import it under another name."))
    return commits[0]
