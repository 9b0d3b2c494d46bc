"""What staff sets: watched words, attack mode, closed mail hosts; and the log that shows who did."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import mod_log, watched_words
from portal.authentication import require_user
from portal.errors import DomainError, status_of
from portal.models import LogEntry, ModerationRules, WatchedWord
from portal.moderation_forms import RulesForm, WatchedWordForm
from portal.views.moderation import for_staff

PAGE = 100
LOG_PAGE = 50
MAX_TRIED = 10_000


@for_staff
@require_http_methods(["GET", "HEAD", "POST"])
def words(request: HttpRequest) -> HttpResponse:
    """The watched words, a form for one more, and a box to try a text."""
    user, status = require_user(request), 200
    trying = request.POST.get("try") == "1"
    form = WatchedWordForm(request.POST if request.method == "POST" and not trying else None)
    if request.method == "POST" and not trying:
        status = 400
        if form.is_valid():
            try:
                watched_words.add(by=user, **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, _("The word is watched from now on."))
                return redirect("moderation_words")
    rows = WatchedWord.objects.select_related("created_by").order_by("-id")
    if (action := request.GET.get("action", "")) in WatchedWord.Action.values:
        rows = rows.filter(action=action)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: PAGE + 1])
    context = {
        "words": page[:PAGE],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "form": form,
        "actions": WatchedWord.Action.choices,
        "action": action,
        **(_tried(request.POST.get("text", "")[:MAX_TRIED]) if trying else {}),
    }
    return render(request, "portal/moderation/words.html", context, status=status)


def _tried(text: str) -> dict[str, object]:
    hits = watched_words.current().find(text)
    found = [(text[hit.start : hit.end], hit.word) for hit in hits]
    return {"tried": text, "hits": found, "result": watched_words.rewritten(text, hits)}


@for_staff
@require_POST
def removal(request: HttpRequest, word_id: int) -> HttpResponse:
    """Stop watching a word."""
    watched_words.remove(get_object_or_404(WatchedWord, pk=word_id), by=require_user(request))
    messages.success(request, _("The word is no longer watched."))
    return redirect("moderation_words")


@for_staff
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest) -> HttpResponse:
    """Attack mode and closed mail hosts."""
    user, now = require_user(request), ModerationRules.current()
    form = RulesForm(request.POST or None, initial={"hours": 0, "closed_mail_hosts": now.closed_mail_hosts})
    if request.method == "POST" and form.is_valid():
        hours, hosts = form.cleaned_data["hours"], form.cleaned_data["closed_mail_hosts"]
        until = timezone.now() + timedelta(hours=hours) if hours else None
        before = {"attack_until": now.attack_until, "mail_hosts": len(now.closed_mail_hosts.split())}
        ModerationRules.objects.update_or_create(
            pk=1, defaults={"attack_until": until, "closed_mail_hosts": hosts.lower()}
        )
        mod_log.append(
            "rules.changed", by=user, target="rules:1", before=before,
            after={"attack_until": until, "mail_hosts": len(hosts.split())},
        )  # fmt: skip
        messages.success(request, _("Saved."))
        return redirect("moderation_rules")
    context = {"form": form, "rules": now}
    return render(request, "portal/moderation/settings.html", context, status=400 if form.errors else 200)


@for_staff
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """The log of moderation, newest first."""
    rows = LogEntry.objects.order_by("-seq")
    before, target = request.GET.get("before", ""), request.GET.get("target", "")[:60]
    if target:
        rows = rows.filter(target=target)
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(seq__lt=int(before))
    page = list(rows[: LOG_PAGE + 1])
    context = {
        "entries": mod_log.named(page[:LOG_PAGE], require_user(request)),
        "older": page[LOG_PAGE - 1].seq if len(page) > LOG_PAGE else None,
        "target": target,
    }
    return render(request, "portal/moderation/log.html", context)
