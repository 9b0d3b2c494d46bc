"""People follow people and organizations, from the page and over the wire."""

import pytest

from portal.models import AccessToken, Event, Follow
from portal.models.tokens import Grant
from portal.reach import Level
from tests.models_hub.wire import Wire


def test_the_button_follows_and_unfollows(as_user, alice, bob):
    browser = as_user(alice)
    assert "Follow</span>" in browser.get("/bob").text
    page = browser.post("/settings/following/bob", follow=True).text
    assert "1 follower" in page
    assert 'href="/alice"' in page
    browser.post("/settings/following/bob")
    assert Follow.objects.count() == 1
    assert "0 followers" in browser.post("/settings/following/bob/removal", follow=True).text
    assert list(Event.objects.filter(kind__contains="follow").values_list("kind", flat=True)) == [
        "namespace.followed",
        "namespace.unfollowed",
    ]


def test_nobody_follows_oneself(as_user, alice):
    assert as_user(alice).post("/settings/following/alice").status_code == 400
    assert "Follow</span>" not in as_user(alice).get("/alice").text


def test_strangers_and_missing_names(client, as_user, alice, bob):
    assert client.post("/settings/following/bob")["Location"].startswith("/accounts/login/")
    assert as_user(alice).post("/settings/following/nobody").status_code == 404
    assert as_user(alice).get("/settings/following/bob").status_code == 405


def test_followers_following_and_members_over_the_wire(token_of, alice, bob, charlie, team):
    wire = Wire(token_of(alice))
    assert wire.post("/api/users/bob/follow").status_code == 200
    assert wire.post("/api/organizations/team/follow").status_code == 200
    assert [row["user"] for row in wire.get("/api/users/bob/followers").json()] == ["alice"]
    assert [row["user"] for row in wire.get("/api/users/alice/following").json()] == ["bob"]
    assert [row["user"] for row in wire.get("/api/organizations/team/followers").json()] == ["alice"]
    assert {row["user"] for row in wire.get("/api/organizations/team/members").json()} == {"alice", "bob"}
    assert wire.get("/api/users/bob/overview").json()["isFollowing"] is True
    assert wire.call("DELETE", "/api/users/bob/follow").status_code == 200
    assert wire.get("/api/users/bob/followers").json() == []


def test_the_overview_counts_only_what_the_asker_may_see(token_of, alice, charlie, make_repo):
    make_repo(alice, "open")
    make_repo(alice, "hidden", private=True)
    make_repo(alice, "cars", kind="dataset")
    alice.introduce(name="Alice Chen", about="Small encoders.")
    seen = Wire(token_of(charlie)).get("/api/users/alice/overview").json()
    assert (seen["numModels"], seen["numDatasets"], seen["details"]) == (1, 1, "Small encoders.")
    assert seen["avatarUrl"] == "http://portal.example/avatars/alice"
    assert Wire(token_of(alice)).get("/api/users/alice/overview").json()["numModels"] == 2


def test_an_organization_is_no_user_and_the_other_way_round(db, alice, team):
    wire = Wire()
    assert wire.get("/api/organizations/team/overview").json()["numUsers"] == 2
    assert wire.get("/api/users/team/overview").status_code == 404
    assert wire.get("/api/organizations/alice/overview").status_code == 404
    assert wire.get("/api/users/nobody/overview").status_code == 404


def test_long_lists_come_in_pages(alice, make_followers):
    make_followers(alice, 5)
    wire = Wire()
    first = wire.get("/api/users/alice/followers?limit=3")
    assert len(first.json()) == 3
    rest = wire.get(first["Link"].split(">")[0].removeprefix("<http://portal.example"))
    assert len(rest.json()) == 2
    assert not rest.has_header("Link")
    assert {row["user"] for row in first.json() + rest.json()} == {f"fan{n}" for n in range(5)}


@pytest.fixture
def make_followers(db):
    from tests.conftest import make_user

    def make(namesake, count):
        for n in range(count):
            Follow.begin(namesake.namespace, by=make_user(f"fan{n}"))

    return make


def test_many_followers_cost_no_more_queries(alice, make_followers, django_assert_max_num_queries):
    make_followers(alice, 20)
    with django_assert_max_num_queries(3):
        Wire().get("/api/users/alice/followers")


def test_whoami_names_organizations_picture_and_means(token_of, alice, team):
    told = Wire(token_of(alice)).get("/api/whoami-v2").json()
    assert (told["type"], told["name"], told["email"]) == ("user", "alice", "alice@example.org")
    assert [(one["name"], one["roleInOrg"]) for one in told["orgs"]] == [("team", "admin")]
    assert told["auth"]["accessToken"]["role"] == "write"
    assert told["auth"]["accessToken"]["displayName"] == "test"


def test_what_ones_repositories_hold(token_of, alice, bob, team, make_repo):
    make_repo(alice, "one", private=True, files={"a.txt": "x" * 1000})
    make_repo(alice, "cars", kind="dataset")
    make_repo(alice, "shared", namespace="team")
    rows = Wire(token_of(alice)).get("/api/settings/repositories").json()
    assert [(row["id"], row["type"], row["visibility"]) for row in rows] == [
        ("alice/cars", "dataset", "public"),
        ("alice/one", "model", "private"),
    ]
    assert rows[1]["storage"] > rows[0]["storage"] > 0
    assert 99 < sum(row["storagePercent"] for row in rows) < 101
    theirs = Wire(token_of(bob)).get("/api/organizations/team/settings/repositories").json()
    assert [row["id"] for row in theirs] == ["team/shared"]


def test_a_limited_token_learns_no_share_of_what_it_does_not_see(alice, make_repo):
    make_repo(alice, "secret", private=True, files={"a.txt": "x" * 10_000})
    cars = make_repo(alice, "cars", kind="dataset")
    grant = Grant(cars.namespace, Level.READ, "datasets/alice/cars", repo_id=cars.pk)
    _token, secret = AccessToken.issue_fine_grained(user=alice, name="app", grants=[grant])
    rows = Wire(secret).get("/api/settings/repositories").json()
    assert [(row["id"], row["storagePercent"]) for row in rows] == [("alice/cars", 100)]


def test_only_members_see_what_an_organization_holds(token_of, charlie, team):
    stranger, *missing = (
        Wire(token_of(charlie)).get(f"/api/organizations/{name}/settings/repositories")
        for name in ("team", "none", "%FF", "%00")
    )
    assert stranger.status_code == 404
    assert [answer.content for answer in missing] == [stranger.content] * 3
    assert Wire().get("/api/settings/repositories").status_code == 401


def test_a_leaked_token_ends_and_the_answer_tells_nothing(token_of, alice):
    secret = token_of(alice)
    known, unknown = Wire().post("/api/tokens/report", {"token": secret}), Wire().post("/api/tokens/report", {})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.status_code == 202
    assert Wire(secret).get("/api/whoami-v2").status_code == 401


def test_a_picture_is_made_from_the_name_alone(client, db):
    picture = client.get("/avatars/anybody.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert ">A</text>" in picture.text
