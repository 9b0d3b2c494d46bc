"""What rows of the commons look like in the REST API."""

from typing import Any

from rest_framework import serializers

from portal import waiting
from portal.models import Job, JobLine, Membership, Organization, User
from portal.waiting import Outlook


class JobShape(serializers.ModelSerializer[Job]):
    """A job as anybody who may see what it is for may see it; a list gives all one `outlook` in the context."""

    explanation = serializers.SerializerMethodField(help_text="Why it waits or ended, in the language asked for.")
    position = serializers.SerializerMethodField(help_text="How many start before it; null when it is not in line.")
    starts_in = serializers.SerializerMethodField(
        help_text="Seconds until it may start, by what such jobs took lately; null where nobody can say."
    )

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id", "kind", "state", "progress", "reason_code", "explanation", "position", "starts_in", "warning",
            "attempt", "created_at", "started_at", "finished_at",
        )  # fmt: skip

    def get_explanation(self, job: Job) -> str:
        return waiting.explanation(job, self._outlook)

    def get_position(self, job: Job) -> int | None:
        return self._outlook.position(job) if job.state == Job.State.QUEUED else None

    def get_starts_in(self, job: Job) -> dict[str, float] | None:
        start = self._outlook.start(job) if job.state == Job.State.QUEUED else None
        return None if start is None else {"low": round(start.low, 1), "high": round(start.high, 1)}

    @property
    def _outlook(self) -> Outlook:
        outlook: Outlook | None = self.context.get("outlook")
        return outlook or Outlook()


class OwnJobShape(JobShape):
    """A job as its owner sees it; to staff who may only watch it, title and result are empty."""

    owner = serializers.SlugRelatedField[User]("username", read_only=True, allow_null=True)
    result = serializers.DictField()

    class Meta(JobShape.Meta):
        fields = (*JobShape.Meta.fields, "title", "queue", "owner", "cancel_requested_at", "result")

    def to_representation(self, instance: Job) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        reader = self.context.get("reader")
        return shown if reader is None or instance.is_open_to(reader) else shown | {"title": "", "result": {}}


class LineShape(serializers.ModelSerializer[JobLine]):
    """One line of a job's log."""

    seq = serializers.IntegerField(source="pk")

    class Meta:
        model = JobLine
        fields = ("seq", "attempt", "text", "created_at")


class LogShape(serializers.Serializer[Any]):
    """Lines of a log, and whether more can come."""

    lines = LineShape(many=True)
    is_finished = serializers.BooleanField()


class PersonShape(serializers.ModelSerializer[User]):
    """A person as lists show one."""

    name = serializers.CharField(source="username")
    display_name = serializers.CharField()

    class Meta:
        model = User
        fields: tuple[str, ...] = ("name", "display_name")


class OrganizationShape(serializers.ModelSerializer[Organization]):
    """An organization as lists show one."""

    display_name = serializers.CharField()
    links = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Organization
        fields: tuple[str, ...] = ("name", "display_name", "about", "links", "created_at")


class MemberShape(serializers.ModelSerializer[Membership]):
    """One person in an organization, and what the person may do there."""

    person = PersonShape(source="user")

    class Meta:
        model = Membership
        fields = ("person", "role", "created_at")


class ProfileShape(serializers.ModelSerializer[User]):
    """A person as the profile page shows one."""

    name = serializers.CharField(source="username")
    display_name = serializers.CharField()
    joined_at = serializers.DateTimeField(source="date_joined")
    links = serializers.ListField(child=serializers.CharField())
    organizations = OrganizationShape(many=True, source="shown_organizations")

    class Meta:
        model = User
        fields: tuple[str, ...] = ("name", "display_name", "about", "links", "joined_at", "organizations")
