"""/api/v1/me/audit: what happened to one's account."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.api.pagination import NewestFirst, paged
from portal.api.people import whole_person
from portal.api.schema import PAGE
from portal.models import AuditEntry


class AuditShape(serializers.ModelSerializer[AuditEntry]):
    """Something that happened; `text` is in the language asked for."""

    id = serializers.IntegerField()
    text = serializers.SerializerMethodField()
    by = serializers.CharField(source="actor.username", default=None, allow_null=True)
    details: Any = serializers.DictField()

    class Meta:
        model = AuditEntry
        fields = ("id", "kind", "text", "by", "details", "address", "agent", "created_at")

    def get_text(self, entry: AuditEntry) -> str:
        return _(entry.title)


class Audit(APIView):
    needs_of_token: str | None = None
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(AuditShape))
    def get(self, request: Request) -> Response:
        """List what happened to your account, the latest first."""
        rows = AuditEntry.objects.filter(account=whole_person(request)).select_related("actor")
        pages = NewestFirst()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(AuditShape(page, many=True).data)
