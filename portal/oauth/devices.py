"""Signing in a program on a machine without a browser (RFC 8628): it shows a code, a person types it elsewhere."""

import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.errors import NotFound
from portal.models import DeviceCode, Event, OAuthApp, User
from portal.models.tokens import digest_of, new_secret
from portal.oauth import granting
from portal.oauth.errors import OAuthError
from portal.oauth.granting import Issued
from portal.scopes import DEFAULT, FULL, known

# No vowels, so that no words come about, and nothing that looks like something else: 40 bits with their short life
# and the limit on guesses are enough.
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
LIFE = timedelta(minutes=15)
INTERVAL = 2  # seconds between two questions of the client
SLOWER = 5


def begin(app: OAuthApp, scope: str) -> tuple[DeviceCode, str]:
    """Return a new code with the secret that the program keeps."""
    wanted = known(scope) if scope else (FULL if app.owner_id is None else DEFAULT).split()
    DeviceCode.objects.filter(expires_at__lt=timezone.now() - LIFE).delete()
    for _attempt in range(5):
        secret = new_secret("")
        letters = "".join(secrets.choice(LETTERS) for _ in range(8))
        try:
            with transaction.atomic():
                code = DeviceCode.objects.create(
                    digest=digest_of(secret),
                    user_code=f"{letters[:4]}-{letters[4:]}",
                    app=app,
                    scope=" ".join(wanted),
                    interval=INTERVAL,
                    expires_at=timezone.now() + LIFE,
                )
        except IntegrityError:
            continue
        return code, secret
    raise OAuthError("temporarily_unavailable", _("No code is free at this moment: try again."))


def find(typed: str) -> DeviceCode:
    """Return the code that a person typed, in whatever case and with or without its dash; raises NotFound."""
    letters = "".join(letter for letter in typed.upper() if letter.isalpha())[:8]
    code = (
        DeviceCode.objects.select_related("app")
        .filter(user_code=f"{letters[:4]}-{letters[4:]}", state=DeviceCode.State.PENDING, expires_at__gt=timezone.now())
        .first()
    )
    if code is None:
        raise NotFound(_("No program waits with this code. Codes end after 15 minutes: start again to get a new one."))
    return code


def decide(code: DeviceCode, *, by: User, allow: bool) -> None:
    """Let the program in as `by`, or turn it away."""
    state = DeviceCode.State.APPROVED if allow else DeviceCode.State.DENIED
    with transaction.atomic():
        waiting = DeviceCode.objects.filter(
            pk=code.pk, state=DeviceCode.State.PENDING, expires_at__gt=timezone.now()
        ).update(state=state, user=by)
        if not waiting:
            raise NotFound(_("No program waits with this code any more."))
        Event.record("oauth.device_decided", subject=f"oauth_app:{code.app_id}", by=by, allowed=allow)


def collect(app: OAuthApp, secret: str) -> Issued:
    """Return the tokens once a person has agreed; raises OAuthError with what to do until then."""
    with transaction.atomic():
        rows = DeviceCode.objects.select_for_update(of=("self",)).select_related("app", "user")
        code = rows.filter(app=app, digest=digest_of(secret)).first()
        if code is None or code.state == DeviceCode.State.USED:
            raise OAuthError("invalid_grant", _("This device_code is unknown or was used before."))
        if code.expires_at <= timezone.now():
            raise OAuthError("expired_token", _("The code has expired: start again."))
        if code.state == DeviceCode.State.DENIED:
            raise OAuthError("access_denied", _("The request was turned down."))
        if code.state == DeviceCode.State.APPROVED and code.user and code.user.is_active:
            code.state = DeviceCode.State.USED
            code.save(update_fields=["state"])
            return granting.authorize(app=app, user=code.user, scope=code.scope)
        hasty = _note_poll(code)
    if hasty:
        raise OAuthError("slow_down", _("Ask less often."))
    raise OAuthError("authorization_pending", _("Nobody has agreed yet."))


def _note_poll(code: DeviceCode) -> bool:
    """Return whether the program asks sooner than it was told to, which costs it five seconds more each time."""
    now = timezone.now()
    hasty = code.polled_at is not None and now - code.polled_at < timedelta(seconds=code.interval - 0.5)
    code.interval += SLOWER if hasty else 0
    code.polled_at = now
    code.save(update_fields=["interval", "polled_at"])
    return hasty
