"""The settings of protected branches, and how pages, the hub wire and the REST API refuse what rules forbid."""

import json

import pytest

from models_hub import proposing, protecting, publishing
from models_hub.changes import PutFile
from models_hub.models import Ref, RefRule
from tests.models_hub.wire import file_row

PAGE = "/team/bert/settings/branches"
FORM = {"target": "branch", "pattern": "main", "approvals": "0", "movers": "writers", "bypass": "nobody"}
API = "/api/v1/models/team/bert/rules"


@pytest.fixture
def repo(alice, team, make_repo):
    return make_repo(alice, namespace="team", files={"a.txt": "a\n"})


@pytest.fixture
def rule(repo, alice):
    return protecting.save_rule(RefRule(repo=repo, pattern="main", requires_pull_request=True), by=alice)


def head_of(repo, name="refs/heads/main"):
    return Ref.objects.get(repo=repo, name=name).oid


def test_an_admin_adds_changes_and_removes_a_rule(as_user, alice, repo):
    browser = as_user(alice)
    sent = FORM | {"requires_pull_request": "on", "approvals": "2", "movers": "listed", "people": "Alice, bob"}
    assert browser.post(PAGE, sent).headers["Location"] == PAGE
    made = RefRule.objects.get()
    assert (made.requires_pull_request, made.approvals, made.people.count()) == (True, 2, 2)
    assert "with 2 approvals" in browser.get(PAGE).text
    assert 'value="alice, bob"' in browser.get(f"{PAGE}/{made.pk}").text
    browser.post(f"{PAGE}/{made.pk}", FORM | {"pattern": "release/*"})
    assert RefRule.objects.get().pattern == "release/*"
    browser.post(f"{PAGE}/{made.pk}/removal")
    assert not RefRule.objects.exists()


def test_the_page_shows_what_a_pattern_matches_before_it_is_saved(as_user, alice, repo):
    page = as_user(alice).post(PAGE, FORM | {"pattern": "m*", "preview": "1"}).text
    assert "1 matches now:" in page
    assert not RefRule.objects.exists()
    assert "Nothing matches now" in as_user(alice).post(PAGE, FORM | {"pattern": "x", "preview": "1"}).text


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"pattern": ""}, 400), ({"pattern": "a b"}, 400), ({"people": "nobody-here"}, 400), ({"approvals": "99"}, 400),
     ({"approvals": "1"}, 400), ({"pattern": "main"}, 409)],
)  # fmt: skip
def test_a_bad_rule_is_refused_with_its_reason(as_user, alice, rule, changed, status):
    answer = as_user(alice).post(PAGE, FORM | {"pattern": "dev"} | changed)
    assert answer.status_code == status
    assert "invalid-feedback" in answer.text


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_others_have_no_part_in_the_rules(as_user, request, rule, who):
    browser = as_user(request.getfixturevalue(who))
    for address in (PAGE, f"{PAGE}/{rule.pk}"):
        assert browser.get(address).status_code == 403
        assert browser.post(address, FORM).status_code == 403
    assert browser.post(f"{PAGE}/{rule.pk}/removal").status_code == 403


def test_rules_of_a_private_repository_are_no_news_to_strangers(as_user, charlie, client, repo, alice):
    publishing.set_private(repo, by=alice, private=True)
    assert as_user(charlie).get(PAGE).status_code == 404
    assert client.get(API).status_code == 404


def test_a_rule_of_another_repository_is_not_found_here(as_user, alice, rule, make_repo):
    make_repo(alice, "other")
    assert as_user(alice).get(f"/alice/other/settings/branches/{rule.pk}").status_code == 404


def test_more_rules_ask_no_more_queries(as_user, alice, repo, django_assert_max_num_queries):
    browser = as_user(alice)
    for number in range(12):
        protecting.save_rule(RefRule(repo=repo, pattern=f"b{number}"), by=alice)
    with django_assert_max_num_queries(30):
        browser.get(PAGE)


