"""A post hidden after reports is shown again when its author changes it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forum import discussing
from forum.models import Post
from portal import deciding, judging, moderating
from portal.errors import Conflict, InvalidInput
from portal.models import LogEntry, ReporterScore

BAD = "Get rich with this one model, write to me today"
GOOD = "This model gave me odd answers; how did you train it?"


@pytest.fixture
def post(alice, bob, make_repo):
    topic = discussing.open_discussion(repo=make_repo(alice), by=bob, title="Hello", text=BAD)
    return topic.posts.get(number=1)


@pytest.fixture
def hide(post, charlie):
    """Report it with so much weight that the portal hides it, a while ago."""

    def now(minutes: int = 11) -> Post:
        ReporterScore.objects.update_or_create(person=charlie, defaults={"agreed": 20})
        moderating.report(f"post:{post.pk}", by=charlie, reason="spam")
        Post.objects.filter(pk=post.pk).update(hidden_at=timezone.now() - timedelta(minutes=minutes))
        post.refresh_from_db()
        assert post.is_hidden
        return post

    return now


def test_its_author_changes_it_and_it_is_shown_again(hide, bob, charlie, as_user):
    post = hide()
    place = f"/alice/bert/discussions/1/comments/{post.pk}"
    assert place in as_user(bob).get("/alice/bert/discussions/1").text
    assert "hidden after reports" in as_user(bob).get(place).text
    assert as_user(charlie).get(place).status_code == 404
    as_user(bob).post(place, {"text": GOOD})
    assert GOOD.split(";")[0] in as_user(charlie).get("/alice/bert/discussions/1").text
    assert LogEntry.objects.filter(action="hide.undone", actor_name="bob").exists()


def test_what_it_said_before_is_read_by_nobody_any_more(hide, bob, charlie, as_user):
    post = hide()
    discussing.edit(post, by=bob, text=GOOD)
    assert BAD not in as_user(charlie).get(f"/alice/bert/discussions/1/comments/{post.pk}").text
    assert BAD not in as_user(charlie).get("/api/models/alice/bert/discussions/1").text
    assert BAD not in as_user(charlie).get(f"/forum/posts/{post.pk}/history").text


def test_not_in_the_first_minutes_and_not_without_a_change(hide, bob):
    with pytest.raises(Conflict):
        discussing.edit(hide(minutes=3), by=bob, text=GOOD)
    Post.objects.update(hidden_at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(InvalidInput):
        discussing.edit(Post.objects.get(), by=bob, text=BAD)


def test_only_once(hide, bob, morgan):
    post = hide()
    discussing.edit(post, by=bob, text=GOOD)
    case = judging.open_to(morgan).get()
    deciding.decide(case, by=morgan, action="hide", version=case.version)
    Post.objects.update(hidden_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(Conflict):
        discussing.edit(Post.objects.get(), by=bob, text="Once more, with other words.")


def test_what_moderators_removed_or_its_author_hid_stays_away(hide, bob, morgan):
    post = hide()
    case = judging.open_to(morgan).get()
    deciding.decide(case, by=morgan, action="remove", version=case.version)
    post.refresh_from_db()
    with pytest.raises(Conflict):
        discussing.edit(post, by=bob, text=GOOD)
    other = discussing.comment(post.topic, by=bob, text="A second thing to say.")
    discussing.hide(other, by=bob)
    Post.objects.filter(pk=other.pk).update(hidden_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(Conflict):
        discussing.edit(other, by=bob, text=GOOD)
