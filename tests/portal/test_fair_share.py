"""The order of due jobs: by fair share between owners, exact at every moment, and nobody waits for ever."""

from collections import Counter, deque
from datetime import timedelta

import pytest
from django.utils import timezone

from portal import fair_share
from portal.models import Duty, Job, User, WorkerNode
from portal.models.workers import RELAY
from portal.waiting import Outlook, explanation

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=30)
QUEUE = "fair"


def enqueue(owner: User | None, **options: object) -> Job:
    return Job.enqueue("evaluate", spec={}, owner=owner, title="", queue=QUEUE, **options)  # type: ignore[arg-type]


def begin(job: int) -> Job:
    claimed = Job.claim(job, worker="one", lease=LEASE)
    assert claimed is not None
    return claimed


def order() -> list[int]:
    return [turn.job for turn in fair_share.line(QUEUE)]


def owners() -> list[str]:
    names = dict(Job.objects.values_list("pk", "owner__username"))
    return [names[job] or "-" for job in order()]


def test_owners_take_turns_however_many_jobs_one_has(alice: User, bob: User) -> None:
    for _ in range(4):
        enqueue(alice)
    enqueue(bob)
    enqueue(None)
    assert owners() == ["alice", "bob", "-", "alice", "alice", "alice"]


def test_whoever_has_fewest_jobs_in_hand_comes_first(alice: User, bob: User) -> None:
    for _ in range(2):
        enqueue(alice)
    begin(order()[0])
    for _ in range(2):
        enqueue(bob)
    assert owners() == ["bob", "alice", "bob"]


def test_among_equals_the_longest_without_a_turn_comes_first(alice: User, bob: User, charlie: User) -> None:
    for owner in (alice, bob):
        begin(enqueue(owner).pk).finish({})
    Job.objects.filter(owner=alice).update(started_at=timezone.now() - timedelta(hours=1))
    for owner in (charlie, bob, alice):
        enqueue(owner)
    assert owners() == ["alice", "bob", "charlie"]


def test_priorities_count_within_an_owner_only(alice: User, bob: User) -> None:
    early, late = enqueue(alice), enqueue(alice, priority=9)
    other = enqueue(bob)
    assert order() == [late.pk, other.pk, early.pk]


def test_a_job_whose_worker_died_comes_behind_the_owners_others(alice: User, bob: User) -> None:
    lost, fresh = enqueue(alice), enqueue(alice)
    other = enqueue(bob)
    Job.objects.filter(pk=lost.pk).update(losses=1)
    assert order() == [fresh.pk, other.pk, lost.pk]


def test_what_staff_have_raised_starts_before_all_else(alice: User, bob: User, morgan: User) -> None:
    first, second, other = enqueue(alice), enqueue(alice), enqueue(bob)
    second.raise_above_others(by=morgan)
    assert order() == [second.pk, other.pk, first.pk]
    second.raise_above_others(by=morgan, raised=False)
    assert order() == [first.pk, other.pk, second.pk]


def test_jobs_that_are_not_due_or_of_another_queue_take_no_turn(alice: User) -> None:
    later, due = enqueue(alice), enqueue(alice)
    Job.objects.filter(pk=later.pk).update(not_before=timezone.now() + LEASE)
    Job.enqueue("evaluate", spec={}, owner=alice, title="", queue="another")
    assert order() == [due.pk]


def test_the_order_costs_one_query(alice: User, bob: User, django_assert_num_queries) -> None:
    for owner in (alice, bob, None):
        enqueue(owner)
    with django_assert_num_queries(1):
        fair_share.line(QUEUE)


def test_each_of_five_hundred_waiting_jobs_says_its_place_and_its_reason(django_assert_max_num_queries) -> None:
    people = [User.objects.create_user(f"place{n}", f"place{n}@example.org") for n in range(5)]
    Job.objects.bulk_create(
        Job(kind="evaluate", owner=who, share=who.pk, queue=QUEUE) for who in people for _ in range(100)
    )
    WorkerNode.hello("one", queues=[QUEUE], slots=2, capabilities={})
    Duty.take(RELAY, holder="here", span=LEASE)
    jobs, outlook = list(Job.objects.all()), Outlook()
    with django_assert_max_num_queries(8):
        said = {job.pk: (outlook.position(job), explanation(job, outlook)) for job in jobs}
    line = order()
    assert [said[job][0] for job in line] == list(range(500))
    assert said[line[0]][1] == "Next in line."
    assert said[line[499]][1].startswith("Waiting: 499 jobs are ahead.")


def test_five_hundred_jobs_of_five_people_drain_fairly() -> None:
    slots = 3
    people = [User.objects.create_user(f"fair{n}", f"fair{n}@example.org") for n in range(5)]
    wanted = dict(zip(people, (300, 100, 60, 30, 10), strict=True))  # the greedy one was first
    rows = [
        Job(kind="evaluate", owner=who, share=who.pk, queue=QUEUE)
        for who, count in wanted.items()
        for _ in range(count)
    ]
    Job.objects.bulk_create(rows)
    running: deque[Job] = deque()
    served: list[int] = []
    for _ in range(500):
        if len(running) == slots:
            running.popleft().finish({})
        job = begin(order()[0])
        running.append(job)
        served.append(job.share)
    assert order() == []
    left = Counter({who.pk: count for who, count in wanted.items()})
    for number in range(500):  # at every moment all who still have work have been served equally often
        done = Counter(served[:number])
        waiting = [done[who.pk] for who in people if done[who.pk] < left[who.pk]]
        assert max(waiting, default=0) - min(waiting, default=0) <= 1, number
