"""What is asked again with other numbers finds what a query of its own would."""

from threading import Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum.models import Post, Topic
from forum.prepared import Prepared, padded
from portal.models import User


@pytest.fixture
def topics(alice: User, bob: User) -> list[Topic]:
    made = []
    for title, author in (("One", alice), ("Two", bob)):
        topic = Topic.objects.create(title=title, author=author, last_number=3)
        Post.objects.bulk_create([Post(topic=topic, number=n + 1, author=author) for n in range(3)])
        made.append(topic)
    return made


def test_rows_come_with_what_was_joined_and_annotated(topics):
    made: list[object] = []

    def of_number(shape: str, topic: int, number: int):
        made.append(shape)
        return Post.objects.filter(topic=topic, number__gte=number).select_related("topic", "author").order_by("number")

    posts = Prepared(of_number)
    for topic in (*topics, *topics):
        with CaptureQueriesContext(connection) as asked:
            found = posts("all", topic.pk, 2)
            assert [(post.topic.title, post.author.username, post.number) for post in found] == [
                (topic.title, topic.author.username, number) for number in (2, 3)
            ]
        assert len(asked) == 1
    assert made == ["all"]
    assert posts("all", 0, 1) == []


def test_keys_may_be_larger_than_those_that_stand_for_them(topics):
    by_key = Prepared(lambda _shape, pk: Topic.objects.filter(pk=pk))
    large = Topic.objects.create(pk=2**40, title="Far")
    assert by_key(None, large.pk) == [large]
    assert by_key(None, topics[0].pk) == [topics[0]]


def test_lists_of_keys_have_few_lengths(topics):
    titles = Prepared(lambda _shape, *pks: Topic.objects.filter(pk__in=pks).values_list("title", flat=True))
    assert sorted(titles(None, *padded([topic.pk for topic in topics]))) == ["One", "Two"]
    assert titles(None, *padded([topics[1].pk])) == ["Two"]
    assert len(titles._ready) == 1
    assert [len(padded(list(range(1, size + 1)))) for size in (1, 5, 20, 101)] == [4, 12, 25, 101]


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_by_its_own_connection(alice):
    names = Prepared(lambda _shape, pk: User.objects.filter(pk=pk).values_list("username", flat=True))
    assert names(None, alice.pk) == ["alice"]
    found: list[list[str]] = []

    def ask() -> None:
        found.append(names(None, alice.pk))
        connection.close()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [["alice"]]
