"""What challenges look like in the REST API. A score is there once pages show it, and as finely as they do."""

from collections.abc import Collection
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from leaderboard.models import Challenge, Entry, FinalPlace, Judgement, Team


class ChallengeShape(serializers.ModelSerializer[Challenge]):
    """A challenge: what is asked, by which rules, and when."""

    url = serializers.CharField(source="get_absolute_url")
    phase = serializers.CharField(help_text="draft, proposed, refused, upcoming, open, closed, revealed or confirmed")
    organizer = serializers.CharField(source="organizer.username", default=None, allow_null=True)
    series = serializers.CharField(source="series.slug", default=None, allow_null=True)
    task = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())
    licenses = serializers.ListField(child=serializers.CharField())
    lower_is_better = serializers.BooleanField()

    class Meta:
        model = Challenge
        fields = (
            "id", "url", "slug", "phase", "title", "title_zh", "summary", "summary_zh", "description", "description_zh",
            "rules", "rules_zh", "prizes", "prizes_zh", "organizer", "series", "task", "labels", "metric",
            "lower_is_better", "takes_models", "takes_predictions", "max_parameters", "max_bytes", "licenses",
            "opens_at", "merges_until", "closes_at", "objection_days", "team_size", "daily_limit", "final_limit",
            "takes_late", "revealed_at", "objections_until", "confirmed_at",
        )  # fmt: skip


class ChallengeEntryShape(serializers.ModelSerializer[Entry]):
    """An entry of one's own team."""

    team = serializers.CharField(source="team.name")
    sent_by = serializers.CharField(source="sent_by.username", default=None, allow_null=True)
    model = serializers.SerializerMethodField()
    commit = serializers.CharField(source="commit_oid")
    state = serializers.CharField(help_text="queued, leased, running, succeeded, failed or cancelled")
    reason = serializers.SerializerMethodField()
    job = serializers.IntegerField(source="job_id", allow_null=True)
    public_score = serializers.FloatField(
        source="shown", allow_null=True,
        help_text="Rounded; null while it is not judged, and where it is no gain by the ladder rule.",
    )  # fmt: skip
    private_score = serializers.SerializerMethodField()

    class Meta:
        model = Entry
        fields = (
            "id", "team", "sent_by", "sent_at", "model", "commit", "file_name", "note", "state", "reason", "job",
            "public_score", "private_score", "is_final", "is_late",
        )  # fmt: skip

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_model(self, entry: Entry) -> str | None:
        return entry.model_name or None

    def get_reason(self, entry: Entry) -> str:
        """Why it failed, in words; empty otherwise."""
        return "" if entry.judged_at or entry.job is None else entry.job.reason_text

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_private_score(self, entry: Entry) -> float | None:
        found: dict[int, Judgement] = self.context.get("judgements", {})
        one = found.get(entry.pk)
        return float(one.private["value"]) if one else None


class StandingShape(serializers.Serializer[Any]):
    """A line of the standings: by rounded public scores while it runs, by all private rows in the end."""

    rank = serializers.IntegerField(allow_null=True, help_text="null for a baseline")
    team = serializers.CharField()
    is_baseline = serializers.BooleanField()
    people = serializers.ListField(child=serializers.CharField())
    score = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    public_rank = serializers.IntegerField(allow_null=True)
    p_next = serializers.FloatField(allow_null=True, help_text="Paired test against the next below, by Holm.")
    model = serializers.CharField(allow_null=True)


class StandingsShape(serializers.Serializer[Any]):
    """The standings as they may be seen now."""

    is_final = serializers.BooleanField(help_text="By the private rows; they may change until it is confirmed.")
    metric = serializers.CharField()
    next = serializers.IntegerField(allow_null=True, help_text="?after= of the next page.")
    results = StandingShape(many=True)


class MembershipInput(serializers.Serializer[None]):
    accept_rules = serializers.BooleanField()


class MembershipShape(serializers.Serializer[Any]):
    team = serializers.CharField(source="team.name")
    accepted_at = serializers.DateTimeField()


class ChallengeEntryInput(serializers.Serializer[None]):
    """A model by its name, or a file of predictions as multipart/form-data."""

    model = serializers.CharField(max_length=200, required=False)
    revision = serializers.CharField(max_length=255, required=False)
    file = serializers.FileField(required=False)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    code = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text="The repository with what made it."
    )


class FinalsInput(serializers.Serializer[None]):
    entries = serializers.ListField(child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), max_length=10)


def line_of(
    team: Team, *, rank: int | None, score: float, place: FinalPlace | None = None, seen: Collection[int] = ()
) -> dict[str, Any]:
    """Return one line; a model is named where it is among those that the reader sees."""
    named = place.entry.model if place and place.entry.model_id in seen else None
    return {
        "rank": rank, "team": team.name, "is_baseline": team.is_baseline, "score": score,
        "people": [] if team.is_baseline else [one.user.username for one in vars(team)["people"]],
        "low": place.low if place else None, "high": place.high if place else None,
        "public_rank": place.public_rank if place else None, "p_next": place.p_next if place else None,
        "model": named.full_name if named else None,
    }  # fmt: skip
