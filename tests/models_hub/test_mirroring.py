"""Repositories that are missing here come from the upstream hub, and follow it."""

import os
import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.utils import timezone

from models_hub import (
    browsing,
    bundle_format,
    bundling,
    checking,
    copying,
    fetching,
    mirroring,
    moving,
    publishing,
    quotas,
    referencing,
)
from models_hub.browsing import RepoNotFound
from models_hub.models import AwaitedBlob, Commit, Mirror, QuotaAccount, Ref, Repo, RepoBlob
from models_hub.publishing import Delete, PutFile
from models_hub.storage import blob_store
from portal.errors import Conflict, NotAllowed, Unavailable
from portal.models import AccessToken, Namespace, Organization
from tests.conftest import make_user
from tests.models_hub.other_hub import ADDRESS, OtherHub
from tests.models_hub.wire import LARGE, Wire, body_of

ANYBODY = AnonymousUser()
WEIGHTS = b"weights\x00" * 5000


class InlineThread:
    """A thread that is over when it has been started: the test's database is its own thread's alone."""

    def __init__(self, *, target, name, daemon) -> None:
        self.target = target

    def start(self):
        self.target()


@pytest.fixture
def hub(monkeypatch, settings, tmp_path, make_repo, alice) -> OtherHub:
    cache.clear()
    settings.DATA_DIR = tmp_path
    settings.UPSTREAM_HUB = ADDRESS
    hub = OtherHub()
    monkeypatch.setattr(mirroring, "upstream", lambda: hub if settings.UPSTREAM_HUB else None)
    monkeypatch.setattr(fetching, "upstream", lambda: hub)
    monkeypatch.setattr(fetching.threading, "Thread", InlineThread)
    monkeypatch.setattr(fetching.connections, "close_all", lambda: None)
    monkeypatch.setattr(fetching._Fetch, "_guard", threading.RLock())
    files = {"README.md": "---\nlicense: mit\n---\n# Acme", "config.json": "{}", "model.bin": WEIGHTS}
    repo = make_repo(alice, "original", files=files)
    referencing.create_tag(repo, by=alice, name="v1")
    hub.repos["acme/bert"] = repo
    return hub


def get(name="acme/bert", user=ANYBODY, kind="model") -> Repo:
    namespace, _slash, short = name.partition("/")
    return mirroring.visible_repo(user, kind=kind, namespace=namespace, name=short)


def entry_of(repo: Repo, path="model.bin"):
    return browsing.find(repo, browsing.resolve_revision(repo, "main"), path)


def age(repo: Repo) -> None:
    Mirror.objects.filter(repo=repo).update(checked_at=timezone.now() - timedelta(days=1))


def test_a_missing_repository_comes_with_its_history_under_the_same_ids(hub):
    repo, original = get(), hub.repos["acme/bert"]
    names = ("name", "oid")
    assert set(repo.refs.values_list(*names)) == set(original.refs.values_list(*names))
    assert list(repo.commits.order_by("id").values_list("oid", "title")) == list(
        original.commits.order_by("id").values_list("oid", "title")
    )
    assert (repo.license, repo.size) == ("mit", original.size)
    assert set(repo.commits.values_list("weights_digest")) == set(original.commits.values_list("weights_digest"))


def test_large_content_stays_upstream_until_it_is_asked_for(hub):
    repo = get()
    entry = entry_of(repo)
    assert (entry.size, entry.etag) == (len(WEIGHTS), hub.repos["acme/bert"].repo_blobs.get().blob.sha256)
    assert not RepoBlob.objects.filter(repo=repo).exists()
    assert not [asked for asked in hub.asked if asked.startswith("content")]
    assert b"".join(browsing.stream(repo, entry)) == WEIGHTS
    assert RepoBlob.objects.get(repo=repo).blob.sha256 == entry.etag
    assert not AwaitedBlob.objects.filter(repo=repo).exists()
    assert b"".join(browsing.stream(repo, entry_of(repo), 8, 16)) == WEIGHTS[8:24]
    assert len([asked for asked in hub.asked if asked.startswith("content")]) == 1


def test_a_range_of_awaited_content_is_given_exactly(hub):
    repo = get()
    assert b"".join(browsing.stream(repo, entry_of(repo), 9, 100)) == WEIGHTS[9:109]


def test_a_short_range_far_ahead_is_passed_on_and_not_kept(hub, monkeypatch):
    monkeypatch.setattr(fetching, "AHEAD", 100)
    repo = get()
    assert b"".join(browsing.stream(repo, entry_of(repo), 30000, 50)) == WEIGHTS[30000:30050]
    assert hub.asked[-1] == "content 30000"
    assert not RepoBlob.objects.filter(repo=repo).exists()


