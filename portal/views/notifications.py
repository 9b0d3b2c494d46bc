"""The inbox, its settings, and the links in mail that stop mail."""

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from portal import inbox, mail_server, notifying, push_messages, subjects, unsubscribing
from portal.authentication import require_user
from portal.models import Inbox, Muting, User
from portal.notification_kinds import CHANNELS, KINDS, channel_of, pushed

SHOWN_MUTINGS = 100


@never_cache
@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """What one was told, the latest first."""
    user = require_user(request)
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    unread = request.GET.get("unread") == "1"
    page = inbox.page(user, kind=kind, unread=unread, before=_number(request.GET.get("before", "")))
    context = {
        "page": page,
        "kinds": [(name, one.label) for name, one in KINDS.items()],
        "kind": kind,
        "only_unread": unread,
        "count": inbox.count(user, has_pulled=True),
        "refused": _refusal(user),
    }
    return render(request, "portal/notifications/inbox.html", context)


@never_cache
@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """The bell of the navigation; nothing when it shows the number already."""
    user = require_user(request)
    if request.GET.get("shown") == str(inbox.count(user)):
        return HttpResponse(status=204)
    return render(request, "portal/notifications/_bell.html")


@never_cache
@require_safe
def notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Go where a line leads, which is to have read it."""
    user = require_user(request)
    line = inbox.find(user, pk)
    inbox.read(user, [pk])
    return redirect(line.path)


@vary_on_headers("HX-Request")
@require_POST
def reading(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one line for read, or put it back."""
    user = require_user(request)
    if request.POST.get("wish") == "unread":
        inbox.unread_again(user, pk)
    else:
        inbox.read(user, [pk])
    if request.headers.get("HX-Request") != "true":
        return _back(request)
    response = render(request, "portal/notifications/_line.html", {"line": inbox.find(user, pk)})
    response["HX-Trigger"] = "inbox-changed"
    return response


@require_POST
def reading_of_all(request: HttpRequest) -> HttpResponse:
    """Take all that was shown for read."""
    user = require_user(request)
    kind = request.POST.get("kind", "")
    upto = _number(request.POST.get("upto", ""))
    inbox.read_all(user, kind=kind if kind in KINDS else "", upto=upto)
    return _back(request)


@require_POST
def muting(request: HttpRequest, pk: int) -> HttpResponse:
    """Hear nothing more of the place of a line."""
    user = require_user(request)
    line = inbox.find(user, pk)
    if line.place is not None:
        notifying.mute(line.place.key, by=user)
        messages.success(request, _("You hear nothing more of “%(title)s”.") % {"title": line.place.title})
    return _back(request)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """Choose how one hears of what."""
    user = require_user(request)
    if request.method == "POST":
        chosen = {name: request.POST[name] for name, one in KINDS.items() if not one.forced and name in request.POST}
        inbox.prefer(
            user, channels=chosen, digest=request.POST.get("digest", ""), time_zone=request.POST.get("zone"),
            pushes=request.POST.getlist("push") if "with_push" in request.POST else None,
        )  # fmt: skip
        messages.success(request, _("Your choices are saved."))
        return redirect("settings_notifications")
    own = inbox.settings_of(user)
    mutings = list(Muting.objects.filter(user=user).order_by("-id")[:SHOWN_MUTINGS])
    places = subjects.describe([one.place for one in mutings], user)
    context = {
        "sections": _sections(own),
        "channels": CHANNELS.items(),
        "digest": own.digest,
        "digests": Inbox.Digest.choices,
        "zone": own.time_zone,
        "zones": inbox.time_zones().items(),
        "mutings": [(one, places[one.place]) for one in mutings if one.place in places],
        "has_mail": mail_server.is_set(),
        "address": _confirmed_address(user),
        "refused": _refusal(user),
        "devices": user.push_devices.order_by("pk"),
        "server_key": push_messages.server_key(),
        "letters": user.letters.order_by("-id")[:10],
    }
    return render(request, "portal/settings/notifications.html", context)


@require_POST
def address(request: HttpRequest) -> HttpResponse:
    """Try an address again that was refused."""
    user = require_user(request)
    Inbox.objects.filter(user=user).update(refused_address="", refused_why="")
    messages.success(request, _("Mail will be tried again."))
    return redirect("settings_notifications")


@require_POST
def unmuting(request: HttpRequest, pk: int) -> HttpResponse:
    user = require_user(request)
    found = get_object_or_404(Muting, user=user, pk=pk)
    notifying.unmute(found.place, by=user)
    return redirect("settings_notifications")


@csrf_exempt  # RFC 8058: programs of mail send this form without having seen a page; the signed link is the proof
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscription(request: HttpRequest, token: str) -> HttpResponse:
    """Stop mail by a link in it, without signing in. Looking alone changes nothing: scanners follow links."""
    wish = unsubscribing.wish_of(token)
    if wish is None:
        return render(request, "portal/notifications/unsubscribe.html", {"wish": None}, status=404)
    if request.method == "POST":
        wish.fulfil()
    context = {"wish": wish, "is_done": request.method == "POST", "labels": [KINDS[one].label for one in wish.kinds]}
    return render(request, "portal/notifications/unsubscribe.html", context)


def _sections(own: Inbox) -> list[tuple[object, list[dict[str, object]]]]:
    sections: dict[object, list[dict[str, object]]] = {}
    told = pushed(own.pushes)
    for name, kind in KINDS.items():
        row = {"name": name, "kind": kind, "channel": channel_of(name, own.channels), "is_pushed": name in told}
        if not kind.forced:
            sections.setdefault(kind.section, []).append(row)
    return list(sections.items())


def _confirmed_address(user: User) -> str:
    rows = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary")
    return str(rows.values_list("email", flat=True).first() or "")


def _refusal(user: User) -> Inbox | None:
    own = Inbox.objects.filter(user=user).exclude(refused_address="").first()
    return own if own and own.refused_address == _confirmed_address(user) else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _back(request: HttpRequest) -> HttpResponse:
    """Return to the same filters."""
    kept = {"unread": request.POST.get("unread", ""), "kind": request.POST.get("kind", "")}
    asked = [f"{name}={value}" for name, value in kept.items() if value == "1" or value in KINDS]
    return redirect("/notifications" + (f"?{'&'.join(asked)}" if asked else ""))
