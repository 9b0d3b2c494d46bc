"""Texts merged by lines: as git merges them, and within bounds."""

import random
import subprocess
from pathlib import Path

import pytest

from models_hub import line_merging
from models_hub.line_merging import merge
from tests.servers import need

BASE = b"1\n2\n3\n4\n5\n6\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        (b"one\n2\n3\n4\n5\n6\n", b"1\n2\n3\n4\n5\nsix\n", b"one\n2\n3\n4\n5\nsix\n"),
        (b"1\n2\n3\n4\n5\n6\n7\n", b"0\n1\n2\n3\n4\n5\n6\n", b"0\n1\n2\n3\n4\n5\n6\n7\n"),
        (b"1\n3\n4\n5\n6\n", b"1\n2\n3\n4\n5\n6", b"1\n3\n4\n5\n6"),
        (b"1\nx\n3\n4\n5\n6\n", b"1\nx\n3\n4\n5\n", b"1\nx\n3\n4\n5\n"),
        (b"1\nours\n3\n4\n5\n6\n", b"1\ntheirs\n3\n4\n5\n6\n", None),
        (b"1\nours\n3\n4\n5\n6\n", b"1\n2\ntheirs\n4\n5\n6\n", None),
        (b"", b"1\n2\n3\n4\n5\n6\n7\n", None),
        (b"1\r\n2\n3\n4\n5\n6\n", b"1\n2\n3\n4\n5\n6\n7\n", b"1\r\n2\n3\n4\n5\n6\n7\n"),
    ],
)
def test_changes_in_different_places_are_joined(ours, theirs, both):
    assert merge(BASE, ours, theirs) == both == merge(BASE, theirs, ours)


def test_what_is_not_text_or_too_much_is_not_merged(monkeypatch):
    assert merge(b"a\0\nb\n", b"a\0\nb\nc\n", b"0\na\0\nb\n") is None
    monkeypatch.setattr(line_merging, "MAX_BYTES", 100)
    assert merge(b"a\n" * 60, b"a\n" * 60 + b"b\n", b"b\n" + b"a\n" * 60) is None
    monkeypatch.undo()
    many = b"".join(b"%d\n" % n for n in range(2000))
    assert merge(b"x\n", many + b"x\n", b"x\ny\n") is None


def edited(random_: random.Random, lines: list[bytes], mark: str, alphabet: list[bytes]) -> list[bytes]:
    made = list(lines)
    for number in range(random_.randint(0, 4)):
        at, kind = random_.randint(0, len(made)), random_.choice(("insert", "delete", "replace", "same"))
        new = random_.choice(alphabet) if alphabet else f"{mark}{number}\n".encode()
        if kind == "insert":
            made[at:at] = [new]
        elif kind == "delete":
            del made[at : at + random_.randint(1, 3)]
        else:
            made[at : at + 1] = [b"same\n" if kind == "same" and not alphabet else new]
    return made


def by_git(folder: Path, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(text)
    names = [str(folder / name) for name in ("ours", "base", "theirs")]
    done = subprocess.run(["git", "merge-file", "-p", *names], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def test_what_merges_and_to_what_is_as_with_git(tmp_path):
    need("git")
    random_, clean = random.Random(7), 0
    for _round in range(150):
        base = [b"%d\n" % n for n in range(random_.randint(0, 12))]
        ours, theirs = (b"".join(edited(random_, base, mark, [])) for mark in "ot")
        made = merge(b"".join(base), ours, theirs)
        assert made == by_git(tmp_path, b"".join(base), ours, theirs), (base, ours, theirs)
        clean += made is not None
    assert 30 < clean < 140


def test_of_repeated_lines_too_both_orders_give_the_same(tmp_path):
    random_ = random.Random(11)
    alphabet = [b"a\n", b"b\n", b"\n"]
    for _round in range(500):
        base = [random_.choice(alphabet) for _n in range(random_.randint(0, 10))]
        whole = b"".join(base)
        ours, theirs = (b"".join(edited(random_, base, mark, alphabet)) for mark in "ot")
        assert merge(whole, ours, theirs) == merge(whole, theirs, ours)
        assert merge(whole, ours, whole) == ours == merge(whole, ours, ours)
