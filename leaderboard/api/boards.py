"""/api/v1/leaderboard: boards, seen as on their pages."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard.api.board_shapes import BoardShape
from leaderboard.api.suites import VERSION, suite_of
from leaderboard.board_views import LEFT_OUT, ORDERS, SIZES, View
from leaderboard.ranking import board_of
from portal.api.schema import query

PARAMETERS = [
    VERSION,
    query("size", str, f"models of at most so many parameters: {', '.join(SIZES)}"),
    query("min_parameters", str, "a number such as 5M"),
    query("max_parameters", str, "a number such as 25M"),
    query("max_disk", str, "bytes, such as 50MB"),
    query("max_memory", str, "the highest peak while it was measured, such as 500MB"),
    query("max_latency", float, "milliseconds for one example on the machine"),
    query("machine", str, "on which latencies were measured; without it that of most models"),
    query("license", str, "a class, such as permissive, or an exact licence"),
    query("language", str, "of the model, such as zh"),
    query("precision", str, "a number format of its weights, such as F32"),
    query("architecture", str, "as its config names it"),
    query("since", str, "the day of its newest result, or a later one"),
    query("verified", str, "1: each result was found again by another run"),
    query("contamination", str, f"leave models out: {', '.join(filter(None, LEFT_OUT))}"),
    query("q", str, "words of names; what is found keeps its rank"),
    query("sort", str, f"{', '.join(ORDERS)}, or b and the id of a benchmark; with - the other way round"),
    query("after", str, "where the page begins, as the page before says"),
]  # fmt: skip


class Leaderboard(APIView):
    @extend_schema(parameters=PARAMETERS, responses=BoardShape)
    def get(self, request: Request, slug: str) -> Response:
        """Read a page of the board of a suite: public models only, those that lack a score apart.

        Filters leave models out, and the others are ranked as if those were not there.
        """
        view = View.of(request.query_params, strict=True)
        return Response(BoardShape(board_of(suite_of(request, slug), view)).data)
