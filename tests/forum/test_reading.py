"""What is read, unread and new, and how much people hear of topics and categories."""

import pytest

from forum import levels, opening, reading
from forum.models import Category, Level, Post, Topic, TopicReader
from forum.opening import NewTopic
from portal.models import User


@pytest.fixture
def room(db) -> Category:
    return Category.objects.create(slug="talk", title_en="Talk")


@pytest.fixture
def topic(room: Category, alice: User) -> Topic:
    return opening.open_topic(category=room, by=alice, new=NewTopic(title="A first topic", text="Its opening."))


@pytest.fixture(autouse=True)
def everybody_is_let_in(monkeypatch):
    """What newcomers may not yet is tried elsewhere."""
    monkeypatch.setattr(opening, "admit", lambda **sent: opening_admission(sent["text"]))


def opening_admission(text: str):
    from forum.admission import Admission

    return Admission(held=False, text=text, why="")


def say(topic: Topic, by: User, text: str = "Something more.") -> Post:
    post = opening.reply(topic, by=by, text=text)
    topic.refresh_from_db()
    return post


def test_whoever_begins_a_topic_watches_it_and_has_read_it(topic, alice):
    row = TopicReader.objects.get(user=alice, topic=topic)
    assert (row.last_read, row.level) == (1, Level.WATCHING)
    assert reading.count_unread(alice) == 0


def test_an_answer_of_somebody_else_is_unread_until_it_is_read(topic, alice, bob):
    say(topic, bob)
    assert [one.pk for one in reading.unread(alice)] == [topic.pk]

    reading.mark(topic, alice, 2)
    assert reading.count_unread(alice) == 0


def test_reading_never_goes_back_and_never_beyond_the_end(topic, alice, bob):
    say(topic, bob)
    assert reading.mark(topic, bob, 99) == 0
    assert reading.mark(topic, alice, 99) == 1
    assert reading.mark(topic, alice, 1) == 0
    assert TopicReader.objects.get(user=alice, topic=topic).last_read == 2


def test_whoever_answers_tracks_the_topic_but_a_muted_one_stays_muted(topic, bob, charlie, alice):
    levels.set_level(topic, charlie, Level.MUTED)
    say(topic, bob)
    say(topic, charlie)

    assert levels.level_of(topic, bob) == Level.TRACKING
    assert levels.level_of(topic, charlie) == Level.MUTED


def test_a_followed_category_has_what_came_since_unread(room, topic, alice, charlie):
    levels.set_level(room, charlie, Level.TRACKING)
    assert reading.count_unread(charlie) == 0

    say(topic, alice)
    assert reading.count_unread(charlie) == 1
    levels.set_level(topic, charlie, Level.MUTED)
    assert reading.count_unread(charlie) == 0


def test_all_of_a_category_or_of_the_forum_is_marked_read(room, topic, alice, bob):
    say(topic, bob)
    reading.mark_category(room, alice)
    assert reading.count_unread(alice) == 0

    say(topic, bob)
    assert reading.count_unread(alice) == 1
    reading.mark_all(alice)
    assert reading.count_unread(alice) == 0


def test_new_topics_are_those_that_were_never_opened(room, topic, alice, charlie):
    assert [one.pk for one in reading.new(charlie)] == [topic.pk]
    assert not reading.new(alice)

    reading.mark(topic, charlie, 1)
    assert not reading.new(charlie)


def test_the_floor_changes_nothing_but_the_work(topic, room, alice, bob, charlie):
    other = opening.open_topic(category=room, by=alice, new=NewTopic(title="Another topic", text="Words."))
    say(other, bob)
    say(topic, bob)
    reading.mark(topic, alice, 9)
    before = [one.pk for one in reading.unread(alice, from_floor=False)]

    assert reading.lift_floor(alice) == other.last_post_id - 1
    assert [one.pk for one in reading.unread(alice)] == before == [other.pk]
    reading.mark(other, alice, 9)
    reading.lift_floor(alice)
    levels.set_level(topic, alice, Level.TRACKING)
    TopicReader.objects.filter(user=alice, topic=topic).update(last_read=1)
    assert [one.pk for one in reading.unread(alice)] == [topic.pk]


def test_watchers_are_those_of_the_topic_and_of_its_category(room, topic, alice, bob, charlie, morgan):
    levels.set_level(room, bob, Level.WATCHING)
    levels.set_level(room, charlie, Level.WATCHING)
    levels.set_level(topic, charlie, Level.MUTED)
    levels.set_level(topic, morgan, Level.WATCHING)

    assert set(levels.watchers(topic)) == {alice.pk, bob.pk, morgan.pk}


def test_what_a_reader_may_not_see_is_neither_unread_nor_new(room, topic, alice, bob, charlie):
    levels.set_level(room, charlie, Level.TRACKING)
    say(topic, bob)
    Category.objects.update(readers=Category.Readers.STAFF)

    assert reading.count_unread(alice) == reading.count_unread(charlie) == 0
    assert not reading.new(charlie)


def test_nobody_ignores_himself(alice, bob):
    levels.ignore(bob, by=alice)
    levels.ignore(bob, by=alice)
    assert levels.ignored_by(alice) == {bob.pk}
    levels.heed(bob, by=alice)
    assert levels.ignored_by(alice) == set()
    with pytest.raises(levels.InvalidInput):
        levels.ignore(alice, by=alice)
