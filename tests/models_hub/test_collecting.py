"""Garbage: what nothing refers to goes after its time of grace, whatever is killed or sent again in between."""

import contextlib
import hashlib
import os
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from models_hub import collecting, contents, pieces, publishing, quotas, reaching, referencing, tidying
from models_hub.changes import Delete, PutFile, PutLarge
from models_hub.collecting import GRACE, XORB_GRACE, collect
from models_hub.models import Blob, Commit, GitObject, Ref, Repo, RepoBlob, UpkeepRun, Xorb, XorbHolding
from models_hub.pieces import ByteRange, Run
from models_hub.quotas import StorageFull
from models_hub.storage import ContentRefused, blob_store
from models_hub.storage.local import LEASE_SECONDS
from portal.errors import StaleParent
from tests.models_hub.test_quotas import account_of, assert_exact
from tests.models_hub.wire import LARGE

LONG = GRACE + timedelta(hours=1)


@pytest.fixture
def repo(alice, make_repo) -> Repo:
    return make_repo(alice, "bert")


def pass_time(by: timedelta = LONG) -> None:
    """Let all that is marked, sent and stored be older."""
    for model, column in (
        (RepoBlob, "unreferenced_since"), (GitObject, "unreachable_since"), (Blob, "unheld_since"),
        (XorbHolding, "touched_at"), (Xorb, "created_at"),
    ):  # fmt: skip
        for row in model.objects.exclude(**{column: None}).only(column):
            model.objects.filter(pk=row.pk).update(**{column: getattr(row, column) - by})
    for path in blob_store().root.rglob("*"):
        if path.is_file():
            old = path.stat().st_mtime - by.total_seconds()
            os.utime(path, (old, old))


def large(repo, alice, path="model.bin", data=LARGE):
    blob = contents.receive(repo, [data])
    publishing.commit(repo=repo, by=alice, changes=[PutLarge(path, blob.sha256)], title="large")
    return blob


def test_what_a_branch_leads_to_stays(alice, repo):
    blob = large(repo, alice)
    publishing.commit(repo=repo, by=alice, changes=[Delete("model.bin")], title="away")  # its history still names it
    before = GitObject.objects.count()
    for _run in range(3):
        collect()
        pass_time()
    assert (GitObject.objects.count(), Blob.objects.get()) == (before, blob)
    assert blob_store().has(blob.sha256)


def test_an_upload_that_was_never_committed_goes_after_its_grace(alice, repo):
    used = account_of("alice").used
    blob = contents.receive(repo, [LARGE])
    collect()
    assert RepoBlob.objects.exists()
    pass_time()
    figures = collect()
    assert (figures.rights, figures.right_bytes) == (1, len(LARGE))
    assert account_of("alice").used == used
    assert blob_store().has(blob.sha256)  # nobody's content waits once more
    pass_time()
    assert collect().blobs == 1
    assert not blob_store().has(blob.sha256)
    assert not Blob.objects.exists()
    assert_exact("alice")


def test_a_deleted_branch_takes_its_commits_and_files_along(alice, repo):
    referencing.create_branch(repo, by=alice, name="trial")
    blob = contents.receive(repo, [LARGE])
    changes = [PutLarge("x.bin", blob.sha256), PutFile("x.txt", b"only there")]
    made = publishing.commit(repo=repo, by=alice, changes=changes, title="trial", branch="trial")
    referencing.delete_branch(repo, by=alice, name="trial")
    collect()
    assert Commit.objects.filter(oid=made.oid).exists()
    pass_time()
    figures = collect()
    assert figures.git_objects == 4  # commit, folder, text and pointer
    assert not Commit.objects.filter(oid=made.oid).exists()
    assert not RepoBlob.objects.exists()
    assert reaching.walk(repo).is_whole
    assert_exact("alice")


def test_a_commit_that_is_named_again_in_time_stays(alice, repo):
    referencing.create_branch(repo, by=alice, name="trial")
    made = publishing.commit(repo=repo, by=alice, changes=[PutFile("a", b"x")], title="trial", branch="trial")
    referencing.delete_branch(repo, by=alice, name="trial")
    collect()
    referencing.create_tag(repo, by=alice, name="saved", revision=made.oid)
    pass_time()
    assert collect().git_objects == 0
    assert not GitObject.objects.exclude(unreachable_since=None).exists()


