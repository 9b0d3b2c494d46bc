"""Accounts that end: every column is in the registry, and a merge that is interrupted anywhere ends as any other."""

from collections import Counter

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.utils import timezone

from forum import recounting
from forum.models import (
    Bookmark,
    Draft,
    Ignoring,
    Level,
    Poll,
    PollOption,
    PollVote,
    Post,
    Reaction,
    Topic,
    TopicReader,
)
from leaderboard.models import Vote, Wish
from models_hub import liking, quotas, trash, watching, webhooks
from models_hub.models import Collection, CollectionUpvote, Like, Repo, RepoAlias, SavedSearch
from portal import belongings, closing, merging, mod_log, reputation, subjects
from portal.belongings import Deleting
from portal.errors import Conflict, NotAllowed, NotFound
from portal.models import (
    AccessToken,
    BadgeEvidence,
    BadgeGrant,
    Case,
    Follow,
    FormerName,
    Handover,
    Job,
    Membership,
    Namespace,
    PushDevice,
    Report,
    Reputation,
    ReputationLine,
    SeasonPoints,
    Trust,
    User,
    UserDay,
)
from tests.badges import world
from tests.worker.performing import perform
from worker import closing_accounts, handing_over, standing

pytestmark = pytest.mark.django_db
OF_PEOPLE = (User, Namespace)
COMPUTED = (SeasonPoints, Reputation, BadgeEvidence)  # whose rows are made anew each time


def columns():
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and field.related_model in OF_PEOPLE:
                yield f"{model._meta.label}.{field.name}", field


def test_every_column_that_points_at_people_says_what_becomes_of_it():
    known = {one.key: one for one in belongings.registered()}
    found = dict(columns())
    found.pop("portal.Namespace.user")  # the name itself, which worker/handing_over.py ends last
    assert sorted(found.keys() - known.keys()) == []
    assert sorted(known.keys() - found.keys()) == []
    for key, field in found.items():
        goes = field.remote_field.on_delete is models.CASCADE
        assert goes == (known[key].deleting is Deleting.GO), key


def test_every_constraint_that_a_merge_may_meet_is_found_by_rows_of_two_people():
    """What is unique with an expression, the registry could not see."""
    for one in belongings.registered():
        unseen = [
            constraint
            for constraint in one.rows.model._meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and constraint.expressions
        ]
        assert unseen == [] or one.model == "portal.User", one.key


@pytest.fixture
def two(alice, bob, charlie, team, make_repo):
    """Alice, who becomes part of bob: both have done the same in all places where one may do it once."""
    theirs = make_repo(charlie, "theirs")
    make_repo(alice, "mine", files={"a.txt": "x"})
    trash.delete(make_repo(alice, "put-away"), by=alice)
    make_repo(bob, "put-away")
    RepoAlias.objects.create(kind="model", namespace=alice.namespace, lower="older", repo=Repo.objects.get(name="mine"))
    hers = Collection.objects.create(namespace=alice.namespace, title="Hers")
    day = timezone.localdate()
    topic, own = world.topic(charlie), world.topic(alice)
    said, answer, hers_said = world.post(topic, charlie), world.post(own, bob), world.post(topic, alice)
    world.accept(own, answer)
    poll = Poll.objects.create(topic=topic, question="Which?")
    other_poll = Poll.objects.create(topic=own, question="And?", max_choices=2)
    options = [PollOption.objects.create(poll=poll, text=text, position=place) for place, text in enumerate("ab")]
    more = [PollOption.objects.create(poll=other_poll, text=text, position=place) for place, text in enumerate("cd")]
    for person, option in ((alice, options[0]), (bob, options[1]), (alice, more[0]), (alice, more[1])):
        PollVote.objects.create(user=person, option=option)
    wish = Wish.objects.create(model=theirs, benchmark=world.benchmark(charlie), votes=2)
    one = world.evaluation(theirs, wish.benchmark, alice)
    world.run_again(one, bob)
    case = Case.objects.create(about=f"post:{said.pk}", reports_count=2, score=2, reasons={"spam": 2})
    for person, other in ((alice, bob), (bob, alice)):
        liking.like(theirs, by=person)
        watching.watch(theirs, by=person)
        CollectionUpvote.objects.create(collection=hers, user=person)
        Follow.begin(charlie.namespace, by=person)
        Follow.begin(other.namespace, by=person)
        Follow.begin(person.namespace, by=charlie)
        Reaction.objects.create(post=said, user=person, kind="like")
        Reaction.objects.create(post=hers_said if person == bob else answer, user=person, kind="thanks")
        Bookmark.objects.create(post=said, user=person)
        Draft.objects.create(user=person, key="new", text=f"By {person.username}")
        TopicReader.objects.create(user=person, topic=topic, last_read=person.pk % 3 + 1, level=Level.WATCHING)
        Ignoring.objects.create(user=person, ignored=charlie)
        Ignoring.objects.create(user=person, ignored=other)
        Vote.objects.create(wish=wish, voter=person)
        UserDay.objects.create(user=person, day=day, topics=2, posts=3)
        Trust.objects.create(user=person, level=2 if person == alice else 1)
        BadgeGrant.objects.create(user=person, badge="first-light", tier=1, evidence=f"user:{charlie.pk}")
        Report.objects.create(case=case, reporter=person, reason="spam")
        SavedSearch.objects.create(user=person, kind="model", name="Tiny", query=person.username)
        ReputationLine.objects.create(
            user=charlie,
            track="models",
            kind="repo.liked",
            key=f"repo:{theirs.pk}",
            giver=person,
            points=3,
            at=world.ago(9),
        )
    Collection.objects.update(upvotes=2)
    list(recounting.check(mend=True))
    Job.enqueue("import", owner=alice, title="Mine", spec={})
    AccessToken.issue(user=alice, name="old", role="write")
    return alice, bob


