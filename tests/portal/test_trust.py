"""Trust: what people read and did gives a level, nothing else does; the page says what is still missing."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forum import admission
from portal import allowances, evidence, trust, trusting
from portal.errors import NotAllowed
from portal.evidence import Fact
from portal.models import Event, Term, Trust, TrustChange, User, UserDay
from tests.portal.trusted import confirm, trusted
from tests.worker import postgres


@pytest.fixture
def proven(monkeypatch):
    """Facts that other apps would find."""
    found: dict[str, list[Fact]] = {}
    monkeypatch.setattr(evidence, "_sources", {kind: [] for kind in evidence._sources})

    def prove(kind: str, *facts: Fact) -> None:
        found[kind] = list(facts)
        evidence._sources[kind] = [lambda people: found[kind]]

    return prove


def here_for(user: User, days: int) -> None:
    User.objects.filter(pk=user.pk).update(date_joined=timezone.now() - timedelta(days=days))
    user.refresh_from_db()


def active_on(user: User, days: int, **sums: int) -> None:
    today = timezone.now().date()
    UserDay.objects.bulk_create(
        [UserDay(user=user, day=today - timedelta(days=number), **(sums or {"seconds": 60})) for number in range(days)]
    )


def fact(user: User, number: int, giver: User | None = None, days: int = 5) -> Fact:
    return Fact(user.pk, f"post:{number}", timezone.now() - timedelta(days=days), giver.pk if giver else None)


def test_a_stranger_is_new_and_staff_are_stewards(alice, morgan):
    from django.contrib.auth.models import AnonymousUser

    assert (trust.level(AnonymousUser()), trust.level(alice), trust.level(morgan)) == (0, 0, 4)


def test_levels_of_many_are_known_in_two_queries(alice, bob, morgan, django_assert_num_queries):
    Trust.objects.create(user=bob, level=2)
    with django_assert_num_queries(2):
        assert trust.levels_of([alice.pk, bob.pk, morgan.pk]) == {alice.pk: 0, bob.pk: 2, morgan.pk: 4}


def test_reading_raises_a_newcomer_at_once(alice):
    confirm(alice)
    here_for(alice, 2)
    trust.note_reading(alice, topics=5, posts=29, seconds=600)
    assert trust.level(alice) == 0
    trust.note_reading(alice, posts=1)
    assert trust.level(alice) == 1
    assert TrustChange.objects.filter(user=alice, before=0, after=1).count() == 1
    assert Event.objects.get(kind="trust.changed").payload == {"user": alice.pk, "before": 0, "after": 1}
    assert UserDay.objects.get(user=alice).posts == 30


@pytest.mark.parametrize("kind", [trusting.RELEASED, trusting.REPRODUCED])
def test_one_may_publish_or_measure_instead_of_reading(alice, proven, kind):
    confirm(alice)
    here_for(alice, 2)
    proven(kind, fact(alice, 1))
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 1


def test_a_day_must_have_passed_and_the_address_be_confirmed(alice, bob):
    confirm(alice)
    here_for(bob, 2)
    for one in (alice, bob):
        active_on(one, 1, topics=9, posts=99, seconds=9999)
    trusting.recheck([alice.pk, bob.pk])
    assert trust.levels_of([alice.pk, bob.pk]) == {alice.pk: 0, bob.pk: 0}


def test_where_no_mail_can_be_sent_no_address_need_be_confirmed(alice, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    here_for(alice, 2)
    active_on(alice, 1, topics=9, posts=99, seconds=9999)
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 1


def test_trust_raises_the_jobs_of_a_day(alice):
    found = []
    for level in range(4):
        Trust.objects.update_or_create(user=alice, defaults={"level": level})
        found.append((allowances.of(alice, ["evaluate"], 10).limit, allowances.of(alice, ["evaluate"], 0).limit))
    assert found == [(10, 0), (10, 0), (15, 0), (20, 0)]


def test_of_two_requests_at_once_one_gets_the_last_place(django_db_blocker):
    with postgres.cluster() as url, django_db_blocker.unblock(), postgres.instead_of_ours(url):
        user = User.objects.create_user("alice", "alice@example.org")
        with transaction.atomic(), CaptureQueriesContext(connection) as asked:
            allowances.require_place(user)
        said = [one["sql"] for one in asked]
    assert "FOR NO KEY UPDATE" in said[0]
    assert "portal_job" in said[1]


def member(alice: User, bob: User, proven) -> None:
    confirm(alice)
    here_for(alice, 90)
    active_on(alice, 15, topics=5, posts=30, seconds=600)
    proven(trusting.ANSWERED, *(fact(alice, number) for number in range(3)))
    proven("answer.accepted", fact(alice, 1, bob))


def test_a_member_has_done_something_that_another_accepted(alice, bob, proven):
    member(alice, bob, proven)
    proven("answer.accepted")
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 1
    proven("answer.accepted", fact(alice, 1, bob))
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 2


@pytest.mark.parametrize(("days", "level"), [(59, 1), (61, 2)])
def test_an_upheld_report_keeps_one_back_for_sixty_days(alice, bob, proven, days, level):
    member(alice, bob, proven)
    proven(trusting.UPHELD_AGAINST, fact(alice, 1, days=days))
    trusting.recheck([alice.pk])
    assert trust.level(alice) == level


def regular(alice: User, bob: User, charlie: User, morgan: User, proven) -> None:
    member(alice, bob, proven)
    UserDay.objects.all().delete()
    active_on(alice, 40, topics=1, posts=30, seconds=600)
    proven(trusting.ANSWERED, *(fact(alice, number) for number in range(10)))
    proven("answer.accepted", *(fact(alice, one.pk, one) for one in (bob, charlie, morgan)))


def test_level_three_is_lost_when_its_numbers_no_longer_hold_and_comes_back(alice, bob, charlie, morgan, proven):
    regular(alice, bob, charlie, morgan, proven)
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 3
    UserDay.objects.filter(user=alice, day__lt=timezone.now().date() - timedelta(days=20)).delete()
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 2
    UserDay.objects.all().delete()
    active_on(alice, 40)
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 3


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (trusting.SILENCED, [5]),
        (trusting.UPHELD_AGAINST, [70, 75, 80]),
        (trusting.JUDGED, [5]),
        (trusting.ANSWERED, [200] * 10),
    ],
)
def test_a_regular_member_keeps_order(alice, bob, charlie, morgan, proven, kind, facts):
    regular(alice, bob, charlie, morgan, proven)
    proven(
        kind,
        *(
            Fact(alice.pk, f"x:{number}", timezone.now() - timedelta(days=days), amount=int(kind != trusting.JUDGED))
            for number, days in enumerate(facts)
        ),
    )
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 2


def test_three_acceptances_by_one_person_make_nobody_a_regular(alice, bob, charlie, morgan, proven):
    regular(alice, bob, charlie, morgan, proven)
    proven("answer.accepted", *(fact(alice, number, bob) for number in range(3)))
    trusting.recheck([alice.pk])
    assert trust.level(alice) == 2


def test_staff_appoint_a_steward_for_a_term(alice, bob, morgan):
    with pytest.raises(NotAllowed):
        trusting.appoint(alice, by=bob, reason="friends")
    trusting.appoint(alice, by=morgan, reason="Kept the help room in order")
    assert trust.level(alice) == 4
    Term.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert trust.level(alice) == 0
    trusting.appoint(alice, by=morgan, reason="Again")
    trusting.end_term(alice, by=morgan)
    assert trust.level(alice) == 0
    assert [change.after for change in TrustChange.objects.order_by("id")] == [4, 4, 0][: TrustChange.objects.count()]


def test_the_page_says_how_far_one_is_and_what_levels_unlock(client, as_user, alice):
    confirm(alice)
    here_for(alice, 2)
    trust.note_reading(alice, topics=3, posts=12, seconds=240)
    page = as_user(alice).get("/trust").text
    assert "3 of 5" in page
    assert "12 of 30" in page
    assert "you are here" in page
    page = client.get("/trust").text
    assert "Sign in to see how far you are" in page
    assert "15 active days" in page


def test_only_staff_see_and_use_the_form_of_terms(as_user, alice, bob, morgan):
    assert 'name="person"' not in as_user(alice).get("/trust").text
    assert as_user(alice).post("/trust/stewards", {"person": "bob", "reason": "x"}).status_code in {400, 403}
    assert as_user(morgan).post("/trust/stewards", {"person": "nobody", "reason": "x"}).status_code == 400
    assert as_user(morgan).post("/trust/stewards", {"person": "bob", "reason": "x"}).status_code == 302
    assert trust.level(bob) == 4
    term = Term.objects.get()
    assert as_user(alice).post(f"/trust/stewards/{term.pk}/end").status_code == 403
    assert as_user(morgan).post(f"/trust/stewards/{term.pk}/end").status_code == 302
    assert trust.level(bob) == 0


def test_trusted_people_are_level_two(alice):
    assert trust.level(trusted(alice)) == 2


def test_newcomers_read_the_limits_that_hold(client, db):
    page = client.get("/trust").text
    said = f"begin {admission.TOPICS_A_DAY} topics and answer {admission.REPLIES_A_DAY} times"
    assert said in page
    assert client.get("/accounts/signup/").text.count('href="/trust"')
