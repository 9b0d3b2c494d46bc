"""Configurations and splits: what a card says, else the rules of the `datasets` library for names."""

import pytest

from models_hub import browsing, publishing
from models_hub.changes import PutFile
from models_hub.tables import patterns, splits
from models_hub.tables.formats import format_of


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.csv"], {"train": ["a.csv"]}),
        (["train.csv", "test.csv"], {"train": ["train.csv"], "test": ["test.csv"]}),
        (["x-train.csv", "x_dev.csv"], {"train": ["x-train.csv"], "validation": ["x_dev.csv"]}),
        (["eval.csv", "train.csv"], {"train": ["train.csv"], "test": ["eval.csv"]}),
        (["contest.csv", "detrain.csv"], {"train": ["contest.csv", "detrain.csv"]}),
        (["data/train/a.csv", "data/test/train.csv"], {"train": ["data/train/a.csv"], "test": ["data/test/train.csv"]}),
        (["train/a.csv", "b.csv"], {"train": ["train/a.csv"]}),
        (
            ["data/train-00000-of-00002.x", "data/train-00001-of-00002.x", "data/my_split-00000-of-00001.x"],
            {
                "train": ["data/train-00000-of-00002.x", "data/train-00001-of-00002.x"],
                "my_split": ["data/my_split-00000-of-00001.x"],
            },
        ),
        (["valid.jsonl", "training.jsonl"], {"train": ["training.jsonl"], "validation": ["valid.jsonl"]}),
        ([], {}),
    ],
)  # fmt: skip
def test_splits_are_told_by_names(paths, expected):
    found = patterns.by_convention(paths)
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "b/a.csv", False),
        ("**/*.csv", "a.csv", True),
        ("**/*.csv", "b/c/a.csv", True),
        ("data/**", "data/b/a.csv", True),
        ("data/*", "data/b/a.csv", False),
        ("data/train-?.csv", "data/train-1.csv", True),
        ("data/train-[12].csv", "data/train-3.csv", False),
        ("./a.csv", "a.csv", True),
        ("a.csv", "a.csv.gz", False),
        ("**/" * 50 + "a", "x/" * 50 + "b", False),
        ("*a" * 60, "a" * 200 + "b", False),
    ],
)
def test_patterns_mean_what_globs_mean(pattern, path, expected):
    assert bool(patterns.matching(pattern, [path])) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.csv", "csv"), ("a.CSV", "csv"), ("b/a.jsonl.gz", "jsonl"), ("a.ndjson", "jsonl"), ("a.parquet", "parquet"),
     ("a.parquet.gz", None), ("a.txt", None), ("csv", None), (".csv", None), ("a.csv/b", None)],
)  # fmt: skip
def test_tables_are_told_by_their_names(path, expected):
    assert format_of(path) == expected


def configs(repo, revision="main"):
    found = splits.configs_of(repo, browsing.resolve_revision(repo, revision))
    return [(config.name, [(split.name, split.paths) for split in config.splits]) for config in found]


def make(make_repo, alice, card: str, *names: str):
    files = dict.fromkeys(names, "a\n1\n")
    return make_repo(alice, "rows", kind="dataset", files={**files, "README.md": f"---\n{card}\n---\n"})


def test_a_card_names_configurations(make_repo, alice):
    card = """
configs:
- config_name: first
  data_files:
  - split: train
    path: [a/*.csv, c.csv]
  - {split: test, path: b.csv}
- config_name: second
  data_dir: a
- config_name: third
  data_files: "*.csv"
- config_name: none
  data_files: missing.csv"""
    repo = make(make_repo, alice, card, "a/1.csv", "a/2.csv", "b.csv", "c.csv")
    assert configs(repo) == [
        ("first", [("train", ["a/1.csv", "a/2.csv", "c.csv"]), ("test", ["b.csv"])]),
        ("second", [("train", ["a/1.csv", "a/2.csv"])]),
        ("third", [("train", ["b.csv", "c.csv"])]),
    ]


def test_the_default_configuration_comes_first(make_repo, alice):
    card = "configs:\n- {config_name: x, data_files: a.csv}\n- {config_name: y, data_files: a.csv, default: true}"
    assert [name for name, _splits in configs(make(make_repo, alice, card, "a.csv"))] == ["y", "x"]


def test_a_delimiter_of_the_card_is_obeyed(client, make_repo, alice):
    card = "configs:\n- config_name: x\n  data_files: a.csv\n  sep: '|'"
    files = {"a.csv": "a,b|c\n1,2|3\n", "README.md": f"---\n{card}\n---\n"}
    make_repo(alice, "rows", kind="dataset", files=files)
    row = client.get("/api/v1/datasets/alice/rows/rows").json()["rows"][0]["row"]
    assert row == {"a,b": "1,2", "c": "3"}


@pytest.mark.parametrize(
    "card", ["configs: 1", "configs: [1, {data_files: 3}, {data_files: [[1]]}]", "dataset_info: [1, {features: 2}]"]
)
def test_a_strange_card_falls_back_on_names(make_repo, alice, card):
    repo = make(make_repo, alice, card, "train.csv")
    assert configs(repo) == [("default", [("train", ["train.csv"])])]


def test_the_commonest_format_is_shown_and_files_about_the_data_are_not(make_repo, alice):
    repo = make(make_repo, alice, "license: mit", "a.csv", "b.csv", "c.jsonl", "dataset_infos.json", ".hidden/d.csv")
    assert configs(repo) == [("default", [("train", ["a.csv", "b.csv"])])]


def test_an_older_commit_has_the_card_of_its_time(make_repo, alice):
    repo = make(make_repo, alice, "configs:\n- {config_name: old, data_files: a.csv}", "a.csv", "b.csv")
    first = repo.head
    card = b"---\nconfigs:\n- {config_name: new, data_files: b.csv}\n---\n"
    publishing.commit(repo=repo, by=alice, title="x", changes=[PutFile("README.md", card)])
    repo.refresh_from_db()
    assert configs(repo) == [("new", [("train", ["b.csv"])])]
    assert configs(repo, first) == [("old", [("train", ["a.csv"])])]


def test_names_of_classes_are_found_in_their_forms():
    info = {
        "features": [
            {"name": "a", "dtype": {"class_label": {"names": {"0": "no", "1": "yes"}}}},
            {"name": "b", "sequence": {"class_label": {"names": ["x", "y"]}}},
            {"name": "c", "dtype": "string"},
            7,
        ]
    }
    assert splits.class_names(info) == {"a": {"0": "no", "1": "yes"}, "b": {"0": "x", "1": "y"}}


def test_files_of_another_format_are_named_where_they_are_not_shown(client, make_repo, alice):
    files = {"a.csv": "a\n1\n", "test.csv": "a\n1\n", "more.jsonl": '{"a": 1}\n'}
    make_repo(alice, "rows", kind="dataset", files=files)
    page = client.get("/datasets/alice/rows/data/main").text
    assert "read together: more.jsonl." in page
    make_repo(
        alice, "declared", kind="dataset", files={**files, "README.md": "---\nconfigs:\n- data_files: a.csv\n---\n"}
    )
    assert "read together" not in client.get("/datasets/alice/declared/data/main").text