@pytest.fixture(autouse=True)
def few_badges(monkeypatch):
    """How each badge is computed is tried elsewhere."""
    monkeypatch.setattr(handing_over, "RULES", {"first-light": handing_over.RULES["first-light"]})


def begun(alice, bob) -> Handover:
    return merging.accept(merging.offer(alice, into=bob.username), by=bob)


def everything() -> dict[str, object]:
    """All rows that the registry knows, and those with counters, without times and ids of what was added meanwhile."""
    kept = {one.rows.model for one in belongings.registered()} | {Case, Poll, PollOption, Wish, Trust, User, Namespace}
    found = {}
    for model in kept - {apps.get_model(name) for name in ("portal.Event", "portal.Job", "portal.AuditEntry")}:
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if not isinstance(field, models.DateTimeField)
            and field.attname not in {"job_id", "counts", "trend"}
            and not (field.primary_key and model in COMPUTED)
        ]
        found[model._meta.label] = sorted(map(repr, model._base_manager.values_list(*names)))
    return found


class Killed(BaseException):
    """As much as SIGKILL: nothing may catch it."""


def test_nothing_is_told_to_where_the_other_account_was_told(alice, bob):
    webhooks.create(
        by=alice, url="https://hooks.example.org/in", watched=[("user", "bob")], domains=["repo"], secret="s3cret"
    )  # fmt: skip
    PushDevice.objects.create(user=alice, endpoint="https://push.example.org/a", digest="a" * 64)
    row = begun(alice, bob)
    handing_over.run(row)
    made = bob.webhooks.get()
    assert (made.disabled, made.disabled_reason) == (True, webhooks.HANDED_ON)
    assert not PushDevice.objects.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="compares ids, which PostgreSQL does not give out again")
