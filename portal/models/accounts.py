"""People, organizations and the namespace that both share."""

from typing import Any, ClassVar, TypeAlias, Union

from django.contrib.auth.models import AbstractUser, AnonymousUser, UserManager
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models.audit import AuditEntry
from portal.models.outbox import Event
from portal.names import MAX_NAME, check_namespace_name
from portal.reach import Reach

MAX_ABOUT = 4000
SECOND_FACTORS = ("totp", "webauthn")  # allauth's names; recovery codes alone are none
Asker: TypeAlias = Union["User", AnonymousUser]


class AccountManager(UserManager["User"]):
    """Creates a user together with the namespace that bears the user's name; finds people by it."""

    def named(self, name: str) -> "models.QuerySet[User]":
        """The one of this account name, in whatever case; a text that no name could be finds nobody.

        No database can be asked for every text: SQLite compares in any case with at most 50,000 characters.
        """
        possible = name.isascii() and name.isprintable() and len(name) <= MAX_NAME
        return self.filter(username__iexact=name) if possible else self.none()

    def _create_user(self, username: str, email: str | None, password: str | None, **extra: Any) -> "User":
        check_namespace_name(username)
        with transaction.atomic():
            user: User = super()._create_user(username, email, password, **extra)  # type: ignore[misc]
            Namespace.claim(user.username, user=user)
        return user


class User(AbstractUser):
    """A person with an account."""

    class Theme(models.TextChoices):
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    about = models.TextField(_("about"), max_length=MAX_ABOUT, blank=True, validators=[MaxLengthValidator(MAX_ABOUT)])
    links = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=5, choices=Theme.choices, blank=True, default="")
    # Set while somebody has asked for the account to be deleted; signing in before that day clears it.
    deletion_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_demo = models.BooleanField(default=False)
    # A program that writes here; what it does notifies nobody.
    is_bot = models.BooleanField(default=False)
    # What others see on this person's page; see portal/privacy.py.
    shows_year = models.BooleanField(default=True, db_default=True)
    shows_activity = models.BooleanField(default=True, db_default=True)
    shows_follows = models.BooleanField(default=True, db_default=True)
    shows_likes = models.BooleanField(default=True, db_default=True)
    # How much is unread in the inbox, at most 100; None where it is to be counted anew.
    unread = models.PositiveSmallIntegerField(null=True, default=0, editable=False)
    # Set on the user whom a limited token speaks for, never stored: see portal/reach.py.
    reach: Reach | None = None

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        constraints = (models.UniqueConstraint(Lower("username"), name="user_username_ci"),)
        indexes = (models.Index(Upper("username"), name="user_username_upper"),)  # how PostgreSQL looks for any case

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    def introduce(self, *, name: str, about: str, links: list[str] | None = None) -> None:
        """Change what others read about this person; without `links` they stay."""
        self.first_name, self.last_name, self.about = name, "", about
        self.links = self.links if links is None else links
        with transaction.atomic():
            self.save(update_fields=["first_name", "last_name", "about", "links"])
            Event.record("profile.changed", subject=f"user:{self.pk}", by=self, user=self.pk)

    def prefer(self, *, language: str, theme: str, is_bot: bool | None = None) -> None:
        """Keep how the site shall speak and look to this person, in every browser, and whether it is a person."""
        self.language, self.theme = language, theme
        self.is_bot = self.is_bot if is_bot is None else is_bot
        self.save(update_fields=["language", "theme", "is_bot"])

    @property
    def has_second_factor(self) -> bool:
        """Whether signing in as this person takes more than a password."""
        return User.objects.filter(pk=self.pk, authenticator__type__in=SECOND_FACTORS).exists()


