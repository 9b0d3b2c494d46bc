"""Lists of topics and their pages, as guests, readers and those who may not enter see them."""

from collections.abc import Callable
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from forum import boards, indexing, levels, opening, reading, searching, viewing
from forum.admission import Admission
from forum.models import Category, Level, Post, Topic, TopicReader
from forum.opening import NewTopic
from forum.searching import Question
from portal.models import User
from worker.consumers import search_words

MOST = 9


@pytest.fixture(autouse=True)
def everybody_is_let_in(monkeypatch):
    """What newcomers may not yet is tried elsewhere."""
    monkeypatch.setattr(opening, "admit", lambda **sent: Admission(held=False, text=sent["text"], why=""))


@pytest.fixture
def room(db) -> Category:
    Category.objects.all().delete()
    return Category.objects.create(slug="talk", title_en="Talk", title_zh="聊天", asks_questions=True)


@pytest.fixture
def back_room(room: Category) -> Category:
    return Category.objects.create(slug="back", title_en="Back room", readers="staff", position=9)


@pytest.fixture
def begin(room: Category, alice: User) -> Callable[..., Topic]:
    def begin(
        title: str = "A topic", *, by: User = alice, place: Category = room, text: str = "Words.", **more
    ) -> Topic:
        return opening.open_topic(category=place, by=by, new=NewTopic(title=title, text=text, **more))

    return begin


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def many(topic: Topic, author: User, upto: int) -> None:
    """Give a topic plain posts up to a number, quickly."""
    rows = [Post(topic=topic, number=n, author=author, text=f"said {n}", html=f"<p>said {n}</p>", renderer=99)
            for n in range(2, upto + 1)]  # fmt: skip
    made = Post.objects.bulk_create(rows)
    Topic.objects.filter(pk=topic.pk).update(last_number=upto, comments=upto - 1, last_post=made[-1])


@pytest.fixture(autouse=True)
def looks_are_kept(monkeypatch):
    """Posts that `many` made have a look already."""
    monkeypatch.setattr("forum.posting.render_again", lambda repo, posts: None)


def test_the_first_page_has_categories_and_the_latest_topics(begin, as_user):
    begin("Which tokenizer?", tags=["tokenizer"])
    shown = page(as_user(None), "/forum")
    assert "Talk" in shown
    assert "Which tokenizer?" in shown
    assert "1 topic" in shown


def test_what_not_everybody_may_enter_is_nowhere_to_be_seen(begin, back_room, as_user, morgan, charlie):
    secret = begin("Hidden plans", by=morgan, place=back_room, tags=["plans"], text="Of secretwords.")
    indexing.index(secret.posts.values_list("pk", flat=True))
    for client in (as_user(None), as_user(charlie)):
        for address in ("/forum", "/forum/latest", "/forum/tags", "/forum/search?q=secretwords", "/forum/latest.atom",
                        "/forum/people/morgan.atom", "/fragments/forum/search?q=plans"):  # fmt: skip
            assert "Hidden plans" not in page(client, address), address
            assert "Back room" not in page(client, address), address
        assert "/forum/tags/plans" not in page(client, "/forum/tags")
        assert "plans" not in page(client, "/fragments/names/tag?search=pl")
        page(client, "/forum/tags/plans", 404)
        page(client, "/forum/tags/plans.atom", 404)
        for address in ("/forum/c/back", secret.path, f"/forum/t/{secret.pk}.atom", "/forum/c/back.atom",
                        f"/forum/topics/{secret.pk}/read?upto=1"):  # fmt: skip
            page(client, address, 404)
        assert client.get(f"/forum/topics/{secret.pk}/news?after=0").status_code == 204
    assert "Hidden plans" in page(as_user(morgan), "/forum/latest")
    page(as_user(morgan), f"/forum/t/{secret.pk}.atom", 404)  # feeds have no reader


def test_discussions_of_private_repositories_are_not_found(alice, charlie, make_repo, room):
    from forum import discussing

    repo = make_repo(alice, "hush", private=True)
    talk = discussing.open_discussion(repo=repo, by=alice, title="Quiet", text="About zyxwords.")
    indexing.index(talk.posts.values_list("pk", flat=True))

    assert len(searching.find(Question("zyxwords"), alice, [room]).hits) == 1
    assert not searching.find(Question("zyxwords"), charlie, [room]).hits
    assert not searching.find(Question("zyxwords", latest=True), charlie, [room]).hits


