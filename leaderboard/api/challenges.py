"""/api/v1/challenges: reading them, taking part, entries and standings."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from leaderboard.api.challenge_shapes import (
    ChallengeEntryInput,
    ChallengeEntryShape,
    ChallengeShape,
    FinalsInput,
    MembershipInput,
    MembershipShape,
    StandingsShape,
    line_of,
)
from leaderboard.api.inputs import find_repo
from leaderboard.challenges import entering, permissions, standings, teams
from leaderboard.models import Challenge, ChallengeData, Entry, Judgement, Team
from models_hub import contents
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.api.idempotency import once
from portal.api.pagination import NewestFirst, paged
from portal.api.parsing import BoundedJSONParser
from portal.api.schema import PAGE, query
from portal.errors import InvalidInput, NotFound, SignInRequired
from portal.models import Job, User
from portal.reach import is_limited

ENTRY_REQUEST = {"application/json": ChallengeEntryInput, "multipart/form-data": ChallengeEntryInput}


class Challenges(APIView):
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(ChallengeShape))
    def get(self, request: Request) -> Response:
        """List the challenges that you may see, newest first."""
        pages = NewestFirst()
        rows = Challenge.objects.visible_to(request.user).listed()
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(ChallengeShape(page, many=True).data)


class OneChallenge(APIView):
    @extend_schema(responses=ChallengeShape)
    def get(self, request: Request, slug: str) -> Response:
        """Read one challenge."""
        return Response(ChallengeShape(_challenge(request, slug)).data)


class Membership(APIView):
    @extend_schema(request=MembershipInput, responses={201: MembershipShape})
    @once
    def post(self, request: Request, slug: str) -> Response:
        """Accept the rules and take part."""
        challenge = _challenge(request, slug)
        sent = MembershipInput(data=request.data)
        sent.is_valid(raise_exception=True)
        accepts = sent.validated_data["accept_rules"]
        member = teams.join(challenge, by=request.user, accepts_rules=accepts)
        return Response(MembershipShape(member).data, status=201)


class Questions(APIView):
    @extend_schema(responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY})
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Download the questions, one JSON object a line; for whoever accepted the rules."""
        challenge = _challenge(request, slug)
        data = ChallengeData.objects.select_related("questions").filter(challenge=challenge).first()
        if not permissions.can_read_questions(request.user, challenge) or data is None or data.questions is None:
            raise NotFound(_("There are no questions for you, or not yet: accept the rules first."))
        headers = {"Content-Length": str(data.questions.size), "Cache-Control": "private, no-cache"}
        return StreamingHttpResponse(
            contents.stream(data.questions), content_type="application/x-ndjson", headers=headers
        )


class Standings(APIView):
    @extend_schema(parameters=[query("after", int, "The “next” of the page before.")], responses=StandingsShape)
    def get(self, request: Request, slug: str) -> Response:
        """Read the standings: rounded public scores while it runs, the private ones with intervals after the reveal."""
        challenge = _challenge(request, slug)
        if challenge.is_revealed:
            places = standings.final(challenge)
            seen = standings.models_seen(places, request.user)
            lines = [line_of(one.team, rank=one.rank, score=one.value, place=one, seen=seen) for one in places]
            more = None
        else:
            found, more = standings.public(challenge, after=_after(challenge, request.query_params.get("after", "")))
            lines = [line_of(one.team, rank=one.rank, score=one.team.shown or 0.0) for one in found]
        answer = {"is_final": challenge.is_revealed, "metric": challenge.metric, "next": more.pk if more else None}
        return Response(StandingsShape({**answer, "results": lines}).data)


class Entries(APIView):
    parser_classes = (BoundedJSONParser, MultiPartParser)
    pagination_class = NewestFirst

    @extend_schema(parameters=PAGE, responses=paged(ChallengeEntryShape))
    def get(self, request: Request, slug: str) -> Response:
        """List the entries of your team, newest first."""
        team = _team(request, _challenge(request, slug))
        pages = NewestFirst()
        rows = _shown(standings.entries_of(team), request).select_related("team")
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(_shaped(page, team.challenge, many=True))

    @extend_schema(
        request={"application/json": ChallengeEntryInput, "multipart/form-data": ChallengeEntryInput},
        responses={201: ChallengeEntryShape},
    )
    @once
    def post(self, request: Request, slug: str) -> Response:
        """Enter a model, or a file of predictions as multipart/form-data; wrong lines come back with their numbers."""
        challenge = _challenge(request, slug)
        sent = ChallengeEntryInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        if ("model" in values) == ("file" in values):
            raise InvalidInput(_("Name a model, or send a file: one of both."))
        code = find_repo(request.user, values["code"], *Repo.Kind.values) if values["code"] else None
        more: dict[str, Any] = {"by": request.user, "note": values["note"], "code": code}
        if "file" in values:
            file = values["file"]
            entry = entering.enter_file(challenge, name=file.name, chunks=file.chunks(), **more)
        else:
            model = find_repo(request.user, values["model"], Repo.Kind.MODEL)
            entry = entering.enter_model(challenge, model, revision=values.get("revision", DEFAULT_BRANCH), **more)
        return Response(_shaped(entry, challenge), status=201)


class OneEntry(APIView):
    @extend_schema(responses=ChallengeEntryShape)
    def get(self, request: Request, slug: str, entry_id: int) -> Response:
        """Read an entry of your team."""
        challenge = _challenge(request, slug)
        return Response(_shaped(_entry(request, challenge, entry_id), challenge))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, entry_id: int) -> Response:
        """Take an entry back that is not judged yet."""
        entering.cancel(_entry(request, _challenge(request, slug), entry_id), by=request.user)
        return Response(status=204)


class Finals(APIView):
    @extend_schema(request=FinalsInput, responses={204: None})
    def put(self, request: Request, slug: str) -> Response:
        """Choose which entries count in the end; none for the best public one."""
        team = _team(request, _challenge(request, slug))
        sent = FinalsInput(data=request.data)
        sent.is_valid(raise_exception=True)
        entering.choose_finals(team, set(sent.validated_data["entries"]), by=request.user)
        return Response(status=204)


def _challenge(request: Request, slug: str) -> Challenge:
    return get_object_or_404(Challenge.objects.visible_to(request.user).listed(), slug=slug)


def _team(request: Request, challenge: Challenge) -> Team:
    if not isinstance(request.user, User):
        raise SignInRequired(_("Sign in first."))
    team = teams.require_member(challenge, request.user).team
    team.challenge = challenge
    return team


def _entry(request: Request, challenge: Challenge, entry_id: int) -> Entry:
    rows = Entry.objects.select_related("job", "team__challenge", "model__namespace", "sent_by")
    return get_object_or_404(_shown(rows, request), pk=entry_id, team=_team(request, challenge))


def _shown(rows: QuerySet[Entry], request: Request) -> QuerySet[Entry]:
    """Narrow entries, which name models and code, to those of which a limited token shows the job."""
    return rows.filter(job__in=Job.objects.visible_to(request.user)) if is_limited(request.user) else rows


def _shaped(entries: Any, challenge: Challenge, *, many: bool = False) -> Any:
    """Return entries as they are shown: with their private scores once those are revealed."""
    keys = [entry.pk for entry in entries] if many else [entries.pk]
    found = Judgement.objects.filter(entry__in=keys) if challenge.is_revealed else Judgement.objects.none()
    judgements = {one.entry_id: one for one in found}
    return ChallengeEntryShape(entries, many=many, context={"judgements": judgements}).data


def _after(challenge: Challenge, number: str) -> Team | None:
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return Team.objects.filter(challenge=challenge, pk=int(number)).first()
