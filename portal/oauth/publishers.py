"""Trusting publishers: what must be said of one so that nobody else is taken for it, and which statements fit."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from portal.errors import InvalidInput, NotAllowed, NotFound
from portal.models import Event, Namespace, TrustedPublisher, User
from portal.models.publishers import MAIN_CLAIMS
from portal.oauth import issuers
from portal.oauth.resources import Resource
from portal.oauth.statements import Statement
from portal.reach import reach_of

Provider = TrustedPublisher.Provider
MAX_EACH = 20
MAX_CLAIMS = 12
MAX_VALUE = 300
MAX_STARS = 3
GITHUB, GITLAB = "https://token.actions.githubusercontent.com", "https://gitlab.com"
USUAL_ISSUERS = {Provider.GITHUB: GITHUB, Provider.GITLAB: GITLAB, Provider.OTHER: ""}
REF = {Provider.GITHUB: "ref", Provider.GITLAB: "ref_path", Provider.OTHER: "ref"}
# Ids of what the names stand for: kept from the first statement, so that who takes over a name gains nothing.
PINNED = {
    Provider.GITHUB: ("repository_id", "repository_owner_id"),
    Provider.GITLAB: ("project_id", "namespace_id"),
    Provider.OTHER: (),
}
WORKFLOW = "workflow"  # the name of a file; the claim of this name is a title that any file may have
WORKFLOW_CLAIM = "job_workflow_ref"
NAMES = ("repository", "project_path", "environment")  # the case of these says nothing
PATTERNS = ("sub", "ref", "ref_path")  # a star stands for anything in these


def of(resource: Resource) -> list[TrustedPublisher]:
    """Return the publishers of exactly this, the oldest first."""
    rows = TrustedPublisher.objects.filter(namespace=resource.namespace, repo_id=resource.repo_id)
    return list(rows.select_related("created_by").order_by("id"))


def find(resource: Resource, number: int) -> TrustedPublisher:
    """Return one of these; raises NotFound."""
    row = TrustedPublisher.objects.filter(
        namespace=resource.namespace, repo_id=resource.repo_id, pk=number if number < 2**63 else 0
    ).first()
    if row is None:
        raise NotFound(_("There is no such trusted publisher."))
    return row


def add(
    resource: Resource, *, by: User, provider: str, claims: Mapping[str, str], issuer: str = "", audience: str = "",
    level: int = TrustedPublisher.Levels.WRITE,
) -> TrustedPublisher:  # fmt: skip
    """Trust a publisher; whoever may decide about the resource is asked by the caller. Raises InvalidInput."""
    if reach_of(by) is not None:
        raise NotAllowed(_("A limited token cannot trust a publisher, which would outlive it."))
    if provider not in Provider.values or level not in TrustedPublisher.Levels.values:
        raise InvalidInput(_("Choose one of the list."))
    kind = Provider(provider)
    named = issuer.strip() or USUAL_ISSUERS[kind]
    _check_issuer(kind, named)
    wanted = _checked(kind, claims)
    if not audience or len(audience) > MAX_VALUE:
        raise InvalidInput(_("Give the audience for which the token is made out."), data={"key": "audience"})
    with transaction.atomic():
        Namespace.objects.select_for_update().get(pk=resource.namespace.pk)
        known = of(resource)
        if len(known) >= MAX_EACH:
            raise InvalidInput(_("At most %(max)d publishers can be trusted: remove one first.") % {"max": MAX_EACH})
        if any((row.issuer, row.audience, row.claims) == (named, audience, wanted) for row in known):
            raise InvalidInput(_("This publisher is trusted already."))
        row = TrustedPublisher.objects.create(
            namespace=resource.namespace, repo_id=resource.repo_id, provider=kind, issuer=named, audience=audience,
            claims=wanted, level=level, created_by=by,
        )  # fmt: skip
        _note("publisher.added", row, resource, by)
    return row


def remove(publisher: TrustedPublisher, resource: Resource, *, by: User) -> None:
    """Trust it no longer; its tokens end at once."""
    with transaction.atomic():
        _note("publisher.removed", publisher, resource, by)
        publisher.delete()


def trusted_for(resource: Resource, issuer: str) -> list[TrustedPublisher]:
    """Return the publishers that may ask for a repository, those of its owner among them."""
    here = Q(namespace=resource.namespace, repo_id__isnull=True)
    if resource.repo_id is not None:
        here |= Q(repo_id=resource.repo_id)
    rows = TrustedPublisher.objects.filter(here, issuer=issuer).select_related("created_by", "namespace")
    return list(rows.order_by("repo_id", "id"))


def is_of_publisher(publisher: TrustedPublisher, statement: Statement) -> bool:
    """Return whether a statement is about the program's home at all, whatever else is wrong with it."""
    main = MAIN_CLAIMS[publisher.provider]
    return main != "sub" and _fits(main, publisher.home, statement)


