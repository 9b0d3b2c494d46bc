"""The ledger: no owner exceeds its limit by a byte, and the sum of the entries is what is really held."""

import hashlib
import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum

from models_hub import collecting, contents, publishing, quotas
from models_hub.browsing import EntryNotFound
from models_hub.changes import Delete, PutFile, PutLarge
from models_hub.models import QuotaAccount, QuotaEntry, Repo, RepoBlob
from models_hub.quotas import StorageFull
from portal.errors import StaleParent
from portal.models import Event, Namespace
from tests.models_hub.wire import LARGE, Wire, file_row
from tests.models_hub.xet_client import MadeFile, MadeXorb, sha256, whole
from tests.models_hub.xet_sender import Sender

XORB = MadeXorb((b"one" * 300, b"two" * 400, b"three" * 500))


def account_of(name: str) -> QuotaAccount:
    return QuotaAccount.objects.get(namespace__lower=name)


def assert_exact(*names: str) -> None:
    for name in names:
        account = account_of(name)
        entries = account.entries.aggregate(total=Sum("bytes"))["total"] or 0
        assert account.used == entries == quotas.recount(account.namespace_id), name


def limit(name: str, *, room: int) -> QuotaAccount:
    """Leave an owner exactly this much room."""
    account = account_of(name)
    account.limit = account.used + room
    account.save()
    return account


@pytest.fixture
def repo(alice, make_repo) -> Repo:
    return make_repo(alice, "bert")


@pytest.fixture
def wire(alice, token_of) -> Wire:
    return Wire(token_of(alice))


def test_history_and_content_are_charged_once(alice, repo):
    before = account_of("alice").used
    assert before > 0  # the first commit
    for _again in range(2):
        contents.receive(repo, [LARGE])
    assert account_of("alice").used == before + len(LARGE)
    assert_exact("alice")


def test_each_repository_is_charged_for_the_same_content(alice, repo, make_repo):
    other = make_repo(alice, "copy")
    before = account_of("alice").used
    for one in (repo, other):
        contents.receive(one, [LARGE])
    assert account_of("alice").used == before + 2 * len(LARGE)


def test_the_last_byte_fits_and_one_more_does_not(repo):
    limit("alice", room=len(LARGE) - 1)
    with pytest.raises(StorageFull):
        contents.receive(repo, [LARGE])
    assert not RepoBlob.objects.exists()
    limit("alice", room=len(LARGE))
    contents.receive(repo, [LARGE])
    assert account_of("alice").room == 0
    contents.receive(repo, [LARGE], size=len(LARGE))  # what is there already costs nothing
    assert_exact("alice")


def test_what_cannot_fit_is_refused_before_its_bytes_are_read(repo):
    limit("alice", room=5)
    with pytest.raises(StorageFull):
        contents.receive(repo, iter(lambda: pytest.fail("read"), None), size=6)


def test_a_refused_commit_is_charged_for_what_it_leaves(alice, repo):
    parent = "0" * 40
    with pytest.raises(StaleParent):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("a.txt", b"x" * 500)], title="late", parent=parent)
    limit("alice", room=10)
    with pytest.raises(StorageFull):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("b.txt", b"y" * 500)], title="big")
    assert_exact("alice")


def test_deletion_gives_everything_back(alice, repo):
    contents.receive(repo, [LARGE])
    publishing.delete_repo(repo, by=alice)
    assert account_of("alice").used == 0
    assert account_of("alice").entries.order_by("-pk")[0].reason == QuotaEntry.Reason.DELETED
    assert_exact("alice")


def test_a_moved_repository_takes_its_bytes_along_or_stays(alice, team, repo):
    contents.receive(repo, [LARGE])
    held, to = account_of("alice").used, Namespace.objects.get(lower="team")
    quotas.hold_owner(to.pk)
    limit("team", room=held - 1)
    with pytest.raises(StorageFull, match=r"The storage of team is full.*/organizations/team/storage"):
        quotas.transfer(repo, repo.namespace, to)
    limit("team", room=held)
    quotas.transfer(repo, repo.namespace, to)
    Repo.objects.filter(pk=repo.pk).update(namespace=to)
    assert (account_of("alice").used, account_of("team").used) == (0, held)
    assert_exact("alice", "team")


def test_an_account_opens_with_what_was_there_before_the_ledger(alice, repo):
    held = account_of("alice").used
    QuotaAccount.objects.all().delete()
    contents.receive(repo, [LARGE])
    assert account_of("alice").used == held + len(LARGE)
    assert_exact("alice")


