"""People whose accounts ask for more: a second factor, a key, a sign-in elsewhere, a password that is forgotten."""

import time
from importlib import import_module
from typing import Any

NEVER_OLD = 10**6  # a password that was given in the future stays fresh while the pages are looked at


def fill() -> tuple[dict[str, str], dict[str, str]]:
    """Make them; say the facts that addresses need, and the sessions by the names of who looks."""
    from allauth.account.forms import default_token_generator
    from allauth.account.models import EmailAddress, EmailConfirmationHMAC
    from allauth.account.utils import user_pk_to_url_str
    from allauth.mfa.models import Authenticator
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from allauth.socialaccount.adapter import get_adapter
    from allauth.socialaccount.models import SocialAccount, SocialLogin
    from django.test import Client

    from portal import merging
    from portal.models import User
    from tests.live import PASSWORD

    alice, bob = User.objects.get(username="alice"), User.objects.get(username="bob")
    # Signing in ends a link to a new password, so that kim never does.
    fay, hal, kim = (User.objects.create_user(name, f"{name}@example.org", PASSWORD) for name in ("fay", "hal", "kim"))
    una = User.objects.create_user("una", "una@example.org", PASSWORD, is_staff=True)
    TOTP.activate(fay, generate_totp_secret())
    RecoveryCodes.activate(fay)
    key = Authenticator.objects.create(
        user=fay, type="webauthn", data={"name": "The key on my ring", "credential": registered_key()}
    )
    hal.set_unusable_password()
    hal.save()
    SocialAccount.objects.create(user=hal, provider="github", uid="1", extra_data={"login": "hal-elsewhere"})
    half = Client(SERVER_NAME="127.0.0.1")
    half.post("/accounts/login/", {"login": "fay", "password": PASSWORD})
    arriving = SocialLogin(
        provider=get_adapter().get_provider(None, "github"),
        user=User(username="ivy", email="ivy@example.org"),
        account=SocialAccount(provider="github", uid="2", extra_data={"login": "ivy"}),
        email_addresses=[EmailAddress(email="ivy@example.org", verified=True)],
    )
    address = EmailAddress.objects.get_or_create(user=bob, email=bob.email)[0]
    facts = {
        "key": str(key.pk),
        "merge": str(merging.offer(hal, into="alice").pk),
        "reset": f"{user_pk_to_url_str(kim)}-{default_token_generator.make_token(kim)}",
        "reset_lands": f"{user_pk_to_url_str(kim)}-set-password",
        "confirm": EmailConfirmationHMAC(address).key,
    }
    sessions = {
        "alice, who just gave her password": session_of(alice),
        "fay": session_of(fay),
        "fay, who owes a code": half.cookies["sessionid"].value,
        "hal": session_of(hal),
        "una, who moderates": session_of(una),
        "ivy, who comes from elsewhere": session_of(None, socialaccount_sociallogin=arriving.serialize()),
    }
    return facts, sessions


def session_of(user: Any, **more: Any) -> str:
    """A session as the sign-in makes one, of somebody who has just given the password."""
    from django.conf import settings

    session = import_module(settings.SESSION_ENGINE).SessionStore()
    if user is not None:
        given = {"method": "password", "at": time.time() + NEVER_OLD, "username": user.username}
        session["account_authentication_methods"] = [{**given, "reauthenticated": True}]
        session["account_authentication_methods_user"] = str(user.pk)
        session["_auth_user_id"] = str(user.pk)
        session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
        session["_auth_user_hash"] = user.get_session_auth_hash()
    session.update(more)
    session.save()
    key: str = session.session_key
    return key


def registered_key() -> dict[str, Any]:
    """What a browser sends when a security key is added."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from fido2.cose import ES256
    from fido2.utils import websafe_encode
    from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

    public = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT
    credential = AttestedCredentialData.create(Aaguid.NONE, b"a key for tests", public)
    data = AuthenticatorData.create(b"\0" * 32, flags, 0, bytes(credential))
    told = CollectedClientData.create(type="webauthn.create", challenge=b"?", origin="http://127.0.0.1")
    return {
        "type": "public-key",
        "id": websafe_encode(credential.credential_id),
        "rawId": websafe_encode(credential.credential_id),
        "clientExtensionResults": {"credProps": {"rk": True}},
        "authenticatorAttachment": "cross-platform",
        "response": {
            "clientDataJSON": websafe_encode(bytes(told)),
            "attestationObject": websafe_encode(bytes(AttestationObject.create("none", data, {}))),
            "transports": ["usb"],
        },
    }
