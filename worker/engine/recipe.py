"""What a portal says about one of its evaluations, so that anybody can run it again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from worker.engine.contracts import EngineError, EvaluateSpec, RobustnessSpec
from worker.engine.decoding import decode

SHA256 = re.compile(r"[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")
# Paths and the place of the answers are chosen where it runs.
LOCAL_FIELDS = frozenset({"model_dir", "inputs", "out_dir", "context", "perturbed", "resume", "base_dir"})


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """The files of a model at one commit, each with the sha256 of its bytes."""

    repo: str
    commit: str
    files: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ExtraFile:
    """A file that a benchmark has beside its rows."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class DatasetSource:
    """The data files of a benchmark at one commit."""

    repo: str
    commit: str
    path: str
    sha256: str
    files: dict[str, ExtraFile] | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """How the answers are scored."""

    bootstrap: int = 2000
    seed: int = 0
    primary: str | None = None


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of the portal, with its interval where it has one."""

    value: float
    low: float | None = None
    high: float | None = None
    method: str | None = None


@dataclass(frozen=True, kw_only=True)
class Primary:
    """The measure that the portal ranks by."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    method: str | None = None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the portal got."""

    primary: Primary
    metrics: dict[str, Measure]
    prediction_digest: str | None = None
    # Over the answers to changed questions.
    robustness_digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides a score; `spec` holds the fields of EvaluateSpec that are no paths."""

    model: ModelSource
    dataset: DatasetSource
    fields: dict[str, str]
    score: ScoreOptions
    expected: Expected
    engine_version: str
    endpoint: str | None = None
    base: ModelSource | None = None  # what an adapter is put on
    robustness: RobustnessSpec | None = None
    versions: dict[str, str] | None = None


def parse_recipe(answer: dict[str, Any]) -> tuple[Recipe, dict[str, Any]]:
    """Return the recipe in a portal's answer about an evaluation, and the fields of its EvaluateSpec."""
    raw = answer.get("recipe")
    if not isinstance(raw, dict):
        raise EngineError(
            "download_failed", "This evaluation has no recipe: it is not finished, or this is not its API address."
        )
    # A newer portal may say more about itself; more about the computation is refused by `decode` below.
    known = {name: value for name, value in raw.items() if name in {field.name for field in fields(Recipe)}}
    recipe = decode(Recipe, known, where="recipe")
    spec = raw.get("spec")
    if not isinstance(spec, dict) or LOCAL_FIELDS & set(spec):
        raise EngineError("bad_spec", "recipe.spec must hold the fields of an evaluation without paths")
    models = [recipe.model, *([recipe.base] if recipe.base else [])]
    for commit in (*(model.commit for model in models), recipe.dataset.commit):
        _check(COMMIT, commit, "a commit must be 40 hexadecimal digits")
    extra = list((recipe.dataset.files or {}).values())
    for digest in (recipe.dataset.sha256, *(file.sha256 for file in extra), *_digests(models)):
        _check(SHA256, digest, "a sha256 must be 64 hexadecimal digits")
    for path in (recipe.dataset.path, *(file.path for file in extra), *_paths(models)):
        if path.startswith("/") or "\\" in path or "\0" in path or {"", ".", ".."} & set(path.split("/")):
            raise EngineError("bad_spec", f"recipe names a file outside the repository: {path[:80]!r}")
    return recipe, spec


def _digests(models: Sequence[ModelSource]) -> list[str]:
    return [digest for model in models for digest in model.files.values()]


def _paths(models: Sequence[ModelSource]) -> list[str]:
    return [path for model in models for path in model.files]


def evaluate_spec(spec: dict[str, Any], **local: Any) -> EvaluateSpec:
    """Return the checked EvaluateSpec of a recipe with local paths filled in."""
    return decode(EvaluateSpec, spec | local, where="recipe.spec")


def _check(pattern: re.Pattern[str], value: str, what: str) -> None:
    if not pattern.fullmatch(value):
        raise EngineError("bad_spec", f"recipe cannot be used: {what}")
