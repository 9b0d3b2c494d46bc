"""Whoever wanted to see a post again at a time is told then, once."""

from datetime import timedelta

from django.utils import timezone

from forum import discussing
from forum.models import Bookmark
from worker.reminding import remind


def test_a_bookmark_reminds_once_and_at_its_time(alice, bob, make_repo):
    post = discussing.open_discussion(repo=make_repo(bob), by=bob, title="Hello", text="A word.").posts.get()
    soon = timezone.now() + timedelta(hours=1)
    kept = Bookmark.objects.create(post=post, user=alice, note="Read it again.", remind_at=soon)
    remind()
    assert not alice.notifications.exists()
    Bookmark.objects.filter(pk=kept.pk).update(remind_at=timezone.now())
    remind()
    remind()
    assert [row.kind for row in alice.notifications.all()] == ["reminder"]
