"""/api/v1/notifications: a person's inbox, what is unread in it, and how the person hears of things."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal import inbox
from portal.api.schema import query
from portal.errors import InvalidInput, NotAllowed, SignInRequired
from portal.inbox import Line
from portal.models import Inbox, User
from portal.notification_kinds import CHANNELS, KINDS, channel_of, pushed
from portal.reach import may_use

MAX_IDS = 200


class NotificationShape(serializers.Serializer[Line]):
    """One line of the inbox."""

    id = serializers.IntegerField(source="row.pk")
    kind = serializers.CharField(source="row.kind")
    text = serializers.CharField(help_text="What happened, in the language asked for.")
    title = serializers.CharField(help_text="What it is about.")
    path = serializers.CharField(help_text="Where it leads to, without host.")
    people = serializers.SerializerMethodField(help_text="Who did it, the latest first, at most three.")
    times = serializers.IntegerField(source="row.times", help_text="How often it happened until now.")
    created_at = serializers.DateTimeField(source="row.created_at")
    read_at = serializers.DateTimeField(source="row.read_at", allow_null=True)

    def get_people(self, line: Line) -> list[str]:
        return [one.username for one in line.actors]


class NotificationsShape(serializers.Serializer[Any]):
    """A page of the inbox; `next_before` begins the next one."""

    results = NotificationShape(many=True)
    next_before = serializers.IntegerField(allow_null=True)


class UnreadShape(serializers.Serializer[Any]):
    """How much is unread, at most 100."""

    unread = serializers.IntegerField()


class WishShape(serializers.Serializer[Any]):
    """Which lines are to be taken for read: those of `ids`, or all when there are none."""

    ids = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=MAX_IDS, required=False)


class HearingShape(serializers.Serializer[Any]):
    """How a person hears of each kind, and when the digest comes."""

    digest = serializers.ChoiceField(choices=Inbox.Digest.values, required=False)
    time_zone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    channels = serializers.DictField(child=serializers.ChoiceField(choices=list(CHANNELS)), required=False)
    pushes = serializers.ListField(
        child=serializers.CharField(max_length=20), max_length=len(KINDS), required=False,
        help_text="The kinds of which your devices are told.",
    )  # fmt: skip


def _user(request: Request) -> User:
    if not isinstance(request.user, User):
        raise SignInRequired(_("Sign in to see your notifications."))
    if not may_use(request.user, "discussions"):
        raise NotAllowed(_("This access token may not read notifications."))
    return request.user


class Notifications(APIView):
    @extend_schema(
        parameters=[query("kind"), query("unread", bool), query("before", int, "The id before which it begins.")],
        responses=NotificationsShape,
    )
    def get(self, request: Request) -> Response:
        """List what you were told, the latest first, 30 a page."""
        asked = request.query_params
        before = asked.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 19):
            raise InvalidInput(_("“before” must be the id of a notification, a whole number."))
        page = inbox.page(
            _user(request), kind=asked.get("kind", ""), unread=asked.get("unread", "").lower() in {"1", "true"},
            before=int(before) if before else None,
        )  # fmt: skip
        return Response(NotificationsShape({"results": page.lines, "next_before": page.next_before}).data)


class Unread(APIView):
    @extend_schema(responses=UnreadShape)
    def get(self, request: Request) -> Response:
        """Count what is unread."""
        return Response(UnreadShape({"unread": inbox.count(_user(request))}).data)


class Reading(APIView):
    @extend_schema(request=WishShape, responses=UnreadShape)
    def put(self, request: Request) -> Response:
        """Take some or all of it for read."""
        user, wish = _user(request), WishShape(data=request.data)
        wish.is_valid(raise_exception=True)
        ids = wish.validated_data.get("ids")
        if ids is None:
            inbox.read_all(user)
        else:
            inbox.read(user, ids)
        return Response(UnreadShape({"unread": inbox.count(user)}).data)


class Hearing(APIView):
    @extend_schema(responses=HearingShape)
    def get(self, request: Request) -> Response:
        """Read how you hear of things."""
        return Response(_hearing(inbox.settings_of(_user(request))))

    @extend_schema(request=HearingShape, responses=HearingShape)
    def patch(self, request: Request) -> Response:
        """Change how you hear of things; what is not named stays."""
        user, wish = _user(request), HearingShape(data=request.data)
        wish.is_valid(raise_exception=True)
        own = inbox.settings_of(user)
        channels = dict(wish.validated_data.get("channels", {}))
        digest = wish.validated_data.get("digest", own.digest)
        zone, pushes = wish.validated_data.get("time_zone"), wish.validated_data.get("pushes")
        return Response(_hearing(inbox.prefer(user, channels=channels, digest=digest, time_zone=zone, pushes=pushes)))


def _hearing(own: Inbox) -> dict[str, Any]:
    channels = {name: channel_of(name, own.channels) for name, kind in KINDS.items() if not kind.forced}
    told = {"digest": own.digest, "time_zone": own.time_zone, "channels": channels}
    return dict(HearingShape(told | {"pushes": sorted(pushed(own.pushes))}).data)
