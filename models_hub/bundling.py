"""A repository as one file: all branches and tags, the whole history, all large content, digested and signed."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from models_hub import adopting, bundle_format, fetching
from models_hub.bundle_format import BLOCK, HISTORY, MANIFEST, SIGNATURE, Manifest, Part
from models_hub.git import packing
from models_hub.models import DEFAULT_BRANCH, Blob, Ref, Repo
from models_hub.models.refs import HEADS, TAGS
from portal.errors import Conflict

MAIN = HEADS + DEFAULT_BRANCH
HEADER = b"# v2 git bundle\n"


@dataclass(frozen=True)
class Bundle:
    """A bundle that can be written once: how long it is, and its bytes."""

    name: str
    size: int
    blocks: Iterator[bytes]


@contextmanager
def exported(repo: Repo) -> Iterator[Bundle]:
    """Give the bundle of a repository as it is now. The history waits on disk, large content is read as it is sent.

    Whoever asks must be one who may download from the repository. Content that a mirror awaits is fetched on the way.
    """
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as file:
        refs = _refs(repo)
        history = _write_history(repo, refs, file)
        blobs = adopting.blobs_of(repo)
        contents = tuple(Part(bundle_format.content_path(blob.sha256), blob.size, blob.sha256) for blob in blobs)
        created = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        manifest = Manifest(repo.kind, repo.full_name, created, refs, history, contents).encoded()
        signature = bundle_format.signature(manifest)
        size = bundle_format.length(manifest, [part.size for part in (history, *contents)], signature)
        yield Bundle(f"{repo.name}.bundle.tar", size, _blocks(manifest, file, history, blobs, signature))


def _refs(repo: Repo) -> dict[str, str]:
    rows = Ref.objects.filter(repo=repo).order_by("name")
    refs = {ref.name: ref.tag_oid or ref.oid for ref in rows if ref.name.startswith((HEADS, TAGS))}
    if MAIN not in refs:
        raise Conflict(_("This repository holds nothing yet."))
    return refs


def _write_history(repo: Repo, refs: dict[str, str], file: BinaryIO) -> Part:
    """Write a bundle of git's own, which `git clone` reads: https://git-scm.com/docs/gitformat-bundle."""
    digest = hashlib.sha256()
    lines = [f"{refs[MAIN]} HEAD\n", *(f"{oid} {name}\n" for name, oid in refs.items())]
    head = HEADER + "".join(lines).encode() + b"\n"
    for block in (head, *packing.write(repo, dict.fromkeys(refs.values()))):
        digest.update(block)
        file.write(block)
    return Part(HISTORY, file.tell(), digest.hexdigest())


def _blocks(manifest: bytes, file: BinaryIO, history: Part, blobs: list[Blob], signature: bytes) -> Iterator[bytes]:
    yield from _short(MANIFEST, manifest)
    yield bundle_format.head(history.path, history.size)
    file.seek(0)
    while block := file.read(BLOCK):
        yield block
    yield bundle_format.padding(history.size)
    for blob in blobs:
        yield bundle_format.head(bundle_format.content_path(blob.sha256), blob.size)
        yield from fetching.stream(blob)
        yield bundle_format.padding(blob.size)
    yield from _short(SIGNATURE, signature)
    yield bundle_format.END


def _short(path: str, data: bytes) -> Iterator[bytes]:
    yield bundle_format.head(path, len(data)) + data + bundle_format.padding(len(data))
