"""The ladder of moderation for repositories: each step on every door, and back again."""

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from models_hub import contents, gating, permissions, publishing, quotas
from models_hub.models import BlockedDigest, Repo, Restriction
from models_hub.permissions import DisabledRepo
from models_hub.publishing import PutFile
from models_hub.xet import possession, tokens
from portal import deciding, judging, moderating
from portal.errors import Conflict, NotAllowed
from portal.models import AccessToken, Decision, Notice
from tests.conftest import make_user
from tests.models_hub.wire import LARGE, Wire

BASE = "/api/models/alice/ladder"
SHA = hashlib.sha256(LARGE).hexdigest()
BATCH = "/alice/ladder.git/info/lfs/objects/batch"
MESSAGE = "Access to this resource is disabled."


@pytest.fixture
def repo(alice, make_repo):
    files = {"README.md": "---\nlicense: mit\n---\n# A ladder of words\n", "a.txt": "a", "w.bin": LARGE}
    return make_repo(alice, "ladder", files=files)


@pytest.fixture
def case(repo, charlie):
    return moderating.report(f"repo:{repo.pk}", by=charlie, reason="malware")


@pytest.fixture
def root(db):
    return make_user("root", is_staff=True, is_superuser=True)


@pytest.fixture
def second_root(db):
    return make_user("ruth", is_staff=True, is_superuser=True)


def decide(case, by, action, **more):
    case.refresh_from_db()
    return deciding.decide(case, by=by, action=action, version=case.version, **more)


def names(wire) -> list[str]:
    return [row["id"] for row in wire.get("/api/models").json()]


def test_a_label_is_a_banner_and_nothing_more(case, morgan, client):
    decide(case, morgan, "label", text="The licence is disputed.")
    assert "The licence is disputed." in client.get("/alice/ladder").text
    assert Wire().get("/alice/ladder/resolve/main/a.txt").status_code == 200
    assert names(Wire()) == ["alice/ladder"]


def test_off_lists_is_off_every_list_and_back_again(repo, case, morgan, client):
    assert "alice/ladder" in client.get("/models").text
    decision = decide(case, morgan, "unrank")
    for address in (
        "/models",
        "/models?search=ladder",
        "/models?license=mit",
        "/models?author=alice",
        "/models/latest",
    ):
        assert "alice/ladder" not in client.get(address).text, address
    assert "/alice/ladder" not in client.get("/search?q=ladder").text
    assert "/alice/ladder" not in client.get("/fragments/repos?author=alice").text
    assert names(Wire()) == []
    assert Wire().get(f"{BASE}/tree/main").status_code == 200
    assert client.get("/alice/ladder").status_code == 200
    deciding.undo(decision, by=morgan)
    assert "alice/ladder" in client.get("/models?license=mit").text
    assert names(Wire()) == ["alice/ladder"]


def test_the_owner_still_finds_what_is_off_lists(repo, case, alice, morgan, as_user):
    decide(case, morgan, "unrank")
    assert "/alice/ladder" in as_user(alice).get("/fragments/repos?author=alice").text


def test_a_gate_of_moderators_stays_until_they_open_it(repo, case, alice, morgan):
    decision = decide(case, morgan, "gate")
    repo = Repo.objects.get(pk=repo.pk)
    assert repo.gated == "auto"
    assert Wire().get("/alice/ladder/resolve/main/a.txt").status_code == 401
    with pytest.raises(NotAllowed):
        gating.set_gate(repo, by=alice, gate="")
    deciding.undo(decision, by=morgan)
    assert Repo.objects.get(pk=repo.pk).gated == ""


@pytest.mark.parametrize("anonymous", [True, False])
def test_what_is_disabled_is_read_through_no_door(repo, case, alice, morgan, token_of, anonymous):
    decide(case, morgan, "disable")
    wire = Wire(None if anonymous else token_of(alice))
    for method, path in (
        ("GET", "/alice/ladder/resolve/main/a.txt"),
        ("HEAD", "/alice/ladder/resolve/main/w.bin"),
        ("GET", f"{BASE}/auth-check"),
        ("GET", f"{BASE}/xet-read-token/main"),
    ):
        response = wire.call(method, path)
        assert (response.status_code, response["X-Error-Message"]) == (403, MESSAGE), path
    assert wire.get("/alice/ladder.git/info/refs?service=git-upload-pack").status_code == 403
    asked = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": SHA, "size": len(LARGE)}]}
    assert wire.post(BATCH, asked).status_code == 403
    assert wire.get(BASE).json()["disabled"] is True


def test_what_was_granted_before_ends_with_the_next_look(repo, case, alice, morgan, token_of):
    token, _expires = tokens.issue(repo=repo, user=alice, ttl=600)
    asked = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": SHA, "size": len(LARGE)}]}
    href = Wire(token_of(alice)).post(BATCH, asked).json()["objects"][0]["actions"]["download"]["href"]
    decide(case, morgan, "disable")
    with pytest.raises(DisabledRepo):
        tokens.read(f"Bearer {token}")
    assert Wire().get(href.removeprefix("http://portal.example")).status_code in {401, 403}
    assert repo not in possession.readable_repos(alice)


def test_a_tombstone_says_why_and_since_when(repo, case, alice, morgan, client, as_user):
    decision = decide(case, morgan, "disable", text="It runs code when it is loaded.")
    for path in ("", "/tree/main", "/blob/main/README.md", "/discussions", "/commits/main"):
        page = client.get(f"/alice/ladder{path}")
        assert page.status_code == 403
        assert "It runs code when it is loaded." in page.text
        assert "A ladder of words" not in page.text
    assert "how to appeal" in as_user(alice).get("/alice/ladder").text
    assert as_user(morgan).get("/alice/ladder").status_code == 200
    assert Notice.objects.get(person=alice).decision == decision
    deciding.undo(decision, by=morgan)
    assert client.get("/alice/ladder").status_code == 200
    assert Wire().get("/alice/ladder/resolve/main/a.txt").status_code == 200


def test_for_somebodys_right_the_page_says_so_in_its_status(case, morgan, client):
    decide(case, morgan, "disable", reason="copyright")
    assert client.get("/alice/ladder").status_code == 451


def test_nobody_writes_to_what_is_disabled(repo, case, alice, bob, morgan, token_of):
    decide(case, morgan, "disable")
    repo = Repo.objects.get(pk=repo.pk)
    assert not permissions.can_write(alice, repo)
    assert not permissions.can_propose(bob, repo)
    said = Wire(token_of(bob)).post(f"{BASE}/discussions", {"title": "Hello", "description": "Hi"})
    assert said.status_code == 403


def test_quarantine_takes_two_people_and_admins_alone_read_it(repo, case, morgan, root, as_user):
    proposed = decide(case, morgan, "quarantine")
    assert proposed.is_waiting
    assert not Restriction.objects.exists()
    with pytest.raises(NotAllowed):
        deciding.confirm(proposed, by=morgan)
    deciding.confirm(proposed, by=root)
    assert as_user(morgan).get("/alice/ladder").status_code == 403
    assert as_user(root).get("/alice/ladder/resolve/main/a.txt").status_code == 200


def test_a_proposal_can_be_taken_back(case, morgan, root):
    proposed = decide(case, morgan, "quarantine")
    deciding.withdraw(proposed, by=morgan)
    with pytest.raises(Conflict):
        deciding.confirm(Decision.objects.get(), by=root)


def test_a_purge_takes_two_admins_and_the_bytes_stay_away(repo, case, alice, root, second_root, make_repo):
    proposed = decide(case, root, "purge")
    deciding.confirm(proposed, by=second_root)
    assert SHA in BlockedDigest.objects.values_list("sha256", flat=True)
    other = make_repo(alice, "again")
    with pytest.raises(NotAllowed):
        contents.receive(other, [LARGE])
    with pytest.raises(Conflict):
        deciding.undo(Decision.objects.get(), by=root)


def test_a_purge_takes_small_files_too_and_keeps_them_away(repo, case, alice, root, second_root, make_repo, as_user):
    make_repo(root, "own", files={"b.txt": "what others have too"})
    publishing.commit(
        repo=repo, by=alice, title="More",
        changes=[PutFile("LICENSE", b"Do as you like."), PutFile("b.txt", b"what others have too")],
    )  # fmt: skip
    deciding.confirm(decide(case, root, "purge"), by=second_root)
    other = make_repo(alice, "other")
    for content in (b"a", LARGE):
        with pytest.raises(NotAllowed):
            publishing.commit(repo=other, by=alice, title="Again", changes=[PutFile("again.txt", content)])
    with pytest.raises(NotAllowed):
        contents.receive(other, [b"a"])
    make_repo(alice, "free", files={"LICENSE": "Do as you like.", "c.txt": "what others have too"})
    assert as_user(root).get("/alice/ladder/resolve/main/a.txt").status_code == 404
    account = quotas.account_now(repo.namespace)
    assert account.used == quotas.recount(repo.namespace_id)


def test_moderators_alone_are_not_enough_for_a_purge(case, morgan):
    assert "purge" not in [one.name for one in judging.choices(case, morgan)]


def test_a_step_undone_leads_back_to_the_step_before(repo, case, charlie, bob, morgan):
    decide(case, morgan, "unrank")
    again = moderating.report(f"repo:{repo.pk}", by=bob, reason="licence")
    higher = decide(again, morgan, "disable")
    assert Restriction.objects.get().level == 3
    deciding.undo(higher, by=morgan)
    row = Restriction.objects.get()
    assert (row.level, row.reason) == (1, "malware")
    assert row.since < timezone.now() + timedelta(seconds=1)


def test_owners_of_models_made_from_it_hear_of_it(repo, case, bob, morgan, make_repo):
    child = "---\nbase_model: alice/ladder\nbase_model_relation: finetune\n---\n# Child\n"
    made = make_repo(bob, "child", files={"README.md": child})
    decide(case, morgan, "disable")
    assert bob.notifications.filter(kind="moderation").exists()
    assert Wire().get(f"/{made.full_name}/resolve/main/README.md").status_code == 200


def test_an_organizations_admins_hear_of_it(alice, bob, charlie, morgan, team, make_repo):
    repo = make_repo(bob, "shared", namespace="team")
    case = moderating.report(f"repo:{repo.pk}", by=charlie, reason="licence")
    decide(case, morgan, "unrank")
    assert {notice.person for notice in Notice.objects.all()} == {alice, bob}


def test_a_suspension_leaves_tokens_idle_and_models_there(alice, charlie, morgan, repo, token_of):
    secret = token_of(alice)
    case = moderating.report(f"user:{alice.pk}", by=charlie, reason="harassment")
    decision = decide(case, morgan, "suspend", hours=24)
    assert AccessToken.find(secret) is None
    assert Wire().get("/alice/ladder/resolve/main/a.txt").status_code == 200
    deciding.undo(decision, by=morgan)
    assert AccessToken.find(secret) is not None
