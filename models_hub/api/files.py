"""/api/v1/…/tree, /commits and /restorations: what is in a repository, and changes to it.

Bytes are downloaded at `/<name>/resolve/<revision>/<path>`; large ones are sent through the upload routes.
"""

import base64
import binascii
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import browsing, history, permissions, proposing, publishing, restoring
from models_hub.api.pages import HubView, address_of, page_answer
from models_hub.api.shapes import CommitShape, EntryShape, TreeShape
from models_hub.changes import Change, Delete, PutFile, PutLarge
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.api.idempotency import once
from portal.api.pagination import paged
from portal.api.schema import query
from portal.errors import InvalidInput

PAGE = 1000
ON_PAGE = 50  # commits of a history


class ChangeInput(serializers.Serializer[None]):
    """One change: put a file (as `text`, `base64`, or by the `sha256` of large content sent before) or delete it."""

    path = serializers.CharField(max_length=1024, trim_whitespace=False)
    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    base64 = serializers.CharField(required=False, allow_blank=True)
    sha256 = serializers.RegexField("^[0-9a-f]{64}$", required=False)
    delete = serializers.BooleanField(default=False)


class MessageInput(serializers.Serializer[None]):
    """What all commits have: a message and where they go. `parent` refuses one when the branch has moved on."""

    title = serializers.CharField(max_length=500)
    description = serializers.CharField(max_length=20_000, default="", allow_blank=True)
    branch = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)
    parent = serializers.CharField(max_length=40, default=None, allow_null=True)  # type: ignore[assignment]
    as_pull_request = serializers.BooleanField(default=False)


class CommitInput(MessageInput):
    """A commit: all of its changes land, or none. `parent` refuses it when the branch has moved on."""

    changes = ChangeInput(many=True, allow_empty=False)


class RestorationInput(MessageInput):
    """A version that is to be the newest again; with `path` that file or folder alone. It has a title without yours."""

    title = serializers.CharField(max_length=500, default="", allow_blank=True)
    revision = serializers.CharField(max_length=255)
    path = serializers.CharField(max_length=1024, default="", allow_blank=True, trim_whitespace=False)


class CommittedShape(serializers.Serializer[None]):
    """The commit that was made, and the number of the pull request that got it, if it was one."""

    commit = CommitShape()
    pull_request = serializers.IntegerField(allow_null=True)


class Tree(HubView):
    @extend_schema(
        parameters=[
            query("path", str, "A folder; without it the whole top."),
            query("recursive", bool, "With all that is below."),
            query("after", str, "The last path that you have."),
        ],
        responses=TreeShape,
    )
    def get(self, request: Request, kind: str, namespace: str, name: str, revision: str) -> Response:
        """List files and folders, at most 1000 at a time."""
        repo = self.repo(request, kind, namespace, name)
        commit = browsing.resolve_revision(repo, revision)
        values = request.query_params
        recursive = values.get("recursive", "").lower() in {"true", "1"}
        items = browsing.items_below(repo, commit, values.get("path", "").strip("/"), recursive=recursive)
        names = list(items)
        after = values.get("after", "")
        start = names.index(after) + 1 if after in items else 0
        shown = dict(islice(items.items(), start, start + PAGE))
        following = None
        if start + PAGE < len(names):
            following = address_of(request, {"after": names[start + PAGE - 1]})
        entries = browsing.entries(repo, shown)
        return Response(
            {"commit": commit.oid, "next": following, "results": [EntryShape(entry).data for entry in entries]},
        )


class Commits(HubView):
    @extend_schema(
        parameters=[
            query("revision", str, "Where the history is read from; the default branch without it."),
            query("path", str, "Only what changed this file, or anything in this folder."),
            query("from", str, "Where the page begins; it is in the address that `next` gives."),
        ],
        responses=paged(CommitShape),
    )
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List the commits that lead to a revision, the newest first."""
        repo, asked = self.repo(request, kind, namespace, name), request.query_params
        commit = browsing.resolve_revision(repo, asked.get("revision") or DEFAULT_BRANCH)
        path, ends = asked.get("path", "").strip("/"), history.read_ends(asked.get("from", "")) or [commit.oid]
        walked = history.of_path(repo, ends, path, ON_PAGE) if path else history.walk(repo, ends, ON_PAGE)
        following = address_of(request, {"from": ",".join(walked.ends)}) if walked.ends else None
        return Response(page_answer(CommitShape(walked.commits, many=True).data, following))

    @extend_schema(request=CommitInput, responses={201: CommittedShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Commit changes to a branch, or as a pull request for it."""
        repo = self.repo(request, kind, namespace, name)
        sent = CommitInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        changes = [_change(one) for one in values["changes"]]
        return _committed(request, repo, values, changes)


class Restorations(HubView):
    @extend_schema(request=RestorationInput, responses={201: CommittedShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Bring an earlier version back as a new commit to a branch, or as a pull request for it."""
        repo = self.repo(request, kind, namespace, name)
        permissions.require_download(proposing.require_proposer(request.user, repo), repo)
        sent = RestorationInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        path = values["path"].strip("/")
        earlier, head = (browsing.resolve_revision(repo, values[which]) for which in ("revision", "branch"))
        changes = restoring.restored(repo, head, earlier, path)
        asked = {"title": values["title"] or restoring.title(earlier, path), "parent": values["parent"] or head.oid}
        return _committed(request, repo, values | asked, changes)


class OneCommit(HubView):
    @extend_schema(responses=CommitShape)
    def get(self, request: Request, kind: str, namespace: str, name: str, revision: str) -> Response:
        """Read the commit that a branch, a tag or an id names."""
        repo = self.repo(request, kind, namespace, name)
        return Response(CommitShape(browsing.resolve_revision(repo, revision)).data)


def _committed(request: Request, repo: Repo, values: dict[str, Any], changes: list[Change]) -> Response:
    """Commit changes with the message that came with them, to their branch or as a pull request for it."""
    common = {"title": values["title"], "description": values["description"], "parent": values["parent"]}
    number = None
    if values["as_pull_request"]:
        pull, made = publishing.propose(repo=repo, by=request.user, changes=changes, base=values["branch"], **common)
        number = pull.number
    else:
        made = publishing.commit(repo=repo, by=request.user, changes=changes, branch=values["branch"], **common)
    return Response({"commit": CommitShape(made).data, "pull_request": number}, status=201)


def _change(sent: dict[str, str]) -> Change:
    path = sent["path"]
    given = [name for name in ("text", "base64", "sha256") if name in sent]
    if sent["delete"] and not given:
        return Delete(path)
    if sent["delete"] or len(given) != 1:
        raise InvalidInput(
            _("Say for “%(path)s” one of: text, base64, sha256, delete.") % {"path": path[:200]}, code="invalid"
        )
    if "sha256" in sent:
        return PutLarge(path, sent["sha256"])
    if "text" in sent:
        return PutFile(path, sent["text"].encode("utf-8", "surrogatepass"))
    try:
        return PutFile(path, base64.b64decode(sent["base64"], validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(_("The content of “%(path)s” is not base64.") % {"path": path[:200]}) from error
