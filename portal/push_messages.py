"""Messages to browsers as RFC 8291 encrypts them, so that the service in between reads nothing, and the statement of
RFC 8292 by which it knows who sends them.
"""

import base64
import hashlib
import os
import time
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from portal.sealing import signing_key

PURPOSE = "portal web push"
RECORD = 4096  # one record holds the whole message
STEP = 256  # messages are filled up to a multiple, for their length tells something too
KEPT_SECONDS = 24 * 3600  # by the service, for a device that is switched off
SIGNED_SECONDS = 12 * 3600


def server_key() -> str:
    """Return the public key that browsers are told."""
    return _encoded(_point(signing_key(PURPOSE).public_key()))


def headers(endpoint: str, *, topic: str) -> dict[str, str]:
    """Return the headers of a message; a waiting one of the same topic is replaced by it."""
    parts = urlsplit(endpoint)
    told = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + SIGNED_SECONDS,
        "sub": settings.PUBLIC_URL or f"mailto:{settings.DEFAULT_FROM_EMAIL.rpartition('<')[2].strip('<> ')}",
    }
    signed = jwt.encode(told, signing_key(PURPOSE), algorithm="ES256")
    return {
        "Authorization": f"vapid t={signed}, k={server_key()}",
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEPT_SECONDS),
        "Topic": _encoded(hashlib.sha256(topic.encode()).digest()[:24]),
        "User-Agent": "small-models-portal-push/1",
    }


def encrypt(
    text: bytes,
    *,
    public_key: bytes,
    auth: bytes,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
    step: int = STEP,
) -> bytes:
    """Return the body that only the browser of these keys can read; `sender` and `salt` are new for each message."""
    sender = sender or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    own = _point(sender.public_key())
    shared = sender.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key))
    secret = _derived(shared, salt=auth, info=b"WebPush: info\0" + public_key + own, length=32)
    key = _derived(secret, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derived(secret, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    filled = text + b"\2"  # ends the last record; zeros after it count for nothing
    filled += bytes(-len(filled) % step)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(own)]) + own
    return head + AESGCM(key).encrypt(nonce, filled, None)


def _derived(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
