"""Repositories before moderators: what they see of one, and what they can do to it."""

from typing import Any

from django.utils.translation import gettext as _

from models_hub import browsing, cards, restricting
from models_hub.models import Repo, Restriction
from portal import moderated
from portal.errors import DomainError, NotFound
from portal.mod_actions import ACTIONS
from portal.models import Decision, Membership
from portal.moderated import Target

SHOWN_CARD = 20_000  # characters of each of the card’s two parts


def register() -> None:
    moderated.register("repo", Repos())


class Repos:
    """Models, data sets and Spaces."""

    actions = ("nudge", "warn", "label", "unrank", "gate", "disable", "quarantine", "purge")

    def load(self, pk: int) -> Target | None:
        repo = Repo.objects.filter(pk=pk).select_related("namespace", "restriction").first()
        if repo is None:
            return None
        found = getattr(repo, "restriction", None)
        organization = repo.namespace.organization_id
        metadata, text = _card(repo)
        return Target(
            key=f"repo:{pk}",
            title=repo.full_name,
            path=repo.path,
            label=str(repo.get_kind_display()),
            text=text,
            preface=metadata,
            author_id=repo.namespace.user_id or repo.created_by_id,
            organization_id=organization,
            told=_admins(organization),
            is_private=repo.private,
            state=str(Restriction.Level(found.level).label) if found else "",
            facts={
                _("Licence"): repo.license or _("none declared"),
                _("Task"): repo.task or "–",
                _("Downloads"): str(repo.downloads_all_time),
                _("Formats"): ", ".join(repo.formats) or "–",
            },
        )

    def apply(self, pk: int, action: str, decision: Decision) -> dict[str, Any]:
        level = ACTIONS[action].level
        assert level is not None
        return restricting.restrict(_repo(pk), level=level, decision=decision)

    def undo(self, pk: int, action: str, decision: Decision) -> None:
        restricting.restore(_repo(pk), decision)


def _repo(pk: int) -> Repo:
    repo = Repo.objects.select_related("namespace").filter(pk=pk).first()
    if repo is None:
        raise NotFound(_("Repository not found"))
    return repo


def _admins(organization: int | None) -> tuple[int, ...]:
    """Return who answers for an organization's repositories."""
    if organization is None:
        return ()
    admins = Membership.objects.filter(organization_id=organization, role=Membership.Role.ADMIN)
    return tuple(admins.values_list("user_id", flat=True)[:20])


def _card(repo: Repo) -> tuple[str, str]:
    """Return the metadata and the text of the card, "" where there is none."""
    try:
        commit = browsing.resolve_revision(repo, "main")
        entry = browsing.find(repo, commit, "README.md")
        content = browsing.read(repo, entry, cards.MAX_METADATA_BYTES + 4 * SHOWN_CARD).decode(errors="replace")
    except DomainError:
        return "", ""
    metadata, text = cards.split_card(content)
    return metadata[:SHOWN_CARD], text[:SHOWN_CARD]
