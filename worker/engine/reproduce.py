"""Run a portal's evaluation again from a shell: `python -m worker.engine reproduce URL`."""

import argparse
import importlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.engine import cli
from worker.engine.contracts import ENGINE_VERSION, EngineError, PrepareSpec, ScoreSpec
from worker.engine.download import Portal
from worker.engine.environment import prepare_process
from worker.engine.progress import PlainProgress
from worker.engine.provenance import versions
from worker.engine.recipe import Measure, Primary, Recipe, evaluate_spec, parse_recipe

DIFFERS = 4
TOLERANCE = 1e-9
API = "/api/v1/"


@dataclass(frozen=True)
class Line:
    """One number, there and here."""

    name: str
    there: float | None
    here: float | None
    tolerance: float = TOLERANCE

    @property
    def agrees(self) -> bool:
        """Say whether the two are the same measurement."""
        if self.there is None or self.here is None:
            return self.there is self.here
        return abs(self.there - self.here) <= self.tolerance * max(1.0, abs(self.there))


def main(arguments: Sequence[str]) -> int:
    """Reproduce one evaluation and return 0 when it agrees, 4 when it does not, 3 when it cannot be run."""
    parser = argparse.ArgumentParser(prog="python -m worker.engine reproduce", description=__doc__)
    parser.add_argument("url", help="address of the evaluation, such as http://portal/api/v1/evaluations/12")
    parser.add_argument("--token", help="access token, for what is private")
    parser.add_argument("--workdir", help="keep the downloaded files and the results here")
    parser.add_argument("--threads", type=int, help="threads to compute with; by default as the portal did")
    options = parser.parse_args(arguments)
    try:
        if options.workdir:
            return _reproduce(options, Path(options.workdir).resolve())
        with tempfile.TemporaryDirectory(prefix="reproduce-") as folder:
            return _reproduce(options, Path(folder))
    except EngineError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return cli.FAILED


def _reproduce(options: argparse.Namespace, folder: Path) -> int:
    url = options.url if "://" in options.url else f"http://{options.url}"
    # Where the person reached the portal is where its files are reached too, whatever it calls itself.
    portal = Portal(url.partition(API)[0], options.token)
    recipe, spec = parse_recipe(portal.read_json(url))
    if options.threads is not None:
        spec = spec | {"threads": options.threads}
    extra = recipe.dataset.files or {}
    evaluation = evaluate_spec(
        spec,
        model_dir=str(folder / "model"),
        inputs=str(folder / "inputs.jsonl"),
        out_dir=str(folder / "out"),
        base_dir=str(folder / "base") if recipe.base else None,
        context=str(folder / "context.jsonl") if extra else None,
        perturbed=str(folder / "perturbed.jsonl") if recipe.robustness else None,
    )
    progress = PlainProgress(sys.stderr)
    files = _fetch(portal, recipe, folder, progress)
    # The command line's own table, so that here and on the portal the same functions run.
    prepare_process(evaluation.threads)
    gold = folder / "gold.jsonl"
    marks = str(folder / "marks.json") if recipe.robustness else None
    cli.VERBS["prepare"].load()(
        PrepareSpec(
            task=evaluation.task,
            files=files,
            fields=recipe.fields,
            settings=evaluation.settings,
            inputs=evaluation.inputs,
            gold=str(gold),
            context=evaluation.context,
            robustness=recipe.robustness,
            perturbed=evaluation.perturbed,
            marks=marks,
        ),
        progress,
    )
    cli.VERBS["evaluate"].load()(evaluation, progress)
    result = cli.VERBS["score"].load()(
        ScoreSpec(
            task=evaluation.task,
            settings=evaluation.settings,
            gold=str(gold),
            predictions=str(folder / "out" / "predictions.jsonl"),
            marks=marks,
            perturbed=str(folder / "out" / "perturbed_predictions.jsonl") if recipe.robustness else None,
            out=str(folder / "score.json"),
            bootstrap=recipe.score.bootstrap,
            seed=recipe.score.seed,
            primary=recipe.score.primary,
        ),
        progress,
    )
    return _verdict(recipe, result)


