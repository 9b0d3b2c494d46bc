"""The inbox: who is told of what, in how many rows, and what its owner may still see of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forum import discussing, marking, reading
from forum.models import Ignoring, Level, Post
from models_hub import publishing, restricting, watching
from models_hub.adapting import queues
from models_hub.adapting.queues import QueueWish
from models_hub.models import Repo
from portal import appealing, broadcasting, deciding, inbox, moderating, notifying
from portal.models import Event, Follow, Inbox, Job, Muting, Notice, Notification, User
from worker import relay, telling
from worker.consumers import notifications

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(db):
    """Deliver what happened, and say what a person's inbox shows then."""

    def lines(person: User, **filters: object) -> list[tuple[str, str]]:
        relay.deliver_events()
        person = User.objects.get(pk=person.pk)
        return [(line.row.kind, line.text) for line in inbox.page(person, **filters).lines]

    return lines


@pytest.fixture
def talk(alice, make_repo):
    """A discussion about a model of alice's that alice began."""
    topic = discussing.open_discussion(repo=make_repo(alice), by=alice, title="Which data?", text="Tell us.")
    relay.deliver_events()
    return topic


def unread(person: User) -> int:
    return inbox.count(User.objects.get(pk=person.pk))


def test_answers_to_a_topic_are_one_row_until_it_is_read(told, alice, bob, charlie, talk):
    for one in (bob, charlie, charlie):
        discussing.comment(talk, by=one, text="Mine!")
    assert told(alice) == [("reply", "charlie and bob answered you")]
    assert unread(alice) == 1
    inbox.read_all(alice)
    assert unread(alice) == 0
    discussing.comment(talk, by=bob, text="And more.")
    assert told(alice, unread=True) == [("reply", "bob answered you")]


def test_of_one_post_each_hears_once_by_the_strongest_reason(told, alice, bob, talk):
    first = discussing.comment(talk, by=bob, text="A question")
    Event.objects.all().update(delivered_at="2026-01-01T00:00Z")
    Event.record(
        "discussion.commented", subject=f"repo:{talk.repo_id}", by=alice, topic=talk.pk, post=first.pk,
        post_number=first.number, mentions=[bob.pk], quotes=[bob.pk], replied=bob.pk,
    )  # fmt: skip
    assert told(bob) == [("mention", "alice mentioned you")]


def test_a_repeated_event_tells_nobody_twice(told, alice, bob, talk):
    discussing.comment(talk, by=bob, text="Once")
    told(alice)
    inbox.read_all(alice)
    event = Event.objects.filter(kind="discussion.commented").latest("pk")
    notifications.tell(event)
    assert Notification.objects.filter(user=alice).count() == 1


def test_nobody_hears_of_own_acts_of_bots_or_of_the_ignored(told, alice, bob, charlie, talk):
    discussing.comment(talk, by=alice, text="I again")
    bob.prefer(language="en", theme="", is_bot=True)
    discussing.comment(talk, by=User.objects.get(pk=bob.pk), text="beep")
    Ignoring.objects.create(user=alice, ignored=charlie)
    discussing.comment(talk, by=charlie, text="hello?")
    assert told(alice) == []


def test_what_became_private_or_was_hidden_is_neither_shown_nor_counted(told, alice, bob, make_repo):
    repo = make_repo(alice, "open")
    topic = discussing.open_discussion(repo=repo, by=bob, title="Hm", text="Hm.")
    discussing.comment(topic, by=alice, text="Yes?")
    assert len(told(bob)) == 1
    publishing.set_private(repo, by=alice, private=True)
    assert (told(bob), unread(bob)) == ([], 0)
    publishing.set_private(repo, by=alice, private=False)
    assert (len(told(bob)), unread(bob)) == (1, 1)
    discussing.hide(Post.objects.get(topic=topic, number=2), by=alice)
    assert (told(bob), unread(bob)) == ([], 0)


def test_a_muted_topic_and_a_muted_place_are_silent(told, alice, bob, talk):
    notifying.mute(f"topic:{talk.pk}", by=alice)
    assert talk.readers.get(user=alice).level == Level.MUTED
    discussing.comment(talk, by=bob, text="Anybody?")
    notifying.mute(f"repo:{talk.repo_id}", by=alice)
    assert Muting.objects.get().place == f"repo:{talk.repo_id}"
    assert told(alice) == []


