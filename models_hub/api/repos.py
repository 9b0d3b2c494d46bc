"""/api/v1/models, /datasets and /spaces: repositories as wholes."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import gating, liking, listing, moving, permissions, publishing, trash
from models_hub.api.pages import HubView, address_of, page_answer
from models_hub.api.shapes import FacetsShape, RepoShape, WholeRepoShape
from models_hub.models import Repo
from portal.api.idempotency import once
from portal.api.pagination import paged
from portal.api.schema import query
from portal.errors import InvalidInput
from portal.names import MAX_NAME


class NewRepoInput(serializers.Serializer[None]):
    """A repository that is to be. Without `namespace` it is your own."""

    name = serializers.CharField(max_length=MAX_NAME)
    namespace = serializers.CharField(max_length=MAX_NAME, default="", allow_blank=True)
    private = serializers.BooleanField(default=False)


class RepoChanges(serializers.Serializer[None]):
    """What is to change; what is not named stays. A new `name` or `namespace` leaves the old address leading here."""

    name = serializers.CharField(max_length=MAX_NAME, required=False)
    namespace = serializers.CharField(max_length=MAX_NAME, required=False)
    private = serializers.BooleanField(required=False)
    gated = serializers.ChoiceField(choices=Repo.Gate.choices, required=False, allow_blank=True)


FILTERS = [query(name) for name in ("search", "sort", *listing.FILTERS)]


class Repos(HubView):
    @extend_schema(parameters=[*FILTERS, query("cursor")], responses=paged(RepoShape))
    def get(self, request: Request, kind: str) -> Response:
        """List the repositories that you may see, with the filters and orders of the page."""
        asked = listing.Query.read(kind, request.query_params)
        page = listing.page_of(asked, user=request.user)
        following = address_of(request, {"cursor": page.next_cursor}) if page.next_cursor else None
        return Response(page_answer(RepoShape(page.repos, many=True).data, following))

    @extend_schema(request=NewRepoInput, responses={201: WholeRepoShape})
    @once
    def post(self, request: Request, kind: str) -> Response:
        """Create a repository."""
        sent = NewRepoInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        repo = publishing.create_repo(
            by=request.user,
            namespace=values["namespace"] or request.user.get_username(),
            kind=kind,
            name=values["name"],
            private=values["private"],
            sdk=publishing.STATIC if kind == Repo.Kind.SPACE else "",
        )
        return Response(_whole(request, repo), status=201)


class Facets(HubView):
    @extend_schema(parameters=FILTERS, responses=FacetsShape)
    def get(self, request: Request, kind: str) -> Response:
        """Count what each filter would leave of the list, of what you may see."""
        page = listing.page_of(listing.Query.read(kind, request.query_params), user=request.user, with_facets=True)
        return Response(FacetsShape(page).data)


class OneRepo(HubView):
    @extend_schema(responses=WholeRepoShape)
    def get(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Read one repository."""
        return Response(_whole(request, self.repo(request, kind, namespace, name)))

    @extend_schema(request=RepoChanges, responses=WholeRepoShape)
    def patch(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Change who may see it and download it, its name and its owner."""
        repo = self.managed(request, kind, namespace, name)
        sent = RepoChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        if not values:
            raise InvalidInput(_("Say what is to change: name, namespace, private or gated."))
        with transaction.atomic():
            if "private" in values:
                publishing.set_private(repo, by=request.user, private=values["private"])
            if "gated" in values:
                gating.set_gate(repo, by=request.user, gate=values["gated"])
            if {"name", "namespace"} & values.keys():
                owner = values.get("namespace", repo.namespace.name)
                moving.move_repo(repo, by=request.user, namespace=owner, name=values.get("name", repo.name))
        return Response(_whole(request, repo))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, kind: str, namespace: str, name: str) -> Response:
        """Delete it with all that is in it; its owner may bring it back for some days."""
        trash.delete(self.repo(request, kind, namespace, name), by=request.user)
        return Response(status=204)


def _whole(request: Request, repo: Repo) -> Any:
    context = {
        "may_write": permissions.can_write(request.user, repo),
        "may_manage": permissions.can_manage(request.user, repo),
        "liked": liking.has_liked(request.user, repo),
    }
    return WholeRepoShape(repo, context=context).data
