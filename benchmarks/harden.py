"""`python -m benchmarks.harden`: does training against attacks, or with changed texts, make a model sturdier?

A small model learns from random numbers, or goes on from what it learned of other texts; then contestants go on from it
over the same rows, and differ in their recipes alone: a model that knows nothing yet learns nothing under attack. All
that is done once for each seed. Each answers the test rows of a set as they are, and again in every way that
evaluations of robustness ask. What is compared for each row, with its partner of the same seed: whether the answer to
the row is right, and which share of the answers to its changed forms is. Both differences have the interval of a paired
test over rows, the mean over seeds taken first; the smallest and the largest difference of a seed stand beside them.

With `--base` and `--epochs 0` contestants begin from a pre-trained model at once, with `--keep-layers` from its lower
layers. Recipes are chosen with `--ask dev` and shown with `--ask test`. What models answered stays in `--answers`, so
that a run that was cut off goes on.
"""

import argparse
import json
import multiprocessing
import re
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from worker.engine import rows
from worker.engine.contracts import EvaluateSpec, PrepareSpec, RobustnessSpec
from worker.engine.environment import prepare_process
from worker.engine.marks import read_marks
from worker.engine.progress import Progress
from worker.engine.slicing import SMALLEST
from worker.engine.statistics import paired
from worker.engine.statistics.resampling import OfSums
from worker.engine.tuning.contracts import Architecture, ArrangeSpec, FinetuneSpec, Recipe

Array = npt.NDArray[np.float64]
ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "open"
TASK = "text-classification"
CLEAN = "clean"
DRAWS = 2000
# Changes that worst_of_k makes too; what it does for the others it was not told.
SLIPS = {"keyboard", "swap", "drop", "insert"}
# What each contestant changes of the recipe that all share.
CHANGES: dict[str, dict[str, Any]] = {
    CLEAN: {},
    "characters": {"augment_characters": 0.2, "augment_share": 0.7},
    "words": {"augment_swap": 0.1, "augment_delete": 0.1, "augment_insert": 0.1, "augment_share": 0.7},
    # Each row is learned as it is and with slips: those that chance makes, or the worst of so many.
    "slips": {"harden": "worst_of_k", "harden_options": {"count": 1}},
    "worst of 4": {"harden": "worst_of_k", "harden_options": {"count": 4}},
    "worst of 8": {"harden": "worst_of_k", "harden_options": {"count": 8}},
    "slips, more": {"harden": "worst_of_k", "harden_options": {"count": 1, "share": 0.4}},
    "worst of 4, more": {"harden": "worst_of_k", "harden_options": {"count": 4, "share": 0.4}},
    "fgm, weaker": {"harden": "fgm", "harden_options": {"epsilon": 0.03}},
    "fgm": {"harden": "fgm", "harden_options": {"epsilon": 0.1}},
    "fgm, stronger": {"harden": "fgm", "harden_options": {"epsilon": 0.3}},
    "pgd, weaker": {"harden": "pgd", "harden_options": {"epsilon": 0.03, "alpha": 0.015}},
    "pgd": {"harden": "pgd", "harden_options": {"epsilon": 0.1, "alpha": 0.05}},
    "freelb, weaker": {"harden": "freelb", "harden_options": {"epsilon": 0.03, "alpha": 0.015}},
    "freelb": {"harden": "freelb", "harden_options": {"epsilon": 0.1, "alpha": 0.05}},
}


# An evaluation asks at most so many rows again; all rows are asked in parts.
PART = 500


@dataclass(frozen=True)
class Answers:
    """Of one model: one for each row that it has right, and which share of the changed forms of the row."""

    clean: Array  # (rows,)
    changed: Array  # (rows,)
    other: Array  # (rows,): the same of changes that are no slips
    by_name: dict[str, float]  # accuracy by perturbation


