"""Branches and tags: made, listed and removed."""

from django.db import transaction
from django.utils.translation import gettext as _
from dulwich.refs import Ref as DulwichRef
from dulwich.refs import check_ref_format

from models_hub import browsing, landing
from models_hub.browsing import OID, RevisionNotFound
from models_hub.checking import is_text
from models_hub.models import DEFAULT_BRANCH, Ref, Repo
from models_hub.models.pull_requests import PULLS
from models_hub.models.refs import HEADS, TAGS
from models_hub.publishing import require_writer
from portal.errors import Conflict, InvalidInput, NotFound, StaleParent, TooLarge
from portal.models import Asker

MAX_NAME = 200
MAX_MESSAGE = 20_000
MAX_REFS = 2000


def branches(repo: Repo) -> list[Ref]:
    return list(Ref.objects.filter(repo=repo, name__startswith=HEADS).order_by("name"))


def tags(repo: Repo) -> list[Ref]:
    return list(Ref.objects.filter(repo=repo, name__startswith=TAGS).order_by("name"))


def page_of(repo: Repo, folder: str, *, after: str, limit: int, first: str = "") -> list[Ref]:
    """Return the references of a folder by name, those after the name `after`; on the first page `first` leads."""
    rows = Ref.objects.filter(repo=repo, name__startswith=folder, name__gt=folder + after if is_text(after) else folder)
    leading = list(Ref.objects.filter(repo=repo, name=folder + first)) if first and not after else []
    return leading + list(rows.exclude(name=folder + first if first else "").order_by("name")[: limit - len(leading)])


def exists(repo: Repo, tag: str) -> bool:
    """Say whether there is a tag of this name."""
    return is_text(tag) and Ref.objects.filter(repo=repo, name=TAGS + tag).exists()


def find(repo: Repo, name: str) -> Ref:
    """Return the reference of this full name; raises RevisionNotFound."""
    ref = Ref.objects.filter(repo=repo, name=name).first() if is_text(name) else None
    if ref is None:
        short = name.removeprefix(HEADS).removeprefix(TAGS)
        raise RevisionNotFound(_("This repository has no branch or tag “%(name)s”.") % {"name": short[:100]})
    return ref


def pull_requests(repo: Repo) -> list[Ref]:
    """Return the references of pull requests, which hold what is proposed."""
    return list(Ref.objects.filter(repo=repo, name__startswith=PULLS).order_by("id"))


def create_branch(repo: Repo, *, by: Asker, name: str, start: str = DEFAULT_BRANCH) -> Ref:
    """Begin a branch at revision `start`; Conflict when it exists already."""
    return _create(repo, by, HEADS, name, start)


def create_tag(repo: Repo, *, by: Asker, name: str, revision: str = DEFAULT_BRANCH, message: str = "") -> Ref:
    """Give a revision a lasting name; Conflict when it exists already."""
    if len(message) > MAX_MESSAGE or not is_text(message):
        raise InvalidInput(_("The message of the tag is too long or is not text."))
    return _create(repo, by, TAGS, name, revision, message)


def delete_branch(repo: Repo, *, by: Asker, name: str) -> None:
    """Remove a branch; its commits stay reachable by their ids."""
    if name == DEFAULT_BRANCH:
        raise InvalidInput(f"Cannot delete {HEADS}{DEFAULT_BRANCH}")
    if not _delete(repo, by, HEADS, name):
        raise NotFound("Invalid rev id")


def delete_tag(repo: Repo, *, by: Asker, name: str) -> None:
    if not _delete(repo, by, TAGS, name):
        raise RevisionNotFound(_("This repository has no tag “%(name)s”.") % {"name": name[:100]})


def _create(repo: Repo, by: Asker, folder: str, name: str, start: str, message: str = "") -> Ref:
    user = require_writer(by, repo)
    full = folder + checked_name(name)
    commit = browsing.resolve_revision(repo, start)
    if Ref.objects.filter(repo=repo).count() >= MAX_REFS:
        raise TooLarge(_("A repository may have at most %(max)d branches and tags.") % {"max": MAX_REFS})
    try:
        with transaction.atomic():
            return landing.begin_ref(repo, full, commit.oid, by=user, message=message)
    except StaleParent as error:
        if not Ref.objects.filter(repo=repo, name=full).exists():
            raise
        raise Conflict(f"Reference {full} already exists") from error


def _delete(repo: Repo, by: Asker, folder: str, name: str) -> bool:
    user = require_writer(by, repo)
    if not is_text(name):
        return False
    with transaction.atomic():
        found = Ref.objects.filter(repo=repo, name=folder + name).first()
        if found is None:
            return False
        landing.end_ref(found, by=user)
    return True


def checked_name(name: str) -> str:
    """Return a name that git allows and that cannot be taken for a commit id or a full reference."""
    try:
        legal = check_ref_format(DulwichRef((HEADS + name).encode("utf-8")))
    except UnicodeEncodeError:
        legal = False
    if not legal or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(_("“%(name)s” is not a name that git allows for a branch or tag.") % {"name": name[:100]})
    if OID.fullmatch(name) or name.startswith("refs/") or name == "HEAD":
        raise InvalidInput(
            _("“%(name)s” could be taken for a commit or a reference; choose another name.") % {"name": name[:100]}
        )
    return name
