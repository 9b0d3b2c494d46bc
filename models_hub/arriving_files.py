"""Files of commits that were made elsewhere: each is one that this repository may hold, and may claim."""

import io

from django.conf import settings
from django.utils.translation import gettext as _

from models_hub import checking, contents, staging
from models_hub.arrivals import Arrivals, missing
from models_hub.checking import FileRefused, PathRefused
from models_hub.git import objects
from models_hub.git.packs import BLOB
from models_hub.git.pointers import MAX_POINTER_BYTES, Pointer, parse_pointer, pointer_oid, pointer_text
from models_hub.headers.safetensors import read_safetensors_header
from models_hub.models import GitObject
from models_hub.storage import ContentRefused
from portal.errors import InvalidInput

FILE_MODES = (0o100644, 0o100755)
LINK, SUBMODULE = 0o120000, 0o160000


class LfsNeeded(FileRefused):
    """A file too long to be kept in git."""

    code = "lfs_needed"


class ArrivingFiles:
    """Files that are new somewhere, checked some hundred at a time."""

    def __init__(self, source: Arrivals, awaited: dict[str, Pointer] | None) -> None:
        self._source = source
        self._awaited = awaited
        self._waiting: list[tuple[str, str]] = []
        self._claims: list[tuple[str, Pointer]] = []

    def add(self, path: str, oid: str) -> None:
        self._waiting.append((path, oid))
        if len(self._waiting) >= objects.BATCH:
            self._check()

    def finish(self) -> None:
        self._check()
        self._redeem()

    def _check(self) -> None:
        sizes = self._sizes()
        short: dict[str, list[str]] = {}
        for path, oid in self._waiting:
            size = sizes[oid]
            if size > settings.LFS_THRESHOLD_BYTES:
                raise _lfs_needed(path)
            if path in staging.ALWAYS_SMALL:
                staging.check_size(path, size)
            if size <= MAX_POINTER_BYTES or staging.is_safetensors(path):
                short.setdefault(oid, []).append(path)
        for oid, body in self._source.bodies(short, BLOB):
            for path in short[oid]:
                self._look(path, body)
        self._waiting = []
        if len(self._claims) >= objects.BATCH:
            self._redeem()

    def _sizes(self) -> dict[str, int]:
        """Return the sizes of the waiting files; raises when one is not here."""
        source, found = self._source, {}
        for _path, oid in self._waiting:
            if source.in_pack(oid, BLOB):
                assert source.pack is not None
                found[oid] = source.pack.get(oid)
        sizes = {oid: one.size for oid, one in found.items() if one is not None}
        outside = [oid for _path, oid in self._waiting if oid not in sizes]
        source.keep(outside)
        rows = GitObject.objects.filter(repo=source.repo, oid__in=outside, type=BLOB)
        sizes.update(rows.values_list("oid", "size"))
        for path, oid in self._waiting:
            if oid not in sizes:
                # A file told as a delta on one too long to be kept has no id here; it is as long itself, as a rule.
                too_long = source.pack is not None and (oid in source.pack.large or source.pack.incomplete)
                raise _lfs_needed(path) if too_long else missing(oid)
        return sizes

    def _look(self, path: str, body: bytes) -> None:
        """Look into a short file, or into weights that are not in LFS."""
        pointer = parse_pointer(body)
        if pointer is None:
            if staging.is_safetensors(path):
                read_safetensors_header(io.BytesIO(body), len(body), path)
            return
        if path in staging.ALWAYS_SMALL:
            raise InvalidInput(_("%(path)s must be an ordinary text file, not large content.") % {"path": path})
        if body != pointer_text(pointer.sha256, pointer.size):
            raise FileRefused(
                _("“%(path)s” is an LFS pointer that git-lfs would write differently. Run “git lfs migrate import”.")
                % {"path": path}
            )
        self._claims.append((path, pointer))

    def _redeem(self) -> None:
        """Refuse pointers to content that was not sent to this repository: knowing a digest gives nothing."""
        held = contents.claimed_by(self._source.repo, (pointer.sha256 for _path, pointer in self._claims))
        for path, pointer in self._claims:
            blob = held.get(pointer.sha256)
            if blob is None and self._awaited is not None:
                self._awaited[pointer_oid(pointer.sha256, pointer.size)] = pointer
                continue
            if blob is None or blob.size != pointer.size:
                raise ContentRefused(
                    _(
                        "“%(path)s” refers to content %(sha)s of %(size)d bytes, which was not sent to this "
                        "repository. Run “git lfs push --all origin” and push again."
                    )
                    % {"path": path, "sha": pointer.sha256, "size": pointer.size}
                )
            staging.check_large(path, blob)
        self._claims = []


def check_mode(path: str, mode: int) -> None:
    """Refuse what is neither a file nor a folder."""
    if mode in FILE_MODES:
        return
    shown = checking.shown(path)
    if mode == LINK:
        raise PathRefused(
            _("“%(path)s” is a symbolic link, which a repository here may not hold. Put the file itself in its place.")
            % {"path": shown}
        )
    if mode == SUBMODULE:
        raise PathRefused(
            _("“%(path)s” is a submodule, which a repository here may not hold. Put its files in its place.")
            % {"path": shown}
        )
    raise PathRefused(
        _("“%(path)s” has the file mode %(mode)o; only 100644 and 100755 are possible.") % {"path": shown, "mode": mode}
    )


def _lfs_needed(path: str) -> LfsNeeded:
    shown, most = checking.shown(path), settings.LFS_THRESHOLD_BYTES
    return LfsNeeded(
        _(
            "“%(path)s” has more than %(max)d bytes and is not in LFS. Run “git lfs install”, then "
            "“git lfs migrate import --everything --above=10MB”, and push again."
        )
        % {"path": shown, "max": most}
    )
