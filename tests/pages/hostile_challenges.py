"""A challenge whose every text wants to run, with its outcome."""

import json
from datetime import timedelta

from django.utils import timezone

from leaderboard.challenges import entering, objecting
from leaderboard.models import Challenge, Standing, Team
from portal.models import User
from tests.challenging import TASK, draft, join, note, split
from tests.pages.challenge_stock import reveal
from tests.pages.payloads import LINES, document


def fill(eve: User, victor: User, titles: list[str]) -> None:
    """Let eve take part in what victor organizes, and fill in everything that either can write."""
    now, text = timezone.now(), document()[:4000]
    labels = [line.strip()[:190] for line in LINES[:6]]
    challenge = draft(
        victor, "bad", task={**TASK, "labels": labels}, title=titles[0][:120], title_zh=titles[1][:120],
        summary=titles[2][:300], description=document()[:20_000], rules=document()[:20_000], prizes=text,
        licenses=[line[:80] for line in LINES[:5]], opens_at=now - timedelta(days=2), closes_at=now + timedelta(days=1),
        merges_until=now, takes_late=True,
    )  # fmt: skip
    split(challenge)
    Challenge.objects.filter(pk=challenge.pk).update(standing=Standing.APPROVED, submitted_at=now, licenses=[])
    challenge.refresh_from_db()
    team = join(challenge, eve)
    Team.objects.filter(pk=team.pk).update(name=LINES[0][:60], reason=text)
    raw = "\n".join(f'{{"id": {n}, "scores": {_even(labels)}}}' for n in range(1, 41)).encode()
    name = f"{titles[3][:200]}.jsonl"
    note(entering.enter_file(challenge, by=eve, name=name, chunks=[raw], note=titles[0]), 0.8, 0.7)
    Challenge.objects.filter(pk=challenge.pk).update(closes_at=now)
    challenge.refresh_from_db()
    reveal(challenge)
    objection = objecting.raise_objection(challenge, by=eve, text=text, about=team)
    objecting.answer(objection, by=victor, text=text)


def _even(labels: list[str]) -> str:
    return json.dumps(dict.fromkeys(labels, 1 / len(labels)))
