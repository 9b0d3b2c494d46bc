"""A person's year, the feed of what one follows, and where follows end; all of it only as far as the reader may see."""

import pytest

from forum import deeds as forum_deeds
from forum import discussing, levels
from forum.models import Level, Post, Topic
from models_hub import liking, publishing, watching
from models_hub.changes import PutFile
from portal import contributions, feed
from portal.models import Event, Follow, Namespace
from tests.badges import world

pytestmark = pytest.mark.django_db
ACTIVITY = "/fragments/people/alice/activity"
PRIVACY = ("year", "activity", "follows", "likes")


def change(repo, by, title="Mend it"):
    publishing.commit(repo=repo, by=by, title=title, changes=[PutFile("a.txt", title.encode())])


def titles(page):
    return [line.subject.title for line in page.lines]


def counts(person, reader):
    year = contributions.year(Namespace.objects.get(user=person), reader)
    return {str(kind): sum(month.counts[place] for month in year.months) for place, kind in enumerate(year.kinds)}


def test_a_year_counts_all_that_was_contributed(alice, bob, client):
    repo, theirs = world.model(alice), world.model(bob)
    Event.record("repo.committed", subject=f"repo:{repo.pk}", by=alice)
    own = world.evaluation(theirs, world.benchmark(bob), alice)
    world.run_again(world.evaluation(repo, world.benchmark(bob), bob), alice)
    world.run_again(own, bob)
    world.answered(bob, alice)
    world.topic(alice)
    assert counts(alice, bob) == {
        "Commits": 1, "Evaluations": 1, "Reproductions": 1, "Posts": 1, "Accepted answers": 1,
    }  # fmt: skip
    assert "5 contributions in view" in client.get(ACTIVITY).text


def test_what_the_reader_may_not_see_is_neither_counted_nor_told(alice, bob, make_repo, client, as_user):
    hidden = make_repo(alice, "hidden-thing", private=True, files={"a.txt": "x"})
    world.evaluation(hidden, world.benchmark(bob), alice)
    talk = discussing.open_discussion(repo=hidden, by=alice, title="Quiet", text="So.")
    room = world.topic(alice)
    room.category.__class__.objects.update(readers="staff")
    assert Post.objects.filter(topic=talk).exists()
    page = client.get(ACTIVITY).text
    assert "0 contributions in view" in page
    assert "hidden-thing" not in page
    assert not feed.by(alice.namespace, bob).lines
    mine = as_user(alice).get(ACTIVITY).text
    assert "hidden-thing" in mine
    assert "5 contributions in view" in mine


def test_posts_that_are_hidden_or_wait_do_not_count(alice, bob):
    topic = world.topic(bob)
    for facts in ({"hidden_at": world.ago(1)}, {"held_at": world.ago(1)}):
        world.post(topic, alice, **facts)
    assert counts(alice, bob) == {}


def test_the_picture_is_a_table_and_has_another_by_months(alice, client, make_repo):
    make_repo(alice, files={"a.txt": "x"})
    page = client.get(ACTIVITY).text
    assert page.count("<table") == 2
    assert page.count('<th scope="row">') >= 8
    assert page.count('class="level-') >= 365


def test_people_choose_what_others_see(alice, bob, charlie, as_user, make_repo, client):
    repo = make_repo(alice, "bert")
    liking.like(repo, by=alice)
    Follow.begin(bob.namespace, by=alice)
    Follow.begin(alice.namespace, by=charlie)
    seen = {part: _is_seen(client, part) for part in PRIVACY}
    assert all(seen.values())
    as_user(alice).post("/settings/privacy", {})
    assert not any(_is_seen(client, part) for part in PRIVACY)
    assert not feed.of(charlie).lines
    assert client.get("/feed/alice.atom").text.count("<entry>") == 0
    assert all(_is_seen(as_user(alice), part) for part in PRIVACY)
    assert client.get("/api/users/alice/following").json() == []
    assert client.get("/api/users/alice/likes").json() == []


