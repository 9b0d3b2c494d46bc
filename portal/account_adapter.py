"""How allauth creates people: names follow the hub's rules and claim a namespace."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.errors import DomainError
from portal.models import Namespace, User
from portal.names import check_namespace_name


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's flows over our rules."""

    def clean_username(self, username: str, shallow: bool = False) -> str:
        try:
            check_namespace_name(username)
        except DomainError as error:
            raise forms.ValidationError(error.message) from error
        cleaned: str = super().clean_username(username, shallow=shallow)
        if not shallow and not Namespace.is_free(cleaned):
            raise forms.ValidationError(_("This name is taken."))
        return cleaned

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            if commit:
                Namespace.claim(saved.username, user=saved)
        return saved

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count guesses at one account together; allauth counts them apart for each host name a guesser sends."""
        return str(credentials.get("email") or credentials.get("username") or "").lower()
