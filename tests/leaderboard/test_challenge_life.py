"""A challenge from draft to medals with simulated time, while processes are down at its end."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from leaderboard import reviewing
from leaderboard.challenges import drafting, entering, objecting, revealing, standings, teams
from leaderboard.models import Challenge, ChallengeData, Entry, FinalPlace
from models_hub import contents
from models_hub.models import Repo
from portal.errors import Conflict, QuotaExceeded
from portal.models import Event, LogEntry, Notification, Placing, User
from tests.challenging import CLOSES, LABELS, OPENS, content, draft, join, work_off
from tests.conftest import make_user
from tests.evaluating import model_files
from worker.relay import deliver_events

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_walls")]
Clock = Callable[[datetime], None]
SECOND = timedelta(seconds=1)


def answers_of(challenge: Challenge) -> dict[int, str]:
    """The truth, which only a test may look up."""
    data = ChallengeData.objects.get(challenge=challenge)
    rows = [
        line
        for blob in (data.public_answers, data.private_answers)
        for line in b"".join(contents.stream(blob)).splitlines()
    ]
    return {int(row["id"]): row["label"] for row in map(json.loads, rows)}


def guesses(answers: dict[int, str], *, wrong: int) -> bytes:
    """A file in which the first few rows are wrong."""
    lines = [f"{n},{LABELS[1 - LABELS.index(label)] if n <= wrong else label}" for n, label in sorted(answers.items())]
    return "\n".join(["id,label", *lines]).encode()


def send(challenge: Challenge, user: User, raw: bytes) -> Entry:
    return entering.enter_file(challenge, by=user, name="guess.csv", chunks=[raw])


def test_a_challenge_lives_from_draft_to_medals(
    alice: User,
    bob: User,
    charlie: User,
    morgan: User,
    make_repo: Callable[..., Repo],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("leaderboard.challenges.drafting.secrets.token_hex", lambda n: "1" * 2 * n)
    dora, emil = make_user("dora"), make_user("emil")
    people = {"bob": bob, "charlie": charlie, "dora": dora, "emil": emil}

    # Drafted, split by a worker, reviewed.
    challenge = draft(alice, daily_limit=2, final_limit=1, team_size=2)
    drafting.take_upload(challenge, by=alice, name="rows.jsonl", chunks=[content(80)], public_percent=50)
    assert [job.state for job in work_off()] == ["succeeded"]
    data = ChallengeData.objects.get(challenge=challenge)
    assert (data.public_rows, data.private_rows) == (40, 40)
    asked = [json.loads(line) for line in b"".join(contents.stream(data.questions)).splitlines()]
    assert [row["id"] for row in asked] == [str(n) for n in range(1, 81)]
    assert all(set(row) == {"id", "text"} for row in asked)
    answers = answers_of(challenge)
    assert [answers[n] for n in range(1, 81)] != sorted(answers.values()), "the order of the file tells the answers"
    drafting.submit(challenge, by=alice)
    challenge = reviewing.approve_challenge(challenge, by=morgan)
    for user in people.values():
        join(challenge, user)
    with pytest.raises(Conflict) as early:
        send(challenge, bob, guesses(answers, wrong=1))
    assert early.value.code == "challenge_not_open"

    # Open: limits of a day, what failed does not count, the ladder.
    clock(OPENS)
    revealing.turn()
    first = send(challenge, bob, guesses(answers, wrong=30))
    entering.cancel(first, by=bob)
    send(challenge, bob, guesses(answers, wrong=12))
    second = send(challenge, bob, guesses(answers, wrong=11))
    with pytest.raises(QuotaExceeded):
        send(challenge, bob, guesses(answers, wrong=0))
    broken = make_repo(charlie, "broken", files=model_files(error="weights_incomplete"))
    failed = entering.enter_model(challenge, broken, by=charlie)
    send(challenge, charlie, guesses(answers, wrong=20))
    model = make_repo(dora, "entered", files=model_files())
    entering.enter_model(challenge, model, by=dora)
    send(challenge, emil, guesses(answers, wrong=10))
    assert {job.state for job in work_off()} == {"succeeded", "failed"}
    failed.refresh_from_db()
    assert (failed.state, entering.day_of(failed.team).used) == ("failed", 1)
    second.refresh_from_db()
    assert second.shown is None, "one row more is less than the standard error"
    shown, _more = standings.public(challenge)
    assert [line.team.name for line in shown][-1] == "dora"
    assert all(round(line.team.shown, 2) == line.team.shown for line in shown)
    assert not FinalPlace.objects.exists()

    # Teams merge until the date, and not after it.
    clock(CLOSES - timedelta(days=8))
    teams.invite(teams.member_of(challenge, charlie).team, "dora", by=charlie)
    teams.accept(teams.member_of(challenge, charlie).team.invitations.get(), by=dora, accepts_rules=True)
    clock(CLOSES - timedelta(days=7))
    with pytest.raises(Conflict):
        teams.invite(teams.member_of(challenge, bob).team, "emil", by=bob)

    # Entries are taken until the last second, and judged although nothing runs while the end passes.
    clock(CLOSES - SECOND)
    revealing.turn()
    last = send(challenge, charlie, guesses(answers, wrong=2))
    clock(CLOSES)
    with pytest.raises(Conflict) as late:
        send(challenge, bob, guesses(answers, wrong=0))
    assert late.value.code == "challenge_closed"
    clock(CLOSES + timedelta(hours=1))  # down until now; the last entry still waits
    revealing.turn()
    assert Challenge.objects.get().reveal_job is None
    assert [job.kind for job in work_off()] == ["judge_entry"]
    revealing.turn()
    revealing.turn()
    assert [job.kind for job in work_off()] == ["reveal_challenge"], "once, however often the relay asks"
    challenge.refresh_from_db()
    assert challenge.is_revealed
    last.refresh_from_db()
    places = standings.final(challenge)
    assert [(one.rank, one.team.name) for one in places] == [(1, "charlie"), (2, "emil"), (3, "bob")]
    assert all(one.low <= one.value <= one.high for one in places)
    assert places[1].ties_next
    assert places[2].p_next is None
    kinds = list(Event.objects.values_list("kind", flat=True))
    assert [kinds.count(f"challenge.{kind}") for kind in ("opened", "ends_soon", "revealed")] == [1, 1, 1]

    # Objections, a disqualification, the ranks anew, confirmation, medals.
    objection = objecting.raise_objection(challenge, by=bob, text="Team charlie knew the answers.", about=last.team)
    objecting.disqualify(last.team, by=morgan, reason="They copied the answers.")
    assert [job.kind for job in work_off()] == ["reveal_challenge"]
    assert [(one.rank, one.team.name) for one in standings.final(challenge)] == [(1, "emil"), (2, "bob")]
    assert LogEntry.objects.get(action="challenge.disqualify").text == "They copied the answers."
    clock(challenge.objections_until)
    with pytest.raises(Conflict):
        objecting.confirm(challenge, by=morgan)
    objecting.answer(objection, by=alice, text="You are right.")
    objecting.reinstate(last.team, by=morgan, reason="It was a mistake.")
    work_off()
    objecting.confirm(Challenge.objects.get(), by=morgan)
    medals = {(row.user.username, row.rank) for row in Placing.objects.filter(kind="challenge")}
    assert medals == {("charlie", 1), ("dora", 1)}, "three teams: one place, for everybody of the team"
    assert Placing.objects.filter(kind="challenge").first().season.slug == "2031-Q1"
    deliver_events()
    told = {row.data["what"] for row in Notification.objects.filter(user=dora, kind="challenge")}
    assert told >= {"opened", "ends_soon", "invited", "revealed", "disqualified", "reinstated", "confirmed"}
