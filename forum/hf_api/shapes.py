"""How a discussion and what happened in it look in JSON."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from forum import posting, showing
from forum.models import Post, Topic
from models_hub.comparing import Comparison, FileChange
from models_hub.hf_api.shapes import timestamp
from models_hub.models import Repo
from portal.models import Asker, User

MAX_EVENTS = 5000  # of one discussion


def topic(repo: Repo, row: Topic) -> dict[str, Any]:
    """Return what lists show of a discussion."""
    return {
        "num": row.number,
        "title": row.title,
        "status": row.status,
        "createdAt": timestamp(row.created_at),
        "isPullRequest": row.is_pull_request,
        "numComments": row.comments,
        "repo": {"name": repo.full_name, "type": repo.kind},
        "repoOwner": {"name": repo.namespace.name, "type": "user" if repo.namespace.user_id else "org"},
        **_author(row.author),
    }


def events(row: Topic, reader: Asker) -> list[dict[str, Any]]:
    """Return all that happened in a discussion, as far as the reader sees it, the opening comment first."""
    posts = list(
        Post.objects.shown_to(reader)
        .filter(topic=row)
        .select_related("author", "edited_by")
        .prefetch_related("versions__author")
        .order_by("number")[:MAX_EVENTS]
    )
    posting.render_again(row.repo, posts)
    return [event(post) for post in posts]


def event(post: Post) -> dict[str, Any]:
    """Return one comment or note."""
    return {
        "id": str(post.pk),
        "type": post.kind,
        "createdAt": timestamp(post.created_at),
        "data": _comment(post) if post.is_comment else post.data,
        **_author(post.author),
    }


def git_diff(comparison: Comparison) -> str:
    """Return the changes in the form that git prints."""
    return "".join(part for change in comparison.changes for part in _file_diff(change))


def _comment(post: Post) -> dict[str, Any]:
    hidden = post.is_hidden
    latest = _version(
        "" if hidden else post.text,
        "" if hidden else showing.plain(post.html),
        post.edited_at or post.created_at,
        post.edited_by or post.author,
    )
    versions = [] if hidden else [version for version in post.versions.all() if not version.withheld]
    return {
        "edited": post.edited_at is not None,
        "hidden": hidden,
        "latest": latest,
        "numEdits": len(versions),
        "history": [_version(one.text, "", one.written_at, one.author) for one in versions],
    }


def _version(text: str, html: str, at: datetime, author: User | None) -> dict[str, Any]:
    return {"raw": text, "html": html, "updatedAt": timestamp(at), **_author(author)}


def _author(user: User | None) -> dict[str, Any]:
    """Clients call a missing author “deleted”."""
    if user is None:
        return {}
    return {"author": {"name": user.username, "fullname": user.display_name, "type": "user", "avatarUrl": ""}}


def _file_diff(change: FileChange) -> Iterable[str]:
    old = f"a/{change.path}" if change.before else "/dev/null"
    new = f"b/{change.path}" if change.after else "/dev/null"
    yield f"diff --git a/{change.before.path if change.before else change.path} b/{change.path}\n"
    if change.before is None:
        yield "new file mode 100644\n"
    elif change.after is None:
        yield "deleted file mode 100644\n"
    if change.kind == "renamed" and change.before:
        yield f"similarity index 100%\nrename from {change.before.path}\nrename to {change.path}\n"
        return
    ids = [side.oid if side else "0" * 40 for side in (change.before, change.after)]
    yield f"index {ids[0]}..{ids[1]}" + (" 100644\n" if change.before and change.after else "\n")
    if change.lines:
        yield f"--- {old}\n+++ {new}\n" + "".join(f"{line}\n" for line in change.lines)
    elif change.lines is None:
        yield f"Binary files {old} and {new} differ\n"
