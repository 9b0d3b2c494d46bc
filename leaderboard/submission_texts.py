"""What became of evaluations that were asked for together, in words."""

from collections.abc import Sequence

from django.contrib import messages
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leaderboard.bulk import Answer

MOST = 5  # reasons that are said one by one


def summary(answers: Sequence[Answer]) -> list[tuple[int, str]]:
    """Return what to tell whoever asked, each with its level: what was started, what was there, what was refused."""
    new = sum(answer.is_new for answer in answers)
    refused = [answer for answer in answers if answer.error]
    known = len(answers) - new - len(refused)
    told = []
    if new:
        text = ngettext("%(n)d evaluation was asked for.", "%(n)d evaluations were asked for.", new) % {"n": new}
        told.append((messages.SUCCESS, text))
    if known:
        there = ngettext("%(n)d was there already.", "%(n)d were there already.", known) % {"n": known}
        told.append((messages.INFO, there))
    told += [(messages.ERROR, _reason(answer)) for answer in refused[:MOST]]
    if len(refused) > MOST:
        more = len(refused) - MOST
        text = ngettext("%(n)d more was refused.", "%(n)d more were refused.", more) % {"n": more}
        told.append((messages.ERROR, text))
    return told or [(messages.INFO, _("Nothing was asked for."))]


def _reason(answer: Answer) -> str:
    assert answer.error is not None
    return f"{answer.model.full_name} · {answer.benchmark.title}: {answer.error.message}"
