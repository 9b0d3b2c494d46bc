"""A post does not wait for those who are told of it, and each of them is told once, whatever dies meanwhile."""

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from forum import opening
from forum.admission import Admission
from forum.models import Category, Level, Topic, TopicReader
from forum.opening import NewTopic
from portal import notifying
from portal.models import Broadcast, Event, FanOut, Notification, User
from worker import telling
from worker.consumers import notifications


@pytest.fixture(autouse=True)
def everybody_is_let_in(monkeypatch):
    monkeypatch.setattr(opening, "admit", lambda **sent: Admission(held=False, text=sent["text"], why=""))


@pytest.fixture
def topic(alice: User) -> Topic:
    room = Category.objects.create(slug="loud", title_en="Loud")
    return opening.open_topic(category=room, by=alice, new=NewTopic(title="Loud", text="Hear."))


def watch(topic: Topic, count: int) -> None:
    people = User.objects.bulk_create(User(username=f"listener{n}") for n in range(count))
    TopicReader.objects.bulk_create(TopicReader(topic=topic, user=one, level=Level.WATCHING) for one in people)


def reply(topic: Topic, by: User, text: str) -> Event:
    opening.reply(topic, by=by, text=text)
    return Event.objects.filter(kind="topic.commented").latest("pk")


def test_a_post_asks_as_much_whether_nobody_watches_or_many(topic, bob):
    reply(topic, bob, "The first one makes more of a topic.")
    with CaptureQueriesContext(connection) as quiet:
        reply(topic, bob, "Alone")
    watch(topic, 300)
    with CaptureQueriesContext(connection) as loud:
        reply(topic, bob, "Before all")
    assert len(loud) == len(quiet)
    assert not Notification.objects.exists()


def test_a_batch_that_dies_leaves_nothing_and_is_told_again(topic, bob, monkeypatch):
    monkeypatch.setattr(telling, "FEW", 2)
    monkeypatch.setattr(telling, "BATCH", 5)
    watch(topic, 12)
    event = reply(topic, bob, "To all")
    notifications.tell(event)
    assert telling.tell_next(event)
    told, before = Notification.objects.count(), FanOut.objects.get().cursor

    def dies(*_given: object) -> None:
        raise DatabaseError("the worker is killed")

    with monkeypatch.context() as broken:
        broken.setattr(notifying, "_ask_for_digests", dies)
        with pytest.raises(DatabaseError):
            telling.tell_next(event)
    assert (Notification.objects.count(), FanOut.objects.get().cursor) == (told, before)

    notifications.tell(event)  # as a relay that died before it had marked the event
    while telling.tell_next(event):
        pass
    heard = list(Notification.objects.filter(kind="watching").values_list("user", flat=True))
    assert len(heard) == len(set(heard)) == 12


def test_one_row_is_for_very_many_who_are_rung_in_batches(topic, bob, monkeypatch):
    monkeypatch.setattr(telling, "FEW", 2)
    monkeypatch.setattr(telling, "MANY", 20)
    monkeypatch.setattr(telling, "BATCH", 25)
    watch(topic, 99)
    User.objects.update(unread=0)
    event = reply(topic, bob, "To very many")
    with CaptureQueriesContext(connection) as first:
        notifications.tell(event)
    asked = []
    while True:
        with CaptureQueriesContext(connection) as batch:
            is_more = telling.tell_next(event)
        asked.append(len(batch))
        if not is_more:
            break
    assert len(asked) == 5  # four batches of listeners and alice, and one that finds nobody left
    assert max(asked) <= 9
    assert len(first) <= 40
    assert Broadcast.objects.get().event == event.pk
    assert Notification.objects.filter(kind="watching").count() == 0
    assert User.objects.filter(username__startswith="listener", unread=None).count() == 99
