"""What people do: the feed of what one follows, a person's year and latest acts, and the same for feed readers."""

from datetime import UTC, datetime

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from portal import contributions
from portal import feed as feeds
from portal.authentication import require_user
from portal.context import site_address
from portal.models import Namespace
from portal.privacy import shows

# When a feed without items last changed: it never did, and what changed at each look could not be cached.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# What XML cannot hold, although titles can.
_NO_XML = dict.fromkeys(code for code in range(32) if code not in (9, 10, 13)) | {0xFFFE: None, 0xFFFF: None}


@never_cache
@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """What happened in what one follows, the latest first."""
    user, show = require_user(request), request.GET.get("show", "")
    if show not in feeds.SHOWN:
        raise Http404
    page = feeds.of(user, show=show, before=_before(request))
    context = {"page": page, "show": show, "shown": feeds.SHOWN, "is_first": _before(request) is None}
    return render(request, "portal/feed/feed.html", context)


@require_safe
def activity(request: HttpRequest, name: str) -> HttpResponse:
    """The fragment with a year of days and the latest acts, of what the reader may see and of nothing else."""
    namespace, before, part = _namespace(name), _before(request), request.GET.get("part", "")
    person = namespace.user
    has_year = before is None and (person is None or shows(person, "year", to=request.user))
    has_list = part != "year" and (person is None or shows(person, "activity", to=request.user))
    context = {
        "namespace": namespace,
        "year": contributions.year(namespace, request.user) if has_year else None,
        "page": feeds.by(namespace, request.user, before=before) if has_list else None,
        "is_first": before is None,
        "is_hidden": before is None and not has_year and not has_list,
        "steps": range(len(contributions.STEPS) + 1),
        # To the person alone: what others do not see.
        "only_you": person is not None and person.pk == request.user.pk and not person.shows_year,
        "only_you_list": person is not None and person.pk == request.user.pk and not person.shows_activity,
    }
    return render(request, "portal/people/activity.html", context)


class _Feed(Atom1Feed):
    """A feed that is the same as long as its items are."""

    def latest_post_date(self) -> datetime:
        return super().latest_post_date() if self.items else _NEVER


@require_safe
@cache_control(public=True, max_age=60)
def atom(request: HttpRequest, name: str) -> HttpResponse:
    """What a person did, or what was done in an organization, as far as everybody may see it."""
    namespace, base = _namespace(name), site_address(request)
    who = namespace.organization or namespace.user
    title = who.display_name if who else namespace.name
    found = _Feed(
        title=title.translate(_NO_XML),
        link=f"{base}/{namespace.name}",
        description="",
        feed_url=base + request.path,
    )
    for line in feeds.by(namespace, AnonymousUser()).lines:
        actor = line.event.actor.username if line.event.actor else ""
        text = " ".join(piece for piece in (actor, _(line.said), line.subject.title) if piece)
        found.add_item(
            title=text.translate(_NO_XML),
            link=base + line.path,
            description=line.detail.translate(_NO_XML),
            unique_id=f"{base}/feed/{namespace.name}#{line.event.pk}",
            author_name=actor,
            pubdate=line.event.created_at,
            updateddate=line.event.created_at,
        )
    return HttpResponse(found.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def _namespace(name: str) -> Namespace:
    spaces = Namespace.objects.select_related("user", "organization").exclude(user__is_active=False)
    return get_object_or_404(spaces.known_as(name), is_mirror=False)


def _before(request: HttpRequest) -> int | None:
    before = request.GET.get("before", "")
    return int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
