"""The job kind `prepare_challenge`: rows with answers become questions, and two hidden parts of answers.

The order is drawn anew and every row gets a number for an id: neither the order nor the ids of the organizer's file,
which may tell the answers, reach anybody. Which part a row is in is told nowhere.
"""

import hashlib
import json
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_noop

from leaderboard.challenges import judging
from leaderboard.challenges.drafting import LEAST_ROWS
from leaderboard.models import ChallengeData
from worker import scratch
from worker.attempts import Attempt, JobFailed
from worker.challenge_parts import PRIVATE, PUBLIC, lines_of
from worker.engine.contracts import PrepareSpec
from worker.engine_runs import Run, run_verb
from worker.jobs.limits import limits_of

GONE = gettext_noop("The challenge or its rows were replaced.")
TOO_FEW = gettext_noop(
    "%(rows)d rows are too few: the public part would have %(public)d, and each needs at least %(least)d."
)
TOO_MANY = gettext_noop(
    "%(rows)d rows are too many: at most %(most)d are taken, and rows times labels may be at most %(scores)d."
)
MOST_ROWS, MOST_SCORES = 200_000, 1_000_000


def run(attempt: Attempt) -> None:
    """Split the rows and store the parts; the job ends in the same transaction."""
    rows = ChallengeData.objects.select_related("challenge", "source")
    data = rows.filter(challenge=attempt.job.spec["challenge"], job=attempt.job).first()
    if data is None:
        raise JobFailed(GONE, code="gone")
    with scratch.folder_for(attempt.job) as root:
        questions, answers = _prepare(attempt, data, root)
        order = _drawn(list(questions), data.seed, "order")
        numbers = {identity: str(number) for number, identity in enumerate(order, start=1)}
        public = _public_part(data, len(order))
        written = {
            "questions": [{"id": numbers[one], **questions[one]} for one in order],
            PUBLIC: [{"id": numbers[one], **answers[one]} for one in order if numbers[one] in public],
            PRIVATE: [{"id": numbers[one], **answers[one]} for one in order if numbers[one] not in public],
        }
        blobs = {}
        for name, lines in written.items():
            path = root / f"{name}.jsonl"
            path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
            blobs[name] = scratch.store(attempt.job, path)
        attempt.check()
        judging.note_rows(
            data, job=attempt.job, questions=blobs["questions"], public=blobs[PUBLIC], private=blobs[PRIVATE],
            counts=(len(public), len(order) - len(public)),
        )  # fmt: skip


def _prepare(attempt: Attempt, data: ChallengeData, root: Path) -> tuple[dict[str, dict], dict[str, dict]]:  # type: ignore[type-arg]
    """Read the rows in a sandbox; returns questions and answers by the ids of the file."""
    for name in ("data", "spec", "prepared"):
        (root / name).mkdir()
    source = root / "data" / ("rows.csv" if data.source_name.lower().endswith(".csv") else "rows.jsonl")
    scratch.place_blob(attempt.job, data.source, source)
    source.chmod(0o444)
    definition, prepared = data.challenge.definition, root / "prepared"
    spec = PrepareSpec(
        task=definition.task,
        files={"test": str(source)},
        fields=definition.fields,
        settings=definition.engine_settings,
        inputs=str(prepared / "inputs.jsonl"),
        gold=str(prepared / "gold.jsonl"),
    )
    run_verb(
        attempt,
        Run("prepare", spec, readonly=[root / "data"], writable=prepared, share=(0.0, 0.9)),
        spec_folder=root / "spec",
        limits=limits_of(memory_mb=min(settings.JOB_MEMORY_MB, 2048), threads=1),
    )
    for name in ("inputs.jsonl", "gold.jsonl"):
        scratch.collect(prepared / name, root / name)
    rows = (root / "gold.jsonl").read_bytes().count(b"\n")
    if rows > MOST_ROWS or rows * len(definition.labels) > MOST_SCORES:
        raise JobFailed(TOO_MANY, code="too_many_rows", data={"rows": rows, "most": MOST_ROWS, "scores": MOST_SCORES})
    questions, answers = dict(lines_of(root / "inputs.jsonl")), dict(lines_of(root / "gold.jsonl"))
    if questions.keys() != answers.keys():
        raise JobFailed(GONE, code="bad_data")
    return questions, answers


def _public_part(data: ChallengeData, rows: int) -> set[str]:
    """Draw the ids of the public part, apart from the order of the rows."""
    count = round(rows * data.public_percent / 100)
    if min(count, rows - count) < LEAST_ROWS:
        raise JobFailed(TOO_FEW, code="too_few_rows", data={"rows": rows, "public": count, "least": LEAST_ROWS})
    return set(_drawn([str(number) for number in range(1, rows + 1)], data.seed, "part")[:count])


def _drawn(names: list[str], seed: str, purpose: str) -> list[str]:
    """Return the names in an order from which nobody can find the seed, nor the order for another purpose."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {purpose} {name}".encode()).digest())
