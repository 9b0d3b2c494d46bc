"""What the pages of people and organizations show of activity and likes."""

import pytest

from models_hub import liking, releasing
from models_hub.views import people
from portal.models import Organization, User

ACTIVITY, LIKES = "/fragments/people/alice/activity", "/fragments/people/alice/likes"
TEAM_ACTIVITY, TEAM_LIKES = "/fragments/people/team/activity", "/fragments/people/team/likes"


def test_each_act_stands_in_the_year_and_on_the_list(client, alice, bob, make_repo):
    repo = make_repo(alice, files={"a.txt": "x"})
    releasing.publish(repo, by=alice, tag="v1", revision="main")
    liking.like(make_repo(bob, "theirs"), by=alice)
    page = client.get(ACTIVITY).text
    assert "4 contributions in view" in page
    for piece in ("released a version of", "likes", 'href="/alice/bert"', 'href="/bob/theirs"'):
        assert piece in page


def test_acts_in_what_the_reader_may_not_see_are_neither_named_nor_counted(client, as_user, alice, charlie, make_repo):
    make_repo(alice, "hidden-thing", private=True)
    for reader in (client, as_user(charlie)):
        page = reader.get(ACTIVITY).text
        assert "hidden-thing" not in page
        assert "0 contributions in view" in page
    assert "hidden-thing" in as_user(alice).get(ACTIVITY).text


def test_likes_are_listed_and_lead_to_this_site(client, alice, bob, make_repo):
    liking.like(make_repo(bob, "theirs"), by=alice)
    page = client.get(LIKES).text
    assert 'href="/bob/theirs"' in page
    assert 'href="//' not in page


def test_likes_of_what_the_reader_may_not_see_are_not_listed(client, as_user, alice, make_repo):
    liking.like(make_repo(alice, "hidden-thing", private=True), by=alice)
    assert "hidden-thing" not in client.get(LIKES).text
    assert "hidden-thing" in as_user(alice).get(LIKES).text


def test_likes_come_in_pages(client, alice, make_repo, monkeypatch):
    monkeypatch.setattr(people, "LIKES", 2)
    for number in range(3):
        liking.like(make_repo(alice, f"bert-{number}"), by=alice)
    first = client.get(LIKES).text
    assert "bert-2" in first
    assert "bert-0" not in first
    older = first.split(f'href="{LIKES}?before=')[1].split('"')[0]
    assert "bert-0" in client.get(f"{LIKES}?before={older}").text


def test_an_organization_shows_who_did_what_to_its_repositories(client, alice, bob, charlie, team, make_repo):
    shared = make_repo(bob, "shared", namespace="team", files={"a.txt": "x"})
    make_repo(alice, "her-own")
    liking.like(shared, by=charlie)
    page = client.get(TEAM_ACTIVITY).text
    assert "3 contributions in view" in page
    assert 'href="/bob">bob</a> changed <a href="/team/shared"' in page
    for other in ("her-own", "charlie"):
        assert other not in page


def test_an_organization_hides_what_its_reader_may_not_see(client, as_user, alice, bob, team, make_repo):
    make_repo(bob, "hidden-thing", namespace="team", private=True)
    assert "hidden-thing" not in client.get(TEAM_ACTIVITY).text
    assert "hidden-thing" in as_user(alice).get(TEAM_ACTIVITY).text


def test_an_organization_shows_what_its_members_like(client, bob, charlie, team, make_repo):
    theirs = make_repo(charlie, "theirs")
    liking.like(theirs, by=bob)
    liking.like(theirs, by=charlie)
    page = client.get(TEAM_LIKES).text
    assert 'href="/charlie/theirs"' in page
    assert 'href="/bob">bob</a>' in page
    assert 'href="/charlie">' not in page


def test_members_that_are_hidden_are_not_told_by_what_they_like(client, as_user, alice, bob, charlie, team, make_repo):
    Organization.objects.update(members_public=False)
    liking.like(make_repo(charlie, "theirs"), by=bob)
    for reader in (client, as_user(charlie)):
        assert "theirs" not in reader.get(TEAM_LIKES).text
    assert "theirs" in as_user(alice).get(TEAM_LIKES).text


@pytest.mark.parametrize("tab", ["activity", "likes"])
def test_the_tabs_stand_on_both_kinds_of_pages(client, alice, team, tab):
    for name in ("alice", "team"):
        assert f'hx-get="/fragments/people/{name}/{tab}"' in client.get(f"/{name}?tab={tab}").text


@pytest.mark.parametrize("fragment", ["activity", "likes", "about"])
def test_nobody_and_closed_accounts_are_missing(client, alice, fragment):
    assert client.get(f"/fragments/people/nobody/{fragment}").status_code == 404
    User.objects.update(is_active=False)
    assert client.get(f"/fragments/people/alice/{fragment}").status_code == 404


@pytest.mark.parametrize("address", [ACTIVITY, LIKES, TEAM_ACTIVITY, TEAM_LIKES])
def test_many_rows_cost_no_more_queries(client, alice, bob, team, make_repo, django_assert_max_num_queries, address):
    for number in range(8):
        for owner in ("bob", "team"):
            liking.like(make_repo(bob, f"bert-{number}", namespace=owner), by=alice if number % 2 else bob)
    with django_assert_max_num_queries(9):
        client.get(address)
