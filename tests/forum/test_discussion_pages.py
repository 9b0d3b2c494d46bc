"""The pages of discussions and pull requests, as readers, authors, writers and strangers use them."""

from collections.abc import Callable

import pytest
from django.test import Client

from forum import discussing
from forum.models import Post, Topic
from models_hub import browsing, proposing, publishing
from models_hub.changes import PutFile
from models_hub.models import PullRequest, Repo
from portal.models import User

BASE = "/alice/bert/discussions"


@pytest.fixture
def repo(alice: User, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(alice, files={"a.txt": "one\n"})


@pytest.fixture
def topic(repo: Repo, charlie: User) -> Topic:
    return discussing.open_discussion(repo=repo, by=charlie, title="A question", text="Is it **good**?")


@pytest.fixture
def pull(repo: Repo, charlie: User) -> PullRequest:
    changes = [PutFile("a.txt", b"two\n")]
    return publishing.propose(repo=repo, by=charlie, changes=changes, title="Better a")[0]


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def test_a_discussion_is_begun_in_the_browser(repo, as_user, charlie):
    response = as_user(charlie).post(f"{BASE}/new", {"title": "Hello", "text": "*World*"})

    assert (response.status_code, response["Location"]) == (302, f"{BASE}/1")
    assert "<em>World</em>" in page(as_user(None), f"{BASE}/1")


def test_an_empty_one_is_refused_and_keeps_what_was_typed(repo, as_user, charlie):
    response = as_user(charlie).post(f"{BASE}/new", {"title": "Hello", "text": ""})

    assert response.status_code == 400
    assert 'value="Hello"' in response.content.decode()
    assert not Topic.objects.exists()


def test_the_anonymous_read_and_are_asked_to_sign_in(topic, as_user):
    assert "Sign in to take part." in page(as_user(None), f"{BASE}/1")
    assert as_user(None).post(f"{BASE}/1/comments", {"text": "x"}).status_code in {302, 401}
    assert Post.objects.count() == 1


def test_hostile_markdown_runs_nowhere(topic, as_user, charlie):
    as_user(charlie).post(f"{BASE}/1/comments", {"text": "<script>alert(1)</script><img src=x onerror=alert(1)>"})

    text = page(as_user(None), f"{BASE}/1")
    assert "<script>alert" not in text
    assert "onerror" not in text


def test_a_comment_is_added_edited_by_its_author_and_its_past_is_kept(topic, as_user, bob, alice):
    as_user(bob).post(f"{BASE}/1/comments", {"text": "First words"})
    comment = Post.objects.get(text="First words")
    address = f"{BASE}/1/comments/{comment.pk}"

    assert as_user(alice).post(address, {"text": "Not mine"}).status_code == 403
    assert as_user(bob).post(address, {"text": "Second words"}).status_code == 302

    assert "Second words" in page(as_user(None), f"{BASE}/1")
    assert "First words" in page(as_user(None), address)
    assert "<form" not in page(as_user(None), address).split('id="content"')[1]


def test_writers_and_the_author_hide_a_comment_and_others_do_not(topic, as_user, alice, bob):
    as_user(bob).post(f"{BASE}/1/comments", {"text": "Regret"})
    address = f"{BASE}/1/comments/{Post.objects.get(text='Regret').pk}"

    assert as_user(topic.author).post(f"{address}/hiding").status_code == 403
    assert as_user(alice).post(f"{address}/hiding").status_code == 302

    assert "Regret" not in page(as_user(bob), f"{BASE}/1")
    assert page(as_user(bob), address, 404)


def test_the_author_renames_and_a_stranger_does_not(topic, as_user, charlie, bob):
    assert as_user(bob).post(f"{BASE}/1/title", {"title": "Mine now"}).status_code == 403
    as_user(charlie).post(f"{BASE}/1/title", {"title": "A better question"})

    text = page(as_user(None), f"{BASE}/1")
    assert "A better question" in text
    assert "<del>A question</del>" in text


def test_closing_with_a_comment_and_opening_again(topic, as_user, alice, bob):
    address = f"{BASE}/1/status"
    assert as_user(bob).post(address, {"status": "closed"}).status_code == 403
    as_user(alice).post(address, {"status": "closed", "text": "Answered"})
    topic.refresh_from_db()
    assert topic.status == "closed"
    assert "Answered" in page(as_user(None), f"{BASE}/1")
    assert "A question" not in page(as_user(None), BASE)
    assert "A question" in page(as_user(None), f"{BASE}?status=closed")

    as_user(alice).post(address, {"status": "open"})
    topic.refresh_from_db()
    assert topic.status == "open"


def test_a_pull_request_shows_its_change_and_is_merged_by_a_writer(pull, repo, as_user, alice, charlie):
    assert "Better a" in page(as_user(None), f"{BASE}/1")
    files = page(as_user(None), f"{BASE}/1/files")
    assert "-one" in files
    assert "+two" in files
    head = browsing.resolve_revision(repo, pull.ref).oid
    form = {"method": "squash", "head": head, "comment": "Thanks"}
    assert as_user(charlie).post(f"{BASE}/1/merge", form).status_code == 403
    assert 'id="merge"' in page(as_user(alice), f"{BASE}/1")

    assert as_user(alice).post(f"{BASE}/1/merge", form).status_code == 302

    pull.refresh_from_db()
    assert pull.status == "merged"
    text = page(as_user(None), f"{BASE}/1")
    assert "Thanks" in text
    assert 'id="merge"' not in text
    assert "+two" in page(as_user(None), f"{BASE}/1/files")


def test_a_conflict_is_listed_and_not_merged(pull, repo, as_user, alice):
    publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"three\n")], title="Mine")

    text = page(as_user(alice), f"{BASE}/1")
    assert "<code>a.txt</code>" in text
    assert "/merge" not in text


