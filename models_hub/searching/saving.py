"""Searches that people keep under a name, and how much is new in each since they last looked."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub.checking import is_text
from models_hub.models import Repo, SavedSearch
from models_hub.searching import facets
from models_hub.searching.finding import Found
from portal.errors import Conflict, InvalidInput, SignInRequired
from portal.models import Asker, User

MOST = 20  # of one person and kind
KEPT = ("search", "sort", "author", facets.UPDATED_NAME, *facets.BY_NAME)
LONGEST = 1000
NEWEST = 2000  # repositories that are looked through for what is new


def save(*, by: Asker, name: str, kind: str, query: str) -> SavedSearch:
    """Keep a search; of its query string, what a list understands."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    name, kept = name.strip(), urlencode([pair for pair in parse_qsl(query, max_num_fields=100) if pair[0] in KEPT])
    if kind not in Repo.Kind.values or not name or len(name) > 80 or not is_text(name + kept) or len(kept) > LONGEST:
        raise InvalidInput(_("Give the search a name of at most 80 characters."))
    if by.saved_searches.filter(kind=kind).count() >= MOST:
        raise Conflict(_("You have %(most)d saved searches here; remove one first.") % {"most": MOST})
    try:
        with transaction.atomic():
            return SavedSearch.objects.create(user=by, name=name, kind=kind, query=kept)
    except IntegrityError as error:
        raise Conflict(_("You have a saved search of this name.")) from error


def remove(pk: int, *, by: Asker) -> None:
    """Forget a search; one of somebody else stays."""
    if isinstance(by, User):
        by.saved_searches.filter(pk=pk).delete()


def of(user: Asker, kind: str) -> list[tuple[SavedSearch, int]]:
    """Return somebody's searches of a kind, each with how many repositories were created since it was looked at."""
    if not isinstance(user, User):
        return []
    searches = list(user.saved_searches.filter(kind=kind)[:MOST])
    if not searches:
        return []
    oldest = min(search.seen_at for search in searches)
    rows = (
        Repo.objects.visible_to(user).listed().filter(kind=kind, created_at__gt=oldest).order_by("-created_at", "-id")
    )
    fresh = list(rows.values_list("pk", "created_at")[:NEWEST])
    return [(search, _new_in(search, user, fresh)) for search in searches]


def seen(user: Asker, kind: str, query: str) -> None:
    """Note that somebody looks at the first page of a saved search now."""
    if isinstance(user, User) and query:
        user.saved_searches.filter(kind=kind, query=query).update(seen_at=timezone.now())


def _new_in(search: SavedSearch, user: User, fresh: list[tuple[int, datetime]]) -> int:
    later = [pk for pk, created_at in fresh if created_at > search.seen_at]
    if not later:
        return 0
    values = dict(parse_qsl(search.query))
    filters = {name: value for name, value in values.items() if name not in {"search", "sort"}}
    found = Found(search.kind, text=values.get("search", ""), filters=filters, user=user)
    return sum(pk in found.public for pk in later) + len({*later} & {*found.own})
