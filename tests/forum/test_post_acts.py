"""What is done with posts: edited, hidden, reacted to, accepted, voted in, kept, quoted."""

import pytest
from django.test import Client

from forum import opening, polling
from forum.models import Bookmark, Category, Poll, Topic
from forum.opening import NewTopic
from forum.polling import NewPoll
from portal.errors import Conflict, InvalidInput, TooOften
from portal.models import Event


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def test_an_edit_keeps_what_was_said_with_the_lines_that_changed(answer, as_user, bob, alice):
    assert as_user(alice).get(f"/forum/posts/{answer.pk}/edit").status_code == 404
    as_user(bob).post(f"/forum/posts/{answer.pk}/edit", {"text": "Quite small."})

    shown = page(as_user(None), f"/forum/posts/{answer.pk}/history")
    assert "<del>Very small.</del>" in shown
    assert "<ins>Quite small.</ins>" in shown


def test_a_hidden_post_shows_its_words_nowhere(answer, as_user, bob, charlie, alice):
    answer.topic.refresh_from_db()
    assert as_user(charlie).post(f"/forum/posts/{answer.pk}/hiding").status_code == 403
    as_user(bob).post(f"/forum/posts/{answer.pk}/hiding")

    for address in (answer.topic.path, f"/forum/posts/{answer.pk}"):
        assert "Very small." not in page(as_user(charlie), address)
    assert as_user(charlie).get(f"/forum/posts/{answer.pk}/history").status_code == 404
    assert as_user(charlie).get(f"/forum/posts/{answer.pk}/quotation").status_code == 404


def test_reactions_are_put_and_taken_back_but_not_on_ones_own(answer, as_user, alice, bob):
    address = f"/forum/posts/{answer.pk}/reactions/like"
    as_user(alice).post(address)
    answer.refresh_from_db()
    assert (answer.reactions, Topic.objects.get().likes) == ({"like": 1}, 1)

    as_user(alice).post(address)
    answer.refresh_from_db()
    assert (answer.reactions, Topic.objects.get().likes) == ({}, 0)
    assert as_user(bob).post(address).status_code == 403


def test_a_button_answers_with_the_post_as_it_is_now(answer, as_user, alice):
    headers = {"HX-Request": "true"}
    told = as_user(alice).post(f"/forum/posts/{answer.pk}/reactions/thanks", headers=headers).content.decode()

    assert told.lstrip().startswith("<article")
    assert "is-mine" in told


def test_who_asked_accepts_an_answer_and_a_stranger_does_not(answer, as_user, alice, charlie):
    assert as_user(charlie).post(f"/forum/posts/{answer.pk}/acceptance").status_code == 403
    as_user(alice).post(f"/forum/posts/{answer.pk}/acceptance")

    told = Event.objects.get(kind="topic.accepted").payload
    assert (told["asker"], told["answerer"]) == (alice.pk, answer.author_id)
    assert Topic.objects.get().accepted == answer
    as_user(alice).post(f"/forum/posts/{answer.pk}/acceptance")
    assert Topic.objects.get().accepted is None


def test_votes_are_secret_until_one_has_voted_and_may_be_changed(room, alice, bob, as_user):
    new = NewTopic("Choose", "Please.", poll=NewPoll("Which?", ("one", "two")))
    topic = opening.open_topic(category=room, by=alice, new=new)
    one, two = Poll.objects.get().options.all()
    before = polling.standing(Topic.objects.get(), bob)
    assert before is not None
    assert before.choices[0].votes is None

    as_user(bob).post(f"/forum/topics/{topic.pk}/vote", {"option": one.pk})
    as_user(bob).post(f"/forum/topics/{topic.pk}/vote", {"option": two.pk})
    after = polling.standing(Topic.objects.get(), bob)
    assert after is not None
    assert [choice.votes for choice in after.choices] == [0, 1]
    assert Poll.objects.get().voters == 1
    with pytest.raises(InvalidInput):
        polling.vote(Poll.objects.get(), by=bob, options=[one.pk, two.pk])


def test_a_poll_that_is_over_takes_no_votes(room, alice, bob):
    poll = NewPoll("Which?", ("one", "two"))
    opening.open_topic(category=room, by=alice, new=NewTopic("Choose", "Please.", poll=poll))
    polling.close(Poll.objects.get(), by=alice)

    with pytest.raises(Conflict):
        polling.vote(Poll.objects.get(), by=bob, options=[Poll.objects.get().options.all()[0].pk])


def test_a_bookmark_keeps_a_post_and_forgets_it_with_its_right(answer, as_user, alice):
    as_user(alice).post(f"/forum/posts/{answer.pk}/bookmark", {"note": "for later", "remind": "24"})
    assert "for later" in page(as_user(alice), "/forum/bookmarks")
    assert Bookmark.objects.get().remind_at is not None

    Category.objects.update(readers="staff")
    assert "for later" not in page(as_user(alice), "/forum/bookmarks")


def test_slow_mode_asks_for_patience(topic, bob, morgan):
    topic.slow_seconds = 3600
    opening.reply(topic, by=bob, text="One.")

    with pytest.raises(TooOften):
        opening.reply(topic, by=bob, text="Two, at once.")
    opening.reply(topic, by=morgan, text="Staff may.")
    opening.reply(topic, by=morgan, text="Again.")


def test_a_quotation_of_some_words_has_the_head_of_the_whole(answer, as_user, alice):
    told = as_user(alice).get(f"/forum/posts/{answer.pk}/quotation").json()

    assert told["text"] == f"{told['head']}> Very small.\n\n"
