"""/api/v1/forum: categories, topics and posts of the forum, and what people put on them and keep for themselves.

Posts are named by their ids whether they are in the forum or in the discussion of a repository.
"""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from forum import accepting, discussing, drafting, keeping_order, marking, opening, permissions, polling, posting
from forum import rearranging as moving
from forum.api.forum_shapes import (
    BookmarkInput,
    BookmarkShape,
    CategoryShape,
    DraftInput,
    DraftShape,
    ForumPostChanges,
    ForumPostInput,
    ForumPostShape,
    ForumTopicChanges,
    ForumTopicInput,
    ForumTopicShape,
    MergeTopicsInput,
    PollShape,
    SplitInput,
    VoteInput,
)
from forum.models import LISTED, Bookmark, Category, Draft, Post, Topic
from forum.opening import NewTopic
from forum.polling import NewPoll
from models_hub.api.pages import HubView
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, OldestFirst, paged
from portal.api.schema import PAGE, query
from portal.errors import NotFound
from portal.models import Asker


class LatestFirst(NewestFirst):
    """Topics in the order of their last posts."""

    ordering = "-last_post_id"


class ForumCategories(HubView):
    @extend_schema(responses=CategoryShape(many=True))
    def get(self, request: Request) -> Response:
        """List the categories that you may enter."""
        rooms = Category.objects.visible_to(request.user).filter(archived_at=None)
        return Response(CategoryShape(rooms, many=True).data)


class ForumTopics(HubView):
    pagination_class = LatestFirst

    @extend_schema(
        parameters=[*PAGE, query("category", str, "its slug"), query("tag", str, "one tag")],
        responses=paged(ForumTopicShape),
    )
    def get(self, request: Request) -> Response:
        """List topics, the one with the latest post first."""
        rows = Topic.objects.in_forum(request.user).filter(LISTED).select_related("author", "category", "repo")
        if category := request.query_params.get("category"):
            rows = rows.filter(category__slug=category[:40])
        if tag := request.query_params.get("tag"):
            rows = rows.filter(tag_links__tag__name=tag.lower()[:40])
        pages = LatestFirst()
        page = pages.paginate_queryset(rows.prefetch_related("tag_links__tag"), request, view=self) or []
        return pages.get_paginated_response(ForumTopicShape(page, many=True).data)

    @extend_schema(request=ForumTopicInput, responses={201: ForumTopicShape})
    @once
    def post(self, request: Request) -> Response:
        """Begin a topic."""
        sent = ForumTopicInput(data=request.data)
        sent.is_valid(raise_exception=True)
        given = dict(sent.validated_data)
        category, poll = _category(given.pop("category"), request.user), given.pop("poll")
        if poll:
            poll = NewPoll(**{**poll, "options": tuple(poll["options"])})
        topic = opening.open_topic(category=category, by=request.user, new=NewTopic(poll=poll, **given))
        return Response(ForumTopicShape(topic).data, status=201)


