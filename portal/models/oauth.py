"""Programs that people sign in to with their account here (OAuth 2): who they are and what they were allowed."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.models.accounts import User
from portal.reach import Reach
from portal.scopes import reach_of_scopes


def _client_id() -> str:
    return str(uuid.uuid4())


class OAuthApp(models.Model):
    """A registered program. One without a secret is public: it proves itself by PKCE or by the device flow."""

    client_id = models.CharField(max_length=64, unique=True, default=_client_id)
    name = models.CharField(_("name"), max_length=80)
    # None for the programs that every portal knows, such as the command line of the Hub's client.
    owner = models.ForeignKey(User, models.CASCADE, null=True, related_name="oauth_apps")
    homepage = models.URLField(max_length=300, blank=True)
    redirect_uris = models.JSONField(default=list)
    secret_digest = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def is_public(self) -> bool:
        return not self.secret_digest


class Authorization(models.Model):
    """What one person has allowed one app. Its access tokens end with it."""

    app = models.ForeignKey(OAuthApp, models.CASCADE, related_name="authorizations")
    user = models.ForeignKey(User, models.CASCADE, related_name="authorizations")
    scope = models.CharField(max_length=500)
    # The refresh token that is good now, and the one before it: whoever comes with that one has a stolen copy,
    # or was robbed of it.
    refresh_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)
    spent_digest = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    refreshed_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.app} for {self.user}"

    @property
    def scopes(self) -> list[str]:
        return self.scope.split()

    def reach(self) -> Reach:
        return reach_of_scopes(self.scopes)


class AuthorizationCode(models.Model):
    """What the browser carries back to an app; good once, for minutes, for that app and address."""

    digest = models.CharField(max_length=64, unique=True)
    app = models.ForeignKey(OAuthApp, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    scope = models.CharField(max_length=500)
    redirect_uri = models.CharField(max_length=500)
    challenge = models.CharField(max_length=128, blank=True)
    nonce = models.CharField(max_length=300, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    # What it was exchanged for: a code that comes twice was stolen, and ends it.
    authorization = models.ForeignKey(Authorization, models.CASCADE, null=True, related_name="+")

    def __str__(self) -> str:
        return f"code of {self.app_id} for {self.user_id}"


class DeviceCode(models.Model):
    """A program on a machine without a browser waits for a person to allow it elsewhere (RFC 8628)."""

    class State(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        DENIED = "denied"
        USED = "used"

    digest = models.CharField(max_length=64, unique=True)
    user_code = models.CharField(max_length=9, unique=True)
    app = models.ForeignKey(OAuthApp, models.CASCADE, related_name="+")
    scope = models.CharField(max_length=500)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    interval = models.PositiveSmallIntegerField(default=5)
    polled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.user_code
