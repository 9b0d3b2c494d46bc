"""People who may speak for others: old enough, confirmed, at a level, each from a network of their own."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.utils import timezone

from portal.models import AuditEntry, Trust, User

LONG_AGO = timedelta(days=200)


def confirm(user: User) -> User:
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    return user


def trusted(user: User, level: int = 2, *, address: str = "") -> User:
    """Let somebody have been here for long."""
    confirm(user)
    User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - LONG_AGO)
    user.refresh_from_db()
    Trust.objects.update_or_create(user=user, defaults={"level": level})
    came_from(user, address or f"8.{user.pk % 250}.{user.pk // 250}.7")
    return user


def came_from(user: User, address: str) -> None:
    AuditEntry.objects.create(account=user, actor=user, kind="session.began", address=address)


def crowd(number: int, level: int = 2) -> list[User]:
    """People without passwords, which take long to make."""
    made = []
    for one in range(number):
        user = User(username=f"crowd{one}", email=f"crowd{one}@example.org")
        user.set_unusable_password()
        user.save()
        made.append(trusted(user, level))
    return made
