"""Repositories get another name or owner; the old name leads on, on every door."""

import pytest

from models_hub import moving, quotas
from models_hub.models import QuotaAccount, Repo
from models_hub.publishing import PutFile, commit
from portal.models import Event, Organization
from tests.models_hub.wire import Wire, file_row

MOVE = {"fromRepo": "alice/bert", "toRepo": "alice/tiny", "type": "model"}


def moved(wire: Wire, **changes):
    return wire.post("/api/repos/move", MOVE | changes)


def test_a_repository_is_renamed_and_keeps_what_it_has(alice, make_repo, token_of):
    repo = make_repo(alice, files={"a.txt": "a"})
    response = moved(Wire(token_of(alice)))
    assert response.status_code == 200
    assert response.json() == {"url": "http://portal.example/alice/tiny", "name": "alice/tiny", "id": "alice/tiny"}
    assert Wire().get("/api/models/alice/tiny").json()["sha"] == repo.head
    event = Event.objects.get(kind="repo.moved")
    assert (event.payload["before"], event.payload["name"]) == ("alice/bert", "alice/tiny")


READS = [
    ("/api/models/alice/bert", "/api/models/alice/tiny"),
    ("/api/models/ALICE/Bert?expand=sha&expand=likes", "/api/models/alice/tiny?expand=sha&expand=likes"),
    ("/api/models/alice/bert/revision/refs%2Fpr%2F1", "/api/models/alice/tiny/revision/refs%2Fpr%2F1"),
    ("/api/models/alice/bert/tree/main/a%2Fb", "/api/models/alice/tiny/tree/main/a%2Fb"),
    ("/alice/bert/resolve/main/a.txt?download=true", "/alice/tiny/resolve/main/a.txt?download=true"),
    ("/alice/bert/raw/main/alice/bert", "/alice/tiny/raw/main/alice/bert"),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("old", "new"), READS)
def test_the_old_name_leads_on_with_a_relative_address(alice, make_repo, method, old, new):
    moving.move_repo(make_repo(alice, files={"a.txt": "a"}), by=alice, namespace="alice", name="tiny")
    response = Wire().call(method, old)
    assert (response.status_code, response["Location"]) == (307, new)


@pytest.mark.parametrize(
    ("method", "tail"),
    [("POST", "/commit/main"), ("PUT", "/settings"), ("DELETE", "/branch/x"), ("POST", "/preupload/main")],
)
def test_changes_sent_to_the_old_name_keep_their_method(alice, make_repo, token_of, method, tail):
    moving.move_repo(make_repo(alice), by=alice, namespace="alice", name="tiny")
    response = Wire(token_of(alice)).call(method, f"/api/models/alice/bert{tail}", {})
    assert (response.status_code, response["Location"]) == (307, f"/api/models/alice/tiny{tail}")


def test_lfs_and_pages_lead_on_too(alice, make_repo, client):
    moving.move_repo(make_repo(alice, "cars", kind="dataset"), by=alice, namespace="alice", name="autos")
    batch = client.post("/datasets/alice/cars.git/info/lfs/objects/batch", {}, "application/json")
    assert batch["Location"] == "/datasets/alice/autos.git/info/lfs/objects/batch"
    page = client.get("/datasets/alice/cars/tree/main?x=1")
    assert (page.status_code, page["Location"]) == (307, "/datasets/alice/autos/tree/main?x=1")


def test_a_private_repository_leads_nobody_from_its_old_name(alice, charlie, make_repo, token_of):
    repo = make_repo(alice, private=True)
    moving.move_repo(repo, by=alice, namespace="alice", name="tiny")
    for token in (None, token_of(charlie)):
        for path in ("/api/models/alice/{}", "/alice/{}/resolve/main/a.txt"):
            hidden, missing = (Wire(token).get(path.format(name)) for name in ("bert", "nothing"))
            assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
            assert "Location" not in hidden
    assert Wire(token_of(alice)).get("/api/models/alice/bert").status_code == 307


def test_the_old_name_may_be_taken_and_then_leads_nowhere(alice, make_repo, token_of):
    repo = make_repo(alice)
    moving.move_repo(repo, by=alice, namespace="alice", name="tiny")
    new = make_repo(alice, "BERT")
    assert Wire().get("/api/models/alice/bert").json()["id"] == "alice/BERT"
    assert not new.aliases.exists()
    assert not repo.aliases.exists()


def test_names_are_followed_over_several_moves_and_back(alice, make_repo):
    repo = make_repo(alice)
    for name in ("b", "c", "bert"):
        moving.move_repo(repo, by=alice, namespace="alice", name=name)
    assert Wire().get("/api/models/alice/bert").status_code == 200
    assert [Wire().get(f"/api/models/alice/{name}")["Location"] for name in "bc"] == ["/api/models/alice/bert"] * 2


def test_only_the_case_may_change(alice, make_repo, token_of):
    make_repo(alice)
    assert moved(Wire(token_of(alice)), toRepo="alice/BERT").json()["id"] == "alice/BERT"
    assert Wire().get("/api/models/alice/bert").json()["id"] == "alice/BERT"


def test_a_repository_goes_to_another_owner_with_its_bytes(alice, bob, team, make_repo, token_of):
    repo = make_repo(alice, files={"a.txt": "a" * 1000})
    held = quotas.held_by(repo)
    before = QuotaAccount.objects.get(namespace__name="alice").used
    assert moved(Wire(token_of(alice)), toRepo="team/bert").status_code == 200
    assert QuotaAccount.objects.get(namespace__name="alice").used == before - held
    assert QuotaAccount.objects.get(namespace__name="team").used == held
    commit(repo=Repo.objects.get(), by=bob, changes=[PutFile("b.txt", b"b")], title="Bob may write now")
    assert Wire().get("/api/models/alice/bert")["Location"] == "/api/models/team/bert"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"toRepo": "charlie/bert"}, 403), ({"toRepo": "nobody/bert"}, 403), ({"toRepo": "bert"}, 400),
        ({"toRepo": "alice/a--b"}, 400), ({"fromRepo": "alice/none"}, 404), ({"fromRepo": None}, 400),
        ({"type": "dataset"}, 404), ({"toRepo": "alice/\x00"}, 400),
    ],
)  # fmt: skip
def test_a_wrong_wish_moves_nothing(alice, charlie, make_repo, token_of, changes, status):
    make_repo(alice)
    assert moved(Wire(token_of(alice)), **changes).status_code == status
    assert Repo.objects.get().full_name == "alice/bert"


def test_a_taken_name_is_a_conflict_in_the_words_of_the_hub(alice, make_repo, token_of):
    make_repo(alice), make_repo(alice, "tiny")
    response = moved(Wire(token_of(alice)))
    assert response.status_code == 409
    assert response.json()["error"] == "A model repository called alice/tiny already exists"
    assert sorted(repo.full_name for repo in Repo.objects.all()) == ["alice/bert", "alice/tiny"]


def test_only_an_admin_of_the_owner_moves(alice, bob, charlie, team, make_repo, token_of):
    make_repo(alice, namespace="team")
    for user, status in ((bob, 403), (charlie, 403)):
        assert moved(Wire(token_of(user)), fromRepo="team/bert", toRepo=f"{user}/bert").status_code == status
    assert moved(Wire(token_of(alice, "read")), fromRepo="team/bert").status_code == 403
    assert moved(Wire(), fromRepo="team/bert").status_code == 401


def test_who_lost_the_organization_no_longer_moves_into_it(alice, bob, make_repo, token_of):
    organization = Organization.found(name="lab", by=bob)
    organization.add(alice, role="read", by=bob)
    make_repo(alice)
    assert moved(Wire(token_of(alice)), toRepo="lab/bert").status_code == 403


def test_a_commit_reaches_the_new_name_after_the_redirect(alice, make_repo, token_of):
    moving.move_repo(make_repo(alice), by=alice, namespace="alice", name="tiny")
    wire = Wire(token_of(alice))
    address = wire.commit("models/alice/bert", file_row("x.txt", b"x"))["Location"]
    assert address == "/api/models/alice/tiny/commit/main"
    assert wire.commit("models/alice/tiny", file_row("x.txt", b"x")).status_code == 200
