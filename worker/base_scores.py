"""What the model that a run begins from scores on the test part: asked once for all runs that begin alike.

Twenty trials of a search differ in how they train, not in where they begin. What the first of them measures is kept by
a digest of everything that it depends on, and the others take it, whichever worker they are on.
"""

import hashlib
import json
import zlib
from dataclasses import asdict
from pathlib import Path
from time import sleep as wait
from typing import Any

from django.utils.translation import gettext_noop

from leaderboard import model_files
from models_hub import browsing
from models_hub.adapting import reports
from models_hub.models import BaseScore, Run
from worker import node
from worker.attempts import Attempt
from worker.engine.contracts import ENGINE_VERSION, EvaluateSpec

MAX_BYTES = 64 * 1024**2  # of answers, as lines
MAX_PACKED = 8 * 1024**2  # of them in a row of the database
ASK_EVERY = 0.5  # seconds
# Where files are on this machine, and what only says how fast they are answered.
PLACES = frozenset({"model_dir", "inputs", "out_dir", "context", "base_dir", "resume", "threads"})
WAITING = gettext_noop("waiting for another run that asks the same base")


def find(attempt: Attempt, run: Run, spec: EvaluateSpec, gold: Path) -> BaseScore | None:
    """Return what was measured, or is for this attempt to measure; waits while another attempt is at it.

    None where there is nothing to share: the base is no repository.
    """
    if run.base is None or run.data is None:
        return None
    key = _key(run, spec, gold)
    while True:
        found = BaseScore.claim(owner=run.owner, key=key, base=run.base, data=run.data, job=attempt.job)
        if found is not None:
            return found
        attempt.report(0.93, WAITING)
        wait(ASK_EVERY)
        attempt.check()


def _key(run: Run, spec: EvaluateSpec, gold: Path) -> str:
    """Return a digest of all that may move an answer or a score: files, rows, options, engine and kind of device."""
    assert run.base is not None
    entries = model_files.entries_of(run.base, browsing.resolve_revision(run.base, run.base_commit))
    parts = {
        "options": {name: value for name, value in asdict(spec).items() if name not in PLACES},
        "model": model_files.digest_of(entries),
        "questions": _digest(Path(spec.inputs)),
        "gold": _digest(gold),
        "engine": ENGINE_VERSION,
        "device": "cuda" if node.gpu_count() else "cpu",
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def place(attempt: Attempt, found: BaseScore | None, target: Path) -> bool:
    """Put answers that were measured before at `target`; False where the base has to be asked.

    Of a base that cannot do the task there are none, and its score is {}.
    """
    if found is None or found.finished_at is None or (found.score and found.predictions is None):
        return False
    if found.score:
        target.write_bytes(zlib.decompress(found.predictions or b""))
    attempt.log(f"evaluate: job {found.job_id} asked the same base the same rows, and its answers are taken")
    return True


def keep(attempt: Attempt, found: BaseScore | None, score: dict[str, Any], predictions: Path) -> None:
    """Keep what this attempt measured for others, where it is for this attempt to do so."""
    if found is not None and found.is_measured_by(attempt.job):
        found.keep(score=reports.bounded(score), predictions=_packed(predictions) if score else None, job=attempt.job)


def _packed(predictions: Path) -> bytes | None:
    """Return answers as the database keeps them; None where they are too many."""
    if predictions.stat().st_size > MAX_BYTES:
        return None
    packed = zlib.compress(predictions.read_bytes())
    return packed if len(packed) <= MAX_PACKED else None