def test_pages_of_a_list_begin_at_a_post_and_lead_on_and_back(begin, as_user, monkeypatch):
    monkeypatch.setattr(boards, "PAGE", 2)
    topics = [begin(f"Topic number {n}") for n in range(5)]
    keys = [topic.last_post_id for topic in topics]

    first = page(as_user(None), "/forum/latest")
    assert "Topic number 4" in first
    assert f"before={keys[3]}" in first
    second = page(as_user(None), f"/forum/latest?before={keys[3]}")
    assert "Topic number 2" in second
    assert "Topic number 3" not in second
    assert f"after={keys[2]}" in second
    assert "Topic number 4" in page(as_user(None), f"/forum/latest?after={keys[2]}")
    assert "No topics here" in page(as_user(None), "/forum/latest?before=1")


def test_questions_are_filtered_and_the_most_liked_come_first(begin, as_user, alice, bob):
    begin("An open question")
    solved = begin("A solved one")
    answer = opening.reply(solved, by=bob, text="So it goes.")
    Topic.objects.filter(pk=solved.pk).update(accepted=answer, likes=3)

    assert "An open question" not in page(as_user(None), "/forum/latest?show=solved")
    assert "A solved one" not in page(as_user(None), "/forum/latest?show=unsolved")
    assert "A solved one" not in page(as_user(None), "/forum/latest?show=unanswered")
    for span in ("week", "all"):
        assert "A solved one" in page(as_user(None), f"/forum/latest?show=top&span={span}")
    shown = page(as_user(None), Topic.objects.get(pk=solved.pk).path)
    assert "Solved by bob in #2" in shown


def test_a_pinned_topic_stands_on_top_once(begin, as_user):
    pinned = begin("Read me first")
    begin("Something later")
    Topic.objects.filter(pk=pinned.pk).update(pinned_until=timezone.now() + timedelta(days=1), pinned_everywhere=True)
    shown = page(as_user(None), "/forum/latest")
    assert shown.count("Read me first") == 1
    assert shown.index("Read me first") < shown.index("Something later")


def test_pages_of_a_topic_are_ranges_of_numbers(begin, as_user, alice, bob):
    topic = begin("A long topic")
    many(topic, bob, 45)
    Post.objects.filter(topic=topic, number__range=(21, 40)).delete()

    first = page(as_user(None), topic.path)
    assert 'id="post-20"' in first
    assert 'id="post-41"' not in first
    assert "moved or removed" in page(as_user(None), f"{topic.path}?page=2")
    assert 'id="post-45"' in page(as_user(None), f"{topic.path}?post=44")
    page(as_user(None), f"{topic.path}?page=4", 404)
    today = timezone.now().date().isoformat()
    assert as_user(None).get(f"{topic.path}?date={today}")["Location"].endswith("?post=1#post-1")
    assert as_user(None).get(f"/forum/t/{topic.pk}/other-words?page=3")["Location"] == f"{topic.path}?page=3"


def test_reading_goes_on_where_it_stopped(begin, as_user, alice, bob):
    topic = begin()
    many(topic, bob, 30)
    topic.refresh_from_db()
    assert 'id="unread"' not in page(as_user(bob), topic.path)
    assert as_user(alice).post(f"/forum/topics/{topic.pk}/read", {"upto": "5", "seconds": "20"}).status_code == 204
    shown = page(as_user(alice), topic.path)
    assert shown.index('id="unread"') < shown.index('id="post-6"')
    assert f"/forum/topics/{topic.pk}/read?upto=20" in shown  # for browsers without scripts
    assert as_user(alice).get(f"/forum/topics/{topic.pk}/read?upto=20")["Content-Type"] == "image/gif"
    assert TopicReader.objects.get(user=alice, topic=topic).last_read == 20
    assert ">1<" in page(as_user(alice), "/forum/unread/count")
    assert "?post=21#post-21" in page(as_user(alice), "/forum/unread")


def test_posts_of_others_come_to_an_open_page(begin, as_user, alice, bob):
    topic = begin()
    address = f"/forum/topics/{topic.pk}/news?after=1"
    assert as_user(alice).get(address).status_code == 204

    opening.reply(topic, by=bob, text="Hello there")
    answer = as_user(alice).get(address)
    assert answer.status_code == 200
    assert "Hello there" in answer.content.decode()


def test_what_waits_is_seen_by_its_author_and_those_who_keep_order(begin, as_user, alice, bob, charlie, morgan):
    topic = begin()
    post = opening.reply(topic, by=bob, text="Perhaps spam")
    Post.objects.filter(pk=post.pk).update(held_at=timezone.now())
    for who, sees in ((None, False), (charlie, False), (bob, True), (morgan, True)):
        assert ("Perhaps spam" in page(as_user(who), topic.path)) == sees
    Post.objects.filter(pk=post.pk).update(held_at=None, hidden_at=timezone.now())
    for who, sees in ((None, False), (charlie, False), (bob, True), (morgan, True)):
        assert ("Perhaps spam" in page(as_user(who), topic.path)) == sees


