"""The pages of challenges: organizing, taking part, standings, objections."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from leaderboard.challenges import drafting, revealing
from leaderboard.models import Challenge, Entry, Objection, Team, TeamMember
from portal.models import Job, LogEntry, User
from tests.challenging import (
    CLOSES,
    OPENS,
    content,
    draft,
    join,
    judged,
    note,
    opened,
    predictions,
    send,
    work_off,
)  # fmt: skip
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
Clock = Callable[[datetime], None]
AsUser = Callable[[User | None], Client]
FORM = {
    "title": "Moods of May", "slug": "moods-of-may", "rules": "Play fair.", "task": "text-classification",
    "labels": "negative\npositive", "columns": "input: text", "opens_at": "2031-05-01T08:00:00",
    "closes_at": "2031-05-31T08:00:00", "merges_until": "2031-05-20T08:00", "objection_days": "7", "team_size": "3",
    "daily_limit": "5", "final_limit": "2", "takes_models": "on", "takes_predictions": "on", "max_megabytes": "2.5",
    "licenses": "mit, apache-2.0",
}  # fmt: skip


@pytest.fixture
def challenge(alice: User, morgan: User, clock: Clock) -> Challenge:
    made = opened(alice, morgan)
    clock(OPENS)
    return made


def test_an_organizer_drafts_brings_rows_and_sends(
    alice: User,
    morgan: User,
    as_user: AsUser,
    clock: Clock,
    without_walls: None,
) -> None:
    client = as_user(alice)
    assert client.post("/challenges/new", FORM).url == "/challenges/moods-of-may/manage"
    made = Challenge.objects.get()
    assert (made.max_bytes, made.licenses, made.metric) == (2_500_000, ["mit", "apache-2.0"], "f1_macro")
    assert made.opens_at.isoformat() == "2031-05-01T08:00:00+00:00"
    assert client.post("/challenges/moods-of-may/edit", {**FORM, "title": "Moods"}).status_code == 302
    rows = {"file": SimpleUploadedFile("rows.jsonl", content()), "public_percent": "50"}
    assert client.post("/challenges/moods-of-may/rows", rows).status_code == 302
    assert [job.state for job in work_off()] == ["succeeded"]
    client.post("/challenges/moods-of-may/submission")
    assert as_user(morgan).post("/challenges/moods-of-may/decision", {"answer": "refuse", "reason": "Short."}).url
    client.post("/challenges/moods-of-may/submission")
    as_user(morgan).post("/challenges/moods-of-may/decision", {"answer": "approve"})
    made.refresh_from_db()
    assert (made.phase, made.title) == ("upcoming", "Moods")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"closes_at": "2031-04-01T00:00"}, "closes_at"), ({"slug": "new"}, "slug"), ({"labels": "one"}, "labels"),
        ({"columns": "input"}, "columns"), ({"takes_models": "", "takes_predictions": ""}, "takes_models"),
        ({"task": "token-classification", "labels": "O\nB-X"}, "takes_predictions"),
    ],
)  # fmt: skip
def test_what_does_not_fit_comes_back_beside_its_field(
    alice: User,
    as_user: AsUser,
    clock: Clock,
    wrong: dict[str, str],
    field: str,
) -> None:
    answer = as_user(alice).post("/challenges/new", {**FORM, **wrong})
    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Challenge.objects.exists()


def test_rows_that_cannot_be_split_say_why(
    alice: User,
    as_user: AsUser,
    clock: Clock,
    without_walls: None,
) -> None:
    own = draft(alice)
    drafting.take_upload(own, by=alice, name="rows.jsonl", chunks=[content(12)], public_percent=50)
    [job] = work_off()
    assert "12 rows are too few" in job.reason_text
    assert "12 rows are too few" in as_user(alice).get(f"/challenges/{own.slug}/manage").content.decode()


def test_somebody_joins_enters_and_takes_it_back(challenge: Challenge, bob: User, as_user: AsUser) -> None:
    client, url = as_user(bob), f"/challenges/{challenge.slug}"
    assert "I accept the" in client.get(url).content.decode()
    assert client.post(f"{url}/joining", {}).url == f"{url}/rules"
    assert client.post(f"{url}/joining", {"accept": "on"}).url == f"{url}/entries"
    wrong = client.post(f"{url}/entries", {"file": SimpleUploadedFile("guess.csv", b"id,label\n1,good\n")})
    assert wrong.status_code == 400
    assert '<li value="2">“good” is none of the labels</li>' in wrong.content.decode()
    assert client.post(f"{url}/entries", {}).status_code == 400
    file = SimpleUploadedFile("guess.csv", predictions())
    assert client.post(f"{url}/entries", {"file": file, "note": "First."}).status_code == 302
    entry = Entry.objects.get()
    client.post(f"{url}/entries/finals", {"final": str(entry.pk)})
    client.post(f"{url}/entries/{entry.pk}/cancellation")
    entry.refresh_from_db()
    assert (entry.state, entry.is_final) == ("cancelled", True)


def test_the_entries_of_a_team_are_nobody_elses(
    challenge: Challenge, bob: User, charlie: User, as_user: AsUser
) -> None:
    join(challenge, bob)
    join(challenge, charlie)
    entry, url = send(challenge, bob), f"/challenges/{challenge.slug}"
    assert as_user(charlie).post(f"{url}/entries/{entry.pk}/cancellation").status_code == 404
    assert "guess.csv" not in as_user(charlie).get(f"{url}/entries").content.decode()
    assert as_user(None).get(f"{url}/entries").status_code == 302
    assert as_user(None).get(f"{url}/entries").url.startswith("/accounts/login")


def test_a_team_invites_and_the_other_one_says_yes(
    challenge: Challenge, bob: User, charlie: User, as_user: AsUser
) -> None:
    join(challenge, bob)
    url = f"/challenges/{challenge.slug}"
    as_user(bob).post(f"{url}/team", {"name": "The  Owls"})
    as_user(bob).post(f"{url}/team/invitations", {"person": "charlie"})
    assert "invites you to the team The Owls" in as_user(charlie).get(url).content.decode()
    invitation = Team.objects.get().invitations.get()
    as_user(charlie).post(f"{url}/invitations/{invitation.pk}/acceptance", {"accept": "on"})
    assert TeamMember.objects.filter(team__name="The Owls").count() == 2
    as_user(charlie).post(f"{url}/team/leaving")
    assert TeamMember.objects.count() == 1


def test_only_organizer_and_moderators_manage(
    challenge: Challenge, alice: User, bob: User, charlie: User, morgan: User, as_user: AsUser
) -> None:
    team, url = join(challenge, bob), f"/challenges/{challenge.slug}"
    for user, status in ((alice, 200), (morgan, 200), (charlie, 404)):
        assert as_user(user).get(f"{url}/manage").status_code == status
    acts = ("rows", "submission", "withdrawal", "decision", "baselines", f"teams/{team.pk}/disqualification")
    for act in acts:
        as_user(charlie).post(f"{url}/{act}", {"reason": "x", "answer": "refuse", "title": "x"})
        assert as_user(charlie).get(f"{url}/{act}").status_code == 405
    team.refresh_from_db()
    assert (team.disqualified_at, Challenge.objects.count(), Team.objects.count()) == (None, 1, 1)


def test_the_outcome_its_objections_and_a_disqualification(
    challenge: Challenge,
    alice: User,
    bob: User,
    charlie: User,
    morgan: User,
    as_user: AsUser,
    clock: Clock,
) -> None:
    for user, public, private in ((bob, 0.9, 0.7), (charlie, 0.8, 0.8), (make_user("dora"), 0.7, 0.6)):
        join(challenge, user)
        judged(challenge, user, public, private)
    clock(CLOSES)
    _reveal(challenge)
    url = f"/challenges/{challenge.slug}"
    text = as_user(None).get(f"{url}/standings").content.decode().split("<main")[1]
    assert text.index("charlie") < text.index("bob") < text.index("dora")
    assert "1 place is a medal once the outcome is final." in text
    as_user(bob).post(f"{url}/objections", {"text": "I was first.", "team": ""})
    as_user(alice).post(f"{url}/objections/{Objection.objects.get().pk}/answer", {"text": "Not in the end."})
    text = as_user(None).get(f"{url}/objections").content.decode()
    assert "I was first." in text
    assert "Not in the end." in text
    team = Team.objects.get(name="charlie")
    as_user(morgan).post(f"{url}/teams/{team.pk}/disqualification", {"reason": "Copied."})
    assert LogEntry.objects.get().action == "challenge.disqualify"
    text = as_user(None).get(f"{url}/standings").content.decode().split("<main")[1]
    assert text.index("dora") < text.index("charlie"), "below, with the reason"
    assert "Copied." in text


def _reveal(challenge: Challenge) -> None:
    revealing.begin(challenge)
    job = Job.claim(Job.objects.latest("pk").pk, worker="one", lease=timedelta(minutes=1))
    assert job is not None
    revealing.record(challenge, job=job, order=revealing.contestants(challenge), against_next={})


def test_a_reveal_that_was_overtaken_writes_nothing_and_one_that_missed_something_is_followed(
    challenge: Challenge, bob: User, charlie: User, clock: Clock
) -> None:
    for user in (bob, charlie):
        join(challenge, user)
    judged(challenge, bob, 0.9, 0.7)
    late = send(challenge, charlie)
    clock(CLOSES + timedelta(hours=7))
    revealing.turn()
    challenge.refresh_from_db()
    job = Job.claim(challenge.reveal_job_id, worker="one", lease=timedelta(minutes=1))
    order = revealing.contestants(challenge)
    note(late, 0.9, 0.8)
    revealing.record(challenge, job=job, order=order, against_next={})
    challenge.refresh_from_db()
    assert (challenge.places.count(), challenge.reveal_job_id == job.pk) == (1, False)
    first = Job.claim(challenge.reveal_job_id, worker="one", lease=timedelta(minutes=1))
    revealing.rank_anew(challenge)
    revealing.record(challenge, job=first, order=revealing.contestants(challenge), against_next={})
    assert challenge.places.count() == 1


def test_what_failed_is_judged_again_also_after_the_end(
    challenge: Challenge, alice: User, bob: User, as_user: AsUser, clock: Clock
) -> None:
    join(challenge, bob)
    entry = send(challenge, bob)
    job = Job.claim(entry.job.pk, worker="one", lease=timedelta(minutes=1))
    job.fail(code="crashed", reason="The worker was lost.")
    clock(CLOSES + timedelta(hours=1))
    client, url = as_user(alice), f"/challenges/{challenge.slug}"
    assert "The worker was lost." in client.get(f"{url}/manage").content.decode()
    as_user(bob).post(f"{url}/entries/{entry.pk}/judging")
    entry.refresh_from_db()
    assert entry.state == "failed"
    client.post(f"{url}/entries/{entry.pk}/judging")
    entry.refresh_from_db()
    assert entry.state == "queued"


def test_the_standings_are_a_table_too(challenge: Challenge, bob: User, as_user: AsUser) -> None:
    team = join(challenge, bob)
    Team.objects.filter(pk=team.pk).update(name="=1+1")
    judged(challenge, bob, 0.8345, 0.7)
    text = as_user(None).get(f"/challenges/{challenge.slug}/standings.csv").content.decode()
    assert text.splitlines() == ["rank,team,baseline,public_accuracy,entries", "1,'=1+1,0,0.83,1"]


def test_pages_ask_as_much_of_many_teams_as_of_few(
    challenge: Challenge, bob: User, as_user: AsUser, django_assert_max_num_queries: Callable
) -> None:
    for number in range(6):
        user = make_user(f"user-{number}")
        join(challenge, user)
        judged(challenge, user, 0.5 + number / 50, 0.5)
    for page in ("", "/standings", "/data", "/rules"):
        with django_assert_max_num_queries(14):
            assert as_user(None).get(f"/challenges/{challenge.slug}{page}").status_code == 200
    with django_assert_max_num_queries(10):
        as_user(None).get("/challenges")


def test_the_standings_go_on_where_a_page_ends(
    challenge: Challenge, bob: User, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaderboard.challenges.standings.PAGE", 2)
    for name, score in (("a1", 0.9), ("a2", 0.8), ("a3", 0.8), ("a4", 0.6)):
        user = make_user(name)
        join(challenge, user)
        judged(challenge, user, score, 0.5)
    client, url = as_user(None), f"/challenges/{challenge.slug}/standings"
    after = Team.objects.get(name="a2").pk
    assert f"?after={after}" in client.get(url).content.decode()
    lines = client.get(f"{url}?after={after}").context["lines"]
    assert [(line.team.name, line.rank) for line in lines] == [("a3", 2), ("a4", 4)]


def test_the_archive_goes_on_where_a_page_ends(
    alice: User, morgan: User, as_user: AsUser, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaderboard.views.challenges.PAGE", 1)
    for slug in ("first", "second"):
        opened(alice, morgan, slug)
    clock(CLOSES + timedelta(days=1))
    client = as_user(None)
    page = client.get("/challenges").context
    assert [one.slug for one in page["past"]] == ["second"]
    page = client.get(f"/challenges?after={page['next']}").context
    assert ([one.slug for one in page["past"]], page["next"]) == (["first"], "")
    assert client.get("/challenges?after=x-1").status_code == 200


def test_places_of_a_series_add_up_once_they_are_final(
    alice: User, bob: User, charlie: User, morgan: User, as_user: AsUser, clock: Clock
) -> None:
    drafting.create_series(by=alice, slug="year", title="A year")
    challenge = opened(alice, morgan, series="year")
    clock(OPENS)
    for user, score in ((bob, 0.9), (charlie, 0.6)):
        join(challenge, user)
        judged(challenge, user, score, score)
    clock(CLOSES)
    _reveal(challenge)
    client = as_user(None)
    assert not client.get("/challenges/series/year").context["people"]
    Challenge.objects.update(confirmed_at=CLOSES)
    people = client.get("/challenges/series/year").context["people"]
    assert [(one.user.username, points, count) for one, points, count in people] == [
        ("bob", 100, 1),
        ("charlie", 50, 1),
    ]
    assert client.get("/challenges/series/none").status_code == 404
