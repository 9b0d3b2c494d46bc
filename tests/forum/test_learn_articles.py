"""Articles of the community: listed once they were let in, by language, with translations that somebody checked."""

import pytest
from django.test import Client
from django.utils import timezone

from forum import badge_rules, founding, opening, rearranging
from forum.learning import articles
from forum.models import Article, Category, Topic
from forum.opening import NewTopic
from portal import deciding, moderating
from portal.errors import InvalidInput, NotAllowed
from portal.models import Event, Trust, User

ENGLISH = "A small model of 12,000 parameters told good films from bad ones on my phone."
CHINESE = "一个只有一万两千个参数的小模型，在我的手机上分清了好电影和坏电影，用的是 BERT。"
pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Category:
    founding.found()
    return Category.objects.get(slug="articles")


def written(room: Category, author: User, title: str, text: str, tags: tuple[str, ...] = ()) -> Topic:
    return opening.open_topic(category=room, by=author, new=NewTopic(title, text, tags=tags))


def let_in(topic: Topic, by: User) -> None:
    case = moderating.hold(f"topic:{topic.pk}", why="")
    deciding.decide(case, by=by, action="approve", version=case.version)


@pytest.fixture
def pair(room, alice, bob, morgan) -> tuple[Topic, Topic]:
    """An article of alice and what bob says is its translation, both let in."""
    first = written(room, alice, "Small and quick", ENGLISH, ("robustness",))
    second = written(room, bob, "又小又快", CHINESE)
    for topic in (first, second):
        let_in(topic, morgan)
    articles.describe(articles.find(second.pk, bob), by=bob, language="zh", original=first.path)
    return first, second


@pytest.fixture
def reader(morgan) -> User:
    """Somebody of level 3, who is not staff."""
    person = User.objects.create_user("rita", "rita@example.org")
    Trust.objects.update_or_create(user=person, defaults={"level": 3})
    return person


def test_an_article_is_listed_when_it_was_let_in(room, alice, morgan):
    topic = written(room, alice, "Waiting words", ENGLISH)
    assert "Waiting words" not in Client().get("/learn/articles").content.decode()
    let_in(topic, morgan)
    for address in ("/learn/articles", "/learn", "/learn/articles.atom"):
        assert "Waiting words" in Client().get(address).content.decode()


def test_articles_are_listed_by_language(pair):
    page = Client().get("/learn/articles?language=zh").content.decode()
    assert "又小又快" in page
    assert "Small and quick" not in page


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (CHINESE, "zh"), ("`中文`: a word", "en"), ("", "en")])
def test_the_language_of_a_text_is_seen_from_its_characters(text, language):
    assert articles.language_of(text) == language


def test_below_an_article_stand_its_translations_and_guides_of_its_tags(pair):
    first, second = pair
    page = Client().get(first.path).content.decode()
    assert second.path in page
    assert "/learn/test-robustness" in page
    assert first.path in Client().get(second.path).content.decode()


def test_a_translation_is_of_another_article_in_another_language(pair, room, alice, bob):
    first, second = pair
    article = articles.find(second.pk, bob)
    for original, language in ((first.path, "en"), (second.path, "zh"), ("/alice", "zh"), ("nonsense", "zh")):
        with pytest.raises(InvalidInput):
            articles.describe(article, by=bob, language=language, original=original)


def test_only_the_author_and_who_keeps_order_say_what_an_article_is(pair, as_user, charlie, bob):
    _first, second = pair
    address = f"/learn/articles/{second.pk}"
    assert as_user(charlie).post(address, {"language": "en"}).status_code == 403
    assert as_user(bob).post(address, {"language": "zh", "original": ""}).status_code == 302
    assert Article.objects.get(pk=second.pk).translation_of is None
    assert as_user(bob).post(address, {"language": "zh", "original": "/nowhere"}).status_code == 400
    assert Client().get("/learn/articles/999999").status_code == 404


def test_a_reader_of_level_three_accepts_a_translation(pair, as_user, reader):
    _first, second = pair
    client, address = as_user(reader), f"/learn/articles/{second.pk}/acceptance"
    assert client.post(address).status_code == 400
    assert client.post(address, {"sure": "on"}).status_code == 302
    assert Article.objects.get(pk=second.pk).accepted_by == reader
    assert Event.objects.get(kind="translation.accepted").payload["author"] == second.author_id
    assert client.post(address, {"sure": "on"}).status_code == 403


def test_translations_that_wait_are_a_list_of_their_own(pair, reader):
    assert "?waiting=1" in Client().get("/learn/articles").content.decode()
    waiting = Client().get("/learn/articles?waiting=1").content.decode()
    assert pair[1].path in waiting
    assert pair[0].path not in waiting
    articles.accept(articles.find(pair[1].pk, reader), by=reader)
    assert "?waiting=1" not in Client().get("/learn/articles").content.decode()


def test_neither_its_author_nor_a_newcomer_accepts_a_translation(pair, bob, charlie):
    for person in (bob, charlie):
        with pytest.raises(NotAllowed):
            articles.accept(articles.find(pair[1].pk, person), by=person)


def test_an_accepted_translation_counts_for_its_author_while_it_stands(pair, bob, reader):
    assert not list(badge_rules.translations([bob.pk]))
    articles.accept(articles.find(pair[1].pk, reader), by=reader)
    fact = next(badge_rules.translations([bob.pk]))
    assert (fact.user, fact.giver, fact.key) == (bob.pk, reader.pk, f"topic:{pair[1].pk}")
    articles.take_back(articles.find(pair[1].pk, reader), by=reader)
    assert not list(badge_rules.translations([bob.pk]))


def test_another_original_has_to_be_accepted_anew(pair, bob, reader):
    articles.accept(articles.find(pair[1].pk, reader), by=reader)
    articles.describe(articles.find(pair[1].pk, bob), by=bob, language="zh", original="")
    assert not Article.objects.get(pk=pair[1].pk).is_accepted


def test_a_topic_that_is_moved_among_articles_gets_a_language(room, alice, morgan):
    site = Category.objects.get(slug="site")
    topic = opening.open_topic(category=site, by=alice, new=NewTopic("小结", CHINESE))
    rearranging.move(topic, by=morgan, to=room)
    assert Article.objects.get(pk=topic.pk).language == "zh"


def test_what_waits_or_is_hidden_is_no_original_and_no_neighbour(pair, room, alice, bob, morgan):
    waiting = written(room, alice, "Not yet", ENGLISH + " Again.")
    with pytest.raises(InvalidInput):
        articles.describe(articles.find(pair[1].pk, bob), by=bob, language="zh", original=waiting.path)
    Topic.objects.filter(pk=pair[1].pk).update(hidden_at=timezone.now())
    assert pair[1].path not in Client().get(pair[0].path).content.decode()


def test_a_list_of_articles_asks_the_same_however_long_it_is(pair, room, alice, morgan, django_assert_max_num_queries):
    for number in range(15):
        topic = written(room, morgan, f"Number {number}", f"{ENGLISH} {number}", ("speed",))
        assert topic.held_at is None
    with django_assert_max_num_queries(9):
        page = Client().get("/learn/articles").content.decode()
    assert "Number 14" in page
    assert "Small and quick" not in page
    assert "Small and quick" in Client().get(f"/learn/articles?before={topic.pk - 13}").content.decode()


def test_the_page_of_an_article_asks_few_questions(pair, django_assert_max_num_queries):
    Client().get(pair[1].path)
    with django_assert_max_num_queries(9):
        assert Client().get(pair[0].path).status_code == 200
