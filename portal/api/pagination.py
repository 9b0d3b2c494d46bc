"""Pages of the REST API, each with the address of the next one; pages never shift under a reader."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """`?limit=` sets the page size; `next` in the answer is the address of the following page."""

    ordering: str | tuple[str, ...] = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200


class OldestFirst(NewestFirst):
    """The same, in the order in which things happened."""

    ordering = "id"


@cache
def paged(shape: type[serializers.BaseSerializer[Any]]) -> serializers.Serializer[Any]:
    """Return the shape of one page of a list, for the schema, which wants the same one for the same rows."""
    fields: Mapping[str, Any] = {
        "next": serializers.URLField(allow_null=True, help_text="The address of the next page, null at the end."),
        "previous": serializers.URLField(allow_null=True),
        "results": shape(many=True),
    }
    name = shape.__name__.removesuffix("Shape")
    return inline_serializer(f"{name}Page", dict(fields))
