"""What a webhook is told (version 3 of the Hub's payloads), built from rows when it is sent.

None means: the webhook's owner may not see this now, so nothing is sent.
"""

from typing import Any

from django.conf import settings

from forum.models import Post, Topic
from models_hub import semantic_versions
from models_hub.models import PullRequest, Release, Repo, Webhook, WebhookDelivery
from models_hub.models.refs import TAGS
from models_hub.webhooks import PING
from portal.models import Event, Namespace
from portal.permissions import role_in

VERSION = 3
# The scope and the action of each kind of event.
TOLD = {
    "repo.created": ("repo", "create"),
    "repo.moved": ("repo", "move"),
    "repo.deleted": ("repo", "delete"),
    "repo.visibility_changed": ("repo.config", "update"),
    "repo.gate_changed": ("repo.config", "update"),
    "repo.committed": ("repo.content", "update"),
    "repo.ref_created": ("repo.content", "update"),
    "repo.ref_deleted": ("repo.content", "update"),
    # The Hub has no releases; a program that knows none reads their references.
    "repo.released": ("repo.release", "create"),
    "repo.release_edited": ("repo.release", "update"),
    "repo.release_withdrawn": ("repo.release", "delete"),
    "discussion.opened": ("discussion", "create"),
    "discussion.renamed": ("discussion", "update"),
    "discussion.status_changed": ("discussion", "update"),
    "discussion.merged": ("discussion", "update"),
    "discussion.commented": ("discussion.comment", "create"),
    "discussion.edited": ("discussion.comment", "update"),
    "discussion.hidden": ("discussion.comment", "update"),
}

RELEASES = frozenset(kind for kind, (scope, _action) in TOLD.items() if scope == "repo.release")


def build(delivery: WebhookDelivery) -> dict[str, Any] | None:
    """Return the body of a delivery, or None when its webhook's owner may not see what it is about."""
    webhook, event = delivery.webhook, delivery.event
    site = settings.PUBLIC_URL or webhook.site
    told: dict[str, Any] = {
        "event": {"action": delivery.action, "scope": delivery.scope},
        "webhook": {"id": webhook.public_id, "version": VERSION},
    }
    if event.kind == PING:
        return told
    if event.kind == "repo.deleted":
        gone = _deleted(event, webhook, site)
        return told | {"repo": gone} if gone else None
    visible = webhook.seen_repos().select_related("namespace")
    repo = visible.filter(pk=repo_id(event)).first()
    if repo is None:
        return None
    told["repo"] = _repo(repo, site)
    if event.kind.startswith("discussion."):
        talk = _conversation(event, repo, site)
        return told | talk if talk else None
    if event.kind in RELEASES:
        release = _release(event, repo, site)
        return told | release if release else None
    return told | _change(event, repo)


def may_see(event: Event, webhook: Webhook) -> bool:
    """Say whether a webhook may be told of what an event is about."""
    if event.kind == "repo.deleted":
        return _deleted(event, webhook, "") is not None
    return webhook.seen_repos().filter(pk=repo_id(event)).exists()


def repo_id(event: Event) -> int:
    return int(event.subject.removeprefix("repo:"))


def _repo(repo: Repo, site: str) -> dict[str, Any]:
    return {
        "type": repo.kind,
        "name": repo.full_name,
        "id": f"{repo.pk:024x}",
        "private": repo.private,
        "url": {"web": f"{site}{repo.path}", "api": f"{site}/api/{repo.kind}s/{repo.full_name}"},
        "headSha": repo.head,
        "tags": repo.tags,
        "owner": _owner(repo.namespace),
    }


def _owner(namespace: Namespace) -> dict[str, str]:
    return {"id": f"{namespace.user_id or namespace.organization_id:024x}"}


def _deleted(event: Event, webhook: Webhook, site: str) -> dict[str, Any] | None:
    """Return what is known of a repository that is gone; a private one only to those who could see it."""
    name, kind = str(event.payload["name"]), str(event.payload["repo_kind"])
    namespace = Namespace.objects.named(name.partition("/")[0]).first()
    private = bool(event.payload.get("private", True))
    if namespace is None or (private and not _belongs(webhook, namespace)):
        return None
    prefix = "" if kind == Repo.Kind.MODEL else f"{kind}s/"
    return {
        "type": kind,
        "name": name,
        "id": f"{repo_id(event):024x}",
        "private": private,
        "url": {"web": f"{site}/{prefix}{name}", "api": f"{site}/api/{kind}s/{name}"},
        "owner": _owner(namespace),
    }