class Organization(models.Model):
    """A group of people that owns repositories together."""

    name = models.CharField(_("name"), max_length=96)
    title = models.CharField(_("display name"), max_length=120, blank=True)
    about = models.TextField(_("about"), max_length=MAX_ABOUT, blank=True, validators=[MaxLengthValidator(MAX_ABOUT)])
    links = models.JSONField(default=list, blank=True)
    # Members without a second factor may then only read.
    requires_mfa = models.BooleanField(default=False)
    members_public = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def found(cls, *, name: str, by: User, title: str = "") -> "Organization":
        """Create an organization whose first admin is `by`."""
        check_namespace_name(name)
        with transaction.atomic():
            organization = cls.objects.create(name=name, title=title)
            Namespace.claim(name, organization=organization)
            Membership.objects.create(organization=organization, user=by, role=Membership.Role.ADMIN)
            organization._record("founded", by=by)
        return organization

    @property
    def display_name(self) -> str:
        return self.title or self.name

    def introduce(self, *, title: str, about: str, by: User, links: list[str] | None = None) -> None:
        """Change what others read about this organization; without `links` they stay."""
        self.require_admin(by)
        self.title, self.about = title, about
        self.links = self.links if links is None else links
        self.save(update_fields=["title", "about", "links"])

    def rule(self, *, requires_mfa: bool, members_public: bool, by: User) -> None:
        """Change what is asked of members, and who may see them."""
        self.require_admin(by)
        if requires_mfa and not self.requires_mfa and not by.has_second_factor:
            raise Conflict(gettext("Set up two-factor authentication for your own account first."))
        with transaction.atomic():
            self.requires_mfa, self.members_public = requires_mfa, members_public
            self.save(update_fields=["requires_mfa", "members_public"])
            self._record("rules_changed", by=by)

    def role_of(self, user: "Asker") -> str | None:
        """Return what the person may do now: without a second factor that is asked for, only read."""
        return Membership.objects.role_in(self.pk, user)

    def add(self, member: User, *, role: str, by: User) -> "Membership":
        """Let `member` in with `role`, or change the role of one who is in already."""
        self.require_admin(by)
        if role not in Membership.Role.values:
            raise InvalidInput(gettext("Choose one of these roles: read, write, admin."))
        with transaction.atomic():
            membership, _created = Membership.objects.update_or_create(
                organization=self, user=member, defaults={"role": role}
            )
            self._require_an_admin_left()
            self._record("member_changed", by=by, member=member, role=role)
        return membership

    def hand_over(self, member: User, *, by: User) -> None:
        """Make `member` an admin in the place of `by`, who stays as a writer."""
        self.require_admin(by)
        if member == by or not self.memberships.filter(user=member).exists():
            raise InvalidInput(gettext("Choose another member of the organization."))
        with transaction.atomic():
            self.memberships.filter(user=member).update(role=Membership.Role.ADMIN)
            self.memberships.filter(user=by).update(role=Membership.Role.WRITE)
            self._record("ownership_transferred", by=by, member=member)

    def remove(self, member: User, *, by: User) -> None:
        """Take `member` out; people may always leave, but the last admin may not."""
        if by != member:
            self.require_admin(by)
        with transaction.atomic():
            self.memberships.filter(user=member).delete()
            self._require_an_admin_left()
            self._record("member_removed", by=by, member=member)

    def _record(self, what: str, *, by: User, member: User | None = None, **details: str) -> None:
        """Record what happened, and note it on the list of the member whom it concerns too."""
        kind, subject = f"organization.{what}", f"organization:{self.pk}"
        details["organization"] = self.name
        if member is not None:
            details["member"] = member.username
            if member != by:
                AuditEntry.note(kind, account=member, by=by, subject=subject, **details)
        Event.record(kind, subject=subject, by=by, **details)

    def require_admin(self, user: User) -> None:
        if not user.is_superuser and self.role_of(user) != Membership.Role.ADMIN:
            raise NotAllowed(gettext("Only an admin of this organization may do that."))

    def _require_an_admin_left(self) -> None:
        # Two admins who leave at the same moment would each see the other: the row makes them take turns.
        Organization.objects.select_for_update().get(pk=self.pk)
        if not self.memberships.filter(role=Membership.Role.ADMIN).exists():
            raise Conflict(gettext("An organization needs at least one admin: name another one first."))