class OneForumTopic(HubView):
    @extend_schema(responses=ForumTopicShape)
    def get(self, request: Request, topic: int) -> Response:
        """Read one topic; its posts are below it."""
        return Response(ForumTopicShape(opening.find(topic, request.user)).data)

    @extend_schema(request=ForumTopicChanges, responses=ForumTopicShape)
    def patch(self, request: Request, topic: int) -> Response:
        """Rename, tag, close, open, slow down or move a topic."""
        found = opening.find(topic, request.user)
        sent = ForumTopicChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        given = sent.validated_data
        who: dict[str, Any] = {"by": request.user, "reason": given["reason"]}
        if "title" in given:
            keeping_order.rename(found, title=given["title"], **who)
        if "tags" in given:
            keeping_order.retag(found, tags=given["tags"], **who)
        if "kind" in given:
            keeping_order.change_kind(found, kind=given["kind"], **who)
        if "slow_seconds" in given:
            keeping_order.slow(found, seconds=given["slow_seconds"], **who)
        if "category" in given:
            moving.move(found, to=_category(given["category"], request.user), **who)
        if "status" in given:
            (keeping_order.close if given["status"] == "closed" else keeping_order.reopen)(found, **who)
        return Response(ForumTopicShape(opening.find(topic, request.user)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, topic: int) -> Response:
        """Take a topic away: yours while nobody has answered, any where you keep order."""
        keeping_order.delete(opening.find(topic, request.user), by=request.user)
        return Response(status=204)


class ForumPosts(HubView):
    pagination_class = OldestFirst

    @extend_schema(parameters=PAGE, responses=paged(ForumPostShape))
    def get(self, request: Request, topic: int) -> Response:
        """List what was said and done in a topic."""
        found = opening.find(topic, request.user)
        moderates = request.user.is_authenticated and permissions.can_moderate(request.user, found)
        rows = Post.objects.shown_to(request.user, moderates=moderates).filter(topic=found)
        pages = _ByNumber()
        page = pages.paginate_queryset(rows.select_related("author"), request, view=self) or []
        posting.render_again(None, page)
        return pages.get_paginated_response(ForumPostShape(page, many=True).data)

    @extend_schema(request=ForumPostInput, responses={201: ForumPostShape})
    @once
    def post(self, request: Request, topic: int) -> Response:
        """Answer in a topic."""
        found = opening.find(topic, request.user)
        sent = ForumPostInput(data=request.data)
        sent.is_valid(raise_exception=True)
        given = sent.validated_data
        to = opening.find_post(given["reply_to"], request.user) if given["reply_to"] else None
        made = opening.reply(found, by=request.user, text=given["text"], to=to)
        return Response(ForumPostShape(made).data, status=201)


class _ByNumber(OldestFirst):
    ordering = "number"


class OneForumPost(HubView):
    @extend_schema(responses=ForumPostShape)
    def get(self, request: Request, post: int) -> Response:
        """Read one post."""
        return Response(ForumPostShape(opening.find_post(post, request.user)).data)

    @extend_schema(request=ForumPostChanges, responses=ForumPostShape)
    def patch(self, request: Request, post: int) -> Response:
        """Edit a post of yours; what it said before is kept."""
        found = opening.find_post(post, request.user)
        sent = ForumPostChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        discussing.edit(found, by=request.user, **sent.validated_data)
        return Response(ForumPostShape(found).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, post: int) -> Response:
        """Take a post out of sight for good."""
        discussing.hide(opening.find_post(post, request.user), by=request.user)
        return Response(status=204)


class ForumReaction(HubView):
    @extend_schema(request=None, responses={204: None})
    def put(self, request: Request, post: int, kind: str) -> Response:
        """Put a reaction on a post: like, thanks, insight, celebrate or confused."""
        marking.react(opening.find_post(post, request.user), by=request.user, kind=kind)
        return Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, post: int, kind: str) -> Response:
        """Take a reaction back."""
        marking.unreact(opening.find_post(post, request.user), by=request.user, kind=kind)
        return Response(status=204)


class ForumAcceptance(HubView):
    @extend_schema(request=None, responses={204: None})
    def put(self, request: Request, post: int) -> Response:
        """Say that a post solved the question."""
        accepting.accept(opening.find_post(post, request.user), by=request.user)
        return Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, post: int) -> Response:
        """Say that the question is open again."""
        found = opening.find_post(post, request.user)
        if found.topic.accepted_id == found.pk:
            accepting.unaccept(found.topic, by=request.user)
        return Response(status=204)


