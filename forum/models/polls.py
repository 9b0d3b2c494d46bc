"""Polls: a question with choices in the opening post of a topic."""

from django.db import models

from forum.models.topics import Topic
from portal.models import User


class Poll(models.Model):
    """A poll of a topic. Nobody sees who chose what; how many chose it, everybody who voted or once it is over."""

    topic = models.OneToOneField(Topic, models.CASCADE, related_name="poll")
    question = models.CharField(max_length=200)
    max_choices = models.PositiveSmallIntegerField(default=1)
    closes_at = models.DateTimeField(null=True, blank=True)
    voters = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.question


class PollOption(models.Model):
    """One of the choices, and how many chose it."""

    poll = models.ForeignKey(Poll, models.CASCADE, related_name="options")
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField()
    votes = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("poll", "position"), name="poll_position_once"),)

    def __str__(self) -> str:
        return self.text


class PollVote(models.Model):
    """A person chose an option."""

    option = models.ForeignKey(PollOption, models.CASCADE, related_name="rows")
    user = models.ForeignKey(User, models.CASCADE, related_name="poll_votes")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("option", "user"), name="poll_vote_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} chose {self.option_id}"
