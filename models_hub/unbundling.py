"""A bundle becomes a repository, read once from beginning to end, in flat memory. Nobody else sees it until all of it
was verified: every part against the manifest, the manifest against the signature, the history as a push is.
"""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.utils.translation import gettext as _

from models_hub import adopting, bundle_format, contents, importing, publishing, quotas
from models_hub.adopting import Tip
from models_hub.bundle_format import MANIFEST, MAX_MANIFEST_BYTES, SIGNATURE, BundleReader, BundleRefused, Manifest
from models_hub.bundling import HEADER, MAIN
from models_hub.git import formats, packs
from models_hub.git.packs import TAG, IncomingPack
from models_hub.models import Import, Repo
from portal.errors import DomainError, TooLarge
from portal.models import Asker

MAX_HEADER_BYTES = 4 * 1024 * 1024
SOURCE = "bundle"


def receive(
    blocks: Iterable[bytes], *, by: Asker, namespace: str, name: str, kind: str | None = None, private: bool = False
) -> Repo:
    """Make a repository of a bundle; what a refused one left is removed, what a killed one left is gone on with.

    `kind` is what the bundle must hold, where the caller knows. Raises BundleRefused, Conflict, StorageFull, and
    whatever a push of the same history would raise.
    """
    reader = BundleReader(blocks)
    written = reader.whole(MANIFEST, MAX_MANIFEST_BYTES)
    manifest = Manifest.decoded(written)
    if kind is not None and manifest.kind != kind:
        raise BundleRefused(
            _("The bundle holds a repository of another kind: %(kind)s.") % {"kind": manifest.kind[:20]}
        )
    _check_sizes(manifest)
    origin = importing.begin(
        by=by, kind=manifest.kind, namespace=namespace, name=name, upstream=SOURCE, source=manifest.name[:200],
        private=private,
    )  # fmt: skip
    try:
        _fill(origin, reader, manifest, written)
    except DomainError:
        if importing.is_untouched(origin.repo):  # else somebody wrote to what an earlier try had left
            publishing.delete_repo(origin.repo, by=by)
        raise
    return origin.repo


def _check_sizes(manifest: Manifest) -> None:
    for part in manifest.contents:
        if part.size > settings.MAX_FILE_BYTES:
            raise TooLarge(_("A file may have at most %(max)d bytes.") % {"max": settings.MAX_FILE_BYTES})


def _fill(origin: Import, reader: BundleReader, manifest: Manifest, written: bytes) -> None:
    repo = origin.repo
    quotas.require_room(repo, [part.size for part in (manifest.history, *manifest.contents)])
    with packs.receive(repo, _pack(reader.part(manifest.history), manifest)) as pack:
        arrival = adopting.look(repo, pack, [_tip(pack, name, oid) for name, oid in manifest.refs.items()])
        for part in manifest.contents:
            contents.receive(repo, reader.part(part), sha256=part.sha256, size=part.size)
        bundle_format.check_signature(reader.whole(SIGNATURE, bundle_format.MAX_SIGNATURE_BYTES), written)
        reader.end()
        importing.finish(origin, arrival, by=origin.requested_by)


def _pack(blocks: Iterator[bytes], manifest: Manifest) -> Iterator[bytes]:
    """Yield the pack that a bundle of git holds, after its list of references, which must be the manifest's."""
    found = bytearray()
    while b"\n\n" not in found:
        block = next(blocks, b"")
        if not block or len(found) > MAX_HEADER_BYTES:
            raise _refused()
        found += block
    head, _blank, rest = bytes(found).partition(b"\n\n")
    lines = sorted(f"{oid} {name}" for name, oid in {**manifest.refs, "HEAD": manifest.refs.get(MAIN, "")}.items())
    first, *others = (head + b"\n").decode("utf-8", "replace").splitlines(keepends=False)
    if f"{first}\n".encode() != HEADER or sorted(others) != lines:
        raise _refused()
    yield rest
    yield from blocks


def _tip(pack: IncomingPack, name: str, oid: str) -> Tip:
    packed = pack.get(oid)
    if packed is not None and packed.type == TAG:
        return Tip(name, formats.read_tag(oid, pack.body(oid)).target, oid)
    return Tip(name, oid)


def _refused() -> BundleRefused:
    return BundleRefused(_("The history in the bundle is not the one that its manifest names."))