class ForumBookmark(HubView):
    @extend_schema(request=BookmarkInput, responses=BookmarkShape)
    def put(self, request: Request, post: int) -> Response:
        """Keep a post."""
        found = opening.find_post(post, request.user)
        sent = BookmarkInput(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response(BookmarkShape(marking.keep(found, by=request.user, **sent.validated_data)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, post: int) -> Response:
        """Forget a bookmark."""
        user = permissions.require_member(request.user)
        Bookmark.objects.filter(user=user, post=post).delete()
        return Response(status=204)


class ForumSplit(HubView):
    @extend_schema(request=SplitInput, responses={201: ForumTopicShape})
    @once
    def post(self, request: Request, topic: int) -> Response:
        """Move posts to a new topic, where you keep order."""
        found = opening.find(topic, request.user)
        sent = SplitInput(data=request.data)
        sent.is_valid(raise_exception=True)
        new = moving.split(found, by=request.user, **sent.validated_data)
        return Response(ForumTopicShape(opening.find(new.pk, request.user)).data, status=201)


class ForumMerge(HubView):
    @extend_schema(request=MergeTopicsInput, responses=ForumTopicShape)
    @once
    def post(self, request: Request, topic: int) -> Response:
        """Bring all posts of a topic to another one, where you keep order in both."""
        found = opening.find(topic, request.user)
        sent = MergeTopicsInput(data=request.data)
        sent.is_valid(raise_exception=True)
        into = opening.find(sent.validated_data["into"], request.user)
        moving.merge(found, by=request.user, into=into, reason=sent.validated_data["reason"])
        return Response(ForumTopicShape(opening.find(into.pk, request.user)).data)


class ForumPoll(HubView):
    @extend_schema(responses=PollShape)
    def get(self, request: Request, topic: int) -> Response:
        """Read the poll of a topic."""
        return Response(PollShape(_poll(opening.find(topic, request.user), request.user)).data)

    @extend_schema(request=VoteInput, responses=PollShape)
    def put(self, request: Request, topic: int) -> Response:
        """Vote; replaces what you chose before."""
        found = opening.find(topic, request.user)
        sent = VoteInput(data=request.data)
        sent.is_valid(raise_exception=True)
        polling.vote(_poll(found, request.user).poll, by=request.user, options=sent.validated_data["options"])
        return Response(PollShape(_poll(opening.find(topic, request.user), request.user)).data)


class ForumBookmarks(HubView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(BookmarkShape))
    def get(self, request: Request) -> Response:
        """List the posts that you keep."""
        user = permissions.require_member(request.user)
        shown = Post.objects.shown_to(user).filter(topic__in=opening.topics_seen(user), hidden_at=None)
        rows = Bookmark.objects.filter(user=user, post__in=shown).select_related("post__topic__repo__namespace")
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(BookmarkShape(page, many=True).data)


class ForumDrafts(HubView):
    @extend_schema(responses=DraftShape(many=True))
    def get(self, request: Request) -> Response:
        """List your unfinished texts."""
        user = permissions.require_member(request.user)
        drafts = Draft.objects.filter(user=user).order_by("-updated_at")[: drafting.MAX_DRAFTS]
        return Response(DraftShape(drafts, many=True).data)


class OneForumDraft(HubView):
    @extend_schema(responses=DraftShape)
    def get(self, request: Request, key: str) -> Response:
        """Read an unfinished text."""
        found = drafting.find(key, by=permissions.require_member(request.user))
        if found is None:
            raise NotFound(_("There is no draft of this kind."))
        return Response(DraftShape(found).data)

    @extend_schema(request=DraftInput, responses={200: DraftShape, 204: None})
    def put(self, request: Request, key: str) -> Response:
        """Keep an unfinished text: “new”, “repo:4”, “topic:7” or “post:9”; an empty one is forgotten."""
        sent = DraftInput(data=request.data)
        sent.is_valid(raise_exception=True)
        kept = drafting.save(key, by=request.user, **sent.validated_data)
        return Response(DraftShape(kept).data) if kept else Response(status=204)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key: str) -> Response:
        """Throw an unfinished text away."""
        drafting.discard(key, by=request.user)
        return Response(status=204)


def _category(slug: str, reader: Asker) -> Category:
    room = Category.objects.visible_to(reader).filter(slug=slug).first()
    if room is None:
        raise NotFound(_("There is no such category."))
    return room


def _poll(topic: Topic, reader: Asker) -> polling.Standing:
    standing = polling.standing(topic, reader)
    if standing is None:
        raise NotFound(_("This topic has no poll."))
    standing.poll.topic = topic
    return standing