def test_a_commit_that_went_cannot_be_named(alice, repo):
    gone = Commit.objects.get(repo=repo)
    with pytest.raises(StaleParent), transaction.atomic():
        Ref.move(repo, "refs/heads/late", expected=None, new="1" * 40)
    with pytest.raises(StaleParent), transaction.atomic():
        Ref.move(repo, "refs/heads/main", expected=gone.oid, new="1" * 40)
    assert list(Ref.objects.values_list("oid", flat=True)) == [gone.oid]


def test_commits_with_scores_stay(alice, repo, settings):
    referencing.create_branch(repo, by=alice, name="trial")
    made = publishing.commit(repo=repo, by=alice, changes=[PutFile("a", b"x")], title="trial", branch="trial")
    referencing.delete_branch(repo, by=alice, name="trial")
    settings.COMMIT_KEEPERS = ["tests.models_hub.test_collecting.keep"]
    KEPT[repo.pk] = [made.oid]
    for _run in range(2):
        collect()
        pass_time()
    assert Commit.objects.filter(oid=made.oid).exists()


KEPT: dict[int, list[str]] = {}


def keep(repo_id: int) -> list[str]:
    return KEPT.get(repo_id, [])


def test_nothing_goes_from_a_repository_that_is_not_whole(alice, repo):
    contents.receive(repo, [LARGE])
    head = Commit.objects.get(repo=repo)
    GitObject.objects.filter(oid=head.tree_oid).delete()
    for _run in range(2):
        collect()
        pass_time()
    assert RepoBlob.objects.exists()


def test_use_after_the_mark_ends_the_grace(alice, repo):
    blob = contents.receive(repo, [LARGE])
    collect()
    pass_time()
    contents.claimed_by(repo, [blob.sha256])  # a client was told that it need not send it
    assert collect().rights == 0
    large(repo, alice)
    pass_time()
    assert collect().rights == 0
    assert RepoBlob.objects.get().unreferenced_since is None


def test_a_claim_after_the_right_went_is_told_to_send_again(alice, repo):
    blob = contents.receive(repo, [LARGE])
    collect()
    pass_time()
    collect()
    with pytest.raises(ContentRefused, match="has not been uploaded"):
        publishing.commit(repo=repo, by=alice, changes=[PutLarge("x.bin", blob.sha256)], title="late")


class TestRaces:
    """The same content comes again at the worst moment."""

    @pytest.fixture
    def doomed(self, repo) -> str:
        digest = contents.receive(repo, [LARGE]).sha256
        publishing_free(digest)
        pass_time()
        return digest

    def test_content_stored_between_the_last_look_and_the_move_stays(self, repo, doomed, monkeypatch):
        rename = os.rename

        def store_first(source, target):
            monkeypatch.setattr(os, "rename", rename)
            blob_store().put([LARGE])  # finds the file, keeps it; its row comes later
            rename(source, target)

        monkeypatch.setattr(os, "rename", store_first)
        assert collect().files == 0
        blob = contents.register(repo, sha256=doomed, size=len(LARGE))
        assert b"".join(contents.stream(blob)) == LARGE

    def test_content_stored_after_the_move_is_stored_anew(self, repo, doomed, monkeypatch):
        rename = os.rename

        def store_after(source, target):
            monkeypatch.setattr(os, "rename", rename)
            rename(source, target)
            contents.receive(repo, [LARGE])

        monkeypatch.setattr(os, "rename", store_after)
        collect()
        assert b"".join(contents.stream(Blob.objects.get())) == LARGE
        assert not list(blob_store().leaving.iterdir())

    def test_content_whose_row_comes_after_the_move_is_brought_back(self, repo, doomed, monkeypatch):
        rename = os.rename

        def register_after(source, target):
            monkeypatch.setattr(os, "rename", rename)
            rename(source, target)
            Blob.objects.create(sha256=doomed, size=len(LARGE), pointer_oid="1" * 40)

        monkeypatch.setattr(os, "rename", register_after)
        assert collect().files == 0
        assert b"".join(contents.stream(Blob.objects.get())) == LARGE

    def test_a_row_is_not_dropped_once_it_has_a_right_again(self, repo):
        blob = contents.receive(repo, [LARGE])
        RepoBlob.objects.all().delete()
        Blob.objects.update(unheld_since=timezone.now() - LONG)
        contents.receive(repo, [LARGE])
        assert not collecting._drop_blob(blob.pk, timezone.now() - GRACE)
        assert Blob.objects.get().unheld_since is None