def test_parts_reserve_the_whole_until_they_are_joined(repo):
    limit("alice", room=10)
    sha = hashlib.sha256(b"0123456789").hexdigest()
    contents.receive_part(repo, "one", 1, [b"01234"], size=5, whole=10)
    contents.receive_part(repo, "one", 2, [b"56789"], size=5, whole=10)
    assert account_of("alice").room == 0
    with pytest.raises(StorageFull):
        contents.receive_part(repo, "two", 1, [b"x"], size=1, whole=1)
    contents.receive_parts(repo, "one", 2, sha256=sha, size=10)
    assert account_of("alice").room == 0
    assert not repo.reservations.exists()
    assert_exact("alice")


def test_parts_that_are_not_the_content_give_their_room_back(repo):
    limit("alice", room=10)
    contents.receive_part(repo, "one", 1, [b"0123456789"], size=10, whole=10)
    with pytest.raises(contents.ContentRefused):
        contents.receive_parts(repo, "one", 1, sha256="0" * 64, size=10)
    assert account_of("alice").room == 10
    assert_exact("alice")


class TestFaces:
    """Each says it in the form of its clients."""

    def test_a_batch_of_lfs_is_refused_as_a_whole(self, repo, wire):
        limit("alice", room=100)
        rows = [{"oid": "1" * 64, "size": 60}, {"oid": "2" * 64, "size": 60}]
        answer = wire.post("/alice/bert.git/info/lfs/objects/batch", {"operation": "upload", "objects": rows})
        assert answer.status_code == 507
        assert "The storage of alice is full" in answer.json()["message"]
        assert "/settings/storage" in answer.json()["message"]

    def test_a_batch_counts_no_object_twice_and_none_that_is_here(self, repo, wire):
        blob = contents.receive(repo, [LARGE])
        limit("alice", room=100)
        rows = [{"oid": "1" * 64, "size": 60}] * 2 + [{"oid": blob.sha256, "size": blob.size}]
        answer = wire.post("/alice/bert.git/info/lfs/objects/batch", {"operation": "upload", "objects": rows})
        assert answer.status_code == 200

    def test_a_preupload_is_refused_with_a_text_for_its_client(self, repo, wire):
        limit("alice", room=100)
        asked = {"files": [{"path": "model.bin", "size": 101, "sample": ""}]}
        answer = wire.post("/api/models/alice/bert/preupload/main", asked)
        assert answer.status_code == 413
        assert answer["X-Error-Message"].startswith("The storage of alice is full: ")
        assert "/settings/storage" in answer["X-Error-Message"]

    def test_a_commit_is_refused_and_changes_nothing(self, repo, wire):
        limit("alice", room=100)
        answer = wire.commit("models/alice/bert", file_row("a.txt", b"x" * 200))
        assert answer.status_code == 413
        assert wire.get("/alice/bert/resolve/main/a.txt").status_code == 404
        assert_exact("alice")

    def test_a_page_shows_it_beside_the_form(self, as_user, alice, repo):
        limit("alice", room=10)
        answer = as_user(alice).post("/new/model", {"namespace": "alice", "name": "second", "private": "public"})
        assert answer.status_code == 507
        assert "The storage of alice is full" in answer.text

    def test_strangers_learn_nothing_of_it(self, repo, token_of, charlie):
        Repo.objects.update(private=True)
        limit("alice", room=0)
        rows = [{"oid": "1" * 64, "size": 60}]
        body = {"operation": "upload", "objects": rows}
        stranger = Wire(token_of(charlie))
        hidden, missing = (
            stranger.post(f"/alice/{name}.git/info/lfs/objects/batch", body) for name in ("bert", "none")
        )
        assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)


