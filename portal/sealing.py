"""Secrets that must be sent on one day, and so cannot be stored as digests: they are stored encrypted. Keys of which
others know the public half are stored nowhere: they follow from the installation's own secret.
"""

import base64
import hashlib
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve P-256


def signing_key(purpose: str) -> ec.EllipticCurvePrivateKey:
    """Return the key for a purpose, the same in every process of this installation."""
    return _derived(settings.SECRET_KEY, purpose)


@cache
def _derived(secret: str, purpose: str) -> ec.EllipticCurvePrivateKey:
    derived = HKDF(algorithm=SHA256(), length=48, salt=None, info=purpose.encode()).derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(derived, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def seal(text: str) -> str:
    """Return `text` encrypted with a key of this installation; "" stays ""."""
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str | None:
    """Return what was sealed, or None when the installation's secret has changed since."""
    if not sealed:
        return ""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _box() -> Fernet:
    key = hashlib.sha256(b"portal sealing " + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
