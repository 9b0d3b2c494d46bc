"""Who follows whom: people follow people and organizations."""

from django.db import models, transaction
from django.utils.translation import gettext

from portal.errors import InvalidInput
from portal.models.accounts import Asker, Namespace, User
from portal.models.outbox import Event


class FollowQuerySet(models.QuerySet["Follow"]):
    def of_active(self) -> "FollowQuerySet":
        """Without followers whose accounts are closed."""
        return self.filter(follower__is_active=True)

    def shown_to(self, reader: Asker) -> "FollowQuerySet":
        """Without those whose followers' choice it is that others do not see whom they follow."""
        shown = models.Q(follower__shows_follows=True)
        return self.filter(shown | models.Q(follower=reader.pk) if reader.pk else shown)


class Follow(models.Model):
    """One person follows one namespace."""

    follower = models.ForeignKey(User, models.CASCADE, related_name="follows")
    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="follows")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FollowQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("follower", "namespace"), name="follow_once"),)

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.namespace_id}"

    @classmethod
    def begin(cls, namespace: Namespace, *, by: User) -> None:
        """Follow; a second call changes nothing."""
        if namespace.user_id == by.pk:
            raise InvalidInput(gettext("You cannot follow yourself."))
        with transaction.atomic():
            _follow, created = cls.objects.get_or_create(follower=by, namespace=namespace)
            if created:
                Event.record("namespace.followed", subject=f"namespace:{namespace.pk}", by=by)

    @classmethod
    def end(cls, namespace: Namespace, *, by: User) -> None:
        """Follow no longer; a second call changes nothing."""
        with transaction.atomic():
            gone, _rows = cls.objects.filter(follower=by, namespace=namespace).delete()
            if gone:
                Event.record("namespace.unfollowed", subject=f"namespace:{namespace.pk}", by=by)

    @classmethod
    def is_on(cls, namespace: Namespace, *, by: Asker) -> bool:
        return bool(by.pk) and cls.objects.filter(follower_id=by.pk, namespace=namespace).exists()