def test_a_fetch_that_broke_off_goes_on_where_it_ended(hub):
    repo = get()
    hub.breaks_off_after = 1000
    with pytest.raises(Unavailable):
        b"".join(browsing.stream(repo, entry_of(repo)))
    assert not RepoBlob.objects.filter(repo=repo).exists()
    hub.breaks_off_after = None
    cache.clear()  # the pause after a failure
    assert b"".join(browsing.stream(repo, entry_of(repo))) == WEIGHTS
    assert hub.asked[-1] == "content 1000"


def test_wrong_bytes_are_never_given_whole_nor_kept(hub):
    repo = get()
    hub.spoils = True
    got = []
    with pytest.raises(Exception, match="sha256"):
        got.extend(browsing.stream(repo, entry_of(repo)))
    assert sum(map(len, got)) < len(WEIGHTS)
    assert not RepoBlob.objects.filter(repo=repo).exists()
    hub.spoils = False
    cache.clear()
    assert b"".join(browsing.stream(repo, entry_of(repo))) == WEIGHTS


def test_after_a_failure_nobody_hammers_the_upstream_hub(hub):
    repo = get()
    hub.breaks_off_after = 10
    for _attempt in range(3):
        with pytest.raises(Unavailable):
            b"".join(browsing.stream(repo, entry_of(repo)))
    assert len([asked for asked in hub.asked if asked.startswith("content")]) == 1


def test_content_of_somebody_else_here_is_no_proof_for_a_mirror(hub, make_repo, charlie):
    """The digest is known here and the bytes too; the mirror still takes them from its upstream."""
    repo = get()
    assert blob_store().has(entry_of(repo).etag)
    hub.is_down = True
    with pytest.raises(Unavailable):
        b"".join(browsing.stream(repo, entry_of(repo)))


def test_a_local_name_is_never_looked_for_upstream(hub, charlie):
    hub.repos["charlie/bert"] = hub.repos["acme/bert"]
    with pytest.raises(RepoNotFound):
        get("charlie/bert")
    assert hub.asked == []


def test_a_mirrored_name_cannot_be_taken_by_an_account(hub, alice):
    get()
    with pytest.raises(Conflict):
        make_user("Acme")
    with pytest.raises(Conflict):
        Organization.found(name="ACME", by=alice)


def test_nobody_writes_into_a_mirror_admins_included(hub, alice):
    repo = get()
    alice.is_superuser = True
    alice.save()
    with pytest.raises(NotAllowed):
        publishing.commit(repo=repo, by=alice, changes=[PutFile("a", b"a")], title="x")
    with pytest.raises(NotAllowed):
        publishing.create_repo(by=alice, namespace="acme", kind="model", name="other")
    with pytest.raises(NotAllowed):
        referencing.create_branch(repo, by=alice, name="mine")


def test_nobody_proposes_to_a_mirror_or_moves_it(hub, alice, charlie):
    repo = get()
    with pytest.raises(NotAllowed, match="original"):
        publishing.propose(repo=repo, by=charlie, changes=[PutFile("a", b"a")], title="x")
    answer = Wire(AccessToken.issue(user=charlie, name="t", role="write")[1]).get(
        "/api/models/acme/bert/xet-write-token/main?create_pr=1"
    )
    assert answer.status_code == 403
    alice.is_superuser = True
    with pytest.raises(NotAllowed):
        moving.move_repo(repo, by=alice, namespace="alice", name="taken")


def test_a_mirror_is_duplicated_only_when_all_of_it_is_here(hub, alice):
    repo = get()
    with pytest.raises(Conflict, match="import"):
        copying.duplicate(repo, by=alice, namespace="alice", name="mine")
    b"".join(browsing.stream(repo, entry_of(repo)))
    made = copying.duplicate(repo, by=alice, namespace="alice", name="mine")
    assert b"".join(browsing.stream(made, entry_of(made))) == WEIGHTS


def test_deleting_the_last_copy_frees_the_name(hub, alice):
    repo = get()
    alice.is_superuser = True
    publishing.delete_repo(repo, by=alice)
    assert make_user("acme").namespace.name == "acme"


def test_a_copy_that_was_killed_on_its_way_is_gone_on_with(hub, monkeypatch, alice, token_of):
    class Killed(BaseException):
        pass

    def die(*_args, **_options):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(mirroring.adopting, "land", die)
        with pytest.raises(Killed):
            get()
    assert Repo.objects.get(namespace__lower="acme").private
    alice.is_superuser = True
    alice.save()
    hub.is_down = True
    assert Wire(token_of(alice)).get("/api/models/acme/bert").json()["siblings"] == []
    hub.is_down = False
    age(Repo.objects.get(namespace__lower="acme"))
    assert not get().private
    assert Repo.objects.filter(namespace__lower="acme").count() == 1