def publishing_free(digest: str) -> None:
    """Let content have a file but no row."""
    RepoBlob.objects.all().delete()
    Blob.objects.filter(sha256=digest).delete()


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs but the transaction's rollback."""


@pytest.mark.parametrize("at", ["unlink", "rename", "bring_back"])
def test_a_kill_between_row_and_file_leaves_no_row_without_a_file(repo, monkeypatch, at):
    contents.receive(repo, [LARGE])
    digest = hashlib.sha256(LARGE).hexdigest()
    publishing_free(digest)
    pass_time()
    store, path = blob_store(), blob_store().path(digest)
    if at == "unlink":
        os.rename(path, store.leaving / digest)  # killed after the move
    elif at == "rename":
        pass  # killed before it: the row is gone, the file is there
    else:
        contents.receive(repo, [LARGE])
        os.rename(path, store.leaving / digest)  # killed before it was brought back to its row
    collect()
    assert store.has(digest) == Blob.objects.filter(sha256=digest).exists() == (at == "bring_back")
    assert not list(store.leaving.iterdir())


def test_a_repository_that_is_deleted_while_it_is_looked_at_does_not_end_the_run(alice, repo, make_repo, monkeypatch):
    contents.receive(repo, [LARGE])
    contents.receive(make_repo(alice, "gpt"), [LARGE + b"2"])
    collect()
    pass_time()
    measure = tidying.measure

    def delete_then(one, reached):
        made = measure(one, reached)
        if one.pk == repo.pk:
            publishing.delete_repo(one, by=alice)
        return made

    monkeypatch.setattr(tidying, "measure", delete_then)
    assert collect().rights == 1  # that of the repository after it
    assert not Repo.objects.filter(pk=repo.pk).exists()


