"""Releases: versions that have a name and notes, and what each changed since the one before."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.cache import caches
from django.db import transaction
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import ancestry, browsing, comparing, referencing, semantic_versions
from models_hub.checking import is_text
from models_hub.landing import MAX_TITLE
from models_hub.models import Commit, Ref, Release, Repo
from models_hub.models.refs import TAGS
from models_hub.publishing import require_writer
from models_hub.referencing import MAX_MESSAGE
from portal.errors import Conflict, InvalidInput, NotFound
from portal.models import Asker, Event

KEEP_SECONDS = 30 * 24 * 3600
DRAFTED = 30
LOOKED_AT = 50


class Changed(NamedTuple):
    """How much a version changed, counted."""

    commits: int
    added: int
    removed: int
    changed: int

    @property
    def files(self) -> int:
        return self.added + self.removed + self.changed


@dataclass(frozen=True)
class Version:
    """A tag with its notes if it has any, and the version before it in the history of versions."""

    tag: Ref
    commit: Commit
    release: Release | None
    before: "Version | None" = None
    changed: Changed | None = None

    @property
    def name(self) -> str:
        return self.tag.short_name

    @property
    def notes(self) -> str:
        return self.release.notes if self.release else self.tag.message

    @property
    def is_preview(self) -> bool:
        version = semantic_versions.read(self.name)
        return version is not None and not version.is_final

    @property
    def changes_weights(self) -> bool:
        before = self.before.commit.weights_digest if self.before else ""
        return bool(self.commit.weights_digest) and self.commit.weights_digest != before

    @property
    def cursor(self) -> str:
        return f"{self.commit.pk}-{self.tag.pk}"


def versions(repo: Repo, *, after: str = "", limit: int) -> tuple[list[Version], bool]:
    """Return tags, those of the newest commits first, each with what it changed; and whether there are more."""
    found = _read(repo, _ordered(repo, after)[: limit + 1])
    return _counted(repo, found, limit), len(found) > limit


def version(repo: Repo, name: str) -> Version:
    """Return one version with what it changed; raises RevisionNotFound."""
    tag = referencing.find(repo, TAGS + name)
    commit = browsing.commits_of(repo, [tag.oid]).get(tag.oid)
    if commit is None:
        raise NotFound(_("The commit of this tag is no longer here."))
    found = _read(repo, [tag, *_ordered(repo, f"{commit.pk}-{tag.pk}")[:1]])
    return _counted(repo, found, 1)[0]


def find(repo: Repo, tag: str) -> Release:
    """Return what is said of a version; raises NotFound, or RevisionNotFound for a tag that is not there."""
    row = Release.objects.select_related("tag").filter(tag=referencing.find(repo, TAGS + tag)).first()
    if row is None:
        raise NotFound(_("This version has no notes."))
    row.repo = repo
    return row


def latest(repo: Repo) -> Release | None:
    """Return the newest release: of semantic versions the highest final one, else what was released last."""
    final = Case(When(rank__endswith="1", then=F("rank")), default=Value(""))
    return Release.objects.filter(repo=repo).select_related("tag").order_by(final.desc(), "-id").first()


def proposals(repo: Repo) -> list[tuple[str, str]]:
    """Return (part, name) of versions that may come next."""
    return semantic_versions.proposals(ref.short_name for ref in referencing.tags(repo))


def drafted_notes(repo: Repo, commit: Commit, *, tag: str) -> str:
    """Return the titles of the commits since the version before `tag`: what its notes may begin with."""
    known = [one for one in _read(repo, _ordered(repo, "")[:LOOKED_AT]) if one.name != tag]
    before = next((one.commit.oid for one in known if one.commit.pk <= commit.pk), None)
    rows = ancestry.newest_added(repo, before, commit.oid, DRAFTED)
    return "\n".join(f"- {row.title}" for row in rows if len(row.parents) < 2)


def publish(repo: Repo, *, by: Asker, tag: str, revision: str, title: str = "", notes: str = "") -> Release:
    """Name a revision and say what is new in it; a tag that is there, of this very commit, gets the notes.

    Raises Conflict for a tag of another commit, or one that has notes.
    """
    user = require_writer(by, repo)
    title, notes = _checked(title, notes)
    with transaction.atomic():
        ref = Ref.objects.filter(repo=repo, name=TAGS + tag).first() if is_text(tag) else None
        if ref is None:
            ref = referencing.create_tag(repo, by=user, name=tag, revision=revision)
        elif ref.oid != browsing.resolve_revision(repo, revision).oid:
            raise Conflict(
                _("The tag “%(name)s” exists already and names another commit. Choose another version.")
                % {"name": tag[:100]}
            )
        if Release.objects.filter(tag=ref).exists():
            raise Conflict(_("The version “%(name)s” has notes already; edit them.") % {"name": tag[:100]})
        release = Release.objects.create(
            repo=repo, tag=ref, title=title, notes=notes, rank=semantic_versions.rank(tag), author=user
        )
        Event.record("repo.released", subject=f"repo:{repo.pk}", by=user, tag=tag, commit=ref.oid)
    return release


def edit(release: Release, *, by: Asker, title: str, notes: str) -> None:
    """Change what a release says."""
    user = require_writer(by, release.repo)
    release.title, release.notes = _checked(title, notes)
    release.edited_at = timezone.now()
    with transaction.atomic():
        release.save(update_fields=("title", "notes", "edited_at"))
        Event.record("repo.release_edited", subject=f"repo:{release.repo_id}", by=user, tag=release.tag.short_name)


def withdraw(release: Release, *, by: Asker) -> None:
    """Take the notes away; the tag stays."""
    user = require_writer(by, release.repo)
    with transaction.atomic():
        Event.record("repo.release_withdrawn", subject=f"repo:{release.repo_id}", by=user, tag=release.tag.short_name)
        release.delete()


def _checked(title: str, notes: str) -> tuple[str, str]:
    title = " ".join(title.split())
    if len(title) > MAX_TITLE or len(notes) > MAX_MESSAGE or not is_text(title + notes):
        raise InvalidInput(_("The title or the notes are too long or not text."))
    return title, notes.replace("\r\n", "\n").strip()


def _ordered(repo: Repo, after: str) -> QuerySet[Any]:
    """Return the tags of a repository that come after a cursor, those of the newest commits first."""
    commit = Commit.objects.filter(repo=repo, oid=OuterRef("oid")).values("id")[:1]
    tags = Ref.objects.filter(repo=repo, name__startswith=TAGS).annotate(commit_id=Subquery(commit))
    tags = tags.filter(commit_id__isnull=False)
    commit_id, _dash, tag_id = after.partition("-")
    if commit_id.isdecimal() and tag_id.isdecimal() and len(after) < 40:
        last, tag = int(commit_id), int(tag_id)
        tags = tags.filter(Q(commit_id__lt=last) | Q(commit_id=last, pk__lt=tag))
    return tags.order_by("-commit_id", "-pk")


def _read(repo: Repo, tags: Iterable[Ref]) -> list[Version]:
    rows = list(tags)
    commits = browsing.commits_of(repo, [tag.oid for tag in rows])
    notes = {row.tag_id: row for row in Release.objects.filter(tag__in=rows).select_related("author", "tag")}
    return [Version(tag, commits[tag.oid], notes.get(tag.pk)) for tag in rows if tag.oid in commits]


def _counted(repo: Repo, found: list[Version], limit: int) -> list[Version]:
    """Add to each version the one before it, and how much changed in between."""
    pairs = [(one, found[index + 1] if index + 1 < len(found) else None) for index, one in enumerate(found[:limit])]
    commits = ancestry.added_counts(
        repo, [(before.commit.oid if before else None, one.commit.oid) for one, before in pairs]
    )
    return [
        Version(one.tag, one.commit, one.release, before, Changed(count, *_files(repo, before, one)))
        for (one, before), count in zip(pairs, commits, strict=True)
    ]


def _files(repo: Repo, before: Version | None, after: Version) -> tuple[int, int, int]:
    """Return how many files came, went and changed; trees never change, so it is counted once."""
    old, new = before.commit.tree_oid if before else None, after.commit.tree_oid
    key = f"files-changed:{repo.pk}:{old}:{new}"
    kept = caches["rendered"].get(key)
    if kept is None:
        sides = comparing.changed_files(repo, old, new).values()
        added, removed = sum(one is None for one, _other in sides), sum(other is None for _one, other in sides)
        kept = (added, removed, len(sides) - added - removed)
        caches["rendered"].set(key, kept, KEEP_SECONDS)
    return kept[0], kept[1], kept[2]
