"""People, organizations and the namespace that both share."""

from typing import Any, ClassVar, TypeAlias, Union

from django.contrib.auth.models import AbstractUser, AnonymousUser, UserManager
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.names import check_namespace_name
from portal.reach import Reach

Asker: TypeAlias = Union["User", AnonymousUser]


class AccountManager(UserManager["User"]):
    """Creates a user together with the namespace that bears the user's name."""

    def _create_user(self, username: str, email: str | None, password: str | None, **extra: Any) -> "User":
        check_namespace_name(username)
        with transaction.atomic():
            user: User = super()._create_user(username, email, password, **extra)  # type: ignore[misc]
            Namespace.claim(user.username, user=user)
        return user


class User(AbstractUser):
    """A person with an account."""

    about = models.CharField(_("about"), max_length=500, blank=True)
    is_demo = models.BooleanField(default=False)
    # Set on the user whom a limited token speaks for, never stored: see portal/reach.py.
    reach: Reach | None = None

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        constraints = (models.UniqueConstraint(Lower("username"), name="user_username_ci"),)

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username

    def introduce(self, *, name: str, about: str) -> None:
        """Change what others read about this person."""
        self.first_name, self.last_name, self.about = name, "", about
        self.save(update_fields=["first_name", "last_name", "about"])


class Organization(models.Model):
    """A group of people that owns repositories together."""

    name = models.CharField(_("name"), max_length=96)
    title = models.CharField(_("display name"), max_length=120, blank=True)
    about = models.CharField(_("about"), max_length=500, blank=True)
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
        return organization

    @property
    def display_name(self) -> str:
        return self.title or self.name

    def introduce(self, *, title: str, about: str, by: User) -> None:
        """Change what others read about this organization."""
        self._require_admin(by)
        self.title, self.about = title, about
        self.save(update_fields=["title", "about"])

    def role_of(self, user: "Asker") -> str | None:
        if user.pk is None:
            return None
        return self.memberships.filter(user_id=user.pk).values_list("role", flat=True).first()

    def add(self, member: User, *, role: str, by: User) -> "Membership":
        """Let `member` in with `role`, or change the role of one who is in already."""
        self._require_admin(by)
        if role not in Membership.Role.values:
            raise InvalidInput(gettext("Choose one of these roles: read, write, admin."))
        with transaction.atomic():
            membership, _created = Membership.objects.update_or_create(
                organization=self, user=member, defaults={"role": role}
            )
            self._require_an_admin_left()
        return membership

    def remove(self, member: User, *, by: User) -> None:
        """Take `member` out; people may always leave, but the last admin may not."""
        if by != member:
            self._require_admin(by)
        with transaction.atomic():
            self.memberships.filter(user=member).delete()
            self._require_an_admin_left()

    def _require_admin(self, user: User) -> None:
        if not user.is_superuser and self.role_of(user) != Membership.Role.ADMIN:
            raise NotAllowed(gettext("Only an admin of this organization may do that."))

    def _require_an_admin_left(self) -> None:
        # Two admins who leave at the same moment would each see the other: the row makes them take turns.
        Organization.objects.select_for_update().get(pk=self.pk)
        if not self.memberships.filter(role=Membership.Role.ADMIN).exists():
            raise Conflict(gettext("An organization needs at least one admin: name another one first."))


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

    class Meta:
        constraints = (models.UniqueConstraint(fields=("organization", "user"), name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} in {self.organization_id}"


class NamespaceQuerySet(models.QuerySet["Namespace"]):
    def named(self, name: str) -> "NamespaceQuerySet":
        """The one of this name, in whatever case; a text that no name could be finds none."""
        possible = name.isascii() and name.isprintable()  # others, no database could even be asked for
        return self.filter(lower=name.lower()) if possible else self.none()


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
                return cls.objects.create(name=name, lower=name.lower(), user=user, organization=organization)
        except IntegrityError as error:
            raise Conflict(gettext("The name “%(name)s” is taken.") % {"name": name}) from error

    @classmethod
    def is_free(cls, name: str) -> bool:
        return not cls.objects.named(name).exists()