def test_a_bundle_of_a_mirror_holds_what_is_still_upstream(hub, settings, tmp_path):
    repo = get()
    settings.BUNDLE_KEY_FILE = tmp_path / "key"
    bundle_format._own_key.cache_clear()
    with bundling.exported(repo) as bundle:
        data = b"".join(bundle.blocks)
    assert len(data) == bundle.size
    assert WEIGHTS in data


def test_a_mirror_is_downloaded_by_jobs_too(hub):
    repo = get()
    blob = entry_of(repo).blob
    stored = fetching.ensure(blob)
    assert (stored.pk is not None, fetching.ensure(stored).pk) == (True, stored.pk)


def test_what_fetches_left_behind_goes_after_a_week(hub, tmp_path):
    repo = get()
    hub.breaks_off_after = 10
    with pytest.raises(Unavailable):
        b"".join(browsing.stream(repo, entry_of(repo)))
    (left,) = tmp_path.glob(f"mirroring/{repo.pk}-*")
    fetching.sweep()
    assert left.exists()
    os.utime(left, (0, 0))
    fetching.sweep()
    assert not left.exists()


def test_a_copy_is_charged_to_no_account_of_a_person(hub, alice):
    before = QuotaAccount.objects.get(namespace=alice.namespace).used
    repo = get()
    b"".join(browsing.stream(repo, entry_of(repo)))
    assert QuotaAccount.objects.get(namespace=alice.namespace).used == before
    account = QuotaAccount.objects.get(namespace=repo.namespace)
    assert account.used == quotas.recount(repo.namespace_id) > 0
    assert account.room > 10**15


def test_what_the_upstream_lacks_is_missing_here_and_not_asked_for_twice(hub):
    for _attempt in range(2):
        with pytest.raises(RepoNotFound, match=r"^Repository not found$"):
            get("acme/none")
    assert hub.asked == ["find acme/none"]
    assert Namespace.objects.filter(lower="acme").count() == 0


def test_a_hub_that_is_down_makes_a_missing_repository_a_clear_404(hub):
    hub.is_down = True
    with pytest.raises(RepoNotFound, match="cannot be reached"):
        get()
    hub.is_down = False
    cache.clear()
    assert get().full_name == "acme/bert"


def test_private_and_gated_originals_stay_hidden_unless_the_admin_shares_them(hub, settings):
    hub.closed.add("acme/bert")
    with pytest.raises(RepoNotFound):
        get()
    assert not Repo.objects.filter(namespace__lower="acme").exists()
    cache.clear()
    settings.UPSTREAM_SHARED = True
    assert get().full_name == "acme/bert"


def test_only_members_may_cause_copies_where_the_admin_says_so(hub, settings, charlie):
    settings.UPSTREAM_MEMBERS_ONLY = True
    with pytest.raises(RepoNotFound):
        get()
    assert get(user=charlie).full_name == "acme/bert"
    assert get().full_name == "acme/bert"


def test_a_young_copy_is_not_compared_again(hub):
    get()
    hub.asked.clear()
    get()
    assert hub.asked == []


def test_an_old_copy_takes_over_what_is_new(hub, alice):
    repo = get()
    original = hub.repos["acme/bert"]
    made = publishing.commit(repo=original, by=alice, changes=[PutFile("new.txt", b"new")], title="News")
    referencing.create_branch(original, by=alice, name="next")
    referencing.delete_tag(original, by=alice, name="v1")
    age(repo)
    hub.asked.clear()
    repo = get()
    assert repo.head == made.oid
    assert set(repo.refs.values_list("name", "oid")) == set(original.refs.values_list("name", "oid"))
    assert browsing.history(repo, Commit.objects.get(repo=repo, oid=made.oid))[0].title == "News"
    assert [asked.split()[0] for asked in hub.asked] == ["find", "refs", "pack"]


def test_an_old_copy_of_what_has_not_changed_costs_no_pack(hub):
    age(get())
    hub.asked.clear()
    get()
    assert [asked.split()[0] for asked in hub.asked] == ["find", "refs"]


def test_a_branch_that_was_rewritten_upstream_is_followed(hub, alice):
    repo, original = get(), hub.repos["acme/bert"]
    first = Commit.objects.filter(repo=original).order_by("id").first()
    Ref.objects.filter(repo=original, name="refs/heads/main").update(oid=first.oid)
    age(repo)
    assert get().head == first.oid


