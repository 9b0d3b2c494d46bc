"""A model whose process was taken over looks everywhere for the labels and the rows, in the real sandbox of its job."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from leaderboard import benchmarks
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import EVAL_YAML, make_evaluation
from tests.worker.test_hostile_models import TakeOver, run, said, small_limits, take_over  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
MakeRepo = Callable[..., Repo]

# One word of the questions, which shows that the search finds what is there; one of a column that no model is to see;
# and the labels, which are rare words here.
ASKED, WITHHELD, LABELS = "quondamasked", "quondamwithheld", ("quondamgood", "quondambad")

SEARCH = """
import glob, re, stat, time
end = time.monotonic() + 6
asked, hidden = sys.argv[2].encode(), [word.encode() for word in json.loads(sys.argv[3])]
found, looked = [], {"files": 0, "processes": 0, "descriptors": 0, "memory": 0}
def look(where, content):
    for word in [asked, *hidden]:
        # The program itself was told the words in small letters turned round.
        if word[::-1] in content:
            found.append([word[::-1].decode(), where])
def read(path, size=2**22):
    try:
        kind = os.stat(path).st_mode
        if stat.S_ISREG(kind) or path.startswith("/proc/"):
            with open(path, "rb", buffering=0) as file:
                return file.read(size) or b""
    except (OSError, ValueError):
        pass
    return b""
# Descriptors first, before any of our own is open.
for number in range(3, 256):
    try:
        os.lseek(number, 0, 0)
        look(f"descriptor {number}", os.read(number, 2**20))
        looked["descriptors"] += 1
    except OSError:
        pass
# Every file, but for the interpreter and what the system brings.
skipped = set(json.loads(sys.argv[4]))
skipped |= {"/usr", "/lib", "/lib64", "/bin", "/sbin", "/sys", "/proc"}
starts = [root, os.path.dirname(root), "/proc/self/cwd/..", "/proc/1/root" + root, root + "/answers",
          root + "/prepared", root + "/data", root + "/judged", "/dev/shm", "/tmp", "/var/tmp", "/run", "/"]
for start in starts:
    for folder, names, files in os.walk(start, followlinks=False):
        names[:] = [name for name in names if os.path.realpath(os.path.join(folder, name)) not in skipped]
        look(folder, folder.encode() + " ".join([*names, *files]).encode())
        for name in files:
            look(os.path.join(folder, name), read(os.path.join(folder, name)))
            looked["files"] += 1
        if time.monotonic() > end: break
# Every process that can be seen: its words, its environment, its open files, its memory.
for place in glob.glob("/proc/[0-9]*"):
    own = place == f"/proc/{os.getpid()}"
    looked["processes"] += 1
    for name in ("environ", "cmdline", "mountinfo", "maps", "stack", "status"):
        if not (own and name == "cmdline"):
            look(f"{place}/{name}", read(f"{place}/{name}"))
    for link in glob.glob(f"{place}/fd/*") + glob.glob(f"{place}/root") + glob.glob(f"{place}/cwd"):
        look(link, read(link, 2**20))
        try:
            look(link, " ".join(os.listdir(link + root)).encode())
        except OSError:
            pass
    if own: continue
    try:
        with open(f"{place}/mem", "rb", buffering=0) as memory:
            for line in open(f"{place}/maps"):
                first, last = (int(part, 16) for part in line.split()[0].split("-"))
                if "r" in line.split()[1] and last - first < 2**26:
                    memory.seek(first)
                    look(f"{place}/mem", memory.read(last - first))
                    looked["memory"] += 1
    except (OSError, ValueError, OverflowError):
        pass
# Kept in a link that our caller would follow later, or held by a child that stays: both must come to nothing.
for name in ("answers/gold.jsonl", "prepared/gold.jsonl", "data/test/test.jsonl"):
    try:
        os.link(os.path.join(root, name), os.path.join(spec["out_dir"], os.path.basename(name)))
        found.append([hidden[0][::-1].decode(), "a hard link to " + name])
    except OSError:
        pass
looked["in_time"] = time.monotonic() < end
# A line of the log is short: each word with up to two of its places.
short = {word: sorted({where.replace(root, "")[:60] for one, where in found if one == word})[:2] for word, _ in found}
print("found", json.dumps({"found": short, "looked": looked}))
"""


@pytest.fixture
def found(make_repo: MakeRepo, alice: User, take_over: TakeOver) -> dict[str, Any]:  # noqa: F811
    rows = [
        {
            "id": f"row-{number}",
            "text": f"{ASKED} {number}",
            "label": LABELS[number % 2],
            "note": f"{WITHHELD} {number}",
        }
        for number in range(20)
    ]
    # Rare words for the labels: the model's own labels are others, which the benchmark maps to these.
    definition = EVAL_YAML.replace("labels: [negative, positive]", f"labels: [{LABELS[1]}, {LABELS[0]}]")
    definition = definition.replace(
        "primary:", f"label_map: {{negative: {LABELS[1]}, positive: {LABELS[0]}}}\nprimary:"
    )
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    dataset = make_repo(alice, "rare", kind="dataset", files={"eval.yaml": definition, "data/test.jsonl": lines})
    benchmark = benchmarks.register(dataset, by=alice)[0]
    turned = [word[::-1] for word in (WITHHELD, *LABELS)]
    interpreter = json.dumps([os.path.realpath(place) for place in (sys.prefix, sys.base_prefix)])
    arguments = f"sys.argv[2:] = [{ASKED[::-1]!r}, {json.dumps(turned)!r}, {interpreter!r}]\n"
    take_over(arguments + SEARCH)
    return said(run(make_evaluation(make_repo, alice, benchmark)))


def test_a_hostile_model_finds_its_questions_and_nowhere_a_label_or_a_hidden_column(found: dict[str, Any]) -> None:
    assert ASKED in found["found"]  # the search does find what is there
    assert found["looked"]["files"] > 3
    assert found["looked"]["in_time"], found["looked"]
    assert WITHHELD not in found["found"], found["found"]
    # The spec names the labels, since a model must know what it may answer; no other place has them.
    for label in LABELS:
        assert all(place.endswith("/spec/evaluate.json") for place in found["found"].get(label, [])), found["found"]