def test_the_form_of_a_file_offers_a_pull_request_alone(as_user, bob, repo, rule):
    browser = as_user(bob)
    page = browser.get("/team/bert/new/main").text
    assert "Open a pull request for main" in page
    assert "Commit directly" not in page
    sent = {"path": "b.txt", "content": "b", "title": "Add b", "target": "pull_request"}
    assert browser.post("/team/bert/new/main", sent).headers["Location"] == "/team/bert/discussions/1"
    before = head_of(repo)
    assert browser.post("/team/bert/new/main", sent | {"target": "branch", "path": "c.txt"}).status_code == 400
    assert head_of(repo) == before


def test_a_program_is_told_that_the_branch_is_protected(client, bob, repo, rule, token_of):
    body = json.dumps({"key": "header", "value": {"summary": "x"}}) + "\n" + json.dumps(file_row("x", b"x"))
    headers = {"Authorization": f"Bearer {token_of(bob)}"}
    answer = client.post("/api/models/team/bert/commit/main", body, "application/x-ndjson", headers=headers)
    assert answer.status_code == 403
    assert "protected branch" in answer.headers["X-Error-Message"]
    answer = client.post("/api/models/team/bert/super-squash/main", "{}", "application/json", headers=headers)
    assert answer.status_code == 403


def test_a_merge_page_says_what_is_missing_and_takes_reviews(as_user, alice, bob, charlie, repo, rule):
    rule.approvals = 1
    protecting.save_rule(rule, by=alice)
    pull = publishing.propose(repo=repo, by=charlie, changes=[PutFile("b.txt", b"b")], title="Add b")[0]
    page, browser = "/team/bert/discussions/1", as_user(bob)
    assert "1 approval is needed" in browser.get(page).text
    answer = as_user(alice).post(f"{page}/merge", {"method": "merge", "head": head_of(repo, pull.ref)}, follow=True)
    assert "1 approval is needed" in answer.text
    said = {"verdict": "approved", "head": head_of(repo, pull.ref), "comment": "Looks good."}
    assert browser.post(f"{page}/review", said).headers["Location"] == f"{page}#reviews"
    shown = browser.get(page).text
    assert "approved the change" in shown
    assert "Looks good." in shown
    assert "No conflicts with main" in shown
    as_user(alice).post(f"{page}/merge", {"method": "merge", "head": head_of(repo, pull.ref)})
    pull.refresh_from_db()
    assert pull.status == "merged"


def test_the_author_sees_no_form_for_a_review(as_user, charlie, repo, client):
    pull = publishing.propose(repo=repo, by=charlie, changes=[PutFile("b.txt", b"b")], title="Add b")[0]
    page = "/team/bert/discussions/1"
    assert "Ask for changes" not in as_user(charlie).get(page).text
    assert "Ask for changes" not in client.get(page).text
    said = {"verdict": "approved", "head": head_of(repo, pull.ref)}
    assert as_user(charlie).post(f"{page}/review", said).status_code == 403
    assert client.post(f"{page}/review", said).status_code in {302, 401}
    assert not pull.reviews.exists()


def test_programs_manage_rules(client, alice, bob, repo, token_of):
    headers = {"Authorization": f"Bearer {token_of(alice)}"}
    sent = {"pattern": "main", "requires_pull_request": True, "approvals": 1, "people": ["bob"]}
    made = client.post(API, json.dumps(sent), "application/json", headers=headers)
    assert made.status_code == 201
    rule = made.json()
    assert client.get(API, headers=headers).json() == [rule]
    changed = client.patch(f"{API}/{rule['id']}", '{"bypass": "listed"}', "application/json", headers=headers).json()
    assert (changed["bypass"], changed["approvals"], changed["people"]) == ("listed", 1, ["bob"])
    others = {"Authorization": f"Bearer {token_of(bob)}"}
    assert client.get(API, headers=others).status_code == 403
    assert client.delete(f"{API}/{rule['id']}", headers=others).status_code == 403
    assert client.post(API, '{"pattern": "a b"}', "application/json", headers=headers).status_code == 400
    assert client.delete(f"{API}/{rule['id']}", headers=headers).status_code == 204


def test_a_review_is_told_by_the_wire(client, bob, charlie, repo):
    pull = publishing.propose(repo=repo, by=charlie, changes=[PutFile("b.txt", b"b")], title="Add b")[0]
    proposing.review(pull, by=bob, verdict="approved", head=head_of(repo, pull.ref))
    events = client.get("/api/models/team/bert/discussions/1").json()["events"]
    assert events[-1]["type"] == "review"
