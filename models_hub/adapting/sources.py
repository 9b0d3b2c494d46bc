"""What of a data set can be learned from: its tables, their columns, and how its parts are usually named."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models_hub import browsing
from models_hub.adapting import samples
from models_hub.adapting.asking import LEXICONS, TABLES
from models_hub.adapting.samples import Sample
from models_hub.models import Commit, Repo

MAX_FILES = 200
# Names by which parts are known, the first that fits.
PARTS = {
    "train": ("train", "training"),
    "dev": ("dev", "valid", "validation", "val"),
    "test": ("test", "eval"),
}


@dataclass(frozen=True)
class Source:
    """The tables of a data set at one commit, and what the first of them begins with."""

    paths: list[str]
    guessed: dict[str, str]  # part -> path
    lexicons: list[str]  # what may hold words and their synonyms
    sample: Sample = field(default_factory=Sample)  # of the file with the rows to learn from

    @property
    def columns(self) -> list[str]:
        return self.sample.columns


def look(data: Repo, commit: Commit, chosen: str = "") -> Source:
    """Return what can be chosen; `chosen` is the file whose columns are wanted, else the guessed one."""
    items = browsing.items_below(data, commit, recursive=True)
    paths = sorted(path for path, item in items.items() if not item.is_folder and path.lower().endswith(TABLES))
    guessed = _with_rows_to_learn_from(guess(paths), paths)
    first = chosen if chosen in paths else guessed.get("train", "")
    lexicons = sorted(path for path, item in items.items() if not item.is_folder and path.lower().endswith(LEXICONS))
    sample = samples.read(data, browsing.find(data, commit, first)) if first else Sample()
    return Source(paths[:MAX_FILES], guessed, lexicons[:MAX_FILES], sample)


def guess(paths: Sequence[str]) -> dict[str, str]:
    """Return which file is which part, by the usual names; a single file is what to learn from."""
    found: dict[str, str] = {}
    for part, names in PARTS.items():
        for path in paths:
            words = path.lower().rpartition("/")[2].partition(".")[0].replace("-", "_").split("_")
            if any(name in words for name in names):
                found.setdefault(part, path)
    if "train" not in found and len(paths) == 1:
        return {"train": paths[0]}
    return found


def _with_rows_to_learn_from(guessed: dict[str, str], paths: Sequence[str]) -> dict[str, str]:
    """Take another file where none is named for learning: one that is no other part, else the first of them all."""
    if "train" in guessed or not paths:
        return guessed
    train = next((path for path in paths if path not in guessed.values()), paths[0])
    return {"train": train, **{part: path for part, path in guessed.items() if path != train}}