def main() -> None:
    """Train, ask and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the sets")
    parser.add_argument("--set", default="rotten_tomatoes", help="of single texts with one label")
    parser.add_argument("--rows", type=int, help="to learn from; all when left out")
    parser.add_argument("--ask", choices=("dev", "test"), default="test", help="which rows are asked")
    parser.add_argument("--asked", type=int, help="rows that are asked; all when left out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--epochs", type=float, default=3, help="of the model that all begin from")
    parser.add_argument("--more-epochs", type=float, default=2, help="of the contestants")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--base", type=Path, help="folder of a model that was trained on other texts, to begin from")
    parser.add_argument("--keep-layers", type=int, help="of that model, from below; all when left out")
    parser.add_argument("--answers", type=Path, help="folder that keeps what models answered")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--workers", type=int, default=1, help="models that learn at the same time")
    parser.add_argument("--only", nargs="*", choices=list(CHANGES), default=list(CHANGES))
    options = parser.parse_args()
    prepare_process(options.threads)
    if options.epochs == 0 and options.base is None:
        parser.error("--epochs 0 needs a model to begin from: --base")
    with tempfile.TemporaryDirectory() as folder:
        _compare(Path(folder), options)


def _compare(folder: Path, options: argparse.Namespace) -> None:
    options.labels = _arrange(folder, options)
    if options.keep_layers:
        options.base = _lower_layers(options.base, folder / "lower", options.keep_layers)
    parts = _prepare(folder, options)
    found: dict[str, list[Answers]] = {}
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    names = list(dict.fromkeys((CLEAN, *options.only)))
    with ProcessPoolExecutor(options.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        bases = [pool.submit(_begin, folder, seed, options) for seed in seeds]
        models = {
            (seed, name): pool.submit(_contest, folder, base.result(), name, seed, options, parts)
            for seed, base in zip(seeds, bases, strict=True)
            for name in names
        }
        for seed in seeds:
            for name in names:
                one = models[seed, name].result()
                found.setdefault(name, []).append(one)
                print(f"{name} {seed}: {one.clean.mean():.4f} clean, {one.changed.mean():.4f} changed", flush=True)
            _show(found, options)


def _contest(
    folder: Path, base: Path, name: str, seed: int, options: argparse.Namespace, parts: Sequence[Path]
) -> Answers:
    kept: Path | None = options.answers and options.answers / f"{name}-{seed}.json"
    if kept and kept.exists():
        said = json.loads(kept.read_text(encoding="utf-8"))
        return Answers(np.array(said["clean"]), np.array(said["changed"]), np.array(said["other"]), said["by_name"])
    found = _ask(folder / f"answers-{name}-{seed}", _train(folder, base, name, seed, options), parts, options)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        said = {name: getattr(found, name).tolist() for name in ("clean", "changed", "other")} | {
            "by_name": found.by_name
        }
        kept.write_text(json.dumps(said), encoding="utf-8")
    return found


def _show(found: dict[str, list[Answers]], options: argparse.Namespace) -> None:
    """Print what is known after some seeds."""
    base = found[CLEAN]
    what = options.base.name if options.base else f"{options.layers} layers of {options.hidden}"
    print(f"\n{len(base[0].clean)} rows, {len(base)} seeds, {what}")
    for name, models in found.items():
        print(f"\n{name}: {_mean(models, 'clean').mean():.4f} clean, {_mean(models, 'changed').mean():.4f} changed")
        print("  " + ", ".join(f"{key} {np.mean([m.by_name[key] for m in models]):.4f}" for key in models[0].by_name))
        if name != CLEAN:
            for what in ("clean", "changed", "other"):
                print(f"  {what:10} {_difference(models, base, what)}")
            for what in ("changed", "other"):
                print(f"  {'kept, ' + what:13} {_kept_difference(models, base, what)}", flush=True)


def _arrange(folder: Path, options: argparse.Namespace) -> list[str]:
    """Write the rows to learn from, and return the labels."""
    from worker.engine.tuning.arranging import arrange

    source = options.data / options.set
    files = {part: str(source / f"{part}.jsonl") for part in ("train", "dev")}
    spec = ArrangeSpec(task=TASK, files=files, out_dir=str(folder / "rows"), test_share=0, max_rows=options.rows)
    labels: list[str] = arrange(spec, Progress(StringIO()))["settings"]["labels"]
    return labels


def _lower_layers(base: Path, target: Path, count: int) -> Path:
    """Write a model with so many layers of a BERT, from below."""
    shutil.copytree(base, target)
    config = json.loads((base / "config.json").read_text(encoding="utf-8")) | {"num_hidden_layers": count}
    (target / "config.json").write_text(json.dumps(config), encoding="utf-8")
    kept = {
        name: value
        for name, value in load_file(base / "model.safetensors").items()
        if not (found := re.search(r"encoder\.layer\.(\d+)\.", name)) or int(found[1]) < count
    }
    save_file(kept, target / "model.safetensors", {"format": "pt"})
    return target


def _prepare(folder: Path, options: argparse.Namespace) -> list[Path]:
    """Write questions, answers and changed questions, and return the folder of each part."""
    source = options.data / options.set / f"{options.ask}.jsonl"
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)[: options.asked]
    count = -(-len(lines) // PART)
    folders = []
    for number in range(count):
        part = folder / f"part{number}"
        part.mkdir()
        (part / "test.jsonl").write_text("".join(lines[number::count]), encoding="utf-8")
        rows.prepare(
            PrepareSpec(
                task=TASK, files={"test": str(part / "test.jsonl")}, settings={"labels": options.labels},
                inputs=str(part / "inputs.jsonl"), gold=str(part / "gold.jsonl"), marks=str(part / "marks.json"),
                perturbed=str(part / "perturbed.jsonl"), robustness=RobustnessSpec(rows=PART, seed=number),
            )
        )  # fmt: skip
        folders.append(part)
    return folders


def _begin(folder: Path, seed: int, options: argparse.Namespace) -> Path:
    """Return the model that all contestants of a seed begin from."""
    if options.epochs == 0:
        base: Path = options.base
        return base
    return _train(folder, None, f"base-{seed}", seed, options)


def _train(folder: Path, base: Path | None, name: str, seed: int, options: argparse.Namespace) -> Path:
    """Train a model to begin from, or a contestant, and return its folder."""
    from worker.engine.tuning.training import finetune

    dev: Path | None = folder / "rows" / "dev.jsonl"
    if base is None:
        recipe = Recipe(epochs=options.epochs, batch_size=options.batch, lr=options.lr)
        base = options.base
    else:
        # The last one is kept: the best by clean texts would be chosen by what is not asked.
        recipe = Recipe(
            epochs=options.more_epochs, batch_size=options.batch, lr=options.lr / 2, keep="last", **CHANGES[name]
        )
        dev = None
    size = options.hidden
    new = Architecture(hidden=size, layers=options.layers, heads=2, intermediate=4 * size, max_positions=96)
    out = folder / f"{name}-{seed}"
    finetune(
        FinetuneSpec(
            task=TASK, train=str(folder / "rows" / "train.jsonl"), dev=str(dev) if dev else None,
            out_dir=str(out), settings={"labels": options.labels}, recipe=recipe, seed=seed, threads=options.threads,
            checkpoint_seconds=3600, device=options.device,
            model_dir=str(base) if base else None, architecture=None if base else new,
        ),
        Progress(StringIO()),
    )  # fmt: skip
    return out / "model"


def _ask(out: Path, model: Path, parts: Sequence[Path], options: argparse.Namespace) -> Answers:
    from worker.engine.evaluating import evaluate

    clean, changed, other, hits = [], [], [], dict[str, list[Array]]()
    for part in parts:
        out.mkdir(exist_ok=True)
        evaluate(
            EvaluateSpec(
                task=TASK, model_dir=str(model), inputs=str(part / "inputs.jsonl"), out_dir=str(out),
                settings={"labels": options.labels}, perturbed=str(part / "perturbed.jsonl"), threads=options.threads,
                device=options.device,
            ),
            Progress(StringIO()),
        )  # fmt: skip
        golds = [line["label"] for line in _lines(part / "gold.jsonl")]
        right = _right(golds, out / "predictions.jsonl")
        marks = read_marks(part / "marks.json", len(golds))
        again = [(place, name) for name, places in marks.changed.items() for place in places]
        asked = [golds[marks.rows[place]] for place, _name in again]
        answers = _right(asked, out / "perturbed_predictions.jsonl")
        # What a change leaves as it is is answered as before.
        table = {name: right.copy() for name in marks.changed if len(marks.changed[name]) >= SMALLEST}
        for (place, name), value in zip(again, answers, strict=True):
            if name in table:
                table[name][marks.rows[place]] = value
        clean.append(right)
        changed.append(np.mean(list(table.values()), axis=0))
        other.append(np.mean([values for name, values in table.items() if name not in SLIPS], axis=0))
        for name, values in table.items():
            hits.setdefault(name, []).append(values)
    by_name = {name: float(np.concatenate(values).mean()) for name, values in hits.items()}
    return Answers(np.concatenate(clean), np.concatenate(changed), np.concatenate(other), by_name)


def _right(golds: Sequence[str], path: Path) -> Array:
    said = [line["label"] for line in _lines(path)]
    return np.array([float(one == other) for one, other in zip(golds, said, strict=True)])


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _mean(models: Sequence[Answers], what: str) -> Array:
    found: Array = np.mean([getattr(one, what) for one in models], axis=0)
    return found


def _difference(models: Sequence[Answers], base: Sequence[Answers], what: str) -> str:
    found = paired.paired_normal(_mean(models, what), _mean(base, what))
    each = [float(np.mean(getattr(a, what) - getattr(b, what))) for a, b in zip(models, base, strict=True)]
    return f"{_shown(found)}, by seed {min(each):+.4f} to {max(each):+.4f}"


def _kept_difference(models: Sequence[Answers], base: Sequence[Answers], what: str) -> str:
    """Compare which share of the accuracy is left when texts are changed: one less the relative drop of a score."""
    sides = [
        OfSums(np.stack([_mean(side, what), _mean(side, "clean")], axis=1), lambda sums: sums[..., 0] / sums[..., 1])
        for side in (models, base)
    ]
    found = paired.paired_bootstrap(sides[0], sides[1], len(base[0].clean), draws=DRAWS, seed=0)
    return f"{sides[0].value():.4f} against {sides[1].value():.4f}: {_shown(found)}"


def _shown(found: paired.Comparison) -> str:
    return f"{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}], p = {found.p:.2g}"


if __name__ == "__main__":
    main()
