"""What differs in the files of the compared: keys of their configurations, and their tensors."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from leaderboard.comparing.choosing import Chosen
from models_hub import browsing, field_changes, permissions, tensor_diffs
from models_hub.browsing import Entry, RevisionNotFound
from models_hub.models import DEFAULT_BRANCH, Commit
from models_hub.tensor_diffs import Result
from portal.models import Asker

CONFIG = "config.json"
MAX_CONFIG = 200_000
MAX_KEYS = 200
MAX_WEIGHTS = 64


@dataclass(frozen=True)
class Key:
    """One key of the configurations that is not the same in all; None where a side has none."""

    name: str
    values: Sequence[str | None]


@dataclass(frozen=True)
class Weights:
    """The tensors of one of the compared beside those of the first; `page` is where the hub compares both."""

    other: Chosen
    result: Result
    page: str = ""


@dataclass(frozen=True)
class Differences:
    """`unread` are those whose files the reader may not download, or that have none."""

    keys: Sequence[Key] = ()
    count: int = 0
    has_config: bool = False
    weights: Sequence[Weights] = ()
    unread: Sequence[Chosen] = ()


@dataclass(frozen=True)
class _Opened:
    chosen: Chosen
    commit: Commit | None = None
    entries: dict[str, Entry] = field(default_factory=dict)


def differences_of(chosen: Sequence[Chosen], user: Asker) -> Differences:
    """Compare the files of each with those of the first, as far as the reader may download them."""
    opened = [_opened(one, user) for one in chosen]
    readable = [one for one in opened if one.commit is not None]
    unread = [one.chosen for one in opened if one.commit is None]
    if len(opened) < 2 or opened[0].commit is None:
        return Differences(unread=unread)
    keys, has_config = _keys(opened)
    weights = [_weights(opened[0], other) for other in readable[1:]]
    return Differences(keys[:MAX_KEYS], len(keys), has_config, weights, unread)


def _opened(one: Chosen, user: Asker) -> _Opened:
    if not permissions.can_download(user, one.model):
        return _Opened(one)
    try:
        commit = one.commit or browsing.resolve_revision(one.model, DEFAULT_BRANCH)
    except RevisionNotFound:
        return _Opened(one)
    items = browsing.items_below(one.model, commit, recursive=True)
    weights = [path for path in items if tensor_diffs.is_weights(path)][:MAX_WEIGHTS]
    wanted = {path: items[path] for path in (CONFIG, *weights) if path in items and not items[path].is_folder}
    return _Opened(one, commit, {entry.path: entry for entry in browsing.entries(one.model, wanted)})


def _keys(opened: Sequence[_Opened]) -> tuple[list[Key], bool]:
    """Return the keys that are not the same in all configurations that can be read."""
    configs = [_config(one) for one in opened]
    first = configs[0]
    if first is None:
        return [], False
    changes = [
        {change.path: change for change in field_changes.between(CONFIG, first, other).changes} if other else {}
        for other in configs[1:]
    ]
    names = sorted({name for found in changes for name in found})
    of_first = {name: next(found[name].before for found in changes if name in found) for name in names}
    keys = [
        Key(
            name,
            [
                of_first[name],
                *(
                    None if other is None else found[name].after if name in found else of_first[name]
                    for other, found in zip(configs[1:], changes, strict=True)
                ),
            ],
        )
        for name in names
    ]
    return keys, any(other is not None for other in configs[1:])


def _config(one: _Opened) -> object:
    entry = one.entries.get(CONFIG)
    if entry is None:
        return None
    content = browsing.read_small(one.chosen.model, [entry], MAX_CONFIG).get(entry.oid)
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None


def _weights(first: _Opened, other: _Opened) -> Weights:
    sides = [[entry for path, entry in one.entries.items() if tensor_diffs.is_weights(path)] for one in (first, other)]
    held = {entry.etag for entry in sides[0]} & {entry.etag for entry in sides[1]}
    planned = tensor_diffs.plan(*([entry for entry in side if entry.etag not in held] for side in sides))
    page = ""
    if first.chosen.model == other.chosen.model and first.commit and other.commit:
        page = f"{first.chosen.model.path}/compare/{first.commit.oid}..{other.commit.oid}"
    return Weights(other.chosen, tensor_diffs.look(planned), page)
