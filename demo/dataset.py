"""The published data set: the sentences split into train, dev and test, with a card and a benchmark beside them."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import Template

from demo.errors import DemoFailed
from demo.files import write_text
from demo.sentences import LABELS, LANGUAGES, PHENOMENA, Sentence, near_duplicates, read_sources

OWNER = "demo"
DATASET = f"{OWNER}/bilingual-sentiment"
TEMPLATES = Path(__file__).parent / "templates"
SEED = 0
SPLITS = ("train", "dev", "test")
# The rest of each stratum is the test.
TRAIN_SHARE, DEV_SHARE = 0.6, 0.15
# The Hub's name for a data set of this size.
SIZE_CATEGORY = "1K<n<10K"

Splits = dict[str, list[Sentence]]


class SourcesRefused(DemoFailed):
    """The committed sentences break a promise that the card makes."""

    code = "sources_refused"


def build_dataset(folder: Path) -> Splits:
    """Write the data set into folder, the same bytes every time, and return its splits."""
    sentences = read_sources()
    _refuse_duplicates(sentences)
    splits = split(sentences)
    for name, rows in splits.items():
        write_text(folder / "data" / f"{name}.jsonl", "".join(row.as_line() for row in rows))
    write_text(folder / "README.md", dataset_card(splits))
    write_text(folder / "eval.yaml", (TEMPLATES / "eval.yaml").read_text(encoding="utf-8"))
    return splits


def split(sentences: Iterable[Sentence]) -> Splits:
    """Divide each stratum of language, label and phenomenon 60/15/25, in an order that only the seed decides."""
    strata: defaultdict[tuple[str, str, str], list[Sentence]] = defaultdict(list)
    for sentence in sorted(sentences, key=_shuffled):
        strata[sentence.lang, sentence.label, sentence.phenomenon].append(sentence)
    splits: Splits = {name: [] for name in SPLITS}
    for rows in strata.values():
        train = round(TRAIN_SHARE * len(rows))
        dev = train + round(DEV_SHARE * len(rows))
        for name, part in zip(SPLITS, (rows[:train], rows[train:dev], rows[dev:]), strict=True):
            splits[name] += part
    return {name: sorted(rows, key=_shuffled) for name, rows in splits.items()}


def dataset_card(splits: Splits) -> str:
    """Fill the card with the counts of these splits."""
    everything = [row for rows in splits.values() for row in rows]
    template = Template((TEMPLATES / "dataset_card.md").read_text(encoding="utf-8"))
    return template.substitute(
        size_category=SIZE_CATEGORY,
        total=len(everything),
        per_language=" + ".join(str(sum(row.lang == lang for row in everything)) for lang in LANGUAGES),
        topics=len({row.topic for row in everything}),
        topic_names=", ".join(sorted({row.topic for row in everything})),
        split_rows=_table(
            splits, [(lang, label) for lang in LANGUAGES for label in LABELS], lambda row: (row.lang, row.label)
        ),
        phenomenon_rows=_table(
            splits,
            [(phenomenon, label) for phenomenon in PHENOMENA for label in LABELS],
            lambda row: (row.phenomenon, row.label),
        ),
    )


def _refuse_duplicates(sentences: Sequence[Sentence]) -> None:
    # Within a split they would only waste a row; across train and test they would make the score a lie.
    for one, other in near_duplicates(sentences):
        raise SourcesRefused(f"{one.id} and {other.id} say almost the same: write one of them anew.")


def _shuffled(sentence: Sentence) -> bytes:
    # A digest, not random.shuffle, whose order is only promised within one version of Python.
    return hashlib.sha256(f"{SEED}:{sentence.id}".encode()).digest()


def _table(splits: Splits, keys: list[tuple[str, ...]], key_of: Callable[[Sentence], tuple[str, ...]]) -> str:
    counts = {name: Counter(key_of(row) for row in rows) for name, rows in splits.items()}
    lines = []
    for key in keys:
        cells = [counts[name][key] for name in SPLITS]
        lines.append("| " + " | ".join([*key, *map(str, cells), str(sum(cells))]) + " |")
    return "\n".join(lines)
