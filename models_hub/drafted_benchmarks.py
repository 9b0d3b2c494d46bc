"""A first eval.yaml for a data set that has none, to be filled in: what makes a benchmark of it."""

import json
from collections.abc import Collection

from models_hub.models import Repo

NAME = "eval.yaml"
_DATA = (".jsonl", ".csv", ".parquet")
_DRAFT = """\
version: 1
name: {name}
description: What is measured, in one sentence.
task: text-classification
split:
  path: {path}
fields:
  input: text     # the column that the model reads
  target: label   # the column with the right answers
labels: [negative, positive]   # all of them, as they stand in the rows; numbers in quotes
primary: f1_macro
metrics: [accuracy, f1_macro, mcc]
"""


def definition(repo: Repo, paths: Collection[str]) -> str:
    """Return a definition over the file that looks most like a test; `paths` are all files of the data set."""
    files = [path for path in sorted(paths) if path.endswith(_DATA)]
    tests = [path for path in files if "test" in path.rsplit("/", 1)[-1]]
    path = next(iter(tests or files), "test.jsonl")
    return _DRAFT.format(name=json.dumps(repo.name), path=json.dumps(path, ensure_ascii=False))
