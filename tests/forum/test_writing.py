"""Writing in the forum as people do: topics, answers, names and cards, discussions of repositories."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from forum import discussing, drafting, naming, opening, showing
from forum.models import Category, Post, Topic
from forum.opening import NewTopic
from forum.polling import NewPoll
from models_hub.models import Repo
from portal.errors import InvalidInput, NotAllowed, NotFound
from portal.models import Event, Organization, User
from tests.forum import pictures
from tests.pages.payloads import document


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def look(post: Post, reader: Any) -> str:
    return str(showing.shown(post.html, reader))


def test_a_topic_is_begun_in_the_browser_with_tags_and_a_poll(room, as_user, alice):
    form = {"category": "how", "title": "Which one?", "text": "*Please* say", "tags": "Bert，tiny models", "kind": ""}
    poll = {"question": "Which?", "options": "one\ntwo\n", "max_choices": "1", "closes": "24"}

    response = as_user(alice).post("/forum/new", form | poll)

    topic = Topic.objects.get()
    assert response["Location"] == topic.path
    assert topic.kind == "question"
    assert sorted(topic.tag_links.values_list("tag__name", flat=True)) == ["bert", "models", "tiny"]
    shown = page(as_user(None), topic.path)
    assert "<em>Please</em>" in shown
    assert "Which?" in shown
    assert topic.poll.closes_at is not None


def test_the_page_begins_with_the_template_of_the_category_and_needs_somebody(room, as_user, alice):
    assert "What I tried:" in page(as_user(alice), "/forum/new?category=how")
    assert as_user(None).get("/forum/new").status_code == 302


def test_what_was_refused_stays_in_the_form(room, as_user, alice):
    response = as_user(alice).post("/forum/new", {"category": "how", "title": "Kept", "text": "", "tags": ""})

    assert response.status_code == 400
    assert 'value="Kept"' in response.content.decode()


@pytest.mark.parametrize(("readers", "status"), [("members", 200), ("staff", 404)])
def test_a_category_that_somebody_may_not_enter_takes_nothing(topic, as_user, bob, readers, status):
    Category.objects.update(readers=readers)

    assert as_user(bob).get(f"/forum/topics/{topic.pk}/replies").status_code == status
    assert as_user(None).get(topic.path).status_code == 404


def test_only_staff_begin_announcements_and_all_answer_them(room, alice, morgan):
    Category.objects.update(staff_open=True)
    room.refresh_from_db()

    with pytest.raises(NotAllowed):
        opening.open_topic(category=room, by=alice, new=NewTopic("A title", "A text"))
    made = opening.open_topic(category=room, by=morgan, new=NewTopic("News", "A text"))
    assert opening.reply(made, by=alice, text="Good.").number == 2


def test_an_answer_names_its_post_and_the_event_says_who_is_concerned(topic, as_user, bob, charlie):
    first = topic.posts.get()
    quote = as_user(bob).get(f"/forum/posts/{first.pk}/quotation").json()["text"]
    as_user(bob).post(f"/forum/topics/{topic.pk}/replies", {"text": f"{quote}So, @charlie.", "to": first.pk})

    told = Event.objects.get(kind="topic.commented").payload
    assert (told["quotes"], told["mentions"], told["replied"]) == ([topic.author_id], [charlie.pk], topic.author_id)
    assert Post.objects.get(number=2).reply_to == first


def test_code_calls_nobody_and_more_than_ten_are_too_many(topic, bob, charlie, make_users):
    post = opening.reply(topic, by=bob, text="`@charlie`\n\n```\n@charlie\n```\n\nmail@charlie.org")

    assert Event.objects.filter(kind="topic.commented").latest("pk").payload["mentions"] == []
    assert "mention" not in post.html
    with pytest.raises(InvalidInput, match="at most 10"):
        opening.reply(topic, by=bob, text=" ".join(f"@{name}" for name in make_users(11)))


@pytest.fixture
def make_users(db) -> Callable[[int], list[str]]:
    return lambda count: [User.objects.create_user(f"many{n}").username for n in range(count)]


def test_an_organization_is_called_by_its_members_alone(topic, team: Organization, alice, bob, charlie):
    assert naming.named_in("@team", by=alice, repo=None).mentions == (bob.pk,)
    assert naming.named_in("@team", by=charlie, repo=None).mentions == ()


def test_what_a_text_names_is_a_card_for_whoever_sees_it_and_a_link_for_others(topic, make_repo, alice, bob, charlie):
    make_repo(alice, "open")
    secret = make_repo(alice, "secret", private=True)
    post = opening.reply(topic, by=alice, text="/alice/open\n\nand /alice/secret and /alice/absent")

    assert "named-card" in look(post, charlie)
    assert "chip" in look(post, alice)
    assert "chip" not in look(post, charlie)
    assert "data-key" not in look(post, charlie)
    assert f"repo:{secret.pk}" not in showing.plain(post.html)
    assert 'href="/alice/absent"' not in post.html


def test_others_do_not_learn_by_naming_it_whether_a_private_repository_is_there(topic, make_repo, alice, charlie):
    make_repo(alice, "secret", private=True)

    post = opening.reply(topic, by=charlie, text="/alice/secret /alice/absent")

    assert "href" not in post.html


def test_a_forged_key_is_dropped(topic, make_repo, alice, bob):
    repo = make_repo(alice, "open")
    post = opening.reply(topic, by=bob, text=f'<a href="https://evil.example" data-key="repo:{repo.pk}">/x</a>')

    assert "data-key" not in post.html


def test_numbers_name_the_discussions_of_their_repository(make_repo, alice, bob):
    repo: Repo = make_repo(alice, "bert")
    discussing.open_discussion(repo=repo, by=bob, title="First", text="x")
    second = discussing.open_discussion(repo=repo, by=bob, title="Second", text="See #1, not #7.")

    shown = look(second.posts.get(), bob)
    assert "First" in shown
    assert "#7" in shown


def test_the_preview_shows_what_would_be_and_to_nobody_without_an_account(room, as_user, alice, bob):
    shown = as_user(alice).post("/forum/preview", {"text": "**Hello** @bob $x^2$ <script>alert(1)</script>"})

    text = shown.content.decode()
    assert "<strong>Hello</strong>" in text
    assert 'href="/bob"' in text
    assert "<math" in text
    assert "<script>" not in text
    assert as_user(None).post("/forum/preview", {"text": "x"}).status_code == 302


def test_a_picture_is_taken_in_and_shown(topic, as_user, bob):
    told = as_user(bob).post("/forum/pictures", pictures.PNG, content_type="application/octet-stream")
    post = opening.reply(topic, by=bob, text=f"![]({told.json()['path']})")

    assert told.status_code == 201
    assert "<img" in post.html
    assert as_user(bob).post("/forum/pictures", b"x", content_type="application/octet-stream").status_code == 400


def test_names_and_tags_are_completed(topic, as_user, alice):
    assert as_user(alice).get("/forum/names?start=AL").json()["names"] == [{"name": "alice", "title": "alice"}]
    assert as_user(alice).get("/forum/names?start=%00").json()["names"] == []
    assert 'value="bert"' in page(as_user(alice), "/fragments/names/tag?search=be")


def test_an_evaluation_or_a_repository_is_discussed_with_its_facts(room, make_repo, as_user, alice, charlie):
    repo = make_repo(alice, "secret", private=True)
    address = f"/forum/new?about=repo:{repo.pk}"

    assert "alice/secret" in page(as_user(alice), address)
    assert "alice/secret" not in page(as_user(charlie), address)
    with pytest.raises(InvalidInput):
        opening.open_topic(category=room, by=charlie, new=NewTopic("About it", "x", about=f"repo:{repo.pk}"))


def test_discussions_of_repositories_have_the_same_tools(make_repo, as_user, alice, bob):
    repo = make_repo(alice, "bert")
    post = discussing.open_discussion(repo=repo, by=bob, title="Why?", text="Tell me.").posts.get()

    told = as_user(alice).post(f"/forum/posts/{post.pk}/reactions/like", headers={"HX-Request": "true"})
    assert 'aria-pressed="true"' in told.content.decode()
    shown = page(as_user(alice), "/alice/bert/discussions/1")
    assert "data-compose" in shown
    assert f"/forum/posts/{post.pk}/reply" in shown
    assert "@bob" in page(as_user(alice), f"/alice/bert/discussions/1?quote={post.pk}")


def test_the_discussion_of_a_private_repository_is_not_there_for_strangers(make_repo, as_user, alice, charlie):
    repo = make_repo(alice, "secret", private=True)
    post = discussing.open_discussion(repo=repo, by=alice, title="Hush", text="x").posts.get()

    for address in ("", "/reply", "/quotation", "/history", "/edit"):
        assert as_user(charlie).get(f"/forum/posts/{post.pk}{address}").status_code == 404
    assert as_user(charlie).post(f"/forum/posts/{post.pk}/reactions/like").status_code == 404
    with pytest.raises(NotFound):
        opening.find_post(post.pk, charlie)


def test_hostile_words_run_in_no_field(room, as_user, alice, morgan):
    hostile = '<script>alert(1)</script><img src=x onerror=alert(1)>" onfocus="alert(1)'
    poll = NewPoll(hostile, (hostile, "two"))
    text = f"{document()[:20000]}\n\n@{hostile} /alice/{hostile}"
    topic = opening.open_topic(category=room, by=alice, new=NewTopic(hostile, text, poll=poll))
    post = topic.posts.get()
    as_user(alice).post(f"/forum/posts/{post.pk}/bookmark", {"note": hostile, "remind": ""})
    drafting.save(f"topic:{topic.pk}", by=alice, text=hostile, title=hostile)
    as_user(morgan).post(f"/forum/topics/{topic.pk}/order/pin", {"until": "24", "reason": hostile})

    of_topic = f"/forum/topics/{topic.pk}"
    for address in (
        topic.path,
        "/forum/drafts",
        "/forum/bookmarks",
        f"/forum/posts/{post.pk}",
        f"{of_topic}/replies?to={post.pk}&quote=1",
        f"{of_topic}/order",
    ):
        shown = page(as_user(alice), address)
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert '" onfocus="' not in shown


def test_the_api_does_what_the_pages_do(room, client, token_of, alice, bob):
    def call(who: User, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token_of(who)}"}
        made = client.generic(method, f"/api/v1/forum/{path}", content_type="application/json", headers=headers,
                              data=json.dumps(body) if body is not None else "")  # fmt: skip
        assert made.status_code < 300, made.content
        return made.json() if made.content else None

    new = {"category": "how", "title": "By program", "text": "Hello", "tags": ["api"],
           "poll": {"question": "Which?", "options": ["a", "b"]}}  # fmt: skip
    topic = call(alice, "POST", "topics", new)["id"]
    post = call(bob, "POST", f"topics/{topic}/posts", {"text": "An answer"})["id"]
    call(alice, "PUT", f"posts/{post}/reactions/like")
    call(alice, "PUT", f"posts/{post}/acceptance")
    call(bob, "PATCH", f"posts/{post}", {"text": "A better answer"})
    call(bob, "PUT", f"posts/{post}/bookmark", {"note": "mine"})
    call(bob, "PUT", "drafts/new", {"text": "unfinished"})
    choice = call(bob, "GET", f"topics/{topic}/poll")["choices"][0]["id"]

    assert call(bob, "PUT", f"topics/{topic}/poll", {"options": [choice]})["choices"][0]["votes"] == 1
    assert call(alice, "GET", f"topics/{topic}")["accepted"] == post
    assert [row["reactions"] for row in call(alice, "GET", f"topics/{topic}/posts")["results"]] == [{}, {"like": 1}]
    assert [row["title"] for row in call(alice, "GET", "topics?tag=api")["results"]] == ["By program"]
    assert call(bob, "GET", "bookmarks")["results"][0]["note"] == "mine"
    assert call(bob, "GET", "drafts")[0]["text"] == "unfinished"
    assert call(alice, "PATCH", f"topics/{topic}", {"title": "Renamed", "status": "closed"})["status"] == "closed"


def test_an_answer_in_a_discussion_of_a_repository_names_its_comment(make_repo, as_user, alice, bob):
    repo = make_repo(alice, "bert")
    first = discussing.open_discussion(repo=repo, by=bob, title="Why?", text="Tell me.").posts.get()

    as_user(alice).post("/alice/bert/discussions/1/comments", {"text": "Because.", "to": first.pk})

    assert Post.objects.get(text="Because.").reply_to == first
    assert Event.objects.get(kind="discussion.commented").payload["replied"] == bob.pk
    assert "In answer to" in page(as_user(None), "/alice/bert/discussions/1")


def test_a_text_that_takes_too_long_to_format_is_shown_as_it_is_and_says_so(topic, as_user, bob, monkeypatch):
    monkeypatch.setattr("models_hub.rendering.comment_html", lambda *_args, **_options: None)
    opening.reply(topic, by=bob, text="![" * 50)

    assert "It takes too long to format" in page(as_user(None), topic.path)


def test_a_form_that_is_sent_twice_makes_one_post_and_leads_to_it(topic, as_user, bob):
    browser, form = as_user(bob), {"text": "Very small, and quick."}

    answers = [browser.post(f"/forum/topics/{topic.pk}/replies", form) for _time in range(2)]
    begun = {"category": "how", "title": "And  how quick?", "text": "Tell me that too.", "tags": "", "kind": ""}
    topics = [browser.post("/forum/new", begun) for _time in range(2)]

    assert [one["Location"] for one in answers] == [f"{topic.path}?post=2#post-2"] * 2
    assert {one["Location"] for one in topics} == {Topic.objects.get(title="And how quick?").path}
    assert topic.posts.count() == 2


def test_so_it_is_in_the_discussions_of_a_repository(make_repo, as_user, alice, bob):
    repo, browser = make_repo(alice), as_user(bob)
    begun = [browser.post(f"{repo.path}/discussions/new", {"title": "Hello", "text": "There."}) for _time in range(2)]
    said = [browser.post(f"{repo.path}/discussions/1/comments", {"text": "Again."}) for _time in range(2)]

    assert len({one["Location"] for one in begun}) == len({one["Location"] for one in said}) == 1
    assert [post.text for post in Topic.objects.get().posts.order_by("number")] == ["There.", "Again."]


def test_categories_in_which_one_may_not_begin_are_not_offered(room, as_user, alice, morgan):
    Category.objects.create(slug="news", title_en="News", staff_open=True)
    Category.objects.create(slug="elders", title_en="Elders", trust_to_open=3)
    form = {"category": "news", "title": "Mine", "text": "I have news.", "tags": "", "kind": ""}

    assert 'value="how"' in (shown := page(as_user(alice), "/forum/new?category=news"))
    assert 'value="news"' not in shown
    assert 'value="elders"' not in shown
    assert 'value="news"' in page(as_user(morgan), "/forum/new")
    assert "Only staff begin topics" in as_user(alice).post("/forum/new", form).content.decode()
