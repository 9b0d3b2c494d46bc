"""Access tokens: shown once, stored as a hash, revocable."""

import hashlib
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal import origin
from portal.errors import InvalidInput
from portal.models.accounts import Namespace, User
from portal.models.audit import AuditEntry
from portal.models.moderation import of_working
from portal.models.oauth import Authorization
from portal.models.outbox import Event
from portal.models.publishers import TrustedPublisher
from portal.reach import ACCOUNT_PERMISSIONS, Level, Reach

PREFIX = "hf_"  # clients of the Hub protocol tell a token by this prefix
ALPHABET = string.ascii_letters + string.digits
LENGTH = 37  # 37 characters of 62 are 220 bits
TOUCH_EVERY = timedelta(minutes=1)
MAX_GRANTS = 100


def digest_of(secret: str) -> str:
    """Return what is stored for a token: a fast hash is enough for 220 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret(prefix: str = PREFIX) -> str:
    """Return a secret that nobody can guess."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


@dataclass(frozen=True)
class Grant:
    """One thing that a fine-grained token is given; `label` is how its owner knows it."""

    namespace: Namespace
    level: Level
    label: str
    repo_id: int | None = None


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def live(self) -> "AccessTokenQuerySet":
        """Tokens that still open something."""
        in_time = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
        return self.filter(in_time, revoked_at__isnull=True)

    def personal(self) -> "AccessTokenQuerySet":
        """Those that people made themselves, not for an app that they authorized or a publisher that they trust."""
        return self.filter(authorization__isnull=True, publisher__isnull=True)


