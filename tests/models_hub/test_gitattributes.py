"""Which files are large and which are ignored, by the rules of git."""

import time

import pytest

from models_hub import gitattributes
from models_hub.gitattributes import Effort, TooManyPatterns


def is_large(rules: bytes, path: str) -> bool:
    return gitattributes.is_large(rules, path, Effort())


def is_ignored(rules: str, path: str) -> bool:
    return gitattributes.is_ignored(rules, path, Effort())


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_new_repository_keeps_the_usual_formats_large(kind):
    rules = gitattributes.initial(kind)
    large = ["model.safetensors", "a/b/pytorch_model.bin", "x.parquet", "saved_model/1/x", "x.tfevents.1", "a.tar.gz"]
    for path in large:
        assert is_large(rules, path), path
    for path in ("README.md", "config.json", "bin", "model.safetensors.index.json", "vocab.txt"):
        assert not is_large(rules, path), path
    assert is_large(rules, "a.png") == (kind == "dataset")


def test_the_last_rule_decides():
    globs = ("*.txt", "all/**", "/top.dat", "d/**/x")
    rules = b"".join(f"{glob} filter=lfs\n".encode() for glob in globs) + b"keep.txt -filter\n# *.md filter=lfs\n"
    for path, expected in {
        "a.txt": True, "d/a.txt": True, "keep.txt": False, "d/keep.txt": False, "a.md": False,
        "top.dat": True, "d/top.dat": False, "d/x": True, "d/e/f/x": True, "e/x": False, "all/a/b": True, "all": False,
    }.items():  # fmt: skip
        assert is_large(rules, path) is expected, path


def test_ignored_paths():
    rules = "*.log\n!keep.log\nbuild/\n/top\ndoc/*.txt\n"
    for path, expected in {
        "a.log": True, "d/a.log": True, "keep.log": False, "build/x": True, "d/build/x": True, "build": False,
        "top": True, "d/top": False, "doc/a.txt": True, "doc/d/a.txt": False, "a.txt": False,
    }.items():  # fmt: skip
        assert is_ignored(rules, path) is expected, path


@pytest.mark.parametrize("glob", ["*a" * 100, "a*" * 7 + "/b", "**/" * 8 + "x", "[" * 200, "*" * 300, "/" + "*a" * 100])
def test_a_hostile_pattern_takes_no_time(glob):
    rules = f"{glob} filter=lfs\n".encode()
    begin = time.process_time()
    is_large(rules, "a" * 255)
    is_large(rules, "/".join(["a" * 20] * 12))
    is_ignored(glob, "/".join(["a" * 20] * 12))
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("rules", [b"", b"\xff\xfe filter=lfs", b"filter=lfs", b"\n\n", b"\x00" * 100, b"[ filter=lfs"])
def test_strange_rules_are_no_obstacle(rules):
    assert not is_large(rules, "a.txt")


@pytest.mark.parametrize("glob", ["*a*b", "**/*a/**/*a/**/x", "**/" * 40 + "x", "a/" * 140])
def test_many_files_and_many_patterns_end_in_a_refusal_before_long(glob):
    effort, rules = Effort(), "".join(f"{glob}{number}\n" for number in range(1000))
    paths = ("a/" * 60 + str(number) for number in range(25_000))
    begin = time.process_time()
    with pytest.raises(TooManyPatterns, match=r"send fewer files at once"):
        any(gitattributes.is_ignored(rules, path, effort) for path in paths)
    assert time.process_time() - begin < 15


def test_a_large_commit_under_usual_rules_is_let_through():
    effort, rules = Effort(), gitattributes.initial("dataset")
    for number in range(25_000):
        gitattributes.is_large(rules, f"data/part/{number}.txt", effort)
