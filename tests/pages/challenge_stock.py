"""Challenges for the pages: one that is open, one with its outcome, one that waits for review, and a draft."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from leaderboard.challenges import drafting, entering, objecting, revealing
from leaderboard.models import Challenge, Entry, Objection, Standing, Team, TeamInvitation
from portal.models import Job, User
from tests.challenging import draft, join, judged, note, predictions, split

ABOUT = """## The task

Say of each sentence whether it is **glad** or *sad*. 判断每句话的情绪。

| part | rows |
|---|---|
| public | 20 |
| private | 20 |

- small models alone
- no other data than [the training set](/datasets)
"""
RULES = "Write no labels by hand after the opening. Publish what made your entry.\n\n1. One account.\n2. Be kind."


def fill() -> dict[str, str]:
    """Make them in the names of alice, who takes part, and bob, who organizes; returns their addresses."""
    alice, bob, una = (User.objects.get(username=name) for name in ("alice", "bob", "una"))
    others = [User.objects.create_user(name, f"{name}@example.org", "x") for name in ("wei-long", "xanthippe", "yuki")]
    series = drafting.create_series(by=bob, slug="moods", title="Moods of a year", title_zh="一年的心情")
    now = timezone.now()
    running = _opened(
        bob, "moods-of-spring", "Moods of spring", "春天的心情", series.slug, timedelta(days=-5), timedelta(days=9)
    )
    _baseline(running, bob, 0.62)
    for user, public in zip((alice, *others), (0.83, 0.83, 0.79, 0.71), strict=True):
        join(running, user)
        judged(running, user, public, public - 0.02)
    judged(running, alice, 0.84, 0.8, shown=False)
    entering.enter_file(running, by=alice, name="a-file-with-a-rather-long-name.csv", chunks=[predictions()])
    TeamInvitation.objects.create(
        team=Team.objects.get(challenge=running, name="yuki"), user=alice, invited_by=others[2]
    )
    over = _opened(
        bob, "moods-of-winter", "Moods of winter", "冬天的心情", series.slug, timedelta(days=-40), timedelta(days=1)
    )
    _baseline(over, bob, 0.6)
    for user, public, private in zip((alice, *others), (0.85, 0.84, 0.9, 0.7), (0.86, 0.85, 0.81, 0.69), strict=True):
        join(over, user)
        judged(over, user, public, private)
    Challenge.objects.filter(pk=over.pk).update(
        closes_at=now - timedelta(hours=2), merges_until=now - timedelta(hours=3)
    )
    over.refresh_from_db()
    reveal(over)
    team = Team.objects.get(challenge=over, name="xanthippe")
    objecting.raise_objection(over, by=alice, text="The rows 3 and 7 are the same.\n第三行和第七行相同。", about=team)
    Objection.objects.create(
        challenge=over, raised_by=bob, text="One label is wrong.", answer="It is right, see the rules.",
        answered_by=una, answered_at=now,
    )  # fmt: skip
    team = Team.objects.get(challenge=over, name="yuki")
    Team.objects.filter(pk=team.pk).update(
        disqualified_at=now, disqualified_by=una, reason="Two accounts of one person."
    )
    waiting = draft(alice, "moods-of-autumn", title="Moods of autumn", title_zh="秋天的心情")
    split(waiting)
    drafting.submit(waiting, by=alice)
    own = draft(alice, "moods-of-summer", title="Moods of summer", title_zh="夏天的心情", takes_models=False)
    split(own)
    return {
        "challenge": running.slug,
        "outcome": over.slug,
        "waiting_challenge": waiting.slug,
        "own_challenge": own.slug,
    }


def _opened(
    bob: User, slug: str, title: str, title_zh: str, series: str, since: timedelta, until: timedelta
) -> Challenge:
    now = timezone.now()
    values: dict[str, Any] = {
        "title": title, "title_zh": title_zh, "summary": "Glad or sad, in one sentence.",
        "summary_zh": "一句话，是喜还是忧。",
        "description": ABOUT, "rules": RULES, "prizes": "A cup of tea with the organizer.", "series": series,
        "opens_at": now + since, "closes_at": now + until, "merges_until": now + until, "max_parameters": 30_000_000,
        "licenses": ["apache-2.0", "mit"],
    }  # fmt: skip
    challenge = draft(bob, slug, **values)
    split(challenge)
    drafting.submit(challenge, by=bob)
    Challenge.objects.filter(pk=challenge.pk).update(standing=Standing.APPROVED)
    challenge.refresh_from_db()
    return challenge


def _baseline(challenge: Challenge, bob: User, score: float) -> Entry:
    entry = entering.add_baseline(challenge, by=bob, title="TF-IDF", name="tfidf.csv", chunks=[predictions()])
    return note(entry, score, score)


def reveal(challenge: Challenge) -> None:
    """Do what the job does, with p-values of our own."""
    revealing.begin(challenge)
    challenge.refresh_from_db()
    job = Job.claim(challenge.reveal_job_id or 0, worker="one", lease=timedelta(minutes=1))
    assert job is not None
    order = revealing.contestants(challenge)
    tested = dict(zip([one.team.pk for one in order][:-1], (0.8, 0.31, 0.0004, 0.04), strict=False))
    revealing.record(challenge, job=job, order=order, against_next=tested)
    challenge.refresh_from_db()
