"""Challenges for tests: made by the verbs, their rows split here, and the engine called without a sandbox."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.utils import timezone

from leaderboard import reviewing
from leaderboard.challenges import drafting, entering, judging, teams
from leaderboard.models import Challenge, ChallengeData, Entry, Team
from models_hub import job_contents
from portal.models import Job, User
from worker import running
from worker.attempts import Attempt
from worker.engine.cli import FAKE_VERBS
from worker.engine.progress import Progress

OPENS = datetime(2031, 3, 1, 12, tzinfo=UTC)
CLOSES = datetime(2031, 3, 31, 12, tzinfo=UTC)
LABELS = ("negative", "positive")
TASK: dict[str, Any] = {"task": "text-classification", "labels": list(LABELS), "primary": "accuracy"}


def rows(count: int = 40) -> list[dict[str, str]]:
    """Rows sorted by their label, with ids that tell it: both must not reach anybody."""
    half = count // 2
    return [{"id": f"{label}-{n}", "text": f"row {n} {n % 2}", "label": label}
            for n, label in enumerate([LABELS[0]] * half + [LABELS[1]] * half)]  # fmt: skip


def content(count: int = 40) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows(count))


def draft(organizer: User, slug: str = "moods", *, task: dict[str, Any] | None = None, **values: Any) -> Challenge:
    facts = {
        "slug": slug, "title": "Moods of March", "title_zh": "三月的心情", "rules": "Play fair.", "opens_at": OPENS,
        "closes_at": CLOSES, "merges_until": CLOSES - timedelta(days=7),
    }  # fmt: skip
    return drafting.create(by=organizer, task=task or TASK, **{**facts, **values})


def opened(organizer: User, moderator: User, slug: str = "moods", *, rows_: int = 40, **values: Any) -> Challenge:
    """A challenge that moderators approved: its rows are the numbers from 1, odd ones in the public part."""
    challenge = draft(organizer, slug, **values)
    split(challenge, rows_)
    drafting.submit(challenge, by=organizer)
    return reviewing.approve_challenge(challenge, by=moderator)


def split(challenge: Challenge, count: int = 40) -> ChallengeData:
    """Rows as the job leaves them, split without it: odd numbers are positive and public, and so are those by four."""
    numbers = range(1, count + 1)
    questions = [{"id": str(n), "text": f"question {n}"} for n in numbers]
    answers = [{"id": str(n), "label": right(n)} for n in numbers]
    public = [row for row in answers if int(row["id"]) % 2]
    private = [row for row in answers if not int(row["id"]) % 2]
    kept = [job_contents.keep([_lines(part)]) for part in (questions, public, private)]
    return ChallengeData.objects.create(
        challenge=challenge, source=job_contents.keep([content(count)]), source_name="rows.jsonl", seed="5",
        questions=kept[0], public_answers=kept[1], private_answers=kept[2], public_rows=len(public),
        private_rows=len(private), prepared_at=timezone.now(),
    )  # fmt: skip


def right(number: int) -> str:
    return LABELS[number // 2 % 2]


def predictions(count: int = 40, *, wrong: Callable[[int], bool] = lambda n: False) -> bytes:
    """A CSV file of predictions that are right but for some rows."""
    lines = ["id,label"]
    for n in range(1, count + 1):
        label = right(n)
        lines.append(f"{n},{LABELS[1 - LABELS.index(label)] if wrong(n) else label}")
    return "\n".join(lines).encode() + b"\n"


def join(challenge: Challenge, user: User) -> Team:
    return teams.join(challenge, by=user, accepts_rules=True).team


def send(challenge: Challenge, user: User, raw: bytes | None = None) -> Entry:
    return entering.enter_file(challenge, by=user, name="guess.csv", chunks=[raw or predictions()])


def judged(challenge: Challenge, user: User, public: float, private: float, *, shown: bool = True) -> Entry:
    """An entry with these scores, recorded as a worker records them."""
    entry = send(challenge, user)
    return note(entry, public, private, shown=shown)


def note(entry: Entry, public: float, private: float, *, shown: bool = True) -> Entry:
    assert entry.job is not None
    job = Job.claim(entry.job.pk, worker="one", lease=timedelta(minutes=1))
    assert job is not None
    against = (
        None if entry.is_late else judging.best_shown(Team.objects.select_related("challenge").get(pk=entry.team_id))
    )
    gain = 1.0 if shown else 0.0
    judging.record(
        entry, job=job, public=_around(public), private=_around(private), predictions=entry.answers, against=against,
        comparison={"difference": gain, "low": gain - 0.1, "high": gain + 0.1} if against else None,
    )  # fmt: skip
    entry.refresh_from_db()
    return entry


def work_off() -> list[Job]:
    """Run every waiting job, without the thread that renews its lease, and return those that ran."""
    done = []
    while waiting := Job.objects.filter(state=Job.State.QUEUED).order_by("id").first():
        job = Job.claim(waiting.pk, worker="one", lease=timedelta(minutes=1))
        assert job is not None
        running._work(Attempt(job))
        job.refresh_from_db()
        done.append(job)
    return done


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set what time it is; it stands still until it is set again."""

    def stand(at: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: at)

    stand(OPENS - timedelta(days=10))
    return stand


@pytest.fixture
def without_walls(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    """The engine in this process: what sandboxes keep apart is tested with a real one elsewhere."""
    settings.FAKE_ENGINE, settings.SCRATCH_DIR = True, str(tmp_path / "scratch")

    def run_verb(attempt: Any, run: Any, **_options: Any) -> dict[str, Any]:
        attempt.check()
        return FAKE_VERBS[run.verb].load()(run.spec, Progress(StringIO()))

    for module in ("worker.challenge_parts", "worker.jobs.evaluate", "worker.jobs.prepare_challenge"):
        monkeypatch.setattr(f"{module}.run_verb", run_verb)


def _around(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def _lines(values: list[dict[str, str]]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)