def test_kinds_may_be_switched_off_but_not_those_of_moderators(told, alice, bob, talk):
    inbox.prefer(alice, channels={"reply": "nothing", "moderation": "nothing"}, digest="never")
    discussing.comment(talk, by=bob, text="Psst")
    notifying.notify("moderation", people=[alice], about="", by=None, data={"action": "hide", "path": "/appeals/1"})
    assert told(alice) == [("moderation", "The moderators decided about something of yours")]


def test_who_reported_hears_of_the_decision_and_of_the_appeal_that_was_right(told, alice, bob, charlie, morgan, talk):
    post = discussing.comment(talk, by=bob, text="Psst")
    case = moderating.report(f"post:{post.pk}", by=charlie, reason="spam")
    deciding.decide(case, by=morgan, action="hide", version=case.version)
    assert told(charlie) == [("report", "Moderators agreed with your report and acted")]
    [line] = [one for one in inbox.page(bob).lines if one.row.kind == "moderation"]
    assert (line.title, line.detail) == ("was hidden", f"{talk.title} · spam or advertising")

    appeal = appealing.appeal(Notice.objects.get(), by=bob, text="It was a question.")
    staff = User.objects.create_user("nils", is_staff=True)
    appealing.decide(appeal, by=staff, status="overturned", answer="It was.")
    assert told(charlie)[0] == ("report", "An appeal was right: what you reported is as it was before")
    assert told(bob)[0] == ("appeal", "Your appeal was right: the decision is undone")


def test_who_built_on_a_disabled_model_hears_what_it_was(told, alice, bob, morgan, make_repo):
    base = make_repo(alice, "base")
    make_repo(bob, "tuned", files={"README.md": f"---\nbase_model: {base.full_name}\n---\n"})
    case = moderating.report(f"repo:{base.pk}", by=bob, reason="licence")
    deciding.decide(case, by=morgan, action="disable", version=case.version, text="Its data forbid it.")
    assert ("moderation", str(restricting.DESCENDED)) in told(bob)


def test_watchers_hear_of_versions_and_news(told, alice, bob, make_repo):
    repo = make_repo(alice, files={"README.md": "# x"})
    relay.deliver_events()
    watching.watch(repo, by=bob)
    publishing.commit(repo=repo, by=alice, changes=[publishing.PutFile("a.txt", b"a")], title="One")
    publishing.commit(repo=repo, by=alice, changes=[publishing.PutFile("a.txt", b"b")], title="Two")
    assert told(bob) == [("news", "2 news of what you watch")]


def test_followers_and_their_leaving(told, alice, bob, charlie):
    Follow.begin(alice.namespace, by=bob)
    Follow.begin(alice.namespace, by=charlie)
    assert told(alice) == [("follow", "charlie and bob began to follow you")]
    Follow.end(alice.namespace, by=charlie)
    assert told(alice) == [("follow", "bob began to follow you")]


def test_a_reaction_that_is_taken_back_is_told_no_more(told, alice, bob, talk):
    first = talk.posts.get(number=1)
    for kind in ("like", "thanks"):
        marking.react(first, by=bob, kind=kind)
    assert told(alice) == [("reaction", "bob reacted to your post")]
    marking.unreact(first, by=bob, kind="like")
    assert len(told(alice)) == 1
    marking.unreact(first, by=bob, kind="thanks")
    assert told(alice) == []


def test_watching_again_ends_the_silence(alice, bob, make_repo):
    repo = make_repo(bob, "loud")
    notifying.mute(f"repo:{repo.pk}", by=alice)
    watching.watch(repo, by=alice)
    assert not Muting.objects.exists()


def test_reading_a_topic_reads_what_was_told_of_it(told, alice, bob, talk):
    discussing.comment(talk, by=bob, text="See")
    assert (len(told(alice)), unread(alice)) == (1, 1)
    reader = User.objects.get(pk=alice.pk)
    talk.refresh_from_db()
    reading.mark(talk, reader, upto=2)
    assert unread(alice) == 0


def test_many_watchers_are_told_by_a_job_that_may_die_at_any_batch(told, alice, talk, monkeypatch):
    monkeypatch.setattr(telling, "FEW", 2)
    monkeypatch.setattr(telling, "BATCH", 3)
    people = User.objects.bulk_create(User(username=f"w{n}") for n in range(8))
    talk.readers.bulk_create([talk.readers.model(topic=talk, user=one, level=Level.WATCHING) for one in people])
    discussing.comment(talk, by=alice, text="To all")
    relay.deliver_events()
    job, event = Job.objects.get(kind="tell_watchers"), Event.objects.filter(kind="discussion.commented").latest("pk")
    assert not Notification.objects.exists()
    telling.tell_next(event)  # and then the worker is killed
    assert Notification.objects.count() == 2  # one of the three is alice, who said it
    while telling.tell_next(event):
        pass
    assert not telling.tell_next(event)
    notifications.tell(event)
    assert Notification.objects.filter(kind="watching").count() == 8
    assert job.spec == {"event": event.pk}


