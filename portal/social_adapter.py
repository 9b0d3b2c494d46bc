"""Accounts of other sites as a way in: the person still chooses a name here, which claims a namespace."""

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from portal.models import Namespace, User


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth's providers over our rules."""

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        with transaction.atomic():
            user: User = super().save_user(request, sociallogin, form=form)
            if not Namespace.objects.filter(user=user).exists():
                Namespace.claim(user.username, user=user)
        return user
