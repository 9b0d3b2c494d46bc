"""Polls: added with their topic, voted in, counted. Nobody ever sees who chose what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from forum import permissions
from forum.models import Poll, PollOption, PollVote, Topic
from models_hub.checking import is_text
from portal.errors import Conflict, InvalidInput
from portal.models import Asker, Event

MAX_OPTIONS = 20
MAX_WORDS = 200  # characters of a question, and of each choice


@dataclass(frozen=True)
class NewPoll:
    """A poll that is to be."""

    question: str
    options: tuple[str, ...]
    max_choices: int = 1
    closes_at: datetime | None = None


@dataclass(frozen=True)
class Choice:
    """One of the choices as a reader sees it; `votes` and `share` are None while results are not for that reader."""

    pk: int
    text: str
    chosen: bool
    votes: int | None
    share: int | None


@dataclass(frozen=True)
class Standing:
    """A poll as one reader sees it."""

    poll: Poll
    choices: list[Choice]
    is_over: bool
    has_voted: bool
    may_vote: bool

    @property
    def shows_results(self) -> bool:
        return self.has_voted or self.is_over


def checked(new: NewPoll | None) -> NewPoll | None:
    """Return a poll as it is kept; raises InvalidInput."""
    if new is None:
        return None
    question = " ".join(new.question.split())
    options = tuple(dict.fromkeys(text for option in new.options if (text := " ".join(option.split()))))
    if not 2 <= len(options) <= MAX_OPTIONS:
        raise InvalidInput(_("A poll has 2 to %(max)d different choices.") % {"max": MAX_OPTIONS})
    if not question or any(len(text) > MAX_WORDS or not is_text(text) for text in (question, *options)):
        raise InvalidInput(_("Question and choices of a poll have 1 to %(max)d characters.") % {"max": MAX_WORDS})
    if not 1 <= new.max_choices <= len(options):
        raise InvalidInput(_("People may choose from one to all of the choices."))
    if new.closes_at is not None and new.closes_at <= timezone.now():
        raise InvalidInput(_("The poll must end in the future."))
    return NewPoll(question, options, new.max_choices, new.closes_at)


def add(topic: Topic, new: NewPoll | None) -> None:
    """Give a new topic its poll, in the caller's transaction."""
    if new is None:
        return
    poll = Poll.objects.create(topic=topic, question=new.question, max_choices=new.max_choices, closes_at=new.closes_at)
    PollOption.objects.bulk_create(
        PollOption(poll=poll, text=text, position=position) for position, text in enumerate(new.options, 1)
    )


def vote(poll: Poll, *, by: Asker, options: Iterable[int]) -> None:
    """Choose; replaces what the same person chose before, and choosing nothing takes the vote back."""
    user, chosen = permissions.require_participant(by, poll.topic), set(options)
    if len(chosen) > poll.max_choices:
        raise InvalidInput(_("Choose at most %(max)d.") % {"max": poll.max_choices})
    with transaction.atomic():
        topic = Topic.objects.select_for_update().get(pk=poll.topic_id)
        if topic.status != Topic.Status.OPEN or is_over(poll):
            raise Conflict(_("This poll is over."))
        known = set(poll.options.values_list("pk", flat=True))
        if not chosen <= known:
            raise InvalidInput(_("This poll has no such choice."))
        mine = PollVote.objects.filter(option__poll=poll, user=user)
        before = set(mine.values_list("option", flat=True))
        mine.filter(option__in=before - chosen).delete()
        PollVote.objects.bulk_create(PollVote(option_id=pk, user=user) for pk in sorted(chosen - before))
        poll.options.filter(pk__in=before - chosen).update(votes=F("votes") - 1)
        poll.options.filter(pk__in=chosen - before).update(votes=F("votes") + 1)
        Poll.objects.filter(pk=poll.pk).update(voters=F("voters") + int(bool(chosen)) - int(bool(before)))
        Event.record("poll.voted", subject=f"topic:{poll.topic_id}", by=user, topic=poll.topic_id, poll=poll.pk)
    poll.refresh_from_db(fields=("voters",))


def close(poll: Poll, *, by: Asker) -> None:
    """End a poll now: its author may, and those who keep order there."""
    permissions.require_decider(by, poll.topic)
    if is_over(poll):
        raise Conflict(_("This poll is over."))
    poll.closes_at = timezone.now()
    poll.save(update_fields=("closes_at",))


def is_over(poll: Poll) -> bool:
    return poll.closes_at is not None and poll.closes_at <= timezone.now()


def standing(topic: Topic, reader: Asker) -> Standing | None:
    """Return the poll of a topic as a reader sees it, None without one; two queries where the poll was loaded."""
    poll: Poll | None = getattr(topic, "poll", None)
    if poll is None:
        return None
    poll.topic = topic
    mine = set()
    if reader.is_authenticated:
        mine = set(PollVote.objects.filter(option__poll=poll, user=reader).values_list("option", flat=True))
    over = is_over(poll) or topic.status != Topic.Status.OPEN
    shows = bool(mine) or over
    choices = [
        Choice(
            option.pk,
            option.text,
            option.pk in mine,
            option.votes if shows else None,
            round(100 * option.votes / poll.voters) if shows and poll.voters else 0 if shows else None,
        )
        for option in poll.options.all()
    ]
    return Standing(poll, choices, over, bool(mine), reader.is_authenticated and not over)
