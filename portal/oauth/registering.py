"""Apps come and go: registered by a person, with addresses to which alone their sign-ins may lead."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from portal.errors import InvalidInput
from portal.models import Event, OAuthApp, User
from portal.models.tokens import digest_of, new_secret
from portal.oauth.errors import OAuthError

# The command line of the Hub's client brings its own number.
COMMAND_LINE_ID = "26be6b09-91c5-47da-9861-d2d2bb7a7e36"
COMMAND_LINE_NAME = "hf command line"
SECRET_PREFIX = "hfs_"  # noqa: S105
MAX_APPS = 50
MAX_ADDRESSES = 10
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def register(
    *, by: User, name: str, redirect_uris: Iterable[str], homepage: str = "", public: bool = False
) -> tuple[OAuthApp, str]:
    """Register an app and return it with its secret, which cannot be had again; "" for a public one."""
    addresses = checked_addresses(redirect_uris)
    if not name.strip() or len(name) > 80:
        raise InvalidInput(_("Give the app a name of 1 to 80 characters."))
    if by.oauth_apps.count() >= MAX_APPS:
        raise InvalidInput(_("You may register at most %(max)d apps: delete one first.") % {"max": MAX_APPS})
    secret = "" if public else new_secret(SECRET_PREFIX)
    with transaction.atomic():
        app = OAuthApp.objects.create(
            owner=by,
            name=name.strip(),
            homepage=homepage,
            redirect_uris=addresses,
            secret_digest=digest_of(secret) if secret else "",
        )
        Event.record("oauth_app.registered", subject=f"oauth_app:{app.pk}", by=by, name=app.name)
    return app, secret


def remove(app: OAuthApp, *, by: User) -> None:
    """Delete an app; whatever it was allowed ends at once."""
    with transaction.atomic():
        Event.record("oauth_app.removed", subject=f"oauth_app:{app.pk}", by=by, name=app.name)
        app.delete()


def checked_addresses(addresses: Iterable[str]) -> list[str]:
    """Return redirect addresses that keep a code safe on its way: https, or this very machine."""
    found = list(dict.fromkeys(address.strip() for address in addresses if address.strip()))
    if len(found) > MAX_ADDRESSES:
        raise InvalidInput(_("Give at most %(max)d redirect addresses.") % {"max": MAX_ADDRESSES})
    for address in found:
        if not _is_safe(address):
            raise InvalidInput(
                _("“%(address)s” cannot be a redirect address: use https://, or http:// with localhost, without “#”.")
                % {"address": address[:200]}
            )
    return found


def _is_safe(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    if not host or "#" in address or "\\" in address or parts.username or not address.isprintable():
        return False
    return len(address) <= 500 and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


def find(client_id: str) -> OAuthApp | None:
    """Return the app with this number; the command line's is made when it is first asked for."""
    if client_id == COMMAND_LINE_ID:
        return OAuthApp.objects.get_or_create(client_id=client_id, defaults={"name": COMMAND_LINE_NAME})[0]
    return OAuthApp.objects.filter(client_id=client_id).first() if client_id and client_id.isprintable() else None


def prove(client_id: str, secret: str) -> OAuthApp:
    """Return the app that calls; raises OAuthError unless it proves to be that app."""
    app = find(client_id[:64])
    if app is None:
        raise OAuthError("invalid_client", _("No app has this client_id."))
    if not app.is_public and not constant_time_compare(app.secret_digest, digest_of(secret)):
        raise OAuthError("invalid_client", _("The client_secret is missing or wrong."))
    return app
