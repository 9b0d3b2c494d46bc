"""Tokens of apps: issued for what a person allowed, renewed by a refresh token that is good once."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.models import AccessToken, Authorization, Event, OAuthApp, User
from portal.models.tokens import digest_of, new_secret
from portal.oauth.errors import OAuthError
from portal.oauth.registering import COMMAND_LINE_ID

REFRESH_PREFIX = "hf_oauth_refresh_"
LIFE = timedelta(hours=8)
# A client renews a command line's token a day before its end, at whatever time it is next used.
COMMAND_LINE_LIFE = timedelta(days=30)
REFRESH_LIFE = timedelta(days=180)


@dataclass(frozen=True)
class Issued:
    """What an app is given: secrets that are stored nowhere."""

    authorization: Authorization
    access_token: str
    refresh_token: str
    expires_in: int


def authorize(*, app: OAuthApp, user: User, scope: str) -> Issued:
    """Note that `user` allowed `app` the scopes, and issue its first tokens."""
    with transaction.atomic():
        authorization = Authorization.objects.create(app=app, user=user, scope=scope)
        Event.record("oauth.authorized", subject=f"oauth_app:{app.pk}", by=user, scope=scope)
        return _issue(authorization)


def refresh(app: OAuthApp, refresh_token: str) -> Issued:
    """Exchange a refresh token for new tokens; one that comes again ends everything it led to."""
    digest = digest_of(refresh_token)
    gone = OAuthError("invalid_grant", _("The refresh token has expired, was revoked or was used before."))
    with transaction.atomic():
        known = Authorization.objects.select_for_update().select_related("app", "user").filter(app=app)
        authorization = known.filter(refresh_digest=digest, revoked_at__isnull=True, user__is_active=True).first()
        if authorization and (authorization.refreshed_at or authorization.created_at) > timezone.now() - REFRESH_LIFE:
            authorization.spent_digest = digest
            return _issue(authorization)
    stolen = Authorization.objects.filter(app=app, spent_digest=digest, revoked_at__isnull=True).first()
    if stolen:
        revoke(stolen)
    raise gone


def revoke(authorization: Authorization) -> None:
    """End an authorization with all its tokens; a second call changes nothing."""
    now = timezone.now()
    with transaction.atomic():
        ended = Authorization.objects.filter(pk=authorization.pk, revoked_at__isnull=True).update(revoked_at=now)
        AccessToken.objects.filter(authorization=authorization, revoked_at__isnull=True).update(revoked_at=now)
        if ended:
            Event.record("oauth.revoked", subject=f"oauth_app:{authorization.app_id}", by=authorization.user)


def _issue(authorization: Authorization) -> Issued:
    life = COMMAND_LINE_LIFE if authorization.app.client_id == COMMAND_LINE_ID else LIFE
    # Each renewal leaves a token behind, which opens nothing any more.
    AccessToken.objects.filter(authorization=authorization, expires_at__lt=timezone.now()).delete()
    _token, secret = AccessToken.issue_for(authorization, expires_at=timezone.now() + life)
    renewal = new_secret(REFRESH_PREFIX)
    authorization.refresh_digest, authorization.refreshed_at = digest_of(renewal), timezone.now()
    authorization.save(update_fields=["refresh_digest", "spent_digest", "refreshed_at"])
    return Issued(authorization, secret, renewal, int(life.total_seconds()))