class TestXet:
    """Xorbs are charged when they come, and their files instead of them when a shard makes files."""

    @pytest.fixture
    def sender(self, repo, alice) -> Sender:
        return Sender(repo, alice)

    def test_a_file_is_charged_once(self, sender):
        before = account_of("alice").used
        sender.xorb(XORB)
        sender.xorb(XORB)
        assert account_of("alice").used == before + len(XORB.raw)
        for _again in range(2):
            assert sender.shard(whole(XORB)).status_code == 200
        assert account_of("alice").used == before + len(XORB.raw)
        assert_exact("alice")

    def test_a_xorb_that_does_not_fit_is_refused_for_good_and_not_kept(self, sender, own_blob_folder):
        limit("alice", room=len(XORB.raw) - 1)
        answer = sender.xorb(XORB)
        assert answer.status_code == 413  # 5xx would be repeated for minutes
        assert "The storage of alice is full" in answer.json()["error"]
        assert not [path for path in own_blob_folder.rglob("*") if path.is_file()]
        limit("alice", room=len(XORB.raw))
        assert sender.xorb(XORB).status_code == 200
        assert sender.xorb(XORB).status_code == 200  # again, it needs no room
        assert sender.shard(whole(XORB)).status_code == 200

    def test_a_small_file_of_a_large_xorb_does_not_hide_the_rest(self, sender):
        before = account_of("alice").used
        sender.xorb(XORB)
        chunk = XORB.chunks[0]
        first = MadeFile((chunk,), sha256(chunk), (XORB.term(0, 1),))
        assert sender.shard(first).status_code == 200
        assert account_of("alice").used == before + len(XORB.raw)

    def test_what_others_hold_makes_no_difference(self, sender, bob, make_repo):
        Sender(make_repo(bob, "his", private=True), bob).xorb(XORB)
        before = account_of("alice").used
        sender.xorb(XORB)
        assert account_of("alice").used == before + len(XORB.raw)


def test_who_only_proposes_learns_no_numbers_and_leaves_the_owner_some_room(repo, token_of, charlie):
    limit("alice", room=1024 * 1024 + 500)
    stranger = Wire(token_of(charlie))
    for size, status in ((500, 200), (501, 507)):
        body = {"operation": "upload", "objects": [{"oid": "1" * 64, "size": size}]}
        answer = stranger.post("/alice/bert.git/info/lfs/objects/batch", body)
        assert answer.status_code == status
    assert answer.json()["message"] == "The owner of this repository has no room left for what you send."


def test_an_admin_sets_a_limit_in_the_admin_site(as_user, alice, repo):
    root = type(alice).objects.create_superuser("root", "root@example.org", "x")
    account = account_of("alice")
    answer = as_user(root).post(f"/admin/models_hub/quotaaccount/{account.pk}/change/", {"limit": "12345"})
    assert answer.status_code == 302
    assert account_of("alice").limit_now == 12345
    assert Event.objects.filter(kind="quota.limit_changed", actor=root).exists()


def test_random_operations_leave_the_ledger_exact(alice, team, make_repo):
    dice = random.Random(20261124)
    names = ["alice", "team"]
    repos = [make_repo(alice, "one"), make_repo(alice, "two", namespace="team")]
    content = [bytes([n]) * dice.randrange(1, 3000) + b"\0" for n in range(8)]
    for step in range(40):
        repo = dice.choice(repos)
        action = dice.randrange(7)
        try:
            if action == 0:
                contents.receive(repo, [dice.choice(content)])
            elif action == 1:
                blob = contents.receive(repo, [dice.choice(content)])
                publishing.commit(
                    repo=repo, by=alice, title="large", changes=[PutLarge(f"f{dice.randrange(3)}.bin", blob.sha256)]
                )
            elif action == 2:
                changes = [PutFile(f"{dice.randrange(4)}.txt", bytes(str(dice.random()), "ascii"))]
                publishing.commit(repo=repo, by=alice, title="small", changes=changes)
            elif action == 3:
                publishing.commit(repo=repo, by=alice, title="less", changes=[Delete(f"{dice.randrange(4)}.txt")])
            elif action == 4:
                publishing.delete_repo(repo, by=alice)
                repos.remove(repo)
                repos.append(make_repo(alice, f"r{step}", namespace=dice.choice(names)))
            elif action == 5:
                limit(dice.choice(names), room=dice.randrange(4000))
            else:
                collecting.collect(grace=-collecting.GRACE)
        except (StorageFull, EntryNotFound):
            QuotaAccount.objects.update(limit=None)
            if not repos:
                repos.append(make_repo(alice, f"r{step}"))
        assert_exact(*names)


def test_a_recount_finds_and_mends_what_other_hands_did(repo):
    QuotaAccount.objects.update(used=5)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("recount_storage", stdout=out)
    assert "alice: counted" in out.getvalue()
    call_command("recount_storage", "--mend", stdout=out)
    assert_exact("alice")
    call_command("recount_storage", stdout=out)
    assert "0 accounts differ" in out.getvalue()
