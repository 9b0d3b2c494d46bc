"""What everybody may read of moderation: the rules, and the numbers of each month."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from portal import flagging, transparency
from portal.house_rules import RULES
from portal.mod_actions import ACTIONS
from portal.models.moderation import APPEAL_DAYS


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """The rules of the house, what happens when they are broken, and the way to appeal."""
    ladder = [ACTIONS[name] for name in ("label", "unrank", "gate", "disable", "quarantine", "purge")]
    steps = [ACTIONS[name] for name in ("nudge", "hide", "remove", "warn", "silence", "suspend")]
    context = {
        "rules": RULES,
        "ladder": ladder,
        "steps": steps,
        "threshold": flagging.HIDE,
        "months": APPEAL_DAYS // 30,
    }
    return render(request, "portal/moderation/rules.html", context)


@require_safe
@cache_control(max_age=600)
def numbers(request: HttpRequest) -> HttpResponse:
    """What was reported, decided and overturned, month by month."""
    return render(request, "portal/moderation/transparency.html", {"months": transparency.months()})
