"""What may be posted: limits of new people, watched words, duplicates, links, attack mode, and what waits."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forum import admission, discussing
from forum.models import Category, Post, Topic
from forum.opening import NewTopic, open_topic
from models_hub import publishing
from models_hub.publishing import PutFile
from portal import deciding, judging, moderating, watched_words
from portal.errors import InvalidInput, NotAllowed, TooOften
from portal.models import Case, Event, ModerationRules, Notice, Restraint, Trust, WatchedWord
from worker.consumers import moderation as consumer


@pytest.fixture
def room(db):
    return Category.objects.create(slug="admission-room", title_en="Room")


@pytest.fixture
def strict(settings):
    settings.NEWCOMER_LIMITS = True


def admit(by, text, place, **more):
    return admission.admit(by=by, text=text, place=place, **more)


def watch(morgan, word, action, value=""):
    return watched_words.add(by=morgan, word=word, action=action, value=value)


@pytest.mark.parametrize(
    "text",
    ["https://a.example https://b.example https://c.example", "![a](/x) ![b](/y)", "@alice @bob @carol come and see"],
)
def test_new_people_have_limits_that_are_named_before(charlie, room, strict, text):
    said = admission.limits_of(charlie).sentences()
    assert "2 links" in said[0]
    with pytest.raises(InvalidInput, match="While you are new"):
        admit(charlie, text, room)
    assert admit(charlie, f"```\n{text}\n```", room).text  # code calls nobody and links nowhere


def test_trusted_people_have_none(charlie, room, strict):
    Trust.objects.create(user=charlie, level=1)
    assert admission.limits_of(charlie).sentences() == []
    assert not admit(charlie, "https://a.example https://b.example https://c.example", room).held


def test_writers_of_a_repository_are_at_home_in_it(alice, bob, room, make_repo, strict):
    links = "https://a.example https://b.example https://c.example"
    repo = make_repo(alice)
    assert not admit(alice, links, repo).held
    with pytest.raises(InvalidInput):
        admit(bob, links, repo)


def test_the_first_day_has_an_end(charlie, room, strict):
    for number in range(admission.TOPICS_A_DAY):
        topic = Topic.objects.create(category=room, title=f"t{number}", author=charlie)
        Post.objects.create(topic=topic, number=1, author=charlie, text="x")
    with pytest.raises(TooOften):
        admit(charlie, "One more topic today.", room)
    charlie.date_joined = timezone.now() - timedelta(days=2)
    assert not admit(charlie, "One more topic today.", room).held


def test_the_same_text_is_refused_for_some_minutes_whoever_sends_it(alice, charlie, room, strict):
    admit(alice, "Look at this wonderful offer of ours", room)
    with pytest.raises(TooOften, match="The same text"):
        admit(charlie, "look at  this wonderful OFFER of ours", room)
    admit(charlie, "thanks", room)
    admit(alice, "thanks", room)


def test_links_to_one_host_again_and_again_wait(charlie, room, strict):
    texts = [f"Number {number}, see https://www.spam.example/{number}" for number in range(3)]
    assert [admit(charlie, text, room).held for text in texts] == [False, False, True]


def test_nobody_types_a_first_post_in_a_second(charlie, room, strict):
    assert admit(charlie, "A text that was pasted.", room, seconds=0.8).why == admission.HURRIED
    assert not admit(charlie, "A text that was typed.", room, seconds=9).held


def test_under_attack_posts_of_new_people_wait(charlie, alice, room, settings, client):
    Trust.objects.create(user=alice, level=2)
    ModerationRules.objects.create(pk=1, attack_until=timezone.now() + timedelta(hours=1))
    assert admit(charlie, "Is anybody there?", room).why == admission.ATTACKED
    assert not admit(alice, "I am here.", room).held
    assert "sign up" in client.get("/accounts/signup/").text.lower()
    assert 'name="password1"' not in client.get("/accounts/signup/").text


def test_mail_of_closed_hosts_cannot_sign_up(client, db):
    ModerationRules.objects.create(pk=1, closed_mail_hosts="throwaway.example")
    form = {"username": "nina", "email": "n@in.throwaway.example", "password1": "x7Kq-long-enough-19"}
    assert "Please use another address" in client.post("/accounts/signup/", form).text


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("free coins", "Get FREE  coins here"),
        ("free coins", "Get f\u200bree co\u200dins here"),
        ("free coins", "Get ｆｒｅｅ　ｃｏｉｎｓ here"),
        ("代写论文", "這裡可以代寫論文"),
        ("代寫", "找人代写吗"),
    ],
)
def test_words_are_found_however_they_are_written(morgan, word, text):
    watch(morgan, word, "block")
    assert [hit.word.word for hit in watched_words.current().find(text)] == [word]


def test_a_word_of_letters_stands_alone(morgan):
    watch(morgan, "ass", "block")
    assert watched_words.current().find("a class of assets") == []
    assert len(watched_words.current().find("you ass!")) == 1


def test_a_blocked_word_is_named_to_its_author(morgan, charlie, room):
    watch(morgan, "bad thing", "block")
    with pytest.raises(InvalidInput, match="Bad Thing"):
        admit(charlie, "This is a Bad Thing.", room)


def test_texts_are_masked_replaced_and_linked(morgan, charlie, room):
    watch(morgan, "damn", "censor")
    watch(morgan, "colour", "replace", "color")
    watch(morgan, "the rules", "link", "https://portal.example/rules")
    text = admit(charlie, "Damn, which colour says `colour` in the rules?", room).text
    assert text == "■■■■, which color says `colour` in [the rules](https://portal.example/rules)?"


def test_a_word_may_silence_its_author(morgan, charlie, room):
    watch(morgan, "viagra", "silence")
    assert admit(charlie, "Buy viagra", room).held
    assert Restraint.objects.get().person == charlie
    assert Notice.objects.get(person=charlie).decision.by_machine
    with pytest.raises(NotAllowed):
        admit(charlie, "More words", room)


def test_a_word_that_is_removed_does_nothing(morgan, charlie, room):
    word = watch(morgan, "kitten", "block")
    watched_words.remove(word, by=morgan)
    assert admit(charlie, "kitten", room).text == "kitten"


def said(repo, by, text):
    topic = discussing.open_discussion(repo=repo, by=by, title="A question", text=text)
    return topic, Event.objects.filter(kind__startswith="discussion.").latest("id")


def test_what_waits_is_let_in_or_not(morgan, alice, charlie, bob, make_repo, as_user):
    watch(morgan, "perhaps spam", "hold")
    topic, event = said(make_repo(alice), charlie, "This is perhaps spam.")
    assert topic.held_at
    consumer.hold(event)
    consumer.hold(event)
    case = Case.objects.get(kind="held")
    assert as_user(bob).get(topic.path).status_code == 404
    page = as_user(morgan).get("/moderation?kind=held").text
    assert "A question" in page
    deciding.decide(case, by=morgan, action="approve", version=case.version)
    assert as_user(bob).get(topic.path).status_code == 200
    assert Event.objects.filter(kind="discussion.opened").count() == 1


def test_what_is_not_let_in_stays_with_its_author(morgan, alice, charlie, bob, make_repo):
    topic = discussing.open_discussion(repo=make_repo(alice), by=bob, title="Hi", text="A first word")
    watch(morgan, "perhaps spam", "hold")
    discussing.comment(topic, by=charlie, text="This is perhaps spam.")
    consumer.hold(Event.objects.get(kind="discussion.comment_held"))
    case = Case.objects.get(kind="held")
    deciding.decide(case, by=morgan, action="refuse", version=case.version)
    post = topic.posts.get(author=charlie)
    topic.refresh_from_db()
    assert (post.is_hidden, topic.comments) == (True, 0)
    assert Notice.objects.get(person=charlie)


def test_a_flagged_word_reports_the_post_once(morgan, alice, charlie, make_repo):
    watch(morgan, "my password is", "flag")
    _topic, event = said(make_repo(alice), charlie, "Oh, my password is hunter2.")
    consumer.look(event)
    consumer.look(event)
    case = Case.objects.get(kind="report")
    assert (case.reports_count, case.reports.get().data) == (1, {"words": "my password is"})


@pytest.mark.parametrize("is_pull_request", [False, True])
def test_what_is_said_while_closing_waits_as_anything_else(morgan, alice, charlie, make_repo, is_pull_request):
    watch(morgan, "cheap followers", "hold")
    repo = make_repo(alice)
    if is_pull_request:
        change = PutFile("a.txt", b"a")
        pull, _commit = publishing.propose(repo=repo, by=charlie, title="A", description="", changes=[change])
        topic = discussing.find(repo, pull.number)
    else:
        topic = discussing.open_discussion(repo=repo, by=charlie, title="A", text="b")
    discussing.change_status(topic, by=charlie, status="closed", comment="Buy cheap followers here.")
    topic.refresh_from_db()
    assert topic.status == "closed"
    assert Post.objects.get(topic=topic, text__contains="followers").held_at is not None
    consumer.hold(Event.objects.filter(kind="discussion.comment_held").latest("pk"))
    assert Case.objects.get(kind="held").reports.get().text == admission.WATCHED


def test_an_article_waits_for_its_reviewer_who_is_named_to_the_ledgers(morgan, alice):
    room = Category.objects.create(slug="admission-articles", title_en="Articles", reviews_articles=True)
    topic = open_topic(category=room, by=alice, new=NewTopic("How I pruned a model", "Step by step."))
    assert topic.held_at is not None
    consumer.hold(Event.objects.filter(kind="topic.held").latest("pk"))
    case = Case.objects.get(kind="held")
    assert case.reports.get().text == admission.REVIEWED
    deciding.decide(case, by=morgan, action="approve", version=case.version)
    topic.refresh_from_db()
    assert topic.held_at is None
    approved = Event.objects.get(kind="article.approved")
    assert (approved.subject, approved.actor) == (f"topic:{topic.pk}", morgan)


def test_stewards_judge_in_their_rooms_alone(alice, bob, charlie, room, morgan):
    from forum.models import Steward

    other = Category.objects.create(slug="admission-other", title_en="Other")
    Steward.objects.create(category=room, user=bob, until=timezone.now() + timedelta(days=1))
    cases = []
    for place in (room, other):
        topic = Topic.objects.create(category=place, title="A topic", author=charlie)
        post = Post.objects.create(topic=topic, number=1, author=charlie, text="words")
        cases.append(moderating.report(f"post:{post.pk}", by=alice, reason="off-topic"))
    assert list(judging.open_to(bob)) == [cases[0]]
    assert [one.name for one in judging.choices(cases[0], bob)] == [
        "dismiss", "ignore", "nudge", "edit_note", "hide", "remove",
    ]  # fmt: skip
    with pytest.raises(NotAllowed):
        deciding.decide(cases[1], by=bob, action="hide", version=cases[1].version)
    deciding.decide(cases[0], by=bob, action="edit_note", version=cases[0].version, text="Please stay on topic.")
    assert Post.objects.get(topic__category=room).data["mod_note"] == "Please stay on topic."


def test_staff_try_a_text_on_the_page_of_words(morgan, as_user):
    browser = as_user(morgan)
    browser.post("/moderation/words", {"word": "Damn", "action": "censor", "value": ""})
    assert WatchedWord.objects.get().folded == "damn"
    page = browser.post("/moderation/words", {"try": "1", "text": "Oh damn it"}).text
    assert "■■■■" in page
    assert "Damn" not in browser.post(f"/moderation/words/{WatchedWord.objects.get().pk}/removal", follow=True).text
    assert (
        browser.post("/moderation/words", {"word": "x", "action": "link", "value": "javascript:1"}).status_code == 400
    )