def _fetch(portal: Portal, recipe: Recipe, folder: Path, progress: PlainProgress) -> dict[str, str]:
    """Fetch model and data and return the data files by the names that the engine has for them."""
    sources = {"model": recipe.model, **({"base": recipe.base} if recipe.base else {})}
    for place, source in sources.items():
        for path, sha256 in source.files.items():
            progress.report(0.0, f"fetching {path}", always=True)
            portal.fetch(source.repo, source.commit, path, sha256, folder / place / path)
    data = {"test": (recipe.dataset.path, recipe.dataset.sha256)}
    data |= {name: (file.path, file.sha256) for name, file in (recipe.dataset.files or {}).items()}
    placed = {}
    for number, (name, (path, sha256)) in enumerate(data.items()):
        target = folder / "data" / str(number) / Path(path).name
        progress.report(0.0, f"fetching {path}", always=True)
        portal.fetch(f"datasets/{recipe.dataset.repo}", recipe.dataset.commit, path, sha256, target)
        placed[name] = str(target)
    return placed


def _verdict(recipe: Recipe, result: dict[str, Any]) -> int:
    lines = list(_lines(recipe, result))
    same_answers = recipe.expected.prediction_digest in (None, result["prediction_digest"])
    print(f"{recipe.model.repo} at {recipe.model.commit[:8]} on {recipe.dataset.repo} at {recipe.dataset.commit[:8]}\n")
    print(f"{'':24} {'portal':>14} {'here':>14} {'difference':>12}")
    for line in lines:
        print(_row(line))
    print(f"\nanswers: {'the same on every text' if same_answers else 'not the same on every text'}")
    if (digest := recipe.expected.robustness_digest) is not None:
        same = digest == result["details"].get("robustness", {}).get("digest")
        print(f"answers to changed texts: {'the same' if same else 'not the same'} on every text")
    differing = [line.name for line in lines if not line.agrees]
    if not differing:
        print("The evaluation is reproduced.")
        return 0
    print(f"NOT reproduced, these differ: {', '.join(differing)}")
    for what in _surroundings(recipe):
        print(what)
    return DIFFERS


def _lines(recipe: Recipe, result: dict[str, Any]) -> Iterator[Line]:
    expected = recipe.expected
    # Not imported above: numpy reads the number of threads when it is loaded, and that is settled only on the way.
    task = importlib.import_module("worker.engine.tasks").find(result["task"])
    tolerances = {measure.name: measure.tolerance for measure in task.measures}
    found = {f"primary ({result['primary']['name']})": result["primary"], **result["metrics"]}
    stated: dict[str, Measure | Primary] = {f"primary ({expected.primary.name})": expected.primary, **expected.metrics}
    for name, there in stated.items():
        here = found.get(name, {})
        measure = there.name if isinstance(there, Primary) else name
        tolerance = tolerances.get(measure, TOLERANCE)
        yield Line(name, there.value, here.get("value"), tolerance)
        for bound in ("low", "high"):
            limit = getattr(there, bound)
            if limit is not None:
                yield Line(f"{name} {bound}", limit, here.get(bound), tolerance)


def _row(line: Line) -> str:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.9f}"

    gap = None if line.there is None or line.here is None else line.here - line.there
    return f"{line.name:24} {shown(line.there):>14} {shown(line.here):>14} {'-' if gap is None else f'{gap:+.2e}':>12}"


def _surroundings(recipe: Recipe) -> Iterator[str]:
    if recipe.engine_version != ENGINE_VERSION:
        yield f"The portal used engine {recipe.engine_version}, here is {ENGINE_VERSION}."
    here = versions()
    for name, there in (recipe.versions or {}).items():
        if here.get(name) != there:
            yield f"The portal used {name} {there}, here is {here.get(name, 'none')}."