def test_a_run_may_be_killed_at_any_check_and_the_next_one_ends_the_work(alice, repo):
    contents.receive(repo, [LARGE])
    publishing.delete_repo(repo, by=alice)
    for stop_at in (1, 1, 2, 2, 3):
        left = [stop_at]

        def check(left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        with contextlib.suppress(Killed):
            collect(check=check)
        for blob in Blob.objects.all():
            assert blob_store().has(blob.sha256)
        pass_time()
    collect()
    assert not Blob.objects.exists()
    assert not list(blob_store().digests())


class TestXorbs:
    """Clients refer to xorbs for weeks without asking."""

    @pytest.fixture
    def xorb(self, repo) -> Xorb:
        stored = blob_store().put([LARGE])
        xorb = Xorb.objects.create(hash="a" * 64, key=stored.digest, size=stored.size, chunk_count=1, chunks=b"")
        with transaction.atomic():
            quotas.note_xorb(quotas.hold(repo), repo, xorb)
        return xorb

    def use(self, repo, xorb, data, offset=0):
        run = Run(xorb.pk, 0, 1, ByteRange(xorb.key, offset, len(data)))
        sha = hashlib.sha256(data).hexdigest()
        return pieces.register(repo, sha256=sha, size=len(data), xet_hash="b" * 64, runs=[run])

    def test_an_unused_xorb_is_charged_until_a_file_uses_it(self, repo, xorb):
        used = account_of("alice").used
        self.use(repo, xorb, LARGE[:100])
        assert account_of("alice").used == used
        assert XorbHolding.objects.get().unused == len(LARGE) - 100
        assert_exact("alice")

    def test_sending_it_again_costs_nothing_again(self, repo, xorb):
        used = account_of("alice").used
        with transaction.atomic():
            quotas.note_xorb(quotas.hold(repo), repo, xorb)
        assert account_of("alice").used == used

    def test_another_owner_who_sends_it_is_charged_alike(self, bob, make_repo, xorb):
        other = make_repo(bob, "own")
        before = account_of("bob").used
        with transaction.atomic():
            quotas.note_xorb(quotas.hold(other), other, xorb)
        assert account_of("bob").used == before + xorb.size

    def test_it_stays_for_weeks_and_then_goes_with_its_charge(self, repo, xorb):
        before = account_of("alice").used
        pass_time(XORB_GRACE - timedelta(days=1))
        assert collect().xorbs == 0
        assert blob_store().has(xorb.key)
        pass_time(timedelta(days=2))
        assert collect().xorbs == 1
        assert not blob_store().has(xorb.key)
        assert account_of("alice").used == before - xorb.size
        assert_exact("alice")

    def test_a_xorb_of_a_file_stays_and_its_dead_part_is_charged(self, alice, repo, xorb):
        self.use(repo, xorb, LARGE)
        part = self.use(repo, xorb, LARGE[:100])
        publishing.commit(repo=repo, by=alice, changes=[PutLarge("part.bin", part.sha256)], title="part")
        before = account_of("alice").used
        for _run in range(3):
            collect()
            pass_time(XORB_GRACE + LONG)
        assert collect().xorbs == 0
        assert b"".join(contents.stream(part)) == LARGE[:100]
        # The whole file is gone, but its bytes are kept for the sake of the part.
        assert account_of("alice").used == before - len(LARGE) + (len(LARGE) - 100)
        assert_exact("alice")

    def test_a_file_of_the_same_bytes_keeps_them(self, alice, repo, xorb):
        large(repo, alice)
        pass_time(XORB_GRACE + LONG)
        assert collect().xorbs == 1
        assert blob_store().has(xorb.key)


def test_parts_that_were_given_up_give_their_room_back(repo):
    before = account_of("alice").used
    contents.receive_part(repo, "one", 1, [b"01234"], size=5, whole=10)
    collect()
    assert account_of("alice").used == before + 10
    repo.reservations.update(created_at=timezone.now() - timedelta(hours=25))
    pass_time()
    assert collect().uploads == 1
    assert account_of("alice").used == before
    assert not list(blob_store().incoming.iterdir())


def test_a_dry_run_counts_and_changes_nothing(alice, repo, capsys):
    contents.receive(repo, [LARGE])
    collect()
    pass_time()
    runs = UpkeepRun.objects.count()
    call_command("collect_garbage", "--dry-run")
    printed = capsys.readouterr().out
    assert "Would be removed now" in printed
    assert f"right bytes {len(LARGE)}" in printed
    assert RepoBlob.objects.exists()
    assert UpkeepRun.objects.count() == runs
    call_command("collect_garbage")
    assert not RepoBlob.objects.exists()
    assert UpkeepRun.objects.latest("pk").figures["right_bytes"] == len(LARGE)


def test_a_repository_is_measured_by_what_its_bytes_are_for(alice, repo):
    blob = large(repo, alice)
    publishing.commit(repo=repo, by=alice, changes=[Delete("model.bin")], title="away")
    contents.receive(repo, [b"never committed\0"])
    collect()
    repo.refresh_from_db()
    assert repo.measure.history > blob.size
    assert repo.measure.unused == 16
    assert repo.measure.current + repo.measure.history + repo.measure.unused == quotas.held_by(repo)


def test_a_full_owner_can_still_be_tidied(alice, repo):
    contents.receive(repo, [LARGE])
    account = account_of("alice")
    account.limit = 1
    account.save()
    with pytest.raises(StorageFull):
        contents.receive(repo, [b"more\0"])
    collect()
    pass_time()
    assert collect().rights == 1
    assert tidying.find(repo, reaching.walk(repo)).bytes == 0


def test_a_lease_ends_by_the_clock_of_the_disk():
    stored = blob_store().put([b"x"])
    assert blob_store().discard(stored.digest, is_wanted=lambda: False) == 0
    old = time.time() - LEASE_SECONDS - 5
    os.utime(blob_store().path(stored.digest), (old, old))
    assert blob_store().discard(stored.digest, is_wanted=lambda: True) == 0
    assert blob_store().discard(stored.digest, is_wanted=lambda: False) == 1
