"""The life of a forum, for tests of its counters: people who do one thing after another, as dice say."""

import random
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from forum import accepting, discussing, keeping_order, levels, marking, opening, polling, reading, rearranging
from forum.models import Category, Level, Poll, Post, Reaction, Topic
from forum.opening import NewTopic
from forum.polling import NewPoll
from portal import deciding, judging, moderating
from portal.errors import DomainError
from portal.models import Case, Decision, Event, Reason, Recheck, User
from worker import standing
from worker.consumers import standing as noting

TEXTS = ("Yes.", "No.", "Perhaps.")
TAGS = ("bert", "chinese", "tiny")
OF_PEOPLE = ("silence", "suspend")  # whoever may not speak any more counts nothing


class Life:
    """People, the first of them staff, who do what they are told; with what, the dice say."""

    def __init__(self, people: list[User], categories: list[Category]) -> None:
        self.people, self.categories = people, categories
        self.dice = random.Random(0)
        self.told = 0

    def do(self, name: str, seed: int) -> bool:
        """Do one thing; what is refused changes nothing, which is also to be seen."""
        self.dice.seed(seed)
        try:
            with transaction.atomic():
                getattr(self, name)()
        except (DomainError, IndexError):
            return False
        return True

    def _someone(self) -> User:
        return self.dice.choice(self.people)

    def _room(self) -> Category:
        return self.dice.choice(self.categories)

    def _topic(self) -> Topic:
        topics = Topic.objects.filter(deleted_at=None).select_related("category", "repo").order_by("pk")
        return self.dice.choice(list(topics)) if topics else self.begin()

    def _post(self) -> Post:
        topic = self._topic()
        post = self.dice.choice(list(topic.posts.filter(kind=Post.Kind.COMMENT).order_by("number")))
        post.topic = topic
        return post

    def begin(self) -> Topic:
        poll = self.dice.choice([None, NewPoll("Which?", ("one", "two", "three"), max_choices=2)])
        tags = self.dice.sample(TAGS, self.dice.randrange(3))
        kind = self.dice.choice(["question", "question", "discussion"])
        new = NewTopic("A topic of chance", self.dice.choice(TEXTS), kind=kind, tags=tags, poll=poll)
        return opening.open_topic(category=self._room(), by=self._someone(), new=new)

    def answer(self) -> None:
        opening.reply(self._topic(), by=self._someone(), text=self.dice.choice(TEXTS))

    def edit(self) -> None:
        discussing.edit(self._post(), by=self._someone(), text=self.dice.choice(TEXTS))

    def hide(self) -> None:
        discussing.hide(self._post(), by=self._someone())

    def react(self) -> None:
        marking.react(self._post(), by=self._someone(), kind=self.dice.choice(Reaction.Kind.values))

    def unreact(self) -> None:
        row = self.dice.choice(list(Reaction.objects.order_by("pk")))
        marking.unreact(row.post, by=row.user, kind=row.kind)

    def accept(self) -> None:
        answers = Post.objects.filter(kind=Post.Kind.COMMENT, number__gt=1, topic__kind="question")
        post = self.dice.choice(list(answers.select_related("topic__category").order_by("pk")))
        accepting.accept(post, by=self.dice.choice([post.topic.author or self._someone(), self._someone()]))

    def unaccept(self) -> None:
        solved = Topic.objects.filter(accepted__isnull=False).select_related("category").order_by("pk")
        accepting.unaccept(self.dice.choice(list(solved)), by=self.people[0])

    def vote(self) -> None:
        poll = self.dice.choice(list(Poll.objects.order_by("pk")))
        options = list(poll.options.values_list("pk", flat=True))
        polling.vote(poll, by=self._someone(), options=self.dice.sample(options, self.dice.randrange(3)))

    def end_poll(self) -> None:
        polling.close(self.dice.choice(list(Poll.objects.order_by("pk"))), by=self._someone())

    def move(self) -> None:
        rearranging.move(self._topic(), by=self.people[0], to=self._room())

    def split(self) -> None:
        topic = self._topic()
        numbers = [number for number in topic.posts.values_list("number", flat=True) if self.dice.random() < 0.4]
        rearranging.split(topic, by=self.people[0], numbers=numbers, title="Split off", to=self._room())

    def merge(self) -> None:
        rearranging.merge(self._topic(), by=self.people[0], into=self._topic())

    def retag(self) -> None:
        keeping_order.retag(self._topic(), by=self._someone(), tags=self.dice.sample(TAGS, self.dice.randrange(3)))

    def tag(self) -> None:
        """Add tags as watched words do, also where the topic is not listed."""
        opening.add_tags(self._topic(), self.dice.sample(TAGS, self.dice.randrange(3)))

    def rename(self) -> None:
        keeping_order.rename(self._topic(), by=self._someone(), title=f"A topic of {self.dice.random()}")

    def turn(self) -> None:
        kind = self.dice.choice(["question", "discussion"])
        keeping_order.change_kind(self._topic(), by=self._someone(), kind=kind)

    def close(self) -> None:
        keeping_order.close(self._topic(), by=self._someone())

    def reopen(self) -> None:
        keeping_order.reopen(self._topic(), by=self._someone())

    def pin(self) -> None:
        keeping_order.pin(self._topic(), by=self._someone(), until=timezone.now() + timedelta(days=1))

    def delete(self) -> None:
        keeping_order.delete(self._topic(), by=self._someone())

    def report(self) -> None:
        post = self._post()
        about = f"topic:{post.topic_id}" if post.number == 1 else f"post:{post.pk}"
        moderating.report(about, by=self._someone(), reason=Reason.SPAM)

    def hold(self) -> None:
        """Put what waits before moderators, as the consumer of its event does."""
        waiting = Post.objects.filter(held_at__isnull=False).order_by("pk").values_list("pk", flat=True)
        topics = (
            Topic.objects.filter(held_at__isnull=False, deleted_at=None).order_by("pk").values_list("pk", flat=True)
        )
        abouts = [*(f"post:{pk}" for pk in waiting), *(f"topic:{pk}" for pk in topics)]
        about = self.dice.choice([about for about in abouts if not moderating.is_held(about)])
        moderating.hold(about, why="")

    def judge(self) -> None:
        case = self.dice.choice(list(Case.objects.filter(status=Case.Status.OPEN).order_by("pk")))
        actions = [one.name for one in judging.choices(case, self.people[0]) if one.name not in OF_PEOPLE]
        action = self.dice.choice(actions)
        deciding.decide(case, by=self.people[0], action=action, version=case.version, text="As the rules say.")

    def undo(self) -> None:
        decisions = Decision.objects.filter(undone_at=None, needs_second=False).order_by("pk")
        deciding.undo(self.dice.choice(list(decisions)), by=self.people[0])

    def follow(self) -> None:
        levels.set_level(self._topic(), self._someone(), self.dice.choice(list(Level)))

    def follow_room(self) -> None:
        levels.set_level(self._room(), self._someone(), self.dice.choice(list(Level)))

    def read(self) -> None:
        topic = self._topic()
        reading.mark(topic, self._someone(), self.dice.randrange(topic.last_number + 1))

    def read_room(self) -> None:
        reading.mark_category(self._room(), self._someone())

    def read_all(self) -> None:
        reading.mark_all(self._someone())

    def lift_floor(self) -> None:
        reading.lift_floor(self._someone())

    def ignore(self) -> None:
        levels.ignore(self._someone(), by=self._someone())

    def heed(self) -> None:
        levels.heed(self._someone(), by=self._someone())

    def keep(self) -> None:
        marking.keep(self._post(), by=self._someone())

    def relay(self) -> None:
        """Let the ledgers follow what happened, as the relay does."""
        for event in Event.objects.filter(pk__gt=self.told, kind__in=noting.LINES).order_by("pk"):
            noting.note(event)
            self.told = event.pk
        Recheck.objects.exclude(what__startswith=noting.LEDGER).delete()
        while Recheck.objects.update(due_at=timezone.now()):
            standing.catch_up()


VERBS = sorted(name for name in vars(Life) if not name.startswith("_") and name != "do")
