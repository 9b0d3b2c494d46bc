"""The script that repeats a run elsewhere, beside the result, with all that it needs to know in repeat.json.

The rows themselves are not in it: it names lines of the public files.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from worker.engine.provenance import versions
from worker.engine.tasks import find
from worker.engine.tuning import augmenting
from worker.engine.tuning.contracts import FinetuneSpec

FOLDER = "training"
SCRIPT = "train.py"
FACTS = "repeat.json"
# What the script needs to mistype texts as the run did: these modules, one after the other.
SLIPS = "slips.py"
SLIPS_OF = ("draws", "scripts", "letters")
TASKS = (
    "text-classification", "text-pair-classification", "multi-label-classification", "text-regression",
    "token-classification", "language-modeling",
    "translation",
)  # fmt: skip
INPUT = "{input}"
ATTACKS = ("none", "worst_of_k")
METHODS = ("full", "head", "bitfit", "lora", "dora", "rslora", "ia3")


def refusal(spec: FinetuneSpec, *, has_encoder: bool = True) -> str | None:
    """Return why there is no script for a run, None where there is one; translators must have an encoder."""
    if spec.task not in TASKS:
        return f"There is no script for {spec.task}; there are some for: {', '.join(TASKS)}."
    if spec.recipe.method not in METHODS:
        return f"There is no script for the method {spec.recipe.method}; there are some for: {', '.join(METHODS)}."
    if spec.recipe.harden not in ATTACKS or spec.recipe.mixup:
        return "There is no script for runs with mixup, or with harden other than worst_of_k."
    if augmenting.rates_of(spec.recipe):
        return "There is no script for runs with augmented rows."
    prompts = {spec.settings.get(name, INPUT) for name in ("prompt", "source_prompt")}
    if spec.task == "translation" and (not has_encoder or prompts != {INPUT}):
        return "There is no script for translations by decoders, or with prompts."
    if spec.recipe.pseudo_rounds:
        return "There is no script for runs that label rows by themselves."
    if spec.recipe.few_rows:
        return "There is no script for runs that learn from pairs of few rows."
    if spec.recipe.packing:
        return "There is no script for runs with packing."
    if spec.recipe.precision not in ("auto", "float32"):
        return "There is no script for runs in less than float32."
    return None


def write(folder: Path, spec: FinetuneSpec, facts: dict[str, Any]) -> None:
    """Write the script and its facts: those of the spec, and what only the run knows."""
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    task = find(spec.task)
    settings = task.settings(spec.settings)
    said = {
        "task": spec.task,
        "labels": getattr(settings, "labels", []),
        # The defaults; recipe.json may name others.
        "columns": {role: what.default for role, what in task.roles.items() if what.default is not None},
        "threshold": getattr(settings, "threshold", 0.5),
        "recipe": asdict(spec.recipe),
        "seed": spec.seed,
        "threads": spec.threads,
        "has_base": spec.model_dir is not None,
        "train_lines": folded(ids_in(spec.train)),
        "dev_lines": folded(ids_in(spec.dev, of="train")) if spec.dev else [],
        "versions": versions(),
        **facts,
    }
    (target / FACTS).write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    script = (Path(__file__).parent / "exported" / SCRIPT).read_text(encoding="utf-8")
    (target / SCRIPT).write_text(script, encoding="utf-8")
    if spec.recipe.harden == "worst_of_k":
        (target / SLIPS).write_text(_slips(), encoding="utf-8")


def _slips() -> str:
    """Return the modules that mistype texts as one that imports nothing of ours."""
    here = files("worker.engine.perturbing")
    sources = [(here / f"{name}.py").read_text("utf-8") for name in SLIPS_OF]
    return "".join(
        line for source in sources for line in source.splitlines(keepends=True) if not line.startswith("from worker.")
    )


def ids_in(path: str, of: str = "train") -> list[int]:
    """Return the numbers of the lines that `arrange` took from the training file."""
    numbers = []
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            part, _, number = str(json.loads(line).get("id", "")).rpartition("-")
            if part == of and number.isdecimal():
                numbers.append(int(number))
    return numbers


def folded(numbers: Iterable[int]) -> list[list[int]]:
    """Return rising numbers as pairs of first and last."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges
