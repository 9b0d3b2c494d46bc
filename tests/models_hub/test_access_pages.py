"""The gate, the heart, the name and Spaces on the pages."""

import pytest

from models_hub import gating, liking
from models_hub.models import AccessRequest, Like, Repo
from portal.models import User
from tests.models_hub.test_wire_gated import CARD

QUESTIONS = ("Company", "Country", "Use", "I agree")
ACCESS = "/alice/bert/settings/access"


@pytest.fixture
def gated(alice, make_repo):
    repo = make_repo(alice, files={"README.md": CARD, "a.txt": "secret words"})
    gating.set_gate(repo, by=alice, gate="manual")
    return repo


def test_the_card_shows_the_gate_to_whoever_stands_before_it(gated, alice, charlie, as_user):
    page = as_user(charlie).get("/alice/bert").content.decode()
    for text in ("Say who you are.", "Company", "other", "I agree", "Ask for access"):
        assert text in page
    assert "Sign in to ask for access" in as_user(None).get("/alice/bert").content.decode()
    assert 'id="gate"' not in as_user(alice).get("/alice/bert").content.decode()


def test_the_order_of_questions_does_not_rest_on_that_of_keys(gated, alice, client):
    asked = [field.name for field in gating.fields_of(gated)]
    assert [name for name, _kind in gated.card["extra_gated_fields"]] == asked == list(QUESTIONS)
    shown = client.get("/api/models/alice/bert").json()["cardData"]["extra_gated_fields"]
    assert list(shown) == asked
    gated.card = {"extra_gated_fields": shown}  # as rows of before have it
    assert [field.name for field in gating.fields_of(gated)] == asked


def test_asking_on_the_page_and_being_let_in(gated, alice, charlie, as_user):
    browser, owner = as_user(charlie), as_user(alice)
    answers = {"answer0": "ACME", "answer1": "DE", "answer2": "other", "answer3": "on"}
    refused = browser.post("/alice/bert/access", {**answers, "answer0": ""})
    assert (refused.status_code, AccessRequest.objects.count()) == (400, 0)
    assert browser.post("/alice/bert/access", answers)["Location"] == "/alice/bert"
    row = AccessRequest.objects.get()
    assert row.fields == {"Company": "ACME", "Country": "DE", "Use": "other", "I agree": True}
    assert "has not answered yet" in browser.get("/alice/bert").content.decode()
    page = owner.get(ACCESS).content.decode()
    assert "charlie@example.org" in page
    assert "ACME" in page
    decided = owner.post(f"{ACCESS}/decision", {"request": row.pk, "status": "accepted"})
    assert decided["Location"] == ACCESS
    assert "secret words" in browser.get("/alice/bert/blob/main/a.txt").content.decode()


def test_the_page_of_a_file_shows_the_gate_and_nothing_of_the_file(gated, as_user):
    response = as_user(None).get("/alice/bert/blob/main/a.txt")
    assert response.status_code == 403
    assert b"secret words" not in response.content
    assert b'id="gate"' in response.content


def test_a_rejected_person_reads_the_reason(gated, alice, charlie, as_user):
    row = gating.ask(gated, by=charlie, answers={"Company": "A", "Country": "DE", "Use": "other", "I agree": True})
    as_user(alice).post(f"{ACCESS}/decision", {"request": row.pk, "status": "rejected", "reason": "Students only."})
    assert "Students only." in as_user(charlie).get("/alice/bert").content.decode()


def test_requests_are_the_business_of_writers(gated, alice, charlie, as_user):
    row = AccessRequest.objects.create(repo=gated, user=charlie)
    assert as_user(charlie).get(ACCESS).status_code == 403
    assert as_user(charlie).post(f"{ACCESS}/grant", {"username": "charlie"}).status_code == 403
    assert as_user(charlie).post(f"{ACCESS}/decision", {"request": row.pk, "status": "accepted"}).status_code == 403
    assert as_user(None).get(ACCESS).status_code == 302
    assert as_user(alice).post(f"{ACCESS}/decision", {"request": "x", "status": "accepted"}).status_code == 404
    Repo.objects.update(private=True)
    assert (
        as_user(charlie).get(ACCESS).status_code
        == as_user(charlie).get("/alice/none/settings/access").status_code
        == 404
    )


def test_the_owner_lets_somebody_in_who_has_not_asked(gated, alice, charlie, as_user):
    owner = as_user(alice)
    assert owner.post(f"{ACCESS}/grant", {"username": "Charlie"}).status_code == 302
    assert "charlie" in owner.get(f"{ACCESS}?status=accepted").content.decode()
    for name, status in (("charlie", 400), ("nobody", 404), ("", 400)):
        assert owner.post(f"{ACCESS}/grant", {"username": name}).status_code == status


def test_a_long_list_of_requests_comes_in_pages(gated, alice, as_user, django_assert_max_num_queries):
    users = User.objects.bulk_create(User(username=f"user{n}", email=f"u{n}@example.org") for n in range(25))
    AccessRequest.objects.bulk_create(AccessRequest(repo=gated, user=user) for user in users)
    browser = as_user(alice)
    with django_assert_max_num_queries(20):
        page = browser.get(ACCESS)
    assert (len(page.context["rows"]), page.context["before"]) == (20, page.context["rows"][-1].pk)
    assert len(browser.get(f"{ACCESS}?before={page.context['before']}").context["rows"]) == 5


def test_the_gate_is_set_on_the_settings_page(alice, charlie, make_repo, as_user):
    make_repo(alice)
    for gate in ("auto", "manual", ""):
        assert as_user(alice).post("/alice/bert/settings/gate", {"gated": gate}).status_code == 302
        assert Repo.objects.get().gated == gate
    assert as_user(charlie).post("/alice/bert/settings/gate", {"gated": "auto"}).status_code == 403


def test_a_repository_is_renamed_and_moved_on_the_settings_page(alice, charlie, team, make_repo, as_user):
    make_repo(alice), make_repo(alice, "taken")
    browser = as_user(alice)
    assert 'name="namespace"' in browser.get("/alice/bert/settings").content.decode()
    taken = browser.post("/alice/bert/settings/name", {"namespace": "alice", "name": "taken"})
    assert (taken.status_code, "already exists" in taken.content.decode()) == (409, True)
    foreign = browser.post("/alice/bert/settings/name", {"namespace": "charlie", "name": "bert"})
    assert foreign.status_code == 400
    done = browser.post("/alice/bert/settings/name", {"namespace": "team", "name": "tiny"})
    assert done["Location"] == "/team/tiny/settings"
    assert browser.get("/alice/bert")["Location"] == "/team/tiny"
    assert as_user(charlie).post("/team/tiny/settings/name", {"namespace": "team", "name": "x"}).status_code == 403


def test_the_heart_likes_and_unlikes(alice, charlie, make_repo, as_user):
    repo = make_repo(alice)
    browser = as_user(charlie)
    assert browser.post("/alice/bert/like", {"wish": "like"})["Location"] == "/alice/bert"
    assert 'aria-pressed="true"' in browser.get("/alice/bert").content.decode()
    part = browser.post("/alice/bert/like", {"wish": "unlike"}, headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith("<form")
    assert "HX-Request" in part["Vary"]
    assert not Like.objects.exists()
    assert as_user(None).post("/alice/bert/like", {"wish": "like"}).status_code == 302
    assert browser.get("/alice/bert/like").status_code == 405
    liking.like(repo, by=charlie)
    assert browser.get("/models?sort=likes").context["page"].repos[0].likes == 1


@pytest.mark.parametrize("sort", ["trending", "downloads", "likes", "created"])
def test_pages_of_lists_go_on_in_every_order(alice, make_repo, client, sort, monkeypatch):
    monkeypatch.setattr("models_hub.listing.PAGE", 2)
    for n in range(5):
        repo = make_repo(alice, f"m{n}")
        Repo.objects.filter(pk=repo.pk).update(trend=n / 3, downloads=n // 2, likes=n // 2)
    seen, cursor = [], ""
    while True:
        page = client.get("/models", {"sort": sort, "cursor": cursor}).context["page"]
        seen += [repo.name for repo in page.repos]
        cursor = page.next_cursor
        if not cursor:
            break
    assert seen == ["m4", "m3", "m2", "m1", "m0"]


def test_a_space_is_made_listed_and_browsed_on_pages(alice, as_user):
    browser = as_user(alice)
    made = browser.post("/new/space", {"namespace": "alice", "name": "demo", "private": "public"})
    assert made["Location"] == "/spaces/alice/demo"
    page = browser.get("/spaces/alice/demo").content.decode()
    assert "does not host Spaces" in page
    assert "/evaluations" not in page
    for path in ("/tree/main", "/blob/main/README.md", "/commits/main", "/settings", "/edit/main/README.md"):
        assert browser.get(f"/spaces/alice/demo{path}").status_code == 200, path
    listed = browser.get("/spaces").content.decode()
    assert 'href="/spaces/alice/demo"' in listed
    assert "Spaces" in browser.get("/fragments/repos?author=alice").content.decode()
