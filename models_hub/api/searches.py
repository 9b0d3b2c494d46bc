"""/api/v1/saved-searches: lists that somebody wants to come back to."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from models_hub.models import Repo, SavedSearch
from models_hub.searching import saving
from portal.api.idempotency import once
from portal.api.people import whole_person


class SearchInput(serializers.Serializer[None]):
    """A search that is to be kept; of its query string stays what a list understands."""

    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=Repo.Kind.choices)
    query = serializers.CharField(
        max_length=saving.LONGEST, default="", allow_blank=True, help_text="As in the address of the list."
    )


class SavedSearchShape(serializers.ModelSerializer[SavedSearch]):
    """A saved search; `url` is the address of its page, without the host."""

    id = serializers.IntegerField()
    url = serializers.CharField(source="address")

    class Meta:
        model = SavedSearch
        fields: tuple[str, ...] = ("id", "name", "kind", "query", "url", "seen_at", "created_at")


class ListedSearchShape(SavedSearchShape):
    """A saved search with what is new in it."""

    new = serializers.SerializerMethodField(help_text="Repositories created since you looked at its page.")

    class Meta(SavedSearchShape.Meta):
        fields = (*SavedSearchShape.Meta.fields, "new")

    def get_new(self, search: SavedSearch) -> int:
        return int(self.context["new"][search.pk])


class SearchesShape(serializers.Serializer[Any]):
    """All of one's saved searches; they are few."""

    results = ListedSearchShape(many=True)


class SavedSearches(APIView):
    needs_of_token: str | None = None

    @extend_schema(responses=SearchesShape)
    def get(self, request: Request) -> Response:
        """List your saved searches, by kind and name."""
        user = whole_person(request)
        found = [one for kind in Repo.Kind.values for one in saving.of(user, kind)]
        context = {"new": {search.pk: fresh for search, fresh in found}}
        return Response(SearchesShape({"results": [search for search, _fresh in found]}, context=context).data)

    @extend_schema(request=SearchInput, responses={201: SavedSearchShape})
    @once
    def post(self, request: Request) -> Response:
        """Keep a search under a name."""
        user = whole_person(request)
        sent = SearchInput(data=request.data)
        sent.is_valid(raise_exception=True)
        return Response(SavedSearchShape(saving.save(by=user, **sent.validated_data)).data, status=201)


class OneSavedSearch(APIView):
    needs_of_token: str | None = None

    @extend_schema(responses={204: None})
    def delete(self, request: Request, search_id: int) -> Response:
        """Forget a saved search."""
        user = whole_person(request)
        saving.remove(get_object_or_404(user.saved_searches, pk=search_id).pk, by=user)
        return Response(status=204)