def _is_seen(browser, part) -> bool:
    return {
        "year": lambda: "in view within a year" in browser.get(ACTIVITY).text,
        "activity": lambda: "Latest" in browser.get(ACTIVITY).text,
        "follows": lambda: (
            browser.get("/alice?tab=following").status_code == 200
            and "/alice" in browser.get("/bob?tab=followers").text.split('id="content"')[1]
        ),
        "likes": lambda: (
            browser.get("/alice?tab=likes").status_code == 200
            and "alice/bert" in browser.get("/fragments/people/alice/likes").text
        ),
    }[part]()


def test_the_feed_tells_of_people_organizations_models_and_topics(alice, bob, charlie, team, make_repo):
    watched = make_repo(alice, "watched")
    shared = make_repo(bob, "shared", namespace="team")
    Follow.begin(bob.namespace, by=charlie)
    Follow.begin(team.namespace, by=charlie)
    watching.watch(watched, by=charlie)
    topic = world.topic(alice)
    levels.set_level(topic, charlie, Level.WATCHING)
    change(watched, alice)
    change(shared, alice)
    world.evaluation(watched, world.benchmark(alice), alice)
    post = world.post(topic, alice)
    Event.record("topic.commented", subject=f"topic:{topic.pk}", by=alice, topic=topic.pk, post=post.pk)
    make_repo(bob, "own")
    make_repo(alice, "elsewhere")
    told = titles(feed.of(charlie))
    assert list(dict.fromkeys(told))[:4] == ["bob/own", "A topic", "team/shared", "alice/watched"]
    assert "alice/elsewhere" not in told
    assert "alice/watched" not in titles(feed.of(charlie, show="people"))
    assert "bob/own" not in titles(feed.of(charlie, show="things"))


def test_the_feed_asks_for_rights_when_it_is_read(alice, charlie, make_repo, as_user):
    repo = make_repo(alice, "bert")
    Follow.begin(alice.namespace, by=charlie)
    assert "alice/bert" in as_user(charlie).get("/feed").text
    publishing.set_private(repo, by=alice, private=True)
    assert "alice/bert" not in as_user(charlie).get("/feed").text


def test_what_waits_for_a_look_is_told_to_its_author_alone(alice, bob, charlie):
    topic = world.topic(bob)
    post = world.post(topic, alice, held_at=world.ago(1))
    Event.record("topic.commented", subject=f"topic:{topic.pk}", by=alice, topic=topic.pk, post=post.pk)
    assert not feed.by(alice.namespace, charlie).lines
    assert titles(feed.by(alice.namespace, alice)) == ["A topic"]


def test_the_same_again_and_again_is_one_line(alice, charlie, make_repo, as_user):
    repo = make_repo(alice, "bert")
    watching.watch(repo, by=charlie)
    for number in range(3):
        change(repo, alice, f"Change {number}")
    lines = feed.of(charlie).lines
    assert [(line.detail, line.times) for line in lines[:1]] == [("Change 2", 4)]
    assert "4 times" in as_user(charlie).get("/feed").text


def test_the_feed_goes_on_where_it_ended(alice, charlie, make_repo, monkeypatch):
    monkeypatch.setattr(feed, "PAGE", 2)
    monkeypatch.setattr(feed, "LOOKED", 3)
    for number in range(5):
        repo = make_repo(alice, f"bert-{number}")
        watching.watch(repo, by=charlie)
    found, before = [], None
    for _turn in range(9):
        page = feed.of(charlie, before=before)
        found += titles(page)
        before = page.next_before
        if before is None:
            break
    assert list(dict.fromkeys(found)) == [f"alice/bert-{number}" for number in (4, 3, 2, 1, 0)]


def test_ones_own_acts_are_no_news_and_likes_only_of_people(alice, charlie, make_repo):
    repo = make_repo(alice, "bert")
    watching.watch(repo, by=charlie)
    liking.like(repo, by=charlie)
    liking.like(repo, by=alice)
    assert [line.said for line in feed.of(charlie).lines] == ["created"]


