"""Small models and benchmarks for tests: real files, and numbers that the engine's stand-in makes of them."""

import json
import struct
from collections.abc import Callable

from leaderboard import benchmarks, submitting
from leaderboard.models import Benchmark, Evaluation, Standing
from models_hub.models import Repo
from portal.models import User

TEXTS = (("good", "positive"), ("bad", "negative"), ("fine", "positive"), ("poor", "negative"))
EVAL_YAML = """\
version: 1
name: Mood
name_zh: 情绪
description: Is it good or bad?
task: text-classification
split:
  path: data/test.jsonl
fields:
  input: text
  target: label
labels: [negative, positive]
primary: f1_macro
metrics: [accuracy, f1_macro, mcc]
max_length: 64
seed: 0
bootstrap: 200
license: cc0-1.0
test_is_public: true
"""


def safetensors(*numbers: float) -> bytes:
    """A proper file with one tensor."""
    data = struct.pack(f"<{len(numbers)}f", *numbers)
    tensor = {"dtype": "F32", "shape": [len(numbers)], "data_offsets": [0, len(data)]}
    header = json.dumps({"classifier.weight": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + data


def model_files(*numbers: float, **fake_engine: object) -> dict[str, bytes | str]:
    """What an evaluation reads, with weights of the given numbers and orders for the engine's stand-in."""
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "id2label": {"0": "negative", "1": "positive"},
        "fake_engine": fake_engine,
    }
    return {
        "config.json": json.dumps(config),
        "tokenizer.json": json.dumps({"model": {"type": "WordPiece", "vocab": {"[UNK]": 0}}}),
        "model.safetensors": safetensors(*(numbers or (1.0, 2.0))),
        "README.md": "---\nlicense: mit\n---\n# A model\n",
    }


def adapter_files(base: str = "alice/bert", revision: str = "", **purpose: object) -> dict[str, bytes | str]:
    """What a run publishes that made an adapter alone."""
    config = {"peft_type": "PREFIX_TUNING", "base_model_name_or_path": base, "revision": revision or None}
    said = {"task": "text-classification", "labels": ["negative", "positive"], "problem_type": None, "heads": []}
    return {
        "adapter_config.json": json.dumps(config),
        "adapter_model.safetensors": safetensors(3.0),
        "tuned_for.json": json.dumps(said | purpose),
        "README.md": "---\nlicense: mit\n---\n# An adapter\n",
    }


def data_lines(repeat: int = 5) -> str:
    """A test split; the ids differ, so the stand-in answers each row on its own."""
    rows = [
        {"id": f"{index}-{round_}", "text": f"{text} {round_}", "label": label}
        for round_ in range(repeat)
        for index, (text, label) in enumerate(TEXTS)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def dataset_files(definition: str = EVAL_YAML) -> dict[str, bytes | str]:
    return {"eval.yaml": definition, "data/test.jsonl": data_lines()}


def make_benchmark(make_repo: Callable[..., Repo], owner: User, name: str = "mood", **options: object) -> Benchmark:
    """A benchmark that moderators approved, in a data set of its own."""
    definition = str(options.pop("definition", EVAL_YAML))
    dataset = make_repo(owner, name, kind="dataset", files=dataset_files(definition), **options)
    benchmark = benchmarks.register(dataset, by=owner)[0]
    benchmark.standing = Standing.APPROVED
    benchmark.save(update_fields=("standing",))
    return benchmark


def make_evaluation(
    make_repo: Callable[..., Repo], owner: User, benchmark: Benchmark, name: str = "bert", **fake_engine: object
) -> Evaluation:
    """An evaluation that waits for a worker."""
    model = make_repo(owner, name, files=model_files(**fake_engine))
    return submitting.submit(model, benchmark, by=owner)[0]
