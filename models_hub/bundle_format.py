"""The form of a bundle, see docs/BUNDLES.md: a tar file whose parts come in one order, named and digested by the first.

Written and read by hand: of the many things that a tar file may hold, exactly these are written, and no other is read.
"""

import base64
import binascii
import hashlib
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils.translation import gettext as _

from models_hub.checking import is_text
from portal import bounded_json
from portal.errors import InvalidInput
from portal.kept_once import kept_once

FORMAT, VERSION = "small-models-bundle", 1
MANIFEST, HISTORY, SIGNATURE = "manifest.json", "repository.bundle", "signature.json"
UNIT = 512
END = bytes(2 * UNIT)
BLOCK = 1024 * 1024
MAX_MANIFEST_BYTES = 64 * 1024 * 1024
MAX_SIGNATURE_BYTES = 4096
MAX_PARTS = 200_000
MAX_VALUES = 5 * MAX_PARTS  # of a manifest: each part has four
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OID = re.compile(r"[0-9a-f]{40}")


class BundleRefused(InvalidInput):
    """A file that is no bundle, was cut off or altered, or comes from a portal that is not trusted here."""

    code = "bad_bundle"


class Part(NamedTuple):
    """One file of a bundle."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a bundle holds. `refs` has the ids that git shows: of an annotated tag its own."""

    kind: str
    name: str
    created_at: str
    refs: Mapping[str, str]
    history: Part
    contents: tuple[Part, ...]

    @property
    def size(self) -> int:
        """How many bytes of content the bundle brings."""
        return self.history.size + sum(part.size for part in self.contents)

    def encoded(self) -> bytes:
        value = {
            "format": FORMAT,
            "version": VERSION,
            "repository": {"kind": self.kind, "name": self.name},
            "created_at": self.created_at,
            "refs": dict(self.refs),
            "parts": [part._asdict() for part in (self.history, *self.contents)],
        }
        return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def decoded(cls, data: bytes) -> "Manifest":
        """Read a manifest that somebody sent; raises BundleRefused."""
        try:
            value = bounded_json.loads(data, values=MAX_VALUES)
            if (value["format"], value["version"]) != (FORMAT, VERSION):
                raise BundleRefused(_("This is a bundle of another version, which this portal cannot read."))
            history, *contents = [_part(part) for part in value["parts"][: MAX_PARTS + 1]]
            refs = {str(name): str(oid) for name, oid in value["refs"].items()}
            repository = value["repository"]
            found = cls(
                str(repository["kind"]), str(repository["name"]), str(value["created_at"]), refs, history,
                tuple(contents),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _not_a_bundle() from error
        if len(contents) >= MAX_PARTS or history.path != HISTORY or not all(map(_OID.fullmatch, refs.values())):
            raise _not_a_bundle()
        if not all(map(is_text, (found.kind, found.name, found.created_at, *refs))):
            raise _not_a_bundle()
        digests = [part.sha256 for part in contents]
        if any(part.path != content_path(part.sha256) for part in contents) or len(set(digests)) < len(digests):
            raise _not_a_bundle()
        return found


def content_path(sha256: str) -> str:
    """Return where large content lies: where git-lfs looks for it below .git."""
    return f"lfs/objects/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def head(path: str, size: int) -> bytes:
    """Return what stands before a part."""
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = size, 0o644
    return entry.tobuf(format=tarfile.GNU_FORMAT)


def padding(size: int) -> bytes:
    """Return what follows a part."""
    return bytes(-size % UNIT)


def length(manifest: bytes, parts: Iterable[int], signature: bytes) -> int:
    """Return how long a bundle with parts of these sizes is."""
    sizes = (len(manifest), *parts, len(signature))
    return sum(UNIT + size + -size % UNIT for size in sizes) + len(END)


def signature(manifest: bytes) -> bytes:
    """Return the signed digest that ends a bundle, always of the same length."""
    key, digest = _own_key(), hashlib.sha256(manifest).hexdigest()
    value = {
        "algorithm": "Ed25519",
        "key": public_key(),
        "manifest_sha256": digest,
        "signature": base64.b64encode(key.sign(_signed(digest))).decode(),
    }
    return (json.dumps(value, indent=1) + "\n").encode()


def check_signature(data: bytes, manifest: bytes) -> str:
    """Return the public key of the portal that signed this manifest; raises BundleRefused."""
    try:
        value = bounded_json.loads(data)
        key, signed = str(value["key"]), base64.b64decode(value["signature"], validate=True)
        digest = hashlib.sha256(manifest).hexdigest()
        if value["algorithm"] != "Ed25519" or value["manifest_sha256"] != digest:
            raise BundleRefused(_("The signature of the bundle belongs to another one."))
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True)).verify(signed, _signed(digest))
    except InvalidSignature as error:
        raise BundleRefused(_("The signature of the bundle is not valid: it was altered on its way.")) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise _not_a_bundle() from error
    if settings.BUNDLE_KEYS and key not in settings.BUNDLE_KEYS:
        raise BundleRefused(_("The bundle was signed by a portal that is not trusted here."))
    return key