class AccessToken(models.Model):
    """A person's key for programs: good for reading, for writing, or for just what it was given."""

    class Role(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("write")
        FINE_GRAINED = "fineGrained", _("fine-grained")

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=80)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices, default=Role.READ)
    # Of a fine-grained token: names of ACCOUNT_PERMISSIONS.
    permissions = models.JSONField(default=list)
    authorization = models.ForeignKey(Authorization, models.CASCADE, null=True, related_name="tokens")
    publisher = models.ForeignKey(TrustedPublisher, models.CASCADE, null=True, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_address = models.CharField(max_length=45, blank=True, default="", editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = AccessTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    @classmethod
    def issue(
        cls, *, user: User, name: str, role: str, expires_at: datetime | None = None
    ) -> tuple["AccessToken", str]:
        """Create a token and return it with its secret, which cannot be had again."""
        if role not in {cls.Role.READ, cls.Role.WRITE}:
            raise InvalidInput(gettext("Choose one of these roles: read, write."))
        return cls._create(user=user, name=_checked_name(name), role=role, expires_at=expires_at)

    @classmethod
    def issue_fine_grained(
        cls,
        *,
        user: User,
        name: str,
        grants: Iterable[Grant],
        permissions: Iterable[str] = (),
        expires_at: datetime | None = None,
    ) -> tuple["AccessToken", str]:
        """Create a token that carries no further than `grants` and the named parts of the account."""
        given, named = list(grants), sorted(set(permissions))
        if not given and not named:
            raise InvalidInput(gettext("Give the token at least one repository, owner or permission."))
        if len(given) > MAX_GRANTS:
            raise InvalidInput(gettext("Give one token at most %(max)d repositories.") % {"max": MAX_GRANTS})
        if not set(named) <= set(ACCOUNT_PERMISSIONS):
            raise InvalidInput(gettext("Choose permissions from the list."))
        with transaction.atomic():
            token, secret = cls._create(
                user=user,
                name=_checked_name(name),
                role=cls.Role.FINE_GRAINED,
                permissions=named,
                expires_at=expires_at,
            )
            token._give(given)
        return token, secret

    @classmethod
    def issue_published(
        cls, publisher: TrustedPublisher, grant: Grant, *, expires_at: datetime
    ) -> tuple["AccessToken", str]:
        """Create a token for a publisher, good for `grant` alone; those of before that have ended go."""
        with transaction.atomic():
            cls.objects.filter(publisher=publisher, expires_at__lt=timezone.now()).delete()
            token, secret = cls._create(
                user=publisher.created_by,
                name=f"{grant.label} · {publisher.get_provider_display()}"[:80],
                role=cls.Role.FINE_GRAINED,
                publisher=publisher,
                expires_at=expires_at,
            )
            token._give([grant])
        return token, secret

    @classmethod
    def issue_for(cls, authorization: Authorization, *, expires_at: datetime) -> tuple["AccessToken", str]:
        """Create a token for an app that its user authorized."""
        return cls._create(
            user=authorization.user,
            name=authorization.app.name[:80],
            role=cls.Role.FINE_GRAINED,
            authorization=authorization,
            expires_at=expires_at,
        )

    @classmethod
    def _create(cls, **values: Any) -> tuple["AccessToken", str]:
        secret = new_secret()
        with transaction.atomic():
            token = cls.objects.create(digest=digest_of(secret), hint=secret[-4:], **values)
            Event.record("token.created", subject=f"token:{token.pk}", by=token.user, role=token.role, name=token.name)
        return token, secret

    def _give(self, grants: Iterable[Grant]) -> None:
        TokenGrant.objects.bulk_create(
            TokenGrant(token=self, namespace=one.namespace, repo_id=one.repo_id, level=one.level, label=one.label[:300])
            for one in grants
        )

    @classmethod
    def find(cls, secret: str) -> "AccessToken | None":
        """Return the live token with this secret, noting its use at most once a minute."""
        if not secret.startswith(PREFIX) or len(secret) > 100:
            return None
        token = cls.opened(digest=digest_of(secret))
        now = timezone.now()
        if token and (token.last_used_at is None or now - token.last_used_at > TOUCH_EVERY):
            token._touch(now)
        return token

    def _touch(self, now: datetime) -> None:
        """Note the use, and in the owner's audit list that it came from an address for the first time."""
        address = origin.current().address
        if address and address != self.last_address:
            seen = AuditEntry.objects.filter(subject=f"token:{self.pk}", address=address)
            if self.last_address and not seen.filter(kind="token.used_elsewhere").exists():
                AuditEntry.note(
                    "token.used_elsewhere", account=self.user, by=self.user, subject=f"token:{self.pk}", name=self.name
                )
        type(self).objects.filter(pk=self.pk).update(last_used_at=now, last_address=address or self.last_address)

    @classmethod
    def opened(cls, **known: Any) -> "AccessToken | None":
        """Return the live token with these values; its user acts within the token's reach."""
        live = cls.objects.live().select_related("user", "authorization__app")
        token = of_working(live).filter(**known).first()
        if token:
            token.user.reach = token.reach()
        return token

    def reach(self) -> Reach | None:
        """Return how far this token carries, None for as far as its owner."""
        if self.role != self.Role.FINE_GRAINED:
            return None
        if self.authorization:
            return self.authorization.reach()
        namespaces: dict[int, int] = {}
        repos: dict[int, int] = {}
        for namespace_id, repo_id, level in self.grants.values_list("namespace_id", "repo_id", "level"):
            given, key = (namespaces, namespace_id) if repo_id is None else (repos, repo_id)
            given[key] = max(level, given.get(key, 0))
        return Reach(namespaces=namespaces, repos=repos, account=frozenset(self.permissions))

    @property
    def told(self) -> list[str]:
        """What a program may know of the token's person, in the scopes of apps; one elsewhere only for whom it acts."""
        if self.authorization:
            return self.authorization.scopes
        return ["openid", "profile"] if self.publisher_id else ["openid", "profile", "email"]

    def revoke(self) -> None:
        """End this token at once; a second call changes nothing."""
        with transaction.atomic():
            if type(self).objects.filter(pk=self.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
                Event.record("token.revoked", subject=f"token:{self.pk}", by=self.user, name=self.name)

    @property
    def may_write(self) -> bool:
        """Whether the token may change anything; what, its reach says."""
        if self.role != self.Role.FINE_GRAINED:
            return self.role == self.Role.WRITE
        reach = self.user.reach or self.reach()
        return reach is not None and reach.may_write


class TokenGrant(models.Model):
    """One namespace, or one repository, that a fine-grained token was given."""

    class Levels(models.IntegerChoices):
        READ = Level.READ.value, _("read")
        WRITE = Level.WRITE.value, _("write")
        MANAGE = Level.MANAGE.value, _("write, with settings and deletion")

    token = models.ForeignKey(AccessToken, models.CASCADE, related_name="grants")
    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="+")
    # An id, not a key: repositories belong to the layer above. Ids are never given twice.
    repo_id = models.BigIntegerField(null=True)
    level = models.PositiveSmallIntegerField(choices=Levels.choices)
    label = models.CharField(max_length=300)

    def __str__(self) -> str:
        return f"{self.label}: {self.get_level_display()}"


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > 80:
        raise InvalidInput(gettext("Give the token a name of 1 to 80 characters."))
    return name.strip()
