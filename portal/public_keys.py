"""Public keys of SSH as people paste them: one line of OpenSSH’s, checked for what they are and how strong.

The line is `type base64 comment`, where the base64 is what RFC 4253 sends: its digest is the key’s fingerprint.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key
from django.utils.translation import gettext as _

from portal.errors import InvalidInput

MAX_TEXT = 8192  # characters: an RSA key of 8,192 bits has 1,400
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192  # longer ones cost whoever checks a signature
PLAIN = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
IN_DEVICES = ("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")


class KeyRefused(InvalidInput):
    """What was pasted is no public key that opens anything here."""

    code = "bad_ssh_key"


@dataclass(frozen=True)
class PublicKey:
    """One key that may be let in; `text` is its line without the comment."""

    type: str
    text: str
    comment: str
    fingerprint: str


def fingerprint_of(blob: bytes) -> str:
    """Return what `ssh-keygen -l` shows of a key in the form in which it travels."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def read(text: str) -> PublicKey:
    """Return the key in a pasted line; raises KeyRefused with what to do about it."""
    line = text.strip()
    if "PRIVATE KEY" in line or "PuTTY-User-Key-File" in line:
        raise KeyRefused(
            _(
                "This is the private half of a key. It must never leave your machine: make a new pair with ssh-keygen, "
                "and paste the file that ends in .pub."
            )
        )
    if not line or len(line) > MAX_TEXT or "\n" in line or not line.isprintable():
        raise KeyRefused(_("Paste one public key: the single line in the file that ends in .pub."))
    kind, _space, rest = line.partition(" ")
    encoded, _space, comment = rest.strip().partition(" ")
    _check_type(kind)
    return _checked(kind, encoded, comment.strip())


def _check_type(kind: str) -> None:
    if kind == "ssh-dss":
        raise KeyRefused(_("DSA keys are too weak to be used. Make another one: ssh-keygen -t ed25519"))
    if "-cert-" in kind:
        raise KeyRefused(_("This is a certificate. Paste the public key that it certifies."))
    if kind not in PLAIN + IN_DEVICES:
        raise KeyRefused(
            _("A public key begins with its type, such as ssh-ed25519: paste the line in the file that ends in .pub.")
        )


def _checked(kind: str, encoded: str, comment: str) -> PublicKey:
    broken = KeyRefused(_("The key is damaged: copy the whole line of the file that ends in .pub once more."))
    try:
        blob = base64.b64decode(encoded, validate=True)
        key = load_ssh_public_key(f"{kind} {encoded}".encode())
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise broken from error
    if isinstance(key, RSAPublicKey) and not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise KeyRefused(
            _("RSA keys must have %(min)d to %(max)d bits; this one has %(bits)d. Better: ssh-keygen -t ed25519")
            % {"min": MIN_RSA_BITS, "max": MAX_RSA_BITS, "bits": key.key_size}
        )
    if kind in PLAIN:
        # The same numbers can be written in more than one way: another one would be a second fingerprint of one key.
        written = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        if written != b"%s %s" % (kind.encode(), base64.b64encode(blob)):
            raise broken
    return PublicKey(kind, f"{kind} {base64.b64encode(blob).decode()}", comment, fingerprint_of(blob))