def test_a_merge_of_an_older_head_says_so(pull, repo, as_user, alice):
    old = browsing.resolve_revision(repo, pull.ref).oid
    publishing.commit(repo=repo, by=alice, changes=[PutFile("b.txt", b"b\n")], title="More", branch=pull.ref)

    response = as_user(alice).post(f"{BASE}/1/merge", {"method": "merge", "head": old}, follow=True)

    assert "new commits since you looked" in response.content.decode()
    pull.refresh_from_db()
    assert pull.status == "open"


def test_a_draft_is_marked_as_ready(repo, as_user, alice):
    proposing.open_pull_request(repo=repo, by=alice, title="Draft", draft=True)
    assert "Ready for review" in page(as_user(alice), f"{BASE}/1")

    as_user(alice).post(f"{BASE}/1/status", {"status": "open"})

    assert "Ready for review" not in page(as_user(alice), f"{BASE}/1")


def test_lists_are_filtered_and_go_on_from_a_number(repo, pull, alice, as_user, monkeypatch):
    monkeypatch.setattr("forum.listing.PAGE", 2)
    for number in range(2, 6):
        discussing.open_discussion(repo=repo, by=alice, title=f"Topic {number}", text="x")

    first = page(as_user(None), BASE)
    assert "Topic 5" in first
    assert "Topic 3" not in first
    assert "before=4" in first
    assert "Topic 3" in page(as_user(None), f"{BASE}?before=4")
    assert "Better a" in page(as_user(None), f"{BASE}?type=pull_request")
    assert "Better a" not in page(as_user(None), f"{BASE}?type=discussion")


def test_the_tab_counts_what_is_open(topic, pull, as_user, charlie):
    discussing.change_status(topic, by=charlie, status="closed")

    assert ">1</span>" in page(as_user(None), f"{BASE}/count")
    assert f'hx-get="{BASE}/count"' in page(as_user(None), "/alice/bert")


@pytest.mark.parametrize("place", ["", "/new", "/count", "/1", "/1/files", "/1/comments/1"])
def test_discussions_of_a_private_repository_look_like_none(place, alice, charlie, make_repo, as_user):
    repo = make_repo(alice, "secret", private=True)
    discussing.open_discussion(repo=repo, by=alice, title="Hush", text="x")

    hidden = as_user(charlie).get(f"/alice/secret/discussions{place}")
    missing = as_user(charlie).get(f"/alice/absent/discussions{place}")
    assert hidden.status_code == missing.status_code == 404
    assert "Hush" not in hidden.content.decode()


def test_a_data_set_has_discussions_too_and_may_bear_that_name(alice, make_repo, as_user):
    make_repo(alice, "discussions", kind="dataset")
    repo = make_repo(alice, "cars", kind="dataset")
    discussing.open_discussion(repo=repo, by=alice, title="Wheels", text="x")

    assert "Wheels" in page(as_user(None), "/datasets/alice/cars/discussions")
    assert "alice" in page(as_user(None), "/datasets/alice/discussions")


def test_a_gated_repository_shows_the_talk_but_not_the_changed_lines(pull, repo, as_user, bob):
    Repo.objects.filter(pk=repo.pk).update(gated="manual")

    assert "Better a" in page(as_user(bob), f"{BASE}/1")
    assert as_user(bob).get(f"{BASE}/1/files").status_code == 403


def test_a_page_of_many_posts_asks_as_often_as_one_of_few(topic, bob, as_user, django_assert_max_num_queries):
    def many(count: int) -> None:
        for number in range(count):
            discussing.comment(topic, by=bob, text=f"Comment {number}")

    many(2)
    client = as_user(None)
    page(client, f"{BASE}/1")
    with django_assert_max_num_queries(12) as few:
        page(client, f"{BASE}/1")
    many(10)
    with django_assert_max_num_queries(len(few)):
        page(client, f"{BASE}/1")


def test_a_list_of_many_asks_as_often_as_one_of_few(repo, alice, as_user, django_assert_max_num_queries):
    discussing.open_discussion(repo=repo, by=alice, title="One", text="x")
    client = as_user(None)
    with django_assert_max_num_queries(10) as few:
        page(client, BASE)
    for number in range(10):
        discussing.open_discussion(repo=repo, by=alice, title=f"Topic {number}", text="x")
    with django_assert_max_num_queries(len(few)):
        page(client, BASE)


def test_a_long_conversation_goes_on_from_a_post(topic, bob, as_user, monkeypatch):
    monkeypatch.setattr("forum.views.topics.POSTS", 2)
    for number in range(3):
        discussing.comment(topic, by=bob, text=f"Comment {number}")

    first = page(as_user(None), f"{BASE}/1")
    assert 'href="?from=3"' in first
    assert "Comment 2" in page(as_user(None), f"{BASE}/1?from=3")
