"""What a card lacks that readers look for."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from models_hub.models import Repo

SHORT_TEXT = 200


class Gap(NamedTuple):
    """Something missing, and why a reader wants it."""

    name: str | Promise
    reason: str | Promise


def gaps(repo: Repo, body: str) -> list[Gap]:
    """Return what the card of a repository lacks; `body` is the text below its metadata."""
    card = repo.card
    checks = (
        (repo.license, Gap("license", _("without one, nobody may use it"))),
        (
            repo.is_space or repo.task,
            Gap("pipeline_tag" if repo.is_model else "task_categories", _("people search by task")),
        ),
        (repo.is_space or repo.languages, Gap("language", _("people search by language"))),
        (not repo.is_model or card.get("datasets"), Gap("datasets", _("what it was trained on"))),
        (len(body.strip()) >= SHORT_TEXT, Gap(_("description"), _("what it is for, how it was made, its limits"))),
    )
    return [gap for present, gap in checks if not present]
