"""/api/v1/wishes: what people want to see measured next."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard import wishing
from leaderboard.api.inputs import WishInput, find_benchmark, find_repo
from leaderboard.api.shapes import WishShape
from leaderboard.models import Wish
from models_hub.models import Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.schema import PAGE


class MostWanted(NewestFirst):
    ordering = ("-votes", "id")


class Wishes(APIView):
    pagination_class = MostWanted

    @extend_schema(parameters=PAGE, responses=paged(WishShape))
    def get(self, request: Request) -> Response:
        """List the open wishes, those with most votes first."""
        pages = MostWanted()
        page = pages.paginate_queryset(Wish.objects.open().most_wanted(), request, view=self) or []
        return pages.get_paginated_response(WishShape(page, many=True).data)

    @extend_schema(request=WishInput, responses=WishShape)
    @once
    def post(self, request: Request) -> Response:
        """Vote for measuring a model on a benchmark; doing it again changes nothing."""
        sent = WishInput(data=request.data)
        sent.is_valid(raise_exception=True)
        model = find_repo(request.user, sent.validated_data["model"], Repo.Kind.MODEL)
        benchmark = find_benchmark(request.user, sent.validated_data["benchmark"])
        return Response(WishShape(wishing.vote(model, benchmark, by=request.user)).data)


class OwnVote(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, wish_id: int) -> Response:
        """Take your vote back."""
        wishing.take_back(get_object_or_404(Wish.objects.open(), pk=wish_id), by=request.user)
        return Response(status=204)
