"""Whatever people do in whatever order, the counters are what a recount finds."""

import os
import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forum import accepting, counting, discussing, keeping_order, marking, opening, polling, rearranging, recounting
from forum.admission import Admission
from forum.models import Category, Poll, Post, Reaction, Tag, Topic
from forum.opening import NewTopic
from forum.polling import NewPoll
from portal.errors import DomainError
from portal.models import User

OPERATIONS = int(os.environ.get("FORUM_OPERATIONS", "240"))
RUNS = 4 if OPERATIONS < 1000 else 20
TEXTS = ("Yes.", "No.", "Perhaps.")
TAGS = ("bert", "chinese", "tiny")


class Life:
    """People who do one thing after another; which and with what, a generator says."""

    def __init__(self, people: list[User], categories: list[Category]) -> None:
        self.people, self.categories = people, categories
        self.dice = random.Random(0)

    def someone(self) -> User:
        return self.dice.choice(self.people)

    def topic(self) -> Topic:
        topics = Topic.objects.filter(deleted_at=None).select_related("category", "repo").order_by("pk")
        return self.dice.choice(list(topics)) if topics else self.begin()

    def post(self) -> Post:
        topic = self.topic()
        post = self.dice.choice(list(topic.posts.filter(kind=Post.Kind.COMMENT).order_by("number")))
        post.topic = topic
        return post

    def begin(self) -> Topic:
        poll = self.dice.choice([None, NewPoll("Which?", ("one", "two", "three"), max_choices=2)])
        tags = self.dice.sample(TAGS, self.dice.randrange(3))
        kind = self.dice.choice(["question", "discussion"])
        new = NewTopic("A topic of chance", self.dice.choice(TEXTS), kind=kind, tags=tags, poll=poll)
        return opening.open_topic(category=self.dice.choice(self.categories), by=self.someone(), new=new)

    def answer(self) -> None:
        opening.reply(self.topic(), by=self.someone(), text=self.dice.choice(TEXTS))

    def edit(self) -> None:
        discussing.edit(self.post(), by=self.someone(), text=self.dice.choice(TEXTS))

    def hide(self) -> None:
        discussing.hide(self.post(), by=self.someone())

    def let_in(self) -> None:
        post = Post.objects.filter(held_at__isnull=False, topic__deleted_at=None).order_by("pk").first()
        if post is not None:
            post.held_at = None
            post.save()
            counting.count_post(post.topic, post)

    def react(self) -> None:
        marking.react(self.post(), by=self.someone(), kind=self.dice.choice(Reaction.Kind.values))

    def unreact(self) -> None:
        row = self.dice.choice(list(Reaction.objects.order_by("pk")))
        marking.unreact(row.post, by=row.user, kind=row.kind)

    def accept(self) -> None:
        accepting.accept(self.post(), by=self.someone())

    def unaccept(self) -> None:
        accepting.unaccept(self.topic(), by=self.someone())

    def vote(self) -> None:
        poll = self.dice.choice(list(Poll.objects.order_by("pk")))
        options = list(poll.options.values_list("pk", flat=True))
        polling.vote(poll, by=self.someone(), options=self.dice.sample(options, self.dice.randrange(3)))

    def move(self) -> None:
        rearranging.move(self.topic(), by=self.people[0], to=self.dice.choice(self.categories))

    def split(self) -> None:
        topic = self.topic()
        numbers = [number for number in topic.posts.values_list("number", flat=True) if self.dice.random() < 0.4]
        rearranging.split(topic, by=self.people[0], numbers=numbers, title="Split off")

    def merge(self) -> None:
        rearranging.merge(self.topic(), by=self.people[0], into=self.topic())

    def retag(self) -> None:
        keeping_order.retag(self.topic(), by=self.someone(), tags=self.dice.sample(TAGS, self.dice.randrange(3)))

    def close(self) -> None:
        keeping_order.close(self.topic(), by=self.someone())

    def reopen(self) -> None:
        keeping_order.reopen(self.topic(), by=self.someone())

    def delete(self) -> None:
        keeping_order.delete(self.topic(), by=self.someone())

    def do(self, name: str, seed: int) -> bool:
        """Do one thing; what is refused changes nothing, which is also to be seen."""
        self.dice.seed(seed)
        try:
            with transaction.atomic():
                getattr(self, name)()
        except (DomainError, IndexError):
            return False
        return True


VERBS = sorted(set(vars(Life)) - {"do", "someone", "topic", "post"} - {n for n in vars(Life) if n.startswith("__")})
OFTEN = ["begin", "answer", "answer", "answer", "react", "vote"]
STEPS = st.tuples(st.sampled_from(OFTEN + VERBS), st.integers(0, 2**32))


@pytest.fixture
def life(morgan: User, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> Life:
    """Staff and two others; one text of eight waits to be let in, and is not rendered: that is not what we look at."""
    categories = [Category.objects.create(slug=slug) for slug in ("one", "two")]
    found = Life([morgan, alice, bob], categories)

    def admit(**given: object) -> Admission:
        return Admission(held=found.dice.random() < 0.125, text=str(given["text"]))

    for module in (opening, discussing):
        monkeypatch.setattr(module, "admit", admit)
    monkeypatch.setattr("models_hub.rendering.comment_html", lambda text, **_options: text)
    return found


@settings(max_examples=RUNS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=OPERATIONS // RUNS, max_size=OPERATIONS // RUNS))
def test_counters_equal_a_recount_after_random_operations(life: Life, steps: list[tuple[str, int]]):
    with transaction.atomic():
        done = [verb for verb, seed in steps if life.do(verb, seed)]

        assert [str(wrong) for wrong in recounting.check()] == [], done
        transaction.set_rollback(True)


def test_the_command_says_what_is_wrong_and_mends_it(life: Life, alice: User):
    topic = life.begin()
    Topic.objects.filter(pk=topic.pk).update(comments=7)
    Tag.objects.create(name="unused", topic_count=3)

    with pytest.raises(CommandError):
        call_command("recount_forum", "--check", stdout=(said := StringIO()))
    call_command("recount_forum", stdout=StringIO())

    assert f"topic:{topic.pk} comments: 7 is kept, 0 is counted" in said.getvalue()
    assert list(recounting.check()) == []


def test_every_verb_is_tried(life: Life):
    """A verb that is always refused would say nothing."""
    worked = {verb for seed in range(60) for verb in [*OFTEN, *VERBS] if life.do(verb, seed)}

    assert worked == set(VERBS)
