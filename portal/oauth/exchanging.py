"""A program elsewhere gets a token for what an issuer states of it (RFC 8693): no secret is stored with either side.

Whoever holds no statement of a publisher that is trusted learns nothing, not even whether a repository is there.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.models import AccessToken, Grant, SpentStatement, TrustedPublisher
from portal.oauth import publishers, resources, statements
from portal.oauth.errors import OAuthError
from portal.oauth.resources import Resource
from portal.oauth.statements import Statement
from portal.reach import Level

LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class Exchanged:
    """What the program is given: a secret that is stored nowhere."""

    access_token: str
    expires_in: int


def exchange(subject_token: str, resource: str) -> Exchanged:
    """Return a token for one repository, or to read an owner's; raises OAuthError."""
    statement = statements.read(subject_token)
    wanted = resources.find(resource)
    trusted = publishers.trusted_for(wanted, statement.issuer) if wanted else []
    for publisher in trusted:
        if wanted and not publishers.misfit(publisher, statement) and _may_still(publisher, wanted):
            return _issue(publisher, statement, wanted)
    raise _refusal(trusted, statement)


def _may_still(publisher: TrustedPublisher, resource: Resource) -> bool:
    """Whether the person who trusted the publisher may decide about the repository now."""
    if resource.repo_id is None:
        return resources.is_owned(publisher.created_by, resource.namespace)
    return resources.is_held(publisher.created_by, resource)


def _issue(publisher: TrustedPublisher, statement: Statement, resource: Resource) -> Exchanged:
    level = Level(publisher.level) if resource.repo_id is not None else Level.READ
    with transaction.atomic():
        _spend(statement)
        pinned = {**publishers.pins_of(publisher, statement), **publisher.pinned}
        # Two first statements at once must not both say what is pinned.
        same = Q(pinned=publisher.pinned) | Q(pinned=pinned)
        if not TrustedPublisher.objects.filter(same, pk=publisher.pk).update(pinned=pinned, used_at=timezone.now()):
            raise OAuthError("invalid_grant", _("This publisher was changed at this moment: try again."))
        _token, secret = AccessToken.issue_published(
            publisher,
            Grant(resource.namespace, level, resource.label, repo_id=resource.repo_id),
            expires_at=timezone.now() + LIFE,
        )
    return Exchanged(secret, int(LIFE.total_seconds()))


def _spend(statement: Statement) -> None:
    """Note that a statement was exchanged; raises OAuthError the second time."""
    SpentStatement.forget_over()
    try:
        with transaction.atomic():
            SpentStatement.objects.create(digest=statement.digest, expires_at=statement.expires_at)
    except IntegrityError as error:
        raise OAuthError(
            "invalid_grant", _("This token was exchanged before, and is good once: ask your provider for another one.")
        ) from error


def _refusal(trusted: list[TrustedPublisher], statement: Statement) -> OAuthError:
    """Say what is wrong to a program whose home is trusted; to all others nothing."""
    for publisher in trusted:
        wrong = publishers.misfit(publisher, statement)
        if wrong and publishers.is_of_publisher(publisher, statement):
            changes = {"refused_at": timezone.now(), "refused_claim": wrong[:60]}
            TrustedPublisher.objects.filter(pk=publisher.pk).update(**changes)
            return OAuthError(
                "invalid_grant",
                _("The claim “%(name)s” of the token is not as the trusted publisher’s: it says “%(value)s”.")
                % {"name": wrong, "value": (statement.audience if wrong == "aud" else statement.text(wrong))[:200]},
            )
    return OAuthError("invalid_grant", _("No trusted publisher of this repository accepts this token."))
