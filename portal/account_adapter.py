"""How allauth creates people: names follow the hub's rules and claim a namespace."""

import secrets
import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal import closing, mail_server, restraining
from portal.errors import DomainError
from portal.models import AuditEntry, Device, ModerationRules, Namespace, User
from portal.names import check_namespace_name

# What allauth tells the person by mail is also noted on the audit list.
NOTED = {
    "account/email/password_changed": "password.changed",
    "account/email/password_set": "password.changed",
    "account/email/password_reset": "password.reset",
    "account/email/email_changed": "email.changed",
    "account/email/email_confirm": "email.confirmed",
    "account/email/email_deleted": "email.removed",
    "mfa/email/totp_activated": "mfa.totp_activated",
    "mfa/email/totp_deactivated": "mfa.totp_deactivated",
    "mfa/email/webauthn_added": "mfa.key_added",
    "mfa/email/webauthn_removed": "mfa.key_removed",
    "mfa/email/recovery_codes_generated": "mfa.codes_generated",
    "socialaccount/email/account_connected": "provider.connected",
    "socialaccount/email/account_disconnected": "provider.disconnected",
}


# A recovery code is none of them: who needs one has lost the others.
FACTORS = ("totp", "webauthn")
BROWSER = "browser"  # the cookie that tells one browser from another
BROWSER_AGE = 365 * 86400


def _has_just_shown_a_factor(request: HttpRequest) -> bool:
    """Whether the reader signed in with a second factor, or a passkey alone, within the time of a confirmation."""
    since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    return any(
        record["at"] > since and record["method"] == "mfa" and record["type"] in FACTORS
        for record in get_authentication_records(request, request.user)
    )


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's flows over our rules."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up while the portal is under attack."""
        return not ModerationRules.current().under_attack and bool(super().is_open_for_signup(request))

    def clean_email(self, email: str) -> str:
        """Refuse addresses of hosts that staff has closed, such as those of throw-away mail."""
        cleaned: str = super().clean_email(email)
        host = cleaned.rpartition("@")[2].lower()
        closed = ModerationRules.current().closed_mail_hosts.split()
        if any(host == one or host.endswith(f".{one}") for one in closed):
            raise forms.ValidationError(_("Please use another address: mail of this host cannot be used here."))
        return cleaned

    def pre_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse | None:
        """Lead a suspended person, who has just proved to be that person, to the notice and the appeal."""
        if restraining.suspension_of(user):
            return redirect("appeal_from_sign_in", ticket=restraining.ticket_of(user))
        response: HttpResponse | None = super().pre_login(request, user, **details)
        return response

    def is_reauthentication_required(self, *, app: str, **options: Any) -> bool:
        """Ask nobody again who has just signed in with a security key or a code: no more than these could be asked."""
        return not _has_just_shown_a_factor(self.request) and bool(
            super().is_reauthentication_required(app=app, **options)
        )

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

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        """Note the sign-in, keep an account that was to be deleted, and speak the language the person has chosen."""
        methods = request.session.get("account_authentication_methods") or []
        used = ", ".join(str(one.get("type") or one.get("method") or "") for one in methods)
        AuditEntry.note("session.began", account=user, by=user, method=used)
        response: HttpResponse = super().post_login(request, user, **details)
        _note_browser(request, response, user)
        if closing.cancel(user):
            messages.success(request, _("Your account is no longer to be deleted."))
        if user.language:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME, user.language, max_age=settings.LANGUAGE_COOKIE_AGE, samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )  # fmt: skip
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Let the owner of an account see guesses at it; the limits on sign-in bound how many there are."""
        named = str(credentials.get("username") or "")[:150]
        address = str(credentials.get("email") or "")[:254]
        found = User.objects.named(named) if named else User.objects.filter(emailaddress__email__iexact=address)
        if (named or address) and (user := found.first()):
            AuditEntry.note("session.refused", account=user, by=None, method="password")

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *rest: Any, **more: Any
    ) -> None:
        """Tell of no letter where none can be sent."""
        if message_template != "account/messages/email_confirmation_sent.txt" or mail_server.is_set():
            super().add_message(request, level, message_template, *rest, **more)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        if kind := NOTED.get(template_prefix):
            AuditEntry.note(kind, account=user, by=user)
        super().send_notification_mail(template_prefix, user, context=context, email=email)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count guesses at one account together; allauth counts them apart for each host name a guesser sends."""
        return str(credentials.get("email") or credentials.get("username") or "").lower()


def _note_browser(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Let two accounts in one browser be told from two people: see portal/evidence.py."""
    cookie = request.COOKIES.get(BROWSER, "")[:64] or secrets.token_urlsafe(24)
    Device.note(user, cookie)
    response.set_cookie(
        BROWSER, cookie, max_age=BROWSER_AGE, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
    )
