"""What people did, as rows prove it, and whose word about it counts. Trust, reputation and badges all read this.

Each app says from its own rows which facts there are of some people. The rules against gaming are numbered as in the
design: Q1 who may speak for somebody, Q2 who is too close, Q3 who speaks for one person too often, Q4 how long evidence
must stand. Q5 (votes in series) is in reputation.py, Q7 and Q8 (downloads and copied weights) are the hub's.
"""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db.models import Count
from django.utils import timezone

from portal import mail_server, trust
from portal.models import AuditEntry, Device, Invitation, Membership, ReputationLine, TrustLevel, User

SETTLES_AFTER = timedelta(hours=72)  # Q4
GIVER_AGE = timedelta(days=7)  # Q1
MOST_TO_ONE = 0.3  # Q3: of all that somebody gives, to one person
FEW = 3  # so many to one person are never too many
ADDRESS_DAYS = 180
# Facts that somebody else, or a measurement, accepted: what trust and the anniversary ask for.
ACCEPTED = (
    "answer.accepted",
    "article.approved",
    "pull.merged",
    "evaluation.reproduced",
    "reproduction.agreed",
    "benchmark.approved",
    "claim.accepted",
)


@dataclass(frozen=True)
class Fact:
    """Something a person did. `key` is the row that proves it, `giver` the other person who says so."""

    user: int
    key: str
    at: datetime
    giver: int | None = None
    amount: int = 1
    is_solo: bool = True
    track: str = ""  # where the facts of one kind are of several


Source = Callable[[Collection[int]], Iterable[Fact]]
_sources: dict[str, list[Source]] = defaultdict(list)


def provide(kind: str, source: Source) -> None:
    """Let `source` say which facts of this kind there are of some people, in few queries whatever their number.

    One kind may have several sources, each with keys of its own.
    """
    if source not in _sources[kind]:
        _sources[kind].append(source)


def facts(kind: str, people: Collection[int]) -> list[Fact]:
    """Return what rows prove of these people, the oldest first; nothing for a kind that nobody provides."""
    found = (fact for source in _sources.get(kind, ()) for fact in source(people)) if people else ()
    return sorted((fact for fact in found if fact.user in people), key=lambda fact: (fact.at, fact.key))


def is_provided(kind: str) -> bool:
    return kind in _sources


def has_settled(at: datetime) -> bool:
    """Q4: whether something has stood for long enough."""
    return timezone.now() - at >= SETTLES_AFTER


def accepted(people: Collection[int]) -> list[Fact]:
    """Return what others accepted of these people’s work, the oldest first."""
    found = [fact for kind in ACCEPTED for fact in facts(kind, people)]
    return sorted(found, key=lambda fact: (fact.at, fact.key))


def honest(found: Iterable[Fact]) -> list[Fact]:
    """Return the facts whose givers may speak for the person (Q1), are not close (Q2) and not partial (Q3)."""
    rows = [fact for fact in found if fact.giver is not None]
    givers = {fact.giver for fact in rows if fact.giver is not None}
    able = eligible(givers)
    pairs = {(fact.user, fact.giver) for fact in rows if fact.giver is not None and fact.giver in able}
    bad = close(pairs) | partial(pairs)
    return [fact for fact in rows if (fact.user, fact.giver) in pairs and (fact.user, fact.giver) not in bad]


def eligible(givers: Collection[int]) -> set[int]:
    """Q1: those at level 1 or above whose account is a week old and whose address of mail is confirmed."""
    if not givers:
        return set()
    known = trust.levels_of(givers)
    old = User.objects.filter(pk__in=givers, is_active=True, date_joined__lte=timezone.now() - GIVER_AGE)
    confirmed = set(confirmed_among(givers))
    return {pk for pk in old.values_list("pk", flat=True) if pk in confirmed and known[pk] >= TrustLevel.BASIC}


def confirmed_among(people: Collection[int]) -> Iterator[int]:
    """Yield those with a confirmed address of mail: all, where no mail can be sent and so none can be confirmed."""
    if not mail_server.is_set():
        yield from people
        return
    yield from EmailAddress.objects.filter(user__in=people, verified=True).values_list("user_id", flat=True)


def close(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Q2: pairs that share a network, a browser or an organization, or of whom one invited the other; or are one."""
    people = {person for pair in pairs for person in pair}
    if not people:
        return set()
    marks: dict[int, set[str]] = defaultdict(set)
    for pk, address in _addresses(people):
        if net := network_of(address):
            marks[pk].add(f"net:{net}")
    for pk, digest in Device.objects.filter(user__in=people).values_list("user_id", "digest"):
        marks[pk].add(f"device:{digest}")
    for pk, organization in Membership.objects.filter(user__in=people).values_list("user_id", "organization_id"):
        marks[pk].add(f"organization:{organization}")
    invited = set(
        Invitation.objects.filter(invited_by__in=people, user__in=people).values_list("invited_by_id", "user_id")
    )
    return {
        (one, other)
        for one, other in pairs
        if one == other or marks[one] & marks[other] or (one, other) in invited or (other, one) in invited
    }


def close_to(person: int) -> set[int]:
    """Return everybody who is close to a person (Q2), the person too."""
    browsers = Device.objects.filter(user=person).values("digest")
    organizations = Membership.objects.filter(user=person).values("organization")
    invited = Invitation.objects.filter(invited_by=person, user__isnull=False)
    found = {person, *Device.objects.filter(digest__in=browsers).values_list("user_id", flat=True)}
    found |= set(Membership.objects.filter(organization__in=organizations).values_list("user_id", flat=True))
    found |= set(invited.values_list("user_id", flat=True))
    return found | set(
        Invitation.objects.filter(user=person, invited_by__isnull=False).values_list("invited_by_id", flat=True)
    )


def apart(found: Iterable[Fact]) -> list[Fact]:
    """Return the facts whose givers are not close to the person (Q2)."""
    rows = [fact for fact in found if fact.giver is not None]
    bad = close({(fact.user, fact.giver) for fact in rows if fact.giver is not None})
    return [fact for fact in rows if (fact.user, fact.giver) not in bad]


def network_of(address: str) -> str:
    """Return the /24 of an address, the /48 of a longer one; "" for one that tells nothing, such as a proxy’s."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    # Behind a proxy, or within a firewall, everybody has a private address: that makes nobody a friend.
    if not parsed.is_global:
        return ""
    return str(ipaddress.ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))


def partial(pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Q3: pairs of which the second gave the first more than three votes, and more than 30 % of all it gave."""
    givers = {giver for _user, giver in pairs}
    if not givers:
        return set()
    given = ReputationLine.objects.filter(giver__in=givers, reverses__isnull=True, reversal__isnull=True)
    rows = given.order_by().values_list("giver_id", "user_id").annotate(Count("id"))
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for giver, user, number in rows:
        counts[giver][user] = number
    return {
        (user, giver)
        for user, giver in pairs
        if counts[giver][user] > FEW and counts[giver][user] > MOST_TO_ONE * counts[giver].total()
    }


def _addresses(people: Collection[int]) -> Iterable[tuple[int, str]]:
    since = timezone.now() - timedelta(days=ADDRESS_DAYS)
    entries = AuditEntry.objects.filter(account__in=people, kind="session.began", created_at__gt=since)
    return entries.exclude(address="").order_by().values_list("account_id", "address").distinct()
