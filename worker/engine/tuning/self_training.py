"""Few rows have labels and many have none: what is trained labels those that it is sure of, and learning begins anew.

Self-training with pseudo-labels (Lee, 2013). Each round begins from the same base, so that the mistakes of one are no
part of the weights of the next, and what a round labelled is labelled anew after it. A killed run goes on in the round
of its checkpoint, which holds what was labelled before it.
"""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json, read_json_object
from worker.engine.progress import Progress
from worker.engine.rows import MAX_LINE_BYTES, write_lines
from worker.engine.tasks.task import Value
from worker.engine.tuning import checkpoints
from worker.engine.tuning.checkpoints import ROUNDS
from worker.engine.tuning.contracts import SUMMARY_FILE, FinetuneSpec
from worker.engine.tuning.earlier import Earlier
from worker.engine.tuning.objectives.objective import Row
from worker.engine.tuning.reading import read_rows
from worker.engine.tuning.training import Training

TASKS = ("text-classification", "text-pair-classification", "multi-label-classification")
MAX_ROWS = 100_000
ROUNDS_LIMIT = 64 << 20


@dataclass
class Standing:
    """Where a run of several rounds stands."""

    round: int = 0
    taken: list[tuple[int, Value]] = field(default_factory=list)  # number of a row, and its label
    history: list[dict[str, Any]] = field(default_factory=list)
    seq: int = 0
    seconds: float = 0.0
    steps: int = 0


def run(spec: FinetuneSpec, progress: Progress, folder: Path) -> dict[str, Any]:
    """Train, label, train again; return the summary of the last round, which counts what each one labelled."""
    if spec.task not in TASKS:
        raise EngineError("bad_spec", f"pseudo_rounds are possible for: {', '.join(TASKS)}")
    rounds = spec.recipe.pseudo_rounds
    pool = read_pool(spec)
    at = _standing(folder, len(pool))
    while True:
        share = 1 / (rounds + 1)
        told = {"pseudo": {"rows": len(pool), "confidence": spec.recipe.pseudo_confidence, "rounds": at.history}}
        earlier = Earlier(
            seq=at.seq,
            seconds=at.seconds,
            steps=at.steps,
            rows=[Row(pool[number], gold) for number, gold in at.taken],
            done=at.round * share,
            share=share,
            told=told,
        )
        training = Training(spec, progress, folder, earlier)
        if at.round == rounds:
            break
        training.learn_all()
        training.take_best()
        taken = sure_of(training, pool, spec.recipe.pseudo_confidence)
        at.history.append(counted(at.round + 1, taken, training))
        _tell(training, len(pool), len(taken))
        if not taken:  # nothing to learn anew from
            break
        at = _next(at, taken, training)
        _keep(folder, at)
    summary = training.run()
    (folder / ROUNDS).unlink(missing_ok=True)
    return summary


def read_pool(spec: FinetuneSpec) -> list[Value]:
    """Return the questions that nobody labelled, without those that are among the labelled rows."""
    known = [row.question for path in (spec.train, spec.dev) if path for row in read_rows(path, "training")]
    seen = {_key(question) for question in known}
    pool: list[Value] = []
    with Path(spec.unlabelled or "").open("rb") as file:
        while line := file.readline(4 * MAX_LINE_BYTES):
            question = _question(line)
            if _key(question) not in seen:
                seen.add(_key(question))
                pool.append(question)
            if len(pool) > MAX_ROWS:
                raise EngineError("bad_data", f"the rows without labels are more than {MAX_ROWS}")
    if not pool:
        raise EngineError("bad_data", "There are no rows without labels that are not among the labelled ones.")
    return pool


def _question(line: bytes) -> Value:
    try:
        value = parse_json(line)
    except (ValueError, RecursionError) as error:
        raise EngineError("bad_data", "a row without a label is not JSON") from error
    if not isinstance(value, dict):
        raise EngineError("bad_data", "a row without a label is no object")
    return {name: part for name, part in value.items() if name != "id"}


def _key(question: Value) -> str:
    return json.dumps(question, sort_keys=True, ensure_ascii=False)


def sure_of(training: Training, pool: Sequence[Value], least: float) -> list[tuple[int, Value]]:
    """Return the rows whose label the model is sure of, with it; of several labels it must be sure of each."""
    settings: Any = training.ready.settings
    several = training.ready.task.name == "multi-label-classification"
    # Targets are of no use where nothing is learned, but belong to a row.
    rows = [Row(question, {"labels": []} if several else {"label": settings.labels[0]}) for question in pool]
    features = training.ready.objective.encode(rows, training=False)
    with training.ready.passes.cast():
        answered = training.ready.objective.answer(training.ready.attached.model, rows, features)
    found: list[tuple[int, Value]] = []
    for number, prediction in enumerate(answered.predictions):
        scores = list(prediction["scores"].values())
        sure = min(max(score, 1 - score) for score in scores) if several else max(scores)
        if sure >= least:
            name = "labels" if several else "label"
            found.append((number, {name: prediction[name]}))
    return found


def counted(number: int, taken: Sequence[tuple[int, Value]], training: Training) -> dict[str, Any]:
    """Return what a round came to: how many rows it labelled, and how good what labelled them was."""
    labels = Counter(label for _number, gold in taken for label in gold.get("labels", [gold.get("label")]))
    return {
        "round": number,
        "taken": len(taken),
        "labels": dict(sorted(labels.items())),
        "metric": training.ready.choice.metric,
        "dev": training.at.best.get("value"),
    }


def _tell(training: Training, asked: int, taken: int) -> None:
    after = "learning begins anew with them" if taken else "nothing is learned anew"
    training.log.write("note", text=f"The model was sure of {taken} of {asked} rows without labels: {after}.")


def _next(at: Standing, taken: list[tuple[int, Value]], training: Training) -> Standing:
    return Standing(
        round=at.round + 1,
        taken=taken,
        history=at.history,
        seq=training.log.seq,
        seconds=training.log.seconds,
        steps=at.steps + training.at.step,
    )


def _keep(folder: Path, at: Standing) -> None:
    """Let the next round begin: the checkpoint of this one is gone on from no more."""
    checkpoints.remove(folder)
    (folder / SUMMARY_FILE).unlink(missing_ok=True)
    write_lines(folder / ROUNDS, [vars(at)])


def _standing(folder: Path, rows: int) -> Standing:
    """Return where the checkpoint stands; what lies beside it may be of a later round."""
    (folder / ROUNDS).unlink(missing_ok=True)
    place = checkpoints.place_of(folder) / ROUNDS
    if not place.is_file():
        return Standing()
    shutil.copyfile(place, folder / ROUNDS)
    value = read_json_object(folder / ROUNDS, limit=ROUNDS_LIMIT, code="training_failed")
    at = Standing(**value)
    at.taken = [(number, gold) for number, gold in at.taken if type(number) is int and 0 <= number < rows]
    return at
