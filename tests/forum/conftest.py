"""A category, a topic of it and an answer, for tests of what people write."""

import pytest

from forum import opening
from forum.models import Category, Post, Topic
from forum.opening import NewTopic
from portal.models import User


@pytest.fixture
def room(db) -> Category:
    return Category.objects.create(slug="how", title_en="How", asks_questions=True, template_en="What I tried:")


@pytest.fixture
def topic(room: Category, alice: User) -> Topic:
    return opening.open_topic(category=room, by=alice, new=NewTopic("How small is it?", "Tell me.", tags=["Bert"]))


@pytest.fixture
def answer(topic: Topic, bob: User) -> Post:
    return opening.reply(topic, by=bob, text="Very small.")
