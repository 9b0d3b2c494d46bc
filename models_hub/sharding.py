"""Weights in several files: the index that names them, and the header of each."""

import json
import struct
from typing import Any

from django.utils.translation import gettext as _

from models_hub import browsing, checking
from models_hub.browsing import Entry
from models_hub.models import Commit, Repo
from portal import bounded_json
from portal.errors import InvalidInput, TooLarge

MAX_INDEX_BYTES = 16 * 1024 * 1024
MAX_HEADER_BYTES = 16 * 1024 * 1024  # of all shards together: in memory they take ten times as much
MAX_SHARDS = 300


def read_index(repo: Repo, entry: Entry) -> dict[str, Any]:
    """Return the index of weights in a file such as model.safetensors.index.json; raises InvalidInput for another."""
    if entry.is_folder or entry.size > MAX_INDEX_BYTES:
        raise InvalidInput(_("“%(path)s” is not an index of weights.") % {"path": entry.path})
    try:
        index = bounded_json.loads(browsing.read(repo, entry, entry.size))
    except (ValueError, RecursionError):
        index = None
    if not isinstance(index, dict) or not isinstance(index.get("weight_map"), dict):
        raise InvalidInput(_("“%(path)s” is not an index of weights.") % {"path": entry.path})
    return index


def headers(repo: Repo, commit: Commit, index: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return the header of each file that the index names; raises EntryNotFound, TooLarge."""
    shards = sorted({shard for shard in index["weight_map"].values() if isinstance(shard, str)})
    if len(shards) > MAX_SHARDS:
        raise TooLarge(_("The index names more than %(max)d files.") % {"max": MAX_SHARDS})
    found: dict[str, Any] = {}
    left = MAX_HEADER_BYTES
    for shard in shards:
        path = checking.normalize_path(f"{folder}/{shard}".lstrip("/"))
        raw = _raw_header(repo, browsing.find(repo, commit, path), left)
        left -= len(raw)
        found[shard] = json.loads(raw)
    return found


def _raw_header(repo: Repo, entry: Entry, limit: int) -> bytes:
    """Return the JSON at the beginning of a safetensors file. It was found true when the file came in."""
    prefix = browsing.read(repo, entry, 8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 and entry.path.endswith(".safetensors") else -1
    if not 0 < length <= entry.size - 8:
        raise InvalidInput(_("“%(path)s” is not a safetensors file.") % {"path": entry.path})
    if length > limit:
        raise TooLarge(_("The headers of these files are larger than is answered at once."))
    return b"".join(browsing.stream(repo, entry, 8, length))