def misfit(publisher: TrustedPublisher, statement: Statement) -> str:
    """Return the first claim of a statement that is not as the publisher's must be, "" where all are."""
    if publisher.audience.rstrip("/") != statement.audience.rstrip("/"):
        return "aud"
    wrong = (name for name, wanted in publisher.claims.items() if not _fits(name, wanted, statement))
    pins = (name for name, known in publisher.pinned.items() if statement.text(name) != known)
    return next(wrong, "") or next(pins, "")


def pins_of(publisher: TrustedPublisher, statement: Statement) -> dict[str, str]:
    """Return the ids that a statement gives to what its names stand for."""
    found = {name: statement.text(name) for name in PINNED[Provider(publisher.provider)]}
    return {name: value for name, value in found.items() if value}


def matches(pattern: str, text: str) -> bool:
    """Say whether a text fits a pattern, in which a star stands for anything; no pattern is slow."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _fits(name: str, wanted: str, statement: Statement) -> bool:
    if name == WORKFLOW:
        home = f"{statement.text('repository')}/.github/workflows/{wanted}@"
        return statement.text(WORKFLOW_CLAIM).casefold().startswith(home.casefold())
    said = statement.text(name)
    if name in NAMES:
        return said.casefold() == wanted.casefold()
    return matches(wanted, said) if name in PATTERNS else said == wanted


def _check_issuer(kind: Provider, issuer: str) -> None:
    key = {"key": "issuer"}
    if len(issuer) > MAX_VALUE or not issuers.is_allowed(issuer):
        raise InvalidInput(_("This portal does not listen to that issuer: its operator names those."), data=key)
    own = {address: one for one, address in USUAL_ISSUERS.items() if address}.get(issuer, kind)
    if own != kind:
        raise InvalidInput(_("This issuer speaks for everybody’s programs: choose it by its own name."), data=key)


def _checked(kind: Provider, claims: Mapping[str, Any]) -> dict[str, str]:
    """Return what a statement must say, with references in full; raises InvalidInput."""
    wanted = {name.strip(): str(value).strip() for name, value in claims.items() if str(value).strip()}
    if kind == Provider.GITLAB and "ref" in wanted:
        wanted["ref_path"] = wanted.pop("ref")  # a tag may have the name of a branch
    ref = REF[kind]
    if kind != Provider.OTHER and ref in wanted and not wanted[ref].startswith("refs/"):
        wanted[ref] = f"refs/heads/{wanted[ref]}"
    main = MAIN_CLAIMS[kind]
    if main not in wanted:
        raise InvalidInput(_("Say whose program it is: “%(name)s” is missing.") % {"name": main}, data={"key": main})
    if main != "sub" and "/" not in wanted[main].strip("/"):
        raise InvalidInput(_("Give the whole name, such as owner/name."), data={"key": main})
    if len(wanted) > MAX_CLAIMS:
        raise InvalidInput(_("At most %(max)d claims can be asked for.") % {"max": MAX_CLAIMS})
    for name, value in wanted.items():
        _check_claim(name, value)
    return wanted


def _check_claim(name: str, value: str) -> None:
    key = {"key": name}
    if not name.isidentifier() or not name.isascii() or len(name) > 60:
        raise InvalidInput(_("“%(name)s” is no name of a claim.") % {"name": name[:60]}, data=key)
    if len(value) > MAX_VALUE or not value.isprintable():
        raise InvalidInput(_("The value of “%(name)s” is too long, or no plain text.") % {"name": name}, data=key)
    if name in PATTERNS and "*" in value and (value.count("*") > MAX_STARS or len(value.replace("*", "")) < 3):
        raise InvalidInput(_("A pattern has at most three stars, and says something beside them."), data=key)


def _note(kind: str, row: TrustedPublisher, resource: Resource, by: User) -> None:
    Event.record(kind, subject=f"publisher:{row.pk}", by=by, name=f"{resource.label} · {row.home}"[:200])