def _belongs(webhook: Webhook, namespace: Namespace) -> bool:
    """Whether a webhook may know of what is private in a namespace."""
    if webhook.owner is not None:
        return role_in(webhook.owner, namespace) is not None
    return namespace.organization_id == webhook.organization_id


def _change(event: Event, repo: Repo) -> dict[str, Any]:
    facts = event.payload
    if event.kind == "repo.committed":
        branch = str(facts["branch"])
        ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        return {"updatedRefs": [{"ref": ref, "oldSha": facts.get("before") or None, "newSha": facts["commit"]}]}
    if event.kind == "repo.ref_created":
        return {"updatedRefs": [{"ref": facts["ref"], "oldSha": None, "newSha": facts["commit"]}]}
    if event.kind == "repo.ref_deleted":
        return {"updatedRefs": [{"ref": facts["ref"], "oldSha": facts["commit"], "newSha": None}]}
    if event.kind == "repo.moved":
        return {"movedTo": {"name": facts["name"], "owner": _owner(repo.namespace)}}
    if event.kind == "repo.visibility_changed":
        return {"updatedConfig": {"private": bool(facts["private"])}}
    return {"updatedConfig": {"gated": facts["gated"]}} if event.kind == "repo.gate_changed" else {}


def _release(event: Event, repo: Repo, site: str) -> dict[str, Any] | None:
    """Return what a version says now; None when its notes are gone again, of which another event tells."""
    tag = str(event.payload["tag"])
    if event.kind == "repo.release_withdrawn":
        return {"release": {"tag": tag}}
    release = Release.objects.select_related("tag").filter(repo=repo, tag__name=TAGS + tag).first()
    if release is None:
        return None
    release.repo = repo  # with its owner
    version = semantic_versions.read(tag)
    told: dict[str, Any] = {
        "tag": tag,
        "commit": release.tag.oid,
        "title": release.title,
        "notes": release.notes,
        "isPrerelease": version is not None and not version.is_final,
        "author": {"id": f"{release.author_id or 0:024x}"},
        "url": {"web": f"{site}{release.get_absolute_url()}"},
    }
    changed = [{"ref": release.tag.name, "oldSha": None, "newSha": release.tag.oid}]
    return {"release": told} | ({"updatedRefs": changed} if event.kind == "repo.released" else {})


def _conversation(event: Event, repo: Repo, site: str) -> dict[str, Any] | None:
    topic = Topic.objects.of(repo).filter(number=int(event.payload["number"])).first()
    if topic is None:
        return None
    told: dict[str, Any] = {"discussion": _topic(topic, repo, site)}
    comments = topic.posts.filter(kind=Post.Kind.COMMENT).order_by("number")
    if pk := event.payload.get("comment"):
        comments = comments.filter(pk=pk)
    elif event.kind != "discussion.opened":
        return told
    comment = comments.first()
    return told | ({"comment": _comment(comment, topic, repo, site)} if comment else {})


def _topic(topic: Topic, repo: Repo, site: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": f"{topic.pk:024x}",
        "title": topic.title,
        "url": {
            "web": f"{site}{repo.path}/discussions/{topic.number}",
            "api": f"{site}/api/{repo.kind}s/{repo.full_name}/discussions/{topic.number}",
        },
        "status": topic.status,
        "author": {"id": f"{topic.author_id or 0:024x}"},
        "isPullRequest": topic.is_pull_request,
        "num": topic.number,
    }
    pull = PullRequest.objects.filter(repo=repo, number=topic.number or 0).first() if topic.is_pull_request else None
    if pull:
        told["changes"] = {"base": f"refs/heads/{pull.base}"}
        if pull.merge_commit:
            told["changes"]["mergeCommitId"] = pull.merge_commit
    return told


def _comment(comment: Post, topic: Topic, repo: Repo, site: str) -> dict[str, Any]:
    told = {
        "id": f"{comment.pk:024x}",
        "author": {"id": f"{comment.author_id or 0:024x}"},
        "hidden": comment.is_hidden,
        "url": {"web": f"{site}{repo.path}/discussions/{topic.number}#{comment.pk:024x}"},
    }
    return told if comment.is_hidden else told | {"content": comment.text}
