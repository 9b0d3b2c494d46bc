"""The job kind `export_account`: what the portal holds of a person, as JSON in a zip file for that person alone.

No secrets are in it, neither those of others nor the person's own: tokens and factors are named, not given.
"""

import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from forum.models import Post, Topic
from leaderboard.models import Entry, Evaluation, ExampleSet, Objection, TeamMember
from models_hub.models import Annotation, Collection, Commit, Like, Repo, Run, SavedSearch, Study, Watch
from portal.models import (
    AccessToken,
    AccountExport,
    Avatar,
    Event,
    Follow,
    FormerName,
    Inbox,
    Job,
    Letter,
    Muting,
    Notification,
    PushDevice,
    User,
)
from worker.attempts import Attempt, JobFailed, TryAgain

GONE = gettext_noop("This export was withdrawn.")
NO_STORE = gettext_noop("This worker has no access to the portal's storage, where exports are kept.")
WRITING = gettext_noop("%(done)d of %(total)d parts written")
BATCH = 500


def run(attempt: Attempt) -> None:
    """Write the file beside its place and move it there when it is whole."""
    if settings.PORTAL_URL:
        raise TryAgain(NO_STORE, code="no_store")
    export = AccountExport.objects.select_related("user").filter(pk=attempt.job.spec["export"]).first()
    if export is None or export.user_id != attempt.job.owner_id:
        raise JobFailed(GONE, code="gone")
    export.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = export.path.with_suffix(f".{attempt.job.fence}.part")
    try:
        _write(attempt, export.user, str(half))
        os.replace(half, export.path)
    finally:
        half.unlink(missing_ok=True)
    with transaction.atomic():
        export.finish(export.path.stat().st_size)
        attempt.job.finish({"page": "/settings/account"})


def _write(attempt: Attempt, user: User, path: str) -> None:
    parts = dict(_parts(user))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        os.chmod(path, 0o600)
        for done, (name, rows) in enumerate(parts.items(), start=1):
            with file.open(f"{name}.json", "w") as part:
                part.write(b"[")
                for number, row in enumerate(rows):
                    if number % BATCH == 0:
                        attempt.check()
                    part.write(b",\n" if number else b"\n")
                    part.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode())
                part.write(b"\n]\n")
            attempt.report(min(done / len(parts), 0.99), WRITING, done=done, total=len(parts))
        picture = Avatar.objects.filter(namespace__user=user).first()
        if picture:
            file.writestr(f"picture.{picture.format}", bytes(picture.data))


def _parts(user: User) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    """Yield each part's name with its rows. Of what belongs to others, only what the person did with it."""
    account = ("username", "email", "first_name", "about", "links", "language", "theme", "date_joined", "last_login")
    shown = ("shows_year", "shows_activity", "shows_follows", "shows_likes")
    yield "account", _rows(User.objects.filter(pk=user.pk), *account, *shown)
    yield "former_names", _rows(FormerName.objects.filter(namespace__user=user), "lower", "created_at")
    yield "email_addresses", _rows(EmailAddress.objects.filter(user=user), "email", "verified", "primary")
    yield "second_factors", _rows(Authenticator.objects.filter(user=user), "type", "created_at", "last_used_at")
    sessions = UserSession.objects.filter(user=user)
    yield "sessions", _rows(sessions, "ip", "user_agent", "created_at", "last_seen_at")
    tokens = ("name", "role", "permissions", "created_at", "expires_at", "last_used_at", "last_address", "revoked_at")
    yield "access_tokens", _rows(AccessToken.objects.filter(user=user), *tokens)
    keys = ("name", "text", "fingerprint", "read_only", "created_at", "last_used_at", "last_address")
    yield "ssh_keys", _rows(user.ssh_keys.all(), *keys)
    yield "organizations", _rows(user.memberships.all(), "organization__name", "role", "created_at")
    yield "following", _rows(Follow.objects.filter(follower=user), "namespace__name", "created_at")
    audit = ("kind", "details", "address", "agent", "created_at")
    yield "audit", _rows(user.audit_entries.all(), *audit)
    yield "events", _rows(Event.objects.filter(actor=user), "kind", "subject", "created_at")
    yield "jobs", _rows(Job.objects.filter(owner=user), "kind", "title", "state", "created_at", "finished_at")
    repos = ("kind", "namespace__name", "name", "private", "gated", "created_at", "updated_at")
    yield "repositories", _rows(Repo.objects.filter(namespace__user=user, deleted_at__isnull=True), *repos)
    # Names of repositories that the person may see no longer are none of the person's data.
    seen = Repo.objects.visible_to(user)
    place = ("repo__kind", "repo__namespace__name", "repo__name")
    commits = Commit.objects.filter(author=user, repo__in=seen)
    yield "commits", _rows(commits, *place, "oid", "title", "description", "authored_at")
    runs = Run.objects.filter(owner=user)
    yield "runs", _rows(runs, "id", "kind", "title", "task", "recipe", "architecture", "target", "created_at", "scores")
    given = Annotation.objects.filter(by=user, queue__data__in=seen)
    yield "labels_given", _rows(given, "queue", "row__line", "value", "saw_guess", "created_at")
    yield "studies", _rows(Study.objects.filter(owner=user), "id", "title", "space", "plan", "state", "created_at")
    yield "likes", _rows(Like.objects.filter(user=user, repo__in=seen), *place, "created_at")
    yield "watches", _rows(Watch.objects.filter(user=user, repo__in=seen), *place, "created_at")
    collections = Collection.objects.filter(namespace__user=user)
    yield "collections", _rows(collections, "title", "description", "private", "created_at")
    yield "saved_searches", _rows(SavedSearch.objects.filter(user=user), "name", "kind", "query", "created_at")
    yield "topics", _rows(Topic.objects.filter(author=user), "id", "title", "created_at")
    posts = Post.objects.filter(author=user)
    yield "posts", _rows(posts, "topic_id", "text", "created_at")
    told = ("kind", "times", "created_at", "read_at")
    yield "notifications", _rows(Notification.objects.filter(user=user), *told)
    chosen = ("channels", "pushes", "digest", "refused_address")
    yield "notification_settings", _rows(Inbox.objects.filter(user=user), *chosen)
    yield "devices", _rows(PushDevice.objects.filter(user=user), "agent", "created_at", "reached_at")
    yield "muted_places", _rows(Muting.objects.filter(user=user), "place", "created_at")
    yield "letters", _rows(Letter.objects.filter(user=user), "address", "subject", "state", "created_at", "ended_at")
    yield "evaluations", _rows(Evaluation.objects.filter(requested_by=user), "id", "created_at")
    teams = ("challenge__slug", "team__name", "accepted_at")
    yield "challenges", _rows(TeamMember.objects.filter(user=user), *teams)
    entries = ("challenge__slug", "model_name", "commit_oid", "file_name", "note", "sent_at", "shown", "is_final")
    yield "challenge_entries", _rows(Entry.objects.filter(sent_by=user), *entries)
    objections = ("challenge__slug", "text", "raised_at", "answer")
    yield "objections", _rows(Objection.objects.filter(raised_by=user), *objections)
    examples = ("title", "task", "definition", "rows", "created_at", "expires_at")
    yield "own_examples", _rows(ExampleSet.objects.filter(owner=user), *examples)


def _rows(found: QuerySet[Any], *names: str) -> Iterator[dict[str, Any]]:
    return found.order_by("pk").values(*names).iterator(chunk_size=BATCH)