def test_the_feed_costs_the_same_for_one_and_for_many(
    alice, bob, charlie, make_repo, as_user, django_assert_num_queries
):
    browser, costs = as_user(charlie), []
    Follow.begin(bob.namespace, by=charlie)
    for number in range(6):
        repo = make_repo(alice, f"bert-{number}", files={"a.txt": "x"})
        watching.watch(repo, by=charlie)
        topic = world.topic(bob)
        Event.record("topic.opened", subject=f"topic:{topic.pk}", by=bob, topic=topic.pk)
        world.evaluation(repo, world.benchmark(bob), bob)
        if number in (0, 5):
            browser.get("/feed")
            with django_assert_num_queries(13) as counted:
                browser.get("/feed")
            costs.append(len(counted))
    assert len(set(costs)) == 1


def test_feeds_are_for_people_who_are_signed_in(client, as_user, alice):
    for page in ("/feed", "/settings/following"):
        assert client.get(page)["Location"].startswith("/accounts/login/")
    assert as_user(alice).get("/feed?show=nothing").status_code == 404
    assert as_user(alice).post("/feed").status_code == 405
    assert "Nothing yet" in as_user(alice).get("/feed").text


def test_feed_readers_get_what_everybody_may_see(client, alice, make_repo):
    make_repo(alice, "bert", files={"a.txt": "x"})
    make_repo(alice, "hidden-thing", private=True)
    answer = client.get("/feed/alice.atom")
    assert answer["Content-Type"].startswith("application/atom+xml")
    assert "alice changed alice/bert" in answer.text
    assert "hidden-thing" not in answer.text
    assert client.get("/feed/nobody.atom").status_code == 404


def test_all_that_is_followed_stands_in_one_place_and_ends_there(alice, bob, charlie, team, make_repo, as_user):
    Follow.begin(bob.namespace, by=charlie)
    Follow.begin(team.namespace, by=charlie)
    watching.watch(make_repo(alice, "bert"), by=charlie)
    topic = world.topic(alice)
    levels.set_level(topic, charlie, Level.WATCHING)
    levels.set_level(topic.category, charlie, Level.WATCHING)
    browser = as_user(charlie)
    for kind, titles_ in {
        "names": ("bob", "The Team"), "repositories": ("alice/bert",), "topics": ("A topic",), "categories": ("help",),
    }.items():  # fmt: skip
        page = browser.get(f"/settings/following?kind={kind}").text
        for title in titles_:
            assert title in page.split('id="followed"')[1]
        for address in _ends(page):
            assert browser.post(address).status_code == 302
        assert 'id="followed"' not in browser.get(f"/settings/following?kind={kind}").text
    assert browser.get("/settings/following?kind=cars").status_code == 404


def _ends(page: str) -> list[str]:
    return [piece.split('"')[0] for piece in page.split('action="')[1:] if piece.startswith("/settings/following/")]


def test_nobody_ends_what_another_follows(alice, bob, charlie, as_user):
    Follow.begin(bob.namespace, by=charlie)
    as_user(alice).post(f"/settings/following/names/{Follow.objects.get().pk}/removal")
    assert Follow.objects.exists()


def test_topics_that_are_hidden_later_are_listed_no_more(alice, charlie):
    topic = world.topic(alice)
    levels.set_level(topic, charlie, Level.WATCHING)
    Topic.objects.update(hidden_at=world.ago(1))
    assert forum_deeds._topics(charlie, None, 10) == []


def test_a_profile_shows_reproduced_scores_and_accepted_answers(alice, bob, client, make_repo):
    repo = world.model(bob)
    found = world.evaluation(repo, world.benchmark(bob), alice)
    world.run_again(found, bob)
    world.evaluation(repo, world.benchmark(bob), alice)
    world.answered(bob, alice)
    page = client.get("/fragments/people/alice/evaluations").text
    assert page.count('href="/evaluations/') == 2
    only = client.get("/fragments/people/alice/evaluations?only=reproduced").text
    assert "reproduced 1 time" in only
    assert f"/evaluations/{found.pk}" in only
    assert client.get("/fragments/people/alice/answers").text.count("A topic") == 1
    assert "No accepted answers" in client.get("/fragments/people/bob/answers").text
    for tab in ("evaluations", "answers"):
        assert f"/fragments/people/alice/{tab}" in client.get(f"/alice?tab={tab}").text