def test_what_is_here_keeps_working_while_the_upstream_is_down(hub):
    repo = get()
    b"".join(browsing.stream(repo, entry_of(repo)))
    hub.is_down = True
    age(repo)
    again = get()
    assert b"".join(browsing.stream(again, entry_of(again))) == WEIGHTS
    assert "cannot be reached" in Mirror.objects.get(repo=repo).problem
    hub.asked.clear()
    get()
    assert hub.asked == []


def test_a_copy_is_hidden_when_its_original_becomes_private_and_shown_when_it_returns(hub):
    repo = get()
    hub.closed.add("acme/bert")
    age(repo)
    with pytest.raises(RepoNotFound, match=r"^Repository not found$"):
        get()
    assert Repo.objects.get(pk=repo.pk).private
    hub.closed.clear()
    age(repo)
    assert not get().private


def test_a_hidden_copy_answers_like_a_missing_one(hub):
    repo = get()
    Repo.objects.filter(pk=repo.pk).update(private=True)
    hidden, missing = Wire().get("/api/models/acme/bert"), Wire().get("/api/models/acme/none")
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)


def test_history_that_no_repository_here_may_hold_is_refused(hub, alice, monkeypatch):
    original = hub.repos["acme/bert"]
    publishing.commit(repo=original, by=alice, changes=[Delete("config.json")], title="x")
    monkeypatch.setattr(checking, "MAX_FILES", 1)
    with pytest.raises(RepoNotFound):
        get()
    assert not Namespace.objects.filter(lower="acme").exists()


def test_the_wire_answers_for_what_came_from_upstream(hub):
    wire = Wire()
    info = wire.get("/api/models/acme/bert").json()
    assert (info["id"], info["sha"]) == ("acme/bert", hub.repos["acme/bert"].head)
    rows = {row["path"]: row for row in wire.get("/api/models/acme/bert/tree/main").json()}
    assert rows["model.bin"]["size"] == rows["model.bin"]["lfs"]["size"] == len(WEIGHTS)
    head = wire.head("/acme/bert/resolve/main/model.bin")
    assert head["ETag"] == f'"{rows["model.bin"]["lfs"]["oid"]}"'
    assert int(head["Content-Length"]) == len(WEIGHTS)
    assert body_of(wire.get("/acme/bert/resolve/main/model.bin")) == WEIGHTS
    part = wire.get("/acme/bert/resolve/main/model.bin", Range="bytes=5-9")
    assert (part.status_code, body_of(part)) == (206, WEIGHTS[5:10])


def test_lfs_gives_awaited_content(hub):
    get()
    oid = hub.repos["acme/bert"].repo_blobs.get().blob.sha256
    body = {"operation": "download", "objects": [{"oid": oid, "size": len(WEIGHTS)}]}
    answer = Wire().post("/acme/bert.git/info/lfs/objects/batch", body).json()
    address = answer["objects"][0]["actions"]["download"]["href"].removeprefix("http://portal.example")
    assert body_of(Wire().get(address)) == WEIGHTS
    rest = Wire().get(address, Range="bytes=100-")
    assert (rest.status_code, body_of(rest)) == (206, WEIGHTS[100:])
    assert Wire().get(address, Range=f"bytes={len(WEIGHTS)}-").status_code == 416


def test_a_file_that_cannot_be_fetched_answers_before_anything_is_sent(hub):
    get()
    hub.is_down = True
    answer = Wire().get("/acme/bert/resolve/main/model.bin")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.json()["error"]


def test_pages_show_a_mirror_and_fetch_no_large_file(hub, as_user):
    page = as_user(None).get("/acme/bert")
    assert page.status_code == 200
    assert as_user(None).get("/acme").status_code == 200
    assert as_user(None).get("/acme/bert/blob/main/model.bin").status_code == 200
    assert not [asked for asked in hub.asked if asked.startswith("content")]


def test_only_an_admin_compares_at_once(hub, alice, charlie):
    repo = get()
    with pytest.raises(NotAllowed):
        mirroring.refresh_now(repo, by=charlie)
    alice.is_superuser = True
    made = publishing.commit(repo=hub.repos["acme/bert"], by=alice, changes=[PutFile("b", LARGE)], title="x")
    mirroring.refresh_now(repo, by=alice)
    assert Repo.objects.get(pk=repo.pk).head == made.oid


def test_without_an_upstream_hub_nothing_is_asked(hub, settings):
    settings.UPSTREAM_HUB = ""
    with pytest.raises(RepoNotFound):
        get()
    assert hub.asked == []
