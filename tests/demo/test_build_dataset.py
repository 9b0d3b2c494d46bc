"""Building the data set: honest splits, the same bytes every time, a card and a benchmark that read."""

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import pytest

from demo import dataset
from demo.dataset import SPLITS, SourcesRefused, build_dataset, split
from demo.sentences import LABELS, LANGUAGES, PHENOMENA, read_sources
from leaderboard import definitions
from models_hub import cards


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    build_dataset(folder)
    return folder


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    lines = (folder / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_every_sentence_is_in_exactly_one_split(built):
    ids = [row["id"] for name in SPLITS for row in rows_of(built, name)]
    assert sorted(ids) == sorted(row.id for row in read_sources())


def test_every_stratum_is_divided_60_15_25(built):
    counts = {
        name: Counter((row["lang"], row["label"], row["phenomenon"]) for row in rows_of(built, name)) for name in SPLITS
    }
    for stratum in product(LANGUAGES, LABELS, PHENOMENA):
        train, dev, test = (counts[name][stratum] for name in SPLITS)
        total = train + dev + test
        assert min(train, dev, test) > 0
        assert abs(train - 0.6 * total) < 1, stratum
        assert abs(dev - 0.15 * total) < 1, stratum


def test_the_test_split_is_balanced_over_labels_in_each_language(built):
    counts = Counter((row["lang"], row["label"]) for row in rows_of(built, "test"))
    assert max(counts.values()) - min(counts.values()) <= 1


def test_labels_are_mixed_through_a_split(built):
    labels = [row["label"] for row in rows_of(built, "test")]
    assert sum(one != other for one, other in pairwise(labels)) > len(labels) / 3


def test_building_twice_gives_the_same_bytes(built, tmp_path):
    build_dataset(tmp_path)
    assert content_of(tmp_path) == content_of(built)


def test_building_again_touches_no_file(built):
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file()}
    build_dataset(built)
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file()} == before


def test_the_split_does_not_hang_on_the_order_of_the_sources():
    sentences = read_sources()
    assert split(reversed(sentences)) == split(sentences)


def test_a_near_duplicate_is_refused(monkeypatch, tmp_path):
    sentences = read_sources()
    twin = replace(sentences[0], id="en-9999", text=sentences[0].text + "!")
    monkeypatch.setattr(dataset, "read_sources", lambda: [*sentences, twin])
    with pytest.raises(SourcesRefused, match=r"en-0001 and en-9999"):
        build_dataset(tmp_path)


def test_the_counts_on_the_card_are_those_of_the_files(built):
    card = (built / "README.md").read_text(encoding="utf-8")
    rows = {name: rows_of(built, name) for name in SPLITS}
    for field, names in (("lang", LANGUAGES), ("phenomenon", PHENOMENA)):
        for key, label in product(names, LABELS):
            cells = [sum(row[field] == key and row["label"] == label for row in rows[name]) for name in SPLITS]
            line = "| " + " | ".join([key, label, *map(str, cells), str(sum(cells))]) + " |"
            assert card.count(line) == 2, f"once in English, once in Chinese: {line}"
    assert f"{sum(map(len, rows.values()))} short texts" in card


def test_the_metadata_of_the_card_reads(built):
    metadata = cards.read_metadata((built / "README.md").read_text(encoding="utf-8"))
    assert metadata["license"] == "cc0-1.0"
    assert metadata["language"] == ["en", "zh"]
    assert metadata["task_categories"] == ["text-classification"]
    assert metadata["size_categories"] == ["1K<n<10K"]
    for entry in metadata["configs"][0]["data_files"]:
        assert (built / entry["path"]).is_file()


def test_no_placeholder_is_left_on_the_card(built):
    assert "$" not in (built / "README.md").read_text(encoding="utf-8")


def test_the_leaderboard_accepts_the_benchmark(built):
    definition = definitions.parse((built / "eval.yaml").read_text(encoding="utf-8"))
    assert definition.primary_metric == "f1_macro"
    assert definition.labels == list(LABELS)
    rows = [json.loads(line) for line in (built / definition.split_path).read_text(encoding="utf-8").splitlines()]
    assert {row[definition.fields["target"]] for row in rows} == set(definition.labels)
    assert all(row[definition.fields["input"]] for row in rows)
