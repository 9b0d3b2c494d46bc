"""The configurations and splits of a data set: what its card says, else what the names of its files tell."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from models_hub import browsing, cards
from models_hub.browsing import Entry
from models_hub.models import Commit, Repo
from models_hub.tables import patterns
from models_hub.tables.formats import format_of

DEFAULT = "default"
CARD = "README.md"
MAX_FILES = 5000
MAX_CONFIGS = 200
MAX_PATTERNS = 100
# Files about the data, which hold none.
_ABOUT = frozenset("dataset_infos.json dataset_info.json dataset_dict.json state.json config.json package.json".split())


@dataclass(frozen=True)
class Split:
    """A named part of a configuration and the files that hold it, in order."""

    name: str
    paths: list[str]


@dataclass(frozen=True)
class Config:
    """A named view of a data set: its splits, how its files are written, and the names of its class labels."""

    name: str
    splits: list[Split]
    delimiter: str | None = None
    # column -> stored value -> name
    class_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # Files of rows that no card names and that are of another format than those shown.
    left_out: Sequence[str] = ()

    def split(self, name: str | None) -> Split | None:
        """Return the split of this name, the first when none is asked for."""
        return next((split for split in self.splits if name is None or split.name == name), None)


def configs_of(repo: Repo, commit: Commit) -> list[Config]:
    """Return the configurations of a data set at a commit; those without a file are left out."""
    paths = table_paths(repo, commit)
    card = card_of(repo, commit)
    declared = card.get("configs")
    items = [item for item in declared if isinstance(item, dict)] if isinstance(declared, list) else []
    items.sort(key=lambda item: item.get("default") is not True)
    found = [_declared(item, paths) for item in items[:MAX_CONFIGS]]
    configs = [config for config in found if config.splits]
    if not configs:
        alike = _of_one_format(paths)
        splits = patterns.by_convention(alike)
        others = sorted(set(paths) - set(alike))
        configs = [Config(DEFAULT, _splits(splits), left_out=others)] if splits else []
    infos = _infos(card)
    return [replace(config, class_names=class_names(_info_of(config, infos, len(configs)))) for config in configs]


def table_paths(repo: Repo, commit: Commit) -> list[str]:
    """Return the files of rows at a commit, in git's order."""
    items = browsing.items_below(repo, commit, recursive=True)
    found = [path for path, item in items.items() if not item.is_folder and _is_data(path)]
    return found[:MAX_FILES]


def _is_data(path: str) -> bool:
    *folders, name = path.split("/")
    hidden = any(part.startswith((".", "__")) for part in (*folders, name))
    return not hidden and name not in _ABOUT and format_of(path) is not None


def card_of(repo: Repo, commit: Commit) -> Mapping[str, Any]:
    """Return the metadata of the card at a commit; that of a card that cannot be read is empty."""
    if commit.oid == repo.head:
        return dict(repo.card)
    for entry in browsing.find_many(repo, commit, [CARD]):
        text = browsing.read(repo, entry, cards.MAX_METADATA_BYTES + 1000).decode("utf-8", "replace")
        try:
            return cards.read_metadata(text)
        except cards.CardRefused:
            return {}
    return {}


def _of_one_format(paths: Sequence[str]) -> list[str]:
    """Return the files of the commonest format: one configuration is read by one reader."""
    counts = Counter(format_of(path) for path in paths)
    if not counts:
        return []
    chosen = counts.most_common(1)[0][0]
    return [path for path in paths if format_of(path) == chosen]


def _declared(item: Mapping[str, Any], paths: Sequence[str]) -> Config:
    name = item.get("config_name")
    name = name if isinstance(name, str) and name else DEFAULT
    folder = item.get("data_dir") if isinstance(item.get("data_dir"), str) else ""
    prefix = f"{folder.strip('./')}/" if folder and folder.strip("./") else ""
    below = [path for path in paths if path.startswith(prefix)]
    data_files = item.get("data_files")
    if data_files is None:
        splits = patterns.by_convention(_of_one_format(below))
    else:
        splits = _from_patterns(_patterns(data_files), prefix, paths)
    sep = item.get("sep", item.get("delimiter"))
    return Config(name[:100], _splits(splits), sep if isinstance(sep, str) and len(sep) == 1 else None)


def _patterns(data_files: Any) -> list[tuple[str, list[str]]]:
    """Return (split, patterns) of the forms that `data_files` may have."""
    if isinstance(data_files, dict):
        return [(str(split), _texts(value)) for split, value in data_files.items()]
    if isinstance(data_files, list) and all(isinstance(item, dict) for item in data_files):
        return [(str(item.get("split", patterns.TRAIN)), _texts(item.get("path"))) for item in data_files]
    return [(patterns.TRAIN, _texts(data_files))]


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)][:MAX_PATTERNS]


def _from_patterns(wanted: Sequence[tuple[str, list[str]]], prefix: str, paths: Sequence[str]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for split, globs in wanted[:MAX_PATTERNS]:
        found = splits.setdefault(split[:100], [])
        for glob in globs:
            found.extend(path for path in patterns.matching(prefix + glob, paths) if path not in found)
    return splits


def _splits(splits: Mapping[str, list[str]]) -> list[Split]:
    return [Split(name, paths) for name, paths in splits.items() if paths]


def _infos(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    info = card.get("dataset_info")
    items = info if isinstance(info, list) else [info]
    return [item for item in items if isinstance(item, dict)]


def _info_of(config: Config, infos: Sequence[dict[str, Any]], configs: int) -> dict[str, Any]:
    named = next((info for info in infos if info.get("config_name") == config.name), None)
    if named is None and len(infos) == 1 and configs == 1:
        named = infos[0]
    return named or {}


def class_names(info: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the names of class labels in `dataset_info.features` of a card, by column and stored number."""
    features = info.get("features")
    found: dict[str, dict[str, str]] = {}
    for feature in features if isinstance(features, list) else []:
        if isinstance(feature, dict) and isinstance(feature.get("name"), str):
            names = _label_names(feature)
            if names:
                found[feature["name"]] = names
    return found


def _label_names(feature: Mapping[str, Any]) -> dict[str, str]:
    kind: Any = feature.get("dtype") or feature.get("sequence") or feature.get("list")
    while isinstance(kind, dict) and "class_label" not in kind and isinstance(kind.get("dtype"), dict):
        kind = kind["dtype"]
    label = kind.get("class_label") if isinstance(kind, dict) else None
    names = label.get("names") if isinstance(label, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    return {str(key): str(name)[:100] for key, name in names.items()} if isinstance(names, dict) else {}


def entries_of(repo: Repo, commit: Commit, split: Split) -> list[Entry]:
    """Return the files of a split with their sizes, in the order of the split."""
    found = {entry.path: entry for entry in browsing.find_many(repo, commit, split.paths)}
    return [found[path] for path in split.paths if path in found]