class MembershipQuerySet(models.QuerySet["Membership"]):
    def role_in(self, organization_id: int, user: "Asker") -> str | None:
        """Return what the person may do there now, None for a stranger: see Organization.role_of."""
        if not isinstance(user, User):
            return None
        found = self.filter(organization_id=organization_id, user_id=user.pk)
        role, requires_mfa = found.values_list("role", "organization__requires_mfa").first() or (None, False)
        if role is None or not requires_mfa or user.has_second_factor:
            return role
        return str(Membership.Role.READ)

    def trusted(self) -> "MembershipQuerySet":
        """Without members who lack the second factor that their organization asks for."""
        return self.filter(
            Q(organization__requires_mfa=False) | Q(user__authenticator__type__in=SECOND_FACTORS)
        ).distinct()

    def visible_to(self, user: "Asker") -> "MembershipQuerySet":
        """Memberships of active people, where the organization shows its members to this reader."""
        active = self.exclude(user__is_active=False)
        if user.is_superuser:
            return active
        public = Q(organization__members_public=True)
        if not isinstance(user, User):
            return active.filter(public)
        return active.filter(public | Q(organization_id__in=user.memberships.values("organization_id")))


class Membership(models.Model):
    """One person's role in one organization."""

    class Role(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("write")
        ADMIN = "admin", _("admin")

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.READ)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "user"), name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} in {self.organization_id}"


class NamespaceQuerySet(models.QuerySet["Namespace"]):
    def named(self, name: str) -> "NamespaceQuerySet":
        """The one of this name, in whatever case; a text that no name could be finds none."""
        possible = name.isascii() and name.isprintable()  # others, no database could even be asked for
        return self.filter(lower=name.lower()) if possible else self.none()

    def known_as(self, name: str) -> "NamespaceQuerySet":
        """The one of this name, or that had it before: a former name is never given to another."""
        former = FormerName.objects.filter(lower=name.lower()).values("namespace")
        possible = name.isascii() and name.isprintable()
        return self.filter(Q(lower=name.lower()) | Q(pk__in=former)) if possible else self.none()


class Namespace(models.Model):
    """The first half of a repository's name: one name space for users and organizations, whatever the case.

    A mirrored name has no owner here: it holds copies of an upstream hub's repositories, which nobody here may change.
    """

    name = models.CharField(max_length=96)
    lower = models.CharField(max_length=96, unique=True)
    user = models.OneToOneField(User, models.CASCADE, null=True, blank=True, related_name="namespace")
    organization = models.OneToOneField(Organization, models.CASCADE, null=True, blank=True, related_name="namespace")
    is_mirror = models.BooleanField(default=False)

    objects = NamespaceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=(
                    models.Q(is_mirror=False) & (models.Q(user__isnull=True) ^ models.Q(organization__isnull=True))
                )
                | models.Q(is_mirror=True, user__isnull=True, organization__isnull=True),
                name="namespace_has_one_owner",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @classmethod
    def claim(cls, name: str, *, user: User | None = None, organization: Organization | None = None) -> "Namespace":
        try:
            with transaction.atomic():
                if FormerName.objects.filter(lower=name.lower()).exists():
                    raise Conflict(gettext("The name “%(name)s” is taken.") % {"name": name})
                return cls.objects.create(name=name, lower=name.lower(), user=user, organization=organization)
        except IntegrityError as error:
            raise Conflict(gettext("The name “%(name)s” is taken.") % {"name": name}) from error

    @classmethod
    def is_free(cls, name: str) -> bool:
        """Return whether nobody bears the name, or has borne it: links to a former name must not lead to another."""
        return not cls.objects.named(name).exists() and not FormerName.objects.filter(lower=name.lower()).exists()


class FormerName(models.Model):
    """A name that an account had before; its pages and repositories lead on to the present one."""

    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="former_names")
    lower = models.CharField(max_length=96, unique=True)
    name = models.CharField(max_length=96, default="")  # as it was written; older rows have none
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.lower
