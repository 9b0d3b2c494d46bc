"""Posts bear marks of where they are, which follow their topics."""

from collections.abc import Callable

import pytest

from forum import accepting, indexing, keeping_order, opening, rearranging
from forum.admission import Admission
from forum.models import Category, Post, PostWords, Tag, Topic
from forum.opening import NewTopic
from portal import belongings
from portal.models import Event, Job, User
from worker.consumers import CONSUMERS, search_words
from worker.jobs import KINDS


@pytest.fixture(autouse=True)
def everybody_is_let_in(monkeypatch):
    monkeypatch.setattr(opening, "admit", lambda **sent: Admission(held=False, text=sent["text"], why=""))


@pytest.fixture
def rooms(db) -> list[Category]:
    return [Category.objects.create(slug=f"marked-{n}", title_en=f"Marked {n}") for n in (0, 1)]


@pytest.fixture
def topic(rooms: list[Category], alice: User) -> Topic:
    new = NewTopic(title="A marked title", text="Marked words.", tags=["marks"])
    topic = opening.open_topic(category=rooms[0], by=alice, new=new)
    opening.reply(topic, by=alice, text="More of them.")
    indexing.index(topic.posts.values_list("pk", flat=True))
    return topic


@pytest.fixture
def deliver(db) -> Callable[[], None]:
    """Let the last event of a topic be heard by whoever keeps marks true."""

    def deliver() -> None:
        event = Event.objects.filter(kind__in=search_words.MOVED).latest("pk")
        for consume in CONSUMERS[event.kind]:
            if consume is search_words.mark:
                consume(event)

    return deliver


def marks(post: Post) -> set[str]:
    row = PostWords.objects.get(post=post)
    found = {word for word in row.words.split() if word.startswith(indexing.MARK)}
    assert not row.title or found == {word for word in row.title.split() if word.startswith(indexing.MARK)}
    written = {indexing.fine(post.pk // indexing.FINE), indexing.coarse(post.pk // indexing.COARSE)}
    assert found > written
    return found - written - {indexing.by_author(post.author_id)}


def test_a_post_is_marked_with_its_category_kind_tags_and_author(topic, rooms, alice):
    tag = Tag.objects.get(name="marks")
    expected = {indexing.in_room(rooms[0].pk), indexing.of_kind("discussion"), indexing.with_tag(tag.pk)}
    for post in topic.posts.all():
        assert marks(post) == expected
        assert indexing.by_author(alice.pk) in post.found_by.words


def test_marks_follow_a_topic_that_is_moved_tagged_and_made_a_question(topic, rooms, morgan, deliver):
    User.objects.filter(pk=morgan.pk).update(is_staff=True)
    morgan.refresh_from_db()
    rearranging.move(topic, by=morgan, to=rooms[1])
    deliver()
    keeping_order.retag(topic, by=morgan, tags=["others"])
    deliver()
    keeping_order.change_kind(topic, by=morgan, kind="question")
    deliver()

    tag = Tag.objects.get(name="others")
    for post in topic.posts.filter(kind="comment"):
        assert marks(post) == {
            indexing.in_room(rooms[1].pk), indexing.of_kind("question"), indexing.with_tag(tag.pk)
        }  # fmt: skip
        assert indexing.by_author(post.author_id) in post.found_by.words
        assert "marked" in post.found_by.words or "more" in post.found_by.words


def test_marks_follow_posts_that_are_split_off(topic, rooms, morgan, deliver):
    User.objects.filter(pk=morgan.pk).update(is_staff=True)
    morgan.refresh_from_db()
    new = rearranging.split(topic, by=morgan, numbers=[2], title="On its own", to=rooms[1])
    deliver()

    assert marks(new.posts.get(number=1)) == {indexing.in_room(rooms[1].pk), indexing.of_kind("discussion")}
    assert marks(topic.posts.get(number=1)) > {indexing.in_room(rooms[0].pk)}


def test_posts_of_a_long_topic_are_marked_in_a_job(topic, rooms, monkeypatch):
    monkeypatch.setattr(indexing, "SETTLED", 1)
    monkeypatch.setattr(indexing, "CHUNK", 1)
    Topic.objects.filter(pk=topic.pk).update(category=rooms[1])
    event = Event.record("topic.moved", subject=f"topic:{topic.pk}", by=None, topic=topic.pk)
    search_words.mark(event)
    search_words.mark(event)  # a second time, as after a crash

    job = Job.objects.get(kind="mark_posts")
    assert job.kind in KINDS
    assert indexing.mark(job.spec["topic"]) == 2
    assert indexing.mark(job.spec["topic"]) == 0
    assert all(indexing.in_room(rooms[1].pk) in marks(post) for post in topic.posts.all())


def test_posts_of_a_question_are_marked_while_it_is_solved(topic, alice, deliver):
    Topic.objects.filter(pk=topic.pk).update(kind="question")
    answer = topic.posts.select_related("topic").get(number=2)
    accepting.accept(answer, by=alice)
    deliver()
    assert all(indexing.SOLVED in marks(post) for post in topic.posts.all())
    accepting.unaccept(answer.topic, by=alice)
    deliver()
    assert not any(indexing.SOLVED in marks(post) for post in topic.posts.all())


def test_posts_that_move_with_an_account_are_found_by_their_new_author(topic, alice, bob):
    one = next(row for row in belongings.registered() if (row.model, row.field) == ("forum.Post", "author"))
    belongings.move_batch(one, alice.pk, bob.pk)
    assert all(indexing.by_author(bob.pk) in post.found_by.words for post in topic.posts.all())


def test_marking_asks_few_questions(topic, rooms, django_assert_max_num_queries):
    Topic.objects.filter(pk=topic.pk).update(category=rooms[1])
    with django_assert_max_num_queries(9):
        indexing.mark(topic.pk)


def test_posts_of_older_rules_get_marks_and_only_then_a_search_relies_on_them(topic):
    PostWords.objects.filter(post__topic=topic).update(rules=1, words="marked words", title="")
    assert not indexing.is_complete()
    assert indexing.index_missing(seconds=5) == 2
    assert indexing.is_complete()
    assert marks(topic.posts.get(number=1))


def test_no_word_of_a_text_finds_a_mark(topic, rooms):
    from forum import searching
    from forum.searching import Question

    for text in (f"c{rooms[0].pk}", "kdiscussion", indexing.in_room(rooms[0].pk)):
        assert not searching.find(Question(text), topic.author, rooms).hits
