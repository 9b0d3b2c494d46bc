"""Content addressed by digest: one small interface, a local folder by default."""

from functools import cache
from pathlib import Path

from django.conf import settings

from models_hub.storage.contract import BlobStore, ContentDamaged, ContentRefused
from models_hub.storage.disk import DiskFull, is_full
from models_hub.storage.local import LocalBlobStore
from models_hub.storage.uploads import ArrivingFiles, UploadBusy

__all__ = [
    "ArrivingFiles",
    "BlobStore",
    "ContentDamaged",
    "ContentRefused",
    "DiskFull",
    "UploadBusy",
    "arriving_files",
    "attachment_store",
    "blob_store",
    "is_full",
]


def blob_store() -> BlobStore:
    """Return the store that the settings name."""
    return _local(Path(settings.BLOB_DIR))


def attachment_store() -> BlobStore:
    """Return the store of pictures in conversations, apart from the hub's: no repository has a right to them."""
    return _local(Path(settings.BLOB_DIR) / "attachments")


def arriving_files() -> ArrivingFiles:
    """Return where files of unfinished uploads lie: beside the store, into which they move by a rename."""
    return ArrivingFiles(Path(settings.BLOB_DIR) / "uploads")


@cache
def _local(root: Path) -> LocalBlobStore:
    return LocalBlobStore(root)