def test_very_many_share_one_row_which_each_takes_in_by_looking(told, alice, bob, charlie, talk, monkeypatch):
    monkeypatch.setattr(telling, "FEW", 1)
    monkeypatch.setattr(telling, "MANY", 1)
    for one in (bob, charlie):
        talk.readers.create(user=one, level=Level.WATCHING)
    discussing.comment(talk, by=alice, text="To the world")
    relay.deliver_events()
    event = Event.objects.filter(kind="discussion.commented").latest("pk")
    while telling.tell_next(event):
        pass
    assert not Notification.objects.exists()
    assert (unread(bob), unread(bob)) == (1, 1)
    assert told(bob) == [("watching", "alice wrote in a topic that you watch")]
    assert [row.user for row in Notification.objects.all()] == [bob]
    broadcasting.pull(bob)
    assert Notification.objects.count() == 1


def test_a_page_of_the_inbox_costs_the_same_for_many_rows(alice, bob, talk, django_assert_max_num_queries):
    for n in range(40):
        key = f"post:{Post.objects.create(topic=talk, number=n + 2, author=bob).pk}"
        notifying.notify("mention", people=[alice], about=key, by=bob, place=f"topic:{talk.pk}")
    alice.refresh_from_db()
    with django_assert_max_num_queries(9):
        page = inbox.page(alice)
    assert len(page.lines) == 30
    rest = inbox.page(alice, before=page.next_before)
    assert (len(rest.lines), rest.next_before) == (10, None)


def test_a_page_of_the_inbox_asks_only_for_the_people_whom_it_shows(alice, bob, charlie, monkeypatch):
    monkeypatch.setattr(inbox, "PAGE_ROWS", 2)
    for by in (charlie, bob, bob):
        notifying.notify("follow", people=[alice], about="", by=by)
    alice.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        lines = inbox.page(alice).lines
    assert [line.actors for line in lines] == [[bob], [bob]]
    people = [query["sql"] for query in queries if 'FROM "portal_user"' in query["sql"]]
    assert len(people) == 1
    assert f" IN ({bob.pk})" in people[0]


def test_as_much_is_kept_as_is_promised(alice, monkeypatch):
    monkeypatch.setattr(inbox, "KEEP_ROWS", 3)
    for n in range(5):
        notifying.notify("trust", people=[alice], about="", by=None, data={"before": 0, "after": n})
    Notification.objects.filter(pk=Notification.objects.latest("pk").pk).update(created_at="2020-01-01T00:00Z")
    inbox.forget_old()
    assert [row.data["after"] for row in alice.notifications.order_by("pk")] == [1, 2, 3]


def test_choices_are_kept_only_where_they_differ(alice):
    inbox.prefer(alice, channels={"reply": "page", "follow": "page"}, digest="daily")
    kept = Inbox.objects.get(user=alice)
    assert (kept.channels, kept.digest) == ({"reply": "page"}, "daily")


def test_who_is_asked_to_label_hears_of_it_once_there_are_rows(told, alice, bob, charlie, make_repo):
    rows = '{"text": "a"}\n{"text": "b"}\n'
    data = make_repo(alice, "to-label", kind="dataset", files={"train.jsonl": rows})
    wish = QueueWish(
        task="text-classification", data="alice/to-label", path="train.jsonl", labels=["good", "bad"], people=["bob"]
    )
    queue = queues.ask(wish, by=alice)
    assert told(bob) == []
    taken = {"line": 1, "question": {"text": "a"}}
    job = Job.claim(queue.job.pk, worker="w", lease=timedelta(minutes=1))
    queues.filled(queue, job=job, rows=[taken], labels=["good", "bad"], report={})
    assert told(bob) == [("labelling", "alice asks you to label rows")]
    assert inbox.page(bob).lines[0].path == queue.get_absolute_url()
    queues.share(queue, ["bob", "charlie"])
    assert told(charlie) == [("labelling", "alice asks you to label rows")]
    assert unread(bob) == 1
    Repo.objects.filter(pk=data.pk).update(private=True)
    assert told(charlie) == []
