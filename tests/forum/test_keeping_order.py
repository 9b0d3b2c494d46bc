"""Those who keep order: topics closed, pinned, moved, split and merged; categories and stewards."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forum import founding, keeping_order, opening, rearranging
from forum.models import Category, Post, Steward, Topic
from forum.opening import NewTopic
from portal import trust, trusting
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Term, Trust, User
from portal.models.mod_log import LogEntry


@pytest.fixture
def rooms(db) -> list[Category]:
    return [Category.objects.create(slug=slug, title_en=slug.title()) for slug in ("here", "there")]


@pytest.fixture
def topic(rooms: list[Category], alice: User, bob: User) -> Topic:
    made = opening.open_topic(category=rooms[0], by=alice, new=NewTopic("A long talk", "It begins."))
    for number in range(3):
        opening.reply(made, by=bob, text=f"Answer {number}.")
    return made


@pytest.fixture
def steward(rooms: list[Category], charlie: User, morgan: User) -> User:
    founding.appoint(rooms[0], by=morgan, name="charlie", months=3)
    return charlie


def test_a_steward_keeps_order_in_one_category_for_a_term(topic, rooms, steward, alice):
    keeping_order.pin(topic, by=steward, until=timezone.now() + timedelta(days=1), reason="Good")
    elsewhere = opening.open_topic(category=rooms[1], by=alice, new=NewTopic("Elsewhere", "x"))
    with pytest.raises(NotAllowed):
        keeping_order.slow(elsewhere, by=steward, seconds=60)

    Steward.objects.update(until=timezone.now())
    with pytest.raises(NotAllowed):
        keeping_order.unpin(topic, by=steward)
    assert LogEntry.objects.filter(action="topic.pinned", target=f"topic:{topic.pk}").get().text == "Good"
    assert Post.objects.get(kind="note").data["what"] == "pinned"


def test_a_note_does_not_bring_a_topic_to_the_top(topic, steward):
    before = Topic.objects.get().last_post_id
    keeping_order.slow(topic, by=steward, seconds=60)

    assert Topic.objects.get().last_post_id == before


def test_a_closed_topic_takes_no_answers_and_its_author_does_not_open_it(topic, steward, alice, bob):
    keeping_order.close(topic, by=steward, reason="Done")
    with pytest.raises(Conflict):
        opening.reply(opening.find(topic.pk, bob), by=bob, text="But …")
    with pytest.raises(NotAllowed):
        keeping_order.reopen(topic, by=alice)

    keeping_order.reopen(topic, by=steward)
    keeping_order.close(topic, by=alice)
    keeping_order.reopen(topic, by=alice)


def test_an_author_takes_a_topic_away_while_nobody_has_answered(topic, rooms, alice):
    with pytest.raises(NotAllowed):
        keeping_order.delete(topic, by=alice)
    lonely = opening.open_topic(category=rooms[0], by=alice, new=NewTopic("Nobody came", "x"))
    keeping_order.delete(lonely, by=alice)

    with pytest.raises(NotFound):
        opening.find(lonely.pk, alice)
    rooms[0].refresh_from_db()
    assert (rooms[0].topic_count, rooms[0].post_count) == (1, 4)


def test_posts_are_split_off_and_the_topics_say_so(topic, steward, as_user):
    new = rearranging.split(topic, by=steward, numbers=[3, 4], title="Another matter", reason="Off topic")

    assert list(new.posts.filter(kind="comment").values_list("number", "text")) == [(1, "Answer 1."), (2, "Answer 2.")]
    assert list(topic.posts.filter(kind="comment").values_list("number", flat=True)) == [1, 2]
    assert (topic.comments, new.comments) == (1, 1)
    assert "Another matter" in as_user(None).get(topic.path).content.decode()
    with pytest.raises(InvalidInput):
        rearranging.split(topic, by=steward, numbers=[1, 2], title="All of it")


def test_a_merged_topic_leads_to_the_one_that_took_its_posts(topic, rooms, steward, alice, as_user):
    other = opening.open_topic(category=rooms[0], by=alice, new=NewTopic("The same again", "Once more."))
    rearranging.merge(other, by=steward, into=topic, reason="Twice")

    assert topic.posts.filter(kind="comment").order_by("number").last().text == "Once more."
    assert as_user(None).get(other.path)["Location"] == topic.path
    assert Topic.objects.get(pk=topic.pk).comments == 4


def test_a_topic_moves_only_to_where_its_mover_may_bring_it(topic, rooms, steward, morgan):
    rearranging.move(topic, by=steward, to=rooms[1])
    for room in rooms:
        room.refresh_from_db()
    assert [room.post_count for room in rooms] == [0, 4]

    Category.objects.filter(pk=rooms[0].pk).update(readers="staff")
    with pytest.raises(NotAllowed):
        rearranging.move(topic, by=steward, to=rooms[0])
    rearranging.move(topic, by=morgan, to=rooms[0])


def test_the_page_of_order_does_it_and_is_not_for_others(topic, rooms, as_user, morgan, alice, bob):
    address = f"/forum/topics/{topic.pk}/order"
    assert as_user(bob).get(address).status_code == 403
    assert as_user(None).get(address).status_code in {302, 401}
    assert "Your topic" in as_user(alice).get(address).content.decode()
    assert as_user(alice).post(f"{address}/pin", {"until": "24"}).status_code == 403

    staff = as_user(morgan)
    assert staff.post(f"{address}/names", {"title": "A better name"}).status_code == 302
    assert staff.post(f"{address}/tags", {"tags": "one, two", "kind": "question"}).status_code == 302
    assert staff.post(f"{address}/slow", {"seconds": "600"}).status_code == 302
    assert staff.post(f"{address}/split", {"numbers": "0-x", "title": "T", "category": "here"}).status_code == 400
    made = staff.post(f"{address}/split", {"numbers": "2-3", "title": "Split", "category": "there"})
    other = Topic.objects.get(title="Split")
    assert made["Location"] == other.path
    assert staff.post(f"{address}/merge", {"into": other.path}).status_code == 302
    topic.refresh_from_db()
    assert (topic.title, topic.kind, topic.slow_seconds, topic.merged_into) == ("A better name", "question", 600, other)


def test_staff_found_and_change_categories(rooms, as_user, morgan, alice):
    assert as_user(alice).get("/forum/categories").status_code == 403
    form = {"slug": "fresh", "title_en": "Fresh", "title_zh": "新", "icon": "chat", "color": "blue", "position": "9",
            "readers": "everyone", "trust_to_open": "0", "trust_to_reply": "0", "slow_seconds": "0"}  # fmt: skip
    assert as_user(morgan).post("/forum/categories/new", form).status_code == 302
    assert as_user(morgan).post("/forum/c/fresh/settings", form | {"title_en": "Fresher"}).status_code == 302
    assert as_user(alice).post("/forum/c/fresh/settings", form).status_code == 403

    as_user(morgan).post("/forum/c/fresh/stewards", {"name": "alice", "months": "3"})
    assert Steward.objects.get().user == alice
    assert "Fresher" in as_user(alice).get("/forum/c/fresh", headers={"Accept-Language": "en"}).content.decode()


def test_a_new_portal_has_categories_and_an_old_one_keeps_its_own(db):
    assert founding.found() == len(founding.FIRST)
    assert founding.found() == 0
    assert Category.objects.get(slug="questions").asks_questions


def test_people_of_level_three_arrange_topics_of_others_and_no_more(rooms, as_user, alice, bob, charlie):
    room, other = rooms
    topic = opening.open_topic(category=room, by=alice, new=NewTopic("How smal is it?", "Tell me."))
    news = Category.objects.create(slug="news", title_en="News", staff_open=True)
    within = Category.objects.create(slug="within", title_en="Within", readers="members")
    reviewed = Category.objects.create(slug="articles", title_en="Articles", reviews_articles=True)
    Trust.objects.update_or_create(user=bob, defaults={"level": 3})
    page = f"/forum/topics/{topic.pk}/order"

    acts = ("names", {"title": "How small is it?"}), ("tags", {"tags": "size"}), ("move", {"category": "there"})
    for act, form in acts:
        assert as_user(bob).post(f"{page}/{act}", form).status_code == 302, act
    topic.refresh_from_db()
    assert (topic.title, topic.category, topic.tag_links.count()) == ("How small is it?", other, 1)
    assert set(LogEntry.objects.values_list("action", "actor_name")) == {
        ("topic.renamed", "bob"), ("topic.retagged", "bob"), ("topic.moved", "bob")
    }  # fmt: skip
    assert "order/pin" not in as_user(bob).get(page).content.decode()
    for place in (news, within, reviewed):
        with pytest.raises(NotAllowed):
            rearranging.move(topic, by=bob, to=place)
    for act, form in (("closure", {}), ("slow", {"seconds": "60"}), ("removal", {})):
        assert as_user(bob).post(f"{page}/{act}", form).status_code == 403, act
    assert as_user(charlie).get(page).status_code == 403
    opening_post = topic.posts.get(number=1).pk
    assert page in as_user(bob).get(f"/forum/posts/{opening_post}").content.decode()
    assert page not in as_user(charlie).get(f"/forum/posts/{opening_post}").content.decode()


def test_a_steward_of_a_category_is_one_of_level_four_in_one_act_and_no_longer_than_there(rooms, steward, morgan):
    founding.appoint(rooms[1], by=morgan, name="charlie", months=6)
    assert trust.level(steward) == 4
    assert Term.objects.serving().get().until == Steward.objects.get(category=rooms[1]).until

    founding.dismiss(Steward.objects.get(category=rooms[1]), by=morgan)
    assert trust.level(steward) == 4
    founding.dismiss(Steward.objects.get(), by=morgan)
    assert trust.level(steward) == 0


def test_whose_term_is_ended_keeps_order_nowhere(rooms, topic, steward, morgan):
    trusting.end_term(steward, by=morgan)
    with pytest.raises(NotAllowed):
        keeping_order.slow(topic, by=steward, seconds=60)
    assert LogEntry.objects.filter(action="steward.dismissed", target=f"category:{rooms[0].pk}").exists()


def test_search_engines_follow_the_links_of_people_of_level_three(rooms, alice, bob):
    Trust.objects.update_or_create(user=bob, defaults={"level": 3})
    said = '[one](https://a.example "rel=\\"nofollow noopener\\"") `<a rel="nofollow noopener">`'
    looks = [opening.open_topic(category=rooms[0], by=by, new=NewTopic("Links", f"{said} {by}")) for by in (alice, bob)]
    unknown, known = (one.posts.get(number=1).html for one in looks)
    assert 'rel="nofollow noopener">one' in unknown
    assert 'rel="noopener">one' in known
    assert known.count("nofollow") == 2, "of what is a title and what is code nothing is taken away"
