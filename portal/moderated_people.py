"""People and organizations before moderators."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _

from portal import moderated, restraining, trust
from portal.models import Decision, Membership, Organization, Restraint, User
from portal.moderated import OnlyTold, Target

KINDS = {"silence": Restraint.Kind.SILENCE, "suspend": Restraint.Kind.SUSPENSION}


def register() -> None:
    moderated.register("user", People())
    moderated.register("organization", Organizations())


class People:
    """A person: what is done to one never touches the models that the person has published."""

    actions = ("nudge", "warn", "silence", "suspend")

    def load(self, pk: int) -> Target | None:
        user = User.objects.filter(pk=pk).first()
        if user is None:
            return None
        found = restraining.silence_of(user)
        return Target(
            key=f"user:{pk}",
            title=user.display_name,
            path=f"/{user.username}",
            label=_("person"),
            text=user.about,
            author_id=pk,
            state=str(found.get_kind_display()) if found else "",
            facts={_("Here since"): f"{user.date_joined:%Y-%m-%d}", _("Trust level"): str(trust.level(user))},
        )

    def apply(self, pk: int, action: str, decision: Decision) -> dict[str, Any]:
        if action == "suspend":
            for session in UserSession.objects.filter(user=pk):
                session.end()
        return {"restraint": restraining.restrain(pk, KINDS[action], until=decision.until, decision=decision)}

    def undo(self, pk: int, action: str, decision: Decision) -> None:
        restraining.lift(decision)


class Organizations(OnlyTold):
    """An organization: its admins hear of what is decided."""

    def load(self, pk: int) -> Target | None:
        one = Organization.objects.filter(pk=pk).first()
        if one is None:
            return None
        admins = Membership.objects.filter(organization=one, role=Membership.Role.ADMIN).order_by("pk")
        people = tuple(admins.values_list("user_id", flat=True)[:20])
        return Target(
            key=f"organization:{pk}",
            title=one.display_name,
            path=f"/{one.name}",
            label=_("organization"),
            text=one.about,
            organization_id=pk,
            told=people,
        )
