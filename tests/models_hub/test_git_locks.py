"""Locks of LFS: made, listed, shown before a push, given back, and nobody else's business."""

import pytest

from models_hub.models import FileLock
from portal.models import Event
from tests.models_hub.wire import Wire

LOCKS = "/team/bert.git/info/lfs/locks"


@pytest.fixture
def repo(alice, team, make_repo):
    return make_repo(alice, namespace="team")


@pytest.fixture
def alices(alice, token_of, repo):
    return Wire(token_of(alice))


@pytest.fixture
def bobs(bob, token_of, repo):
    return Wire(token_of(bob))


def lock(wire, path="a.bin"):
    return wire.post(LOCKS, {"path": path, "ref": {"name": "refs/heads/main"}})


def test_a_lock_is_made_once(alices, bobs, alice):
    made = lock(alices)
    assert made.status_code == 201
    shown = made.json()["lock"]
    assert (shown["path"], shown["owner"]) == ("a.bin", {"name": "alice"})
    again = lock(bobs)
    assert (again.status_code, again.json()["lock"]) == (409, shown)
    assert "locked already" in again.json()["message"]
    assert FileLock.objects.get().owner == alice
    assert Event.objects.filter(kind="repo.file_locked").count() == 1


def test_locks_are_listed_page_by_page(alices, charlie, token_of, django_assert_max_num_queries):
    for n in range(5):
        lock(alices, f"{n}.bin")
    with django_assert_max_num_queries(6):
        page = alices.get(f"{LOCKS}?limit=3").json()
    assert [row["path"] for row in page["locks"]] == ["0.bin", "1.bin", "2.bin"]
    rest = alices.get(f"{LOCKS}?limit=3&cursor={page['next_cursor']}").json()
    assert [row["path"] for row in rest["locks"]] == ["3.bin", "4.bin"]
    assert "next_cursor" not in rest
    assert [row["path"] for row in alices.get(f"{LOCKS}?path=4.bin").json()["locks"]] == ["4.bin"]
    found = alices.get(f"{LOCKS}?id={rest['locks'][0]['id']}").json()
    assert [row["path"] for row in found["locks"]] == ["3.bin"]
    assert len(Wire(token_of(charlie)).get(LOCKS).json()["locks"]) == 5


def test_before_a_push_one_sees_whose_they_are(alices, bobs):
    lock(alices, "a.bin")
    lock(bobs, "b.bin")
    sides = bobs.post(f"{LOCKS}/verify", {}).json()
    assert [row["path"] for row in sides["ours"]] == ["b.bin"]
    assert [row["path"] for row in sides["theirs"]] == ["a.bin"]


def test_who_made_a_lock_gives_it_back_or_an_admin_takes_it(alices, bobs):
    first, second = (lock(wire, path).json()["lock"]["id"] for wire, path in ((alices, "a"), (bobs, "b")))
    refused = bobs.post(f"{LOCKS}/{first}/unlock", {"force": True})
    assert (refused.status_code, "locked by alice" in refused.json()["message"]) == (403, True)
    assert alices.post(f"{LOCKS}/{second}/unlock", {}).status_code == 403
    assert alices.post(f"{LOCKS}/{second}/unlock", {"force": True}).json()["lock"]["path"] == "b"
    assert alices.post(f"{LOCKS}/{first}/unlock", {}).status_code == 200
    assert alices.post(f"{LOCKS}/{first}/unlock", {}).status_code == 404
    assert not FileLock.objects.exists()


def test_only_writers_lock(alices, charlie, token_of, bob):
    number = lock(alices).json()["lock"]["id"]
    for wire, status in ((Wire(token_of(charlie)), 403), (Wire(), 401), (Wire(token_of(bob, "read")), 403)):
        assert lock(wire, "x").status_code == status
        assert wire.post(f"{LOCKS}/verify", {}).status_code == status
        assert wire.post(f"{LOCKS}/{number}/unlock", {"force": True}).status_code == status
    assert FileLock.objects.count() == 1


def test_locks_of_a_private_repository_are_not_there(alice, alices, charlie, token_of, make_repo):
    make_repo(alice, "secret", private=True)
    assert alices.post("/alice/secret.git/info/lfs/locks", {"path": "a"}).status_code == 201
    for wire in (Wire(token_of(charlie)), Wire()):
        answers = [wire.get(f"/alice/{name}.git/info/lfs/locks") for name in ("secret", "missing")]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].content == answers[1].content


@pytest.mark.parametrize("path", ["", "/a", "../a", ".git/config", "a\\b", "a\x00b", 5, None])
def test_what_is_no_path_cannot_be_locked(alices, path):
    assert lock(alices, path).status_code == 400
    assert alices.get(f"{LOCKS}?cursor=x").status_code == 400
    assert alices.get(f"{LOCKS}?limit=x").status_code == 400
