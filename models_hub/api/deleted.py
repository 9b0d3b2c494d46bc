"""/api/v1/deleted: an owner's deleted repositories, brought back or removed for good while their days last."""

from datetime import datetime

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from models_hub import accounting, trash
from models_hub.api.pages import HubView
from models_hub.api.shapes import RepoShape
from models_hub.models import Deletion
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE, query
from portal.authentication import require_user
from portal.models import Namespace
from portal.names import MAX_NAME


class NewNameInput(serializers.Serializer[None]):
    """Another name, where its own was taken meanwhile."""

    name = serializers.CharField(max_length=MAX_NAME, default="", allow_blank=True)


class DeletedShape(serializers.ModelSerializer[Deletion]):
    """A deleted repository."""

    id = serializers.IntegerField()
    kind = serializers.CharField(source="repo.kind")
    name = serializers.CharField(source="repo.full_name")
    was_private = serializers.BooleanField()
    deleted_by = serializers.CharField(source="by.username", default=None, allow_null=True)
    deleted_at = serializers.DateTimeField(source="at")
    gone_at = serializers.SerializerMethodField(help_text="When it will be gone for good.")
    bytes = serializers.SerializerMethodField(help_text="They count until it is gone.")

    class Meta:
        model = Deletion
        fields = ("id", "kind", "name", "was_private", "deleted_by", "deleted_at", "gone_at", "bytes")

    def get_gone_at(self, deletion: Deletion) -> datetime:
        return trash.gone_at(deletion)

    def get_bytes(self, deletion: Deletion) -> int:
        held: dict[int, int] = self.context["held"]
        return held[deletion.repo_id]


class Deleted(HubView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(DeletedShape))
    def get(self, request: Request, owner: str) -> Response:
        """List the deleted repositories of an owner, the latest first; for who may bring them back."""
        pages = NewestFirst()
        page = pages.paginate_queryset(trash.kept(_undone_by(request, owner)), request, view=self) or []
        held = accounting.of_each(row.repo_id for row in page)
        return pages.get_paginated_response(DeletedShape(page, many=True, context={"held": held}).data)


class Restoration(HubView):
    @extend_schema(request=NewNameInput, responses=RepoShape)
    @once
    def post(self, request: Request, owner: str, deletion_id: int) -> Response:
        """Bring a repository back as it was."""
        found = trash.find(_undone_by(request, owner), deletion_id)
        sent = NewNameInput(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response(RepoShape(trash.restore(found, by=request.user, **sent.validated_data)).data)


class OneDeleted(HubView):
    @extend_schema(
        parameters=[query("name", str, "The full name of the repository, to be sure.", required=True)],
        responses={204: None},
    )
    def delete(self, request: Request, owner: str, deletion_id: int) -> Response:
        """Remove a deleted repository for good, before its days are over."""
        found = trash.find(_undone_by(request, owner), deletion_id)
        trash.erase(found, by=request.user, typed=request.query_params.get("name", ""))
        return Response(status=204)


def _undone_by(request: Request, owner: str) -> Namespace:
    """Return an owner's namespace to who may undo its deletions."""
    user = require_user(request)
    found = get_object_or_404(Namespace.objects.select_related("user", "organization").known_as(owner))
    trash.require_undoer(user, found)
    return found
