"""Which run a checkpoint is of: it is gone on from by the same run alone."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from worker.engine.contracts import ENGINE_VERSION
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.objectives.objective import Row
from worker.engine.tuning.reading import digest


def identity_of(spec: FinetuneSpec, rows: Sequence[Row] = ()) -> str:
    """Return what a run is a run of: everything that may move its numbers, rows of its own making among it."""
    said = asdict(spec)
    for name in (
        "out_dir",
        "checkpoint_seconds",
        "train",
        "dev",
        "lexicon",
        "rewritten",
        "unlabelled",
        "model_dir",
        "threads",
    ):
        said.pop(name)
    base = Path(spec.model_dir) if spec.model_dir else None
    weights = sorted(base.glob("*.safetensors")) if base else []
    if spec.teacher is not None:
        files = sorted(Path(spec.teacher.model_dir).glob("*.safetensors"))
        said["teacher"]["model_dir"] = [digest(str(path)) for path in files]
    said |= {
        "engine": ENGINE_VERSION,
        "files": [digest(path) for path in (spec.train, spec.dev, spec.lexicon, spec.rewritten, spec.unlabelled)],
        "labelled": [[row.question, row.gold] for row in rows],
        "base": [digest(str(path)) for path in ([base / "config.json"] if base else []) + weights if path.is_file()],
    }
    # A spec from JSON has 4.0 where one from Python may have 4.
    alike = json.loads(json.dumps(said), parse_int=float)
    return hashlib.sha256(json.dumps(alike, sort_keys=True).encode()).hexdigest()
