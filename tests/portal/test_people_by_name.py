"""People are found by name in whatever case, in one way: a database cannot be asked for every text."""

import json
from pathlib import Path

import pytest
from django.test import Client

from portal.models import User
from portal.names import MAX_NAME
from tests.models_hub.wire import Wire

ROOT = Path(__file__).parents[2]
# SQLite compares in any case with at most 50,000 characters; no database holds the second and third.
NOBODY = ["x" * 60_000, "a\x00b", "\ud800", "", "ålice"]


@pytest.mark.parametrize("name", ["alice", "ALICE", "Alice"])
def test_whatever_the_case(alice, bob, name):
    assert list(User.objects.named(name)) == [alice]


def test_the_longest_name_is_found(db):
    longest = User.objects.create_user("n" * MAX_NAME)
    assert User.objects.named("N" * MAX_NAME).get() == longest


@pytest.mark.parametrize("name", NOBODY, ids=range(len(NOBODY)))
def test_what_no_name_could_be_finds_nobody(alice, name):
    assert not User.objects.named(name).exists()


def test_programs_that_name_nobody_are_told_so(alice, team, make_repo, token_of, client: Client):
    make_repo(alice)
    headers = {"authorization": f"Bearer {token_of(alice)}"}
    for name in NOBODY[:3]:
        for address, body in (
            ("/api/v1/organizations/team/invitations", {"username": name, "role": "read"}),
            ("/api/v1/challenges/none/team/invitations", {"username": name}),
        ):
            answer = client.post(address, json.dumps(body), content_type="application/json", headers=headers)
            assert 400 <= answer.status_code < 500, address
    for address in ("/api/users/{}/likes", "/api/models/alice/bert/discussions?author={}", "/api/users/{}/overview"):
        assert Wire().get(address.format("x" * 60_000)).status_code < 500, address


def test_there_is_no_other_way():
    places = [*ROOT.glob("portal/**/*.py"), *(path for app in ("models_hub", "forum", "leaderboard", "worker")
              for path in ROOT.glob(f"{app}/**/*.py"))]  # fmt: skip
    found = {str(path.relative_to(ROOT)) for path in places if "username__iexact" in path.read_text()}
    assert found == {"portal/models/accounts.py"}
