"""/api/v1/…/discussions: conversations about a repository, pull requests among them."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forum import discussing, posting, reviewing
from forum.api.shapes import MergedShape, PostShape, ReviewsShape, TopicShape, WholeTopicShape
from forum.models import Post, Topic
from models_hub import approving, merging, proposing
from models_hub.api.pages import HubView
from models_hub.merging import Method
from models_hub.models import DEFAULT_BRANCH, PullRequest, Repo, Review
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, OldestFirst, paged
from portal.api.schema import PAGE, query
from portal.errors import InvalidInput

MAX_TITLE = 300


class NewTopicInput(serializers.Serializer[None]):
    """A discussion that is to be; as a pull request it is a draft, which grows by commits to its reference."""

    title = serializers.CharField(max_length=MAX_TITLE)
    text = serializers.CharField(max_length=posting.MAX_TEXT, default="", allow_blank=True)
    is_pull_request = serializers.BooleanField(default=False)
    base = serializers.CharField(max_length=255, default=DEFAULT_BRANCH)


class TopicChanges(serializers.Serializer[None]):
    """A new title, a new status with what is said about it, or both."""

    title = serializers.CharField(max_length=MAX_TITLE, required=False)
    status = serializers.ChoiceField(choices=["open", "draft", "closed"], required=False)
    comment = serializers.CharField(max_length=posting.MAX_TEXT, default="", allow_blank=True)


class CommentInput(serializers.Serializer[None]):
    """What is said, in Markdown."""

    text = serializers.CharField(max_length=posting.MAX_TEXT)


class MergeInput(serializers.Serializer[None]):
    """How to merge; `head`, the commit that was looked at, refuses the merge of anything else."""

    method = serializers.ChoiceField(choices=[one.value for one in Method], default=Method.MERGE.value)
    head = serializers.CharField(max_length=40, default=None, allow_null=True)
    comment = serializers.CharField(max_length=posting.MAX_TEXT, default="", allow_blank=True)


class ReviewInput(serializers.Serializer[None]):
    """A verdict on the commit `head`, which is the one that was looked at; an earlier one of yours is replaced."""

    verdict = serializers.ChoiceField(choices=Review.Verdict.choices)
    head = serializers.CharField(max_length=40)
    comment = serializers.CharField(max_length=posting.MAX_TEXT, default="", allow_blank=True)


class Topics(HubView):
    pagination_class = NewestFirst

    @extend_schema(
        parameters=[*PAGE, query("status", str, "open or closed"), query("kind", str, "discussion or pull_request")],
        responses=paged(TopicShape),
    )
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List the discussions of a repository, newest first."""
        rows = _filtered(request, Topic.objects.of(self.repo(request, kind, namespace, name), request.user))
        pages = NewestFirst()
        page: list[Topic] = pages.paginate_queryset(rows.select_related("author"), request, view=self) or []
        return pages.get_paginated_response(TopicShape(page, many=True).data)

    @extend_schema(request=NewTopicInput, responses={201: WholeTopicShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Begin a discussion, or open a pull request."""
        repo = self.repo(request, kind, namespace, name)
        sent = NewTopicInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        if values["is_pull_request"]:
            pull = proposing.open_pull_request(
                repo=repo,
                by=request.user,
                title=values["title"],
                description=values["text"],
                base=values["base"],
                draft=True,
            )
            number = pull.number
        else:
            made = discussing.open_discussion(repo=repo, by=request.user, title=values["title"], text=values["text"])
            number = made.number or 0
        return Response(_whole(repo, discussing.find(repo, number, request.user)), status=201)


class OneTopic(HubView):
    @extend_schema(responses=WholeTopicShape)
    def get(self, request: Request, kind: str, namespace: str, name: str, number: int) -> Response:
        """Read one discussion; its posts are below it."""
        repo = self.repo(request, kind, namespace, name)
        return Response(_whole(repo, discussing.find(repo, number, request.user)))

    @extend_schema(request=TopicChanges, responses=WholeTopicShape)
    def patch(self, request: Request, kind: str, namespace: str, name: str, number: int) -> Response:
        """Rename, close or open a discussion."""
        repo = self.repo(request, kind, namespace, name)
        topic = discussing.find(repo, number, request.user)
        sent = TopicChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        if "title" in values:
            discussing.rename(topic, by=request.user, title=values["title"])
        if "status" in values:
            discussing.change_status(topic, by=request.user, status=values["status"], comment=values["comment"])
        return Response(_whole(repo, discussing.find(repo, number, request.user)))


class Posts(HubView):
    pagination_class = OldestFirst

    @extend_schema(parameters=PAGE, responses=paged(PostShape))
    def get(self, request: Request, kind: str, namespace: str, name: str, number: int) -> Response:
        """List what was said and done, the opening comment first."""
        topic = discussing.find(self.repo(request, kind, namespace, name), number, request.user)
        pages = OldestFirst()
        rows = Post.objects.shown_to(request.user).filter(topic=topic).select_related("author")
        page = pages.paginate_queryset(rows, request, view=self) or []
        posting.render_again(topic.repo, page)
        return pages.get_paginated_response(PostShape(page, many=True).data)

    @extend_schema(request=CommentInput, responses={201: PostShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str, number: int) -> Response:
        """Say something."""
        topic = discussing.find(self.repo(request, kind, namespace, name), number, request.user)
        sent = CommentInput(data=request.data)
        sent.is_valid(raise_exception=True)
        made = discussing.comment(topic, by=request.user, text=sent.validated_data["text"])
        return Response(PostShape(made).data, status=201)


class OnePost(HubView):
    @extend_schema(request=CommentInput, responses=PostShape)
    def patch(self, request: Request, kind: str, namespace: str, name: str, number: int, post: str) -> Response:
        """Edit a comment of yours; what it said before is kept."""
        found = self._find(request, kind, namespace, name, number, post)
        sent = CommentInput(data=request.data)
        sent.is_valid(raise_exception=True)
        discussing.edit(found, by=request.user, text=sent.validated_data["text"])
        return Response(PostShape(found).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, kind: str, namespace: str, name: str, number: int, post: str) -> Response:
        """Take a comment out of sight for good."""
        discussing.hide(self._find(request, kind, namespace, name, number, post), by=request.user)
        return Response(status=204)

    def _find(self, request: Request, kind: str, namespace: str, name: str, number: int, post: str) -> Post:
        topic = discussing.find(self.repo(request, kind, namespace, name), number, request.user)
        return discussing.find_comment(topic, post, request.user)


class Reviews(HubView):
    @extend_schema(responses=ReviewsShape)
    def get(self, request: Request, kind: str, namespace: str, name: str, number: int) -> Response:
        """Read what reviewers say of a pull request, and what its branch still asks for."""
        pull = proposing.find(self.repo(request, kind, namespace, name), number)
        return Response(_reviews(pull, request))

    @extend_schema(request=ReviewInput, responses={201: ReviewsShape})
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str, number: int) -> Response:
        """Approve a pull request, or ask for changes."""
        pull = proposing.find(self.repo(request, kind, namespace, name), number)
        sent = ReviewInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        if values["comment"].strip():
            values["comment"] = posting.checked_text(values["comment"])
        proposing.review(pull, by=request.user, **values)
        return Response(_reviews(pull, request), status=201)


class Merge(HubView):
    @extend_schema(request=MergeInput, responses=MergedShape)
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str, number: int) -> Response:
        """Bring a pull request into its branch."""
        repo = self.repo(request, kind, namespace, name)
        pull = proposing.find(repo, number)
        sent = MergeInput(data=request.data)
        sent.is_valid(raise_exception=True)
        made = merging.merge(pull, by=request.user, **sent.validated_data)
        return Response({"status": pull.status, "merge_commit": made.oid})


def _filtered(request: Request, rows: Any) -> Any:
    status, kind = (request.query_params.get(name, "") for name in ("status", "kind"))
    if status not in {"", "open", "closed"} or kind not in {"", "discussion", "pull_request"}:
        raise InvalidInput(_("“status” is open or closed, “kind” is discussion or pull_request."))
    if kind:
        rows = rows.filter(is_pull_request=kind == "pull_request")
    return {"open": rows.live, "closed": rows.over}.get(status, rows.all)()


def _reviews(pull: PullRequest, request: Request) -> Any:
    look = reviewing.look(pull)
    standing = look.standing()
    facts = {
        "head": approving.head_of(pull),
        "reviews": standing.said,
        "approvers": standing.approvers,
        "objectors": standing.objectors,
        "lacking": look.refusals(request.user),
    }
    return ReviewsShape(facts).data


def _whole(repo: Repo, topic: Topic) -> Any:
    change: Any = None
    if topic.is_pull_request and topic.number is not None:
        change = proposing.find(repo, topic.number)
        review = reviewing.look(change)
        change.conflicts, change.obstacle = review.conflicts, review.obstacle
    topic.change = change  # type: ignore[attr-defined]
    return WholeTopicShape(topic).data
