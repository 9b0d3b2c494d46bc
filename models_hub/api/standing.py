"""/api/v1/…/like, /watch, /downloads and /access-requests: who cares for a repository, and whom it lets in."""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import attention, gating, liking, watching
from models_hub.api.attention_shapes import DownloadsShape, WatchedShape
from models_hub.api.pages import HubView
from models_hub.api.shapes import AccessRequestShape, LikesShape, RepoShape
from models_hub.models import AccessRequest, Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.errors import InvalidInput
from portal.models import Namespace, User


class AnswersInput(serializers.Serializer[None]):
    """What the card asks of who wants access, by the names of its questions."""

    answers = serializers.DictField(default=dict)


class DecisionInput(serializers.Serializer[None]):
    """What becomes of a request; a reason belongs to a rejection."""

    status = serializers.ChoiceField(choices=AccessRequest.Status.choices)
    reason = serializers.CharField(max_length=gating.MAX_REASON, default="", allow_blank=True)


class Like(HubView):
    @extend_schema(request=None, responses=LikesShape)
    def put(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Like a repository; a second time changes nothing."""
        repo = self.repo(request, kind, namespace, name)
        liking.like(repo, by=request.user)
        return Response(LikesShape(repo).data)

    @extend_schema(responses={200: LikesShape})
    def delete(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Take a like back."""
        repo = self.repo(request, kind, namespace, name)
        liking.unlike(repo, by=request.user)
        return Response(LikesShape(repo).data)


class LikesOfPerson(HubView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(RepoShape))
    def get(self, request: Request, name: str) -> Response:
        """List the repositories that a person likes, the latest like first, as far as the person shows them."""
        people = User.objects.filter(namespace__in=Namespace.objects.known_as(name), is_active=True)
        rows = liking.likes_of(get_object_or_404(people), seen_by=request.user)
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(RepoShape([row.repo for row in page], many=True).data)


class Watch(HubView):
    @extend_schema(responses=WatchedShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Say whether you watch a repository."""
        return _watched(request, self.repo(request, kind, namespace, name))

    @extend_schema(request=None, responses=WatchedShape)
    def put(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Watch a repository: be told what happens in it. A second time changes nothing."""
        repo = self.repo(request, kind, namespace, name)
        watching.watch(repo, by=request.user)
        return _watched(request, repo)

    @extend_schema(responses={200: WatchedShape})
    def delete(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Watch it no longer."""
        repo = self.repo(request, kind, namespace, name)
        watching.unwatch(repo, by=request.user)
        return _watched(request, repo)


class Downloads(HubView):
    @extend_schema(responses=DownloadsShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Read the downloads of the last 90 days, today included, day by day and by kind of program."""
        return Response(DownloadsShape(attention.of(self.repo(request, kind, namespace, name))).data)


class AccessRequests(HubView):
    pagination_class = NewestFirst

    @extend_schema(parameters=[*PAGE, query("status")], responses=paged(AccessRequestShape))
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """List who asked for access; for writers of the repository."""
        repo = self.writable(request, kind, namespace, name)
        rows = AccessRequest.objects.filter(repo=repo).select_related("user")
        if status := request.query_params.get("status"):
            if status not in AccessRequest.Status.values:
                raise InvalidInput(_("“status” must be “accepted”, “rejected” or “pending”."))
            rows = rows.filter(status=status)
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(AccessRequestShape(page, many=True).data)

    @extend_schema(request=AnswersInput, responses=AccessRequestShape)
    @once
    def post(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Ask for access; asking again returns the request that is there."""
        repo = self.repo(request, kind, namespace, name)
        sent = AnswersInput(data=request.data)
        sent.is_valid(raise_exception=True)
        made = gating.ask(repo, by=request.user, answers=sent.validated_data["answers"])
        return Response(AccessRequestShape(made).data)


class OneAccessRequest(HubView):
    @extend_schema(request=DecisionInput, responses=AccessRequestShape)
    def patch(self, request: Request, kind: str, namespace: str, name: str, person: str) -> Response:
        """Accept or reject somebody's request, or put it back among the pending."""
        repo = self.writable(request, kind, namespace, name)
        sent = DecisionInput(data=request.data)
        sent.is_valid(raise_exception=True)
        found = gating.find(repo, by=request.user, username=person)
        gating.decide(found, by=request.user, **sent.validated_data)
        return Response(AccessRequestShape(found).data)

    @extend_schema(request=None, responses=AccessRequestShape)
    def put(self, request: Request, kind: str, namespace: str, name: str, person: str) -> Response:
        """Let somebody in who has not asked."""
        repo = self.repo(request, kind, namespace, name)
        return Response(AccessRequestShape(gating.grant(repo, by=request.user, username=person)).data)


def _watched(request: Request, repo: Repo) -> Response:
    return Response(WatchedShape({"watched": watching.is_watched(repo, by=request.user)}).data)