def public_key() -> str:
    """Return the key by which others know bundles of this portal."""
    return base64.b64encode(_own_key().public_key().public_bytes_raw()).decode()


class BundleReader:
    """A bundle as it arrives: its parts one after the other, each read to its end before the next begins."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._buffer = b""

    def whole(self, path: str, most: int) -> bytes:
        """Return the next part, which must be this one and short."""
        size = self._head(path)
        if size > most:
            raise _not_a_bundle()
        return b"".join(self._content(size))

    def part(self, part: Part) -> Iterator[bytes]:
        """Yield the next part, which must be this one; raises BundleRefused at its end when its digest differs."""
        if self._head(part.path) != part.size:
            raise _not_a_bundle()
        digest = hashlib.sha256()
        for block in self._content(part.size):
            digest.update(block)
            yield block
        if digest.hexdigest() != part.sha256:
            raise BundleRefused(_("The bundle is damaged: “%(path)s” is not what it was.") % {"path": part.path})

    def end(self) -> None:
        """Require that nothing but the end mark follows."""
        if self._take(len(END)) != END or any(any(block) for block in (self._buffer, *self._blocks)):
            raise _not_a_bundle()

    def _head(self, path: str) -> int:
        try:
            entry = tarfile.TarInfo.frombuf(self._take(UNIT), "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError) as error:
            raise _not_a_bundle() from error
        if entry.name != path or not entry.isreg() or entry.size < 0:
            raise _not_a_bundle()
        return entry.size

    def _content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            block = self._take(min(left, BLOCK))
            left -= len(block)
            yield block
        if any(self._take(-size % UNIT)):
            raise _not_a_bundle()

    def _take(self, count: int) -> bytes:
        parts, found = [self._buffer], len(self._buffer)
        while found < count:
            block = next(self._blocks, b"")
            if not block:
                raise BundleRefused(_("The bundle ends too early: send the whole file."))
            parts.append(block)
            found += len(block)
        joined = b"".join(parts)
        self._buffer = joined[count:]
        return joined[:count]


def _part(value: Any) -> Part:
    path, size, sha256 = value["path"], value["size"], value["sha256"]
    if not isinstance(path, str) or type(size) is not int or not 0 <= size < 2**62 or not _SHA256.fullmatch(sha256):
        raise ValueError("not a part")
    return Part(path, size, sha256)


def _signed(digest: str) -> bytes:
    return f"{FORMAT} {VERSION}\n{digest}\n".encode()


@cache
def _own_key() -> Ed25519PrivateKey:
    """Return this portal's key, made at the first use."""
    kept = kept_once(settings.BUNDLE_KEY_FILE, lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(kept)


def _not_a_bundle() -> BundleRefused:
    return BundleRefused(_("This file is not a bundle of a repository."))
