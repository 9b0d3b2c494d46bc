"""/api/v1/collections."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import curating
from models_hub.api.pages import HubView
from models_hub.api.shapes import CollectionShape, ItemShape
from models_hub.models import Collection, Repo
from models_hub.models.collections import MAX_DESCRIPTION, MAX_NOTE, MAX_TITLE, THEMES
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.authentication import require_user
from portal.names import MAX_NAME

SHOWN_IN_LISTS = 4
TYPES = [*Repo.Kind.values, "collection"]


class NewCollectionInput(serializers.Serializer[None]):
    """A collection that is to be. Without `namespace` it is your own."""

    title = serializers.CharField(max_length=MAX_TITLE)
    namespace = serializers.CharField(max_length=MAX_NAME, default="", allow_blank=True)
    description = serializers.CharField(max_length=MAX_DESCRIPTION, default="", allow_blank=True)
    private = serializers.BooleanField(default=False)


class CollectionChanges(serializers.Serializer[None]):
    """What is to change; what is not named stays."""

    title = serializers.CharField(max_length=MAX_TITLE, required=False)
    description = serializers.CharField(max_length=MAX_DESCRIPTION, required=False, allow_blank=True)
    private = serializers.BooleanField(required=False)
    theme = serializers.ChoiceField(choices=THEMES, required=False)
    position = serializers.IntegerField(min_value=0, max_value=10_000, required=False)


class NewItemInput(serializers.Serializer[None]):
    """What is put in: a repository by its full name, or a collection by its slug."""

    type = serializers.ChoiceField(choices=TYPES)
    name = serializers.CharField(max_length=300)
    note = serializers.CharField(max_length=MAX_NOTE, default="", allow_blank=True)


class ItemChanges(serializers.Serializer[None]):
    """A new note, or a new place counted from 0."""

    note = serializers.CharField(max_length=MAX_NOTE, required=False, allow_blank=True)
    position = serializers.IntegerField(min_value=0, max_value=10_000, required=False)


class Collections(HubView):
    pagination_class = NewestFirst

    @extend_schema(parameters=[*PAGE, query("owner")], responses=paged(CollectionShape))
    def get(self, request: Request) -> Response:
        """List the collections that you may see, newest first, each with the first of its items."""
        rows = Collection.objects.visible_to(request.user)
        if owner := request.query_params.get("owner"):
            rows = rows.owned_by(owner)
        pages = NewestFirst()
        found = rows.with_items(request.user, most=SHOWN_IN_LISTS)
        page = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(CollectionShape(page, many=True).data)

    @extend_schema(request=NewCollectionInput, responses={201: CollectionShape})
    @once
    def post(self, request: Request) -> Response:
        """Create a collection."""
        sent = NewCollectionInput(data=request.data)
        sent.is_valid(raise_exception=True)
        user, values = require_user(request), sent.validated_data
        made = curating.create(by=user, **(values | {"namespace": values["namespace"] or user.username}))
        return Response(_shown(request, made), status=201)


class OneCollection(HubView):
    @extend_schema(responses=CollectionShape)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """Read a collection with all that you may see of it."""
        return Response(_shown(request, _load(request, owner, slug)))

    @extend_schema(request=CollectionChanges, responses=CollectionShape)
    def patch(self, request: Request, owner: str, slug: str) -> Response:
        """Change title, description, theme, visibility or place."""
        found = _load(request, owner, slug)
        sent = CollectionChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response(_shown(request, curating.change(found, by=require_user(request), **sent.validated_data)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, owner: str, slug: str) -> Response:
        """Delete a collection; what is in it stays where it is."""
        curating.delete(_load(request, owner, slug), by=require_user(request))
        return Response(status=204)


class Upvote(HubView):
    needs_of_token: str | None = "collections"  # noqa: S105  (the name of a permission)

    @extend_schema(request=None, responses=CollectionShape)
    def put(self, request: Request, owner: str, slug: str) -> Response:
        """Like a collection."""
        return self._vote(request, owner, slug, up=True)

    @extend_schema(responses={200: CollectionShape})
    def delete(self, request: Request, owner: str, slug: str) -> Response:
        """Take a like back."""
        return self._vote(request, owner, slug, up=False)

    def _vote(self, request: Request, owner: str, slug: str, *, up: bool) -> Response:
        found = _load(request, owner, slug)
        curating.upvote(found, by=require_user(request), up=up)
        return Response(_shown(request, found))


class Items(HubView):
    @extend_schema(request=NewItemInput, responses={201: ItemShape})
    @once
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Put something at the end of a collection."""
        found = _load(request, owner, slug)
        sent = NewItemInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        target = curating.find_target(request.user, kind=values["type"], name=values["name"])
        made = curating.add(found, by=require_user(request), target=target, note=values["note"])
        return Response(ItemShape(made).data, status=201)


class OneItem(HubView):
    @extend_schema(request=ItemChanges, responses=ItemShape)
    def patch(self, request: Request, owner: str, slug: str, item: str) -> Response:
        """Change an item's note, or its place."""
        row = curating.find_item(_load(request, owner, slug), request.user, item)
        sent = ItemChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        curating.change_item(row, by=require_user(request), **sent.validated_data)
        return Response(ItemShape(row).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, owner: str, slug: str, item: str) -> Response:
        """Take something out of a collection."""
        row = curating.find_item(_load(request, owner, slug), request.user, item)
        curating.remove(row, by=require_user(request))
        return Response(status=204)


def _load(request: Request, owner: str, slug: str) -> Collection:
    return curating.visible(request.user, f"{owner}/{slug}")


def _shown(request: Request, collection: Collection) -> Any:
    return CollectionShape(Collection.objects.with_items(request.user).get(pk=collection.pk)).data