def test_interrupted_at_every_step_a_merge_ends_as_one_that_was_not(two):
    row = begun(*two)
    undone = transaction.savepoint()
    handing_over.run(row)
    expected = everything()
    transaction.savepoint_rollback(undone)
    kills = 0
    while True:
        left = [2]  # so many transactions each time

        def check(left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        try:
            handing_over.run(Handover.objects.get(), check=check)
            break
        except Killed:
            kills += 1
    assert kills > 100
    assert everything() == expected


def test_nothing_is_there_twice_and_every_counter_is_right(two):
    alice, bob = two
    charlie = User.objects.get(username="charlie")
    handing_over.run(begun(alice, bob))
    assert not User.objects.filter(pk=alice.pk).exists()
    assert {like.user_id for like in Like.objects.all()} == {bob.pk}
    assert Repo.objects.get(name="theirs").likes == 1
    assert Collection.objects.get().upvotes == 1
    assert sorted(Follow.objects.values_list("follower__username", "namespace__name")) == [
        ("bob", "charlie"), ("charlie", "bob"),
    ]  # fmt: skip
    assert Reaction.objects.count() == 1
    assert Counter(PollVote.objects.values_list("option__text", flat=True)) == Counter("bcd")
    assert Wish.objects.get().votes == 1
    assert list(recounting.check()) == []
    assert quotas.mend(bob.namespace.pk) == 0
    assert Repo.objects.filter(namespace=bob.namespace).count() == 3
    assert Membership.objects.get().role == "admin"
    assert UserDay.objects.get().topics == 4
    assert Draft.objects.get().text.count("By ") == 2
    assert Ignoring.objects.get().ignored == charlie
    assert SavedSearch.objects.count() == 2
    assert (Case.objects.get().reports_count, Case.objects.get().reasons) == (1, {"spam": 1})
    assert Trust.objects.get(user=bob).level == 2
    assert BadgeGrant.objects.filter(badge="first-light").count() == 1
    assert Job.objects.get(kind="import").share == bob.pk
    assert not AccessToken.objects.exists()
    topic = Topic.objects.get(author=charlie)
    assert topic.participants == [charlie.pk, bob.pk]
    assert not Post.objects.filter(author=None).exists()


def test_names_and_ids_of_before_lead_on(alice, bob, make_repo, client):
    make_repo(alice, "mine")
    handing_over.run(begun(alice, bob))
    assert client.get("/alice")["Location"] == "/bob"
    assert client.get("/alice/mine", follow=True).redirect_chain[-1][0] == "/bob/mine"
    assert subjects.find(f"user:{alice.pk}", bob).title == "bob"
    assert FormerName.objects.get().lower == "alice"


def test_what_was_given_under_two_names_counts_once(alice, bob, charlie):
    theirs = world.model(charlie)
    for person in (alice, bob):
        Like.objects.create(repo=theirs, user=person)
    reputation.reconcile([charlie.pk], ["repo.liked"])
    assert ReputationLine.objects.count() == 2
    handing_over.run(begun(alice, bob))
    standing.catch_up()
    lines = ReputationLine.objects.filter(kind="repo.liked", reverses=None, reversal=None)
    assert lines.count() == 1


def test_the_account_is_closed_from_the_first_moment(alice, bob):
    begun(alice, bob)
    assert not User.objects.get(pk=alice.pk).is_active
    perform(Job.objects.get(kind="end_account").pk)
    assert Job.objects.get(kind="end_account").state == "succeeded"
    assert Handover.objects.get().finished_at


def test_a_job_that_was_lost_is_asked_for_again(alice, bob):
    begun(alice, bob)
    assert handing_over.go_on() == 0
    Job.objects.filter(kind="end_account").update(state="failed")
    assert handing_over.go_on() == 1
    perform(Job.objects.filter(kind="end_account").latest("pk").pk)
    assert Handover.objects.get().finished_at


def test_both_have_to_agree(alice, bob, charlie):
    row = merging.offer(alice, into="bob")
    for stranger in (charlie, alice):
        with pytest.raises((NotAllowed, NotFound)):
            merging.accept(row, by=stranger)
        with pytest.raises(NotFound):
            merging.find(row.pk, by=stranger)
    assert merging.find(row.pk, by=bob) == row
    assert list(merging.offers_to(bob)) == [row]
    merging.withdraw(row.pk, by=charlie)
    assert Handover.objects.exists()
    merging.withdraw(row.pk, by=alice)
    assert not Handover.objects.exists()


def test_an_admin_says_why_and_the_log_keeps_it(alice, bob, morgan):
    with pytest.raises(NotAllowed):
        merging.propose(by=morgan, source="alice", into="bob", reason="Asked by mail")
    User.objects.filter(pk=morgan.pk).update(is_superuser=True)
    morgan.refresh_from_db()
    row = merging.propose(by=morgan, source="alice", into="bob", reason="Asked by mail")
    assert not merging.offers_to(bob)
    with pytest.raises(NotAllowed):
        merging.accept(row, by=bob)
    handing_over.run(merging.accept(row, by=morgan))
    assert mod_log.LogEntry.objects.get().action == "accounts_merged"
    assert mod_log.verify() is None


def test_what_is_in_the_way_is_said_before(alice, bob, make_repo, morgan):
    make_repo(alice, "same")
    make_repo(bob, "Same")
    with pytest.raises(Conflict, match="called same"):
        merging.offer(alice, into="bob")
    with pytest.raises(Conflict, match="one account"):
        merging.offer(bob, into="bob")
    with pytest.raises(Conflict, match="staff"):
        merging.offer(morgan, into="bob")


def test_who_takes_in_another_cannot_end_before_that_is_done(alice, bob, charlie):
    begun(alice, bob)
    with pytest.raises(Conflict, match="taking in"):
        merging.offer(bob, into="charlie")
    User.objects.filter(pk=bob.pk).update(deletion_due_at=world.ago(1))
    assert closing_accounts.close_due() == 0


def test_a_name_that_was_taken_meanwhile_stops_nothing(alice, bob, make_repo):
    mine = make_repo(alice, "same")
    row = begun(alice, bob)
    make_repo(bob, "same")
    handing_over.run(row)
    mine.refresh_from_db()
    assert mine.full_name == f"bob/same-{mine.pk}"


def test_a_deletion_that_is_interrupted_everywhere_leaves_right_counters(two):
    alice, _bob = two
    User.objects.filter(pk=alice.pk).update(deletion_due_at=world.ago(1))
    assert closing_accounts.close_due() == 1
    assert closing_accounts.close_due() == 0
    while not Handover.objects.get().finished_at:
        left = [3]

        def check(left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        try:
            handing_over.run(Handover.objects.get(), check=check)
        except Killed:
            continue
    assert not User.objects.filter(username="alice").exists()
    assert not Repo.objects.filter(namespace__name="alice").exists()
    assert list(recounting.check()) == []
    assert Repo.objects.get(name="theirs").likes == 1
    assert Wish.objects.get().votes == 1
    assert Post.objects.filter(author=None).exists()
    assert Handover.objects.get().name == ""


def test_who_came_back_in_time_stays(alice):
    User.objects.filter(pk=alice.pk).update(deletion_due_at=world.ago(1))
    alice.refresh_from_db()
    closing.cancel(alice)
    assert closing.begin(alice) is None
    assert closing_accounts.close_due() == 0