def test_posts_of_people_one_ignores_are_folded(begin, as_user, alice, bob):
    topic = begin()
    opening.reply(topic, by=bob, text="Noise")
    assert as_user(alice).post("/forum/people/bob/ignoring", {"next": topic.path})["Location"] == topic.path
    assert "By somebody whom you ignore." in page(as_user(alice), topic.path)
    assert as_user(alice).post("/forum/people/bob/ignoring", {"heed": "1", "next": "//evil"})["Location"] == "/forum"
    assert "By somebody whom you ignore." not in page(as_user(alice), topic.path)


def test_levels_and_marks_are_set_by_forms(begin, room, as_user, charlie):
    topic = begin()
    client = as_user(charlie)
    assert client.post(f"/forum/topics/{topic.pk}/level", {"level": "3"}).status_code == 302
    assert client.post("/forum/c/talk/level", {"level": "2"}).status_code == 302
    assert client.post("/forum/c/talk/level", {"level": "9"}).status_code == 400
    assert levels.level_of(topic, charlie) == Level.WATCHING
    assert client.post("/forum/read").status_code == client.post("/forum/c/talk/read").status_code == 302
    assert reading.count_unread(charlie) == 0
    assert as_user(None).post("/forum/read").status_code in {302, 401}


@pytest.mark.parametrize("count", [3, 25])
def test_pages_ask_few_questions_however_much_they_show(
    count, begin, as_user, alice, bob, django_assert_max_num_queries
):
    topics = [begin(f"Topic {n}", tags=["one", "two"]) for n in range(count)]
    many(topics[0], bob, count)
    opening.reply(topics[1], by=bob, text="Unread")
    for who in (None, alice):
        client = as_user(who)
        for address in ("/forum", "/forum/latest", "/forum/c/talk", "/forum/tags/one", "/forum/unread",
                        "/forum/unread/new", "/forum/tags", "/forum/latest.atom", topics[0].path):  # fmt: skip
            with django_assert_max_num_queries(MOST):
                answer = client.get(address)
            assert len(answer.content) < 60_000


def test_feeds_are_atom(begin, as_user, alice):
    topic = begin("In a feed", tags=["fed"], text="With \x0bodd & <b>words</b>")
    for address in ("/forum/latest.atom", "/forum/c/talk.atom", "/forum/tags/fed.atom", f"/forum/t/{topic.pk}.atom",
                    "/forum/people/alice.atom"):  # fmt: skip
        feed = ElementTree.fromstring(page(as_user(None), address))
        titles = [one.text for one in feed.iter("{http://www.w3.org/2005/Atom}title")]
        assert "In a feed" in titles, address


def test_views_are_counted_and_written_later(begin, as_user):
    viewing.flush()
    topic = begin()
    page(as_user(None), topic.path)
    page(as_user(None), topic.path)
    viewing.flush()
    topic.refresh_from_db()
    assert topic.views == 2


def test_search_finds_english_and_chinese_by_words_titles_first(begin, as_user, alice, bob, room):
    quantized = begin("量化后准确率下降", text="八位量化后，情感分类的准确率低了三个点。", tags=["quantization"])
    other = begin("Pruning heads", text="After that we also quantized it: 我们也做了量化。")
    opening.reply(other, by=bob, text="Which learning rates did you choose?")
    indexing.index(Post.objects.values_list("pk", flat=True))

    def found(text: str, **more) -> list[str]:
        hits = searching.find(Question(text, **more), alice, [room]).hits
        return ["".join(piece.text for piece in hit.title) for hit in hits]

    assert found("量化") == [quantized.title, other.title]
    assert found("準確率") == [quantized.title]  # traditional characters
    assert found("learning rate") == [other.title]
    assert found("prun") == [other.title]
    assert found("量化", author="bob") == []
    assert found("量化", tag="quantization") == [quantized.title]
    assert found("量化", kind="article") == found("量化", solved=True) == []
    assert found("量化", until=timezone.now().date() - timedelta(days=1)) == []
    assert found("heads nosuchword") == [other.title]  # loosely
    assert "<mark>量化</mark>" in page(as_user(None), "/forum/search?q=量化")
    assert "<mark>Pruning</mark>" in page(as_user(None), "/fragments/forum/search?q=pruning")


def test_posts_are_indexed_by_their_events_and_older_ones_by_upkeep(begin, alice, room):
    from portal.models import Event

    topic = begin("A findable title")
    search_words.index(Event.objects.filter(kind="topic.opened").latest("pk"))
    assert searching.find(Question("findable"), alice, [room]).hits
    begin("Another findable title")
    Post.objects.get(topic=topic, number=1).found_by.delete()
    assert indexing.index_missing(seconds=5) == 2
    assert indexing.index_missing(seconds=5) == 0
    assert len(searching.find(Question("findable"), alice, [room]).hits) == 2
