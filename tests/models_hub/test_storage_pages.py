"""Pages that say where the bytes are, and the button that removes exactly what they show."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from models_hub import contents, publishing, quotas, reclaiming, referencing
from models_hub.accounting import PAGE, of_owner
from models_hub.changes import Delete, PutLarge
from models_hub.collecting import collect
from models_hub.models import GitObject, Repo, RepoBlob
from portal.errors import Conflict, NotAllowed
from portal.models import Event, Membership
from tests.models_hub.test_quotas import account_of, assert_exact
from tests.models_hub.wire import LARGE


@pytest.fixture
def repo(alice, make_repo) -> Repo:
    return make_repo(alice, "bert")


@pytest.fixture
def leftovers(alice, repo) -> Repo:
    """A repository with a file at the head, one in its history, one of a lost branch and one never committed."""
    for name, data in (("now.bin", LARGE), ("then.bin", b"then\0" * 50)):
        commit_large(repo, alice, name, data)
    publishing.commit(repo=repo, by=alice, changes=[Delete("then.bin")], title="away")
    referencing.create_branch(repo, by=alice, name="trial")
    commit_large(repo, alice, "lost.bin", b"lost\0" * 60, branch="trial")
    referencing.delete_branch(repo, by=alice, name="trial")
    contents.receive(repo, [b"never\0" * 70])
    collect()
    grow_old()
    repo.refresh_from_db()
    return repo


def commit_large(repo, by, path, data, branch="main"):
    blob = contents.receive(repo, [data])
    publishing.commit(repo=repo, by=by, changes=[PutLarge(path, blob.sha256)], title="large", branch=branch)


def grow_old():
    two_hours_ago = timezone.now() - timedelta(hours=2)
    RepoBlob.objects.update(created_at=two_hours_ago)
    GitObject.objects.exclude(unreachable_since=None).update(unreachable_since=two_hours_ago)


def test_an_owner_sees_how_full_the_storage_is(as_user, alice, leftovers):
    page = as_user(alice).get("/settings/storage")
    storage = page.context["storage"]
    assert storage.large + storage.git + storage.uploads == storage.account.used == account_of("alice").used
    assert [share.bytes for share in storage.repos] == [quotas.held_by(leftovers)]
    assert storage.repos[0].is_divided
    assert "of 500.0 GB used" in page.text
    assert storage.largest[0].blob.size == len(LARGE)


def test_what_several_repositories_share_is_told(as_user, alice, make_repo):
    for name in ("one", "two", "three"):
        contents.receive(make_repo(alice, name), [LARGE])
    assert as_user(alice).get("/settings/storage").context["storage"].kept_once == 2 * len(LARGE)
    assert as_user(alice).get("/alice/one/storage").context["storage"].kept_once == len(LARGE)


def test_an_organization_shows_it_to_its_members_alone(as_user, alice, bob, charlie, team, make_repo):
    make_repo(alice, "secret", namespace="team", private=True)
    team.add(bob, role=Membership.Role.READ, by=alice)
    assert "team/secret" in as_user(bob).get("/organizations/TEAM/storage").text
    for stranger, status in ((charlie, 403), (None, 302)):
        answer = as_user(stranger).get("/organizations/team/storage")
        assert answer.status_code == status
        assert "secret" not in answer.text
    assert as_user(alice).get("/organizations/none/storage").status_code == 404


def test_an_empty_storage_has_a_page(as_user, charlie):
    page = as_user(charlie).get("/settings/storage")
    assert page.status_code == 200
    assert "There is no repository yet" in page.text


def test_anonymous_readers_are_asked_to_sign_in(client, db):
    assert client.get("/settings/storage").headers["Location"].startswith("/accounts/login/")


def test_many_repositories_come_in_pages_of_equal_cost(alice, make_repo):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            of_owner(alice.namespace)
        return len(captured)

    make_repo(alice, "r0")
    few = queries()
    rows = [Repo(kind="model", namespace=alice.namespace, name=f"r{n}", lower=f"r{n}") for n in range(1, PAGE + 10)]
    for row in Repo.objects.bulk_create(rows):
        GitObject.objects.create(repo=row, oid="1" * 40, type=3, size=row.pk, data=b"")
    assert queries() == few
    quotas.mend(alice.namespace.pk)
    first = of_owner(alice.namespace)
    second = of_owner(alice.namespace, cursor=first.next_cursor)
    sizes = [share.bytes for share in (*first.repos, *second.repos)]
    assert sizes == sorted(sizes, reverse=True)
    assert len({share.repo.pk for share in (*first.repos, *second.repos)}) == PAGE + 10
    assert not second.next_cursor


def test_a_bent_cursor_gives_the_first_page(alice, repo):
    for cursor in ("x", "-1", "1-", "9-9-9"):
        assert of_owner(alice.namespace, cursor=cursor).repos


class TestRepository:
    def test_its_bytes_are_divided(self, as_user, alice, leftovers):
        page = as_user(alice).get("/alice/bert/storage")
        storage = page.context["storage"]
        assert storage.total == quotas.held_by(leftovers)
        assert storage.current > len(LARGE)
        assert storage.history > 250
        assert {(file.path, file.place) for file in storage.largest} == {
            ("now.bin", "current"), ("", "history"), ("", "unused"),
        }  # fmt: skip

    def test_the_cost_does_not_grow_with_the_history(self, as_user, alice, repo):
        browser = as_user(alice)

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert browser.get("/alice/bert/storage").status_code == 200
            return len(captured)

        commit_large(repo, alice, "a.bin", b"a\0")
        few = queries()
        for n in range(12):
            commit_large(repo, alice, f"{n}.bin", bytes([n, 0]))
        assert queries() == few

    def test_others_do_not_see_it(self, as_user, charlie, bob, alice, team, make_repo, repo):
        assert as_user(charlie).get("/alice/bert/storage").status_code == 403
        Repo.objects.update(private=True)
        hidden, missing = (as_user(charlie).get(f"/alice/{name}/storage") for name in ("bert", "none"))
        assert hidden.status_code == missing.status_code == 404
        assert as_user(None).get("/alice/bert/storage").status_code in {302, 404}

    def test_the_settings_lead_to_it(self, as_user, alice, repo):
        assert 'href="/alice/bert/storage"' in as_user(alice).get("/alice/bert/settings").text


class TestReclamation:
    def test_the_preview_lists_what_nothing_leads_to(self, as_user, alice, leftovers):
        page = as_user(alice).get("/alice/bert/storage")
        going = page.context["reclaimable"]
        assert [(file.name, file.size) for file in going.versions] == [("lost.bin", 300)]
        assert [(file.name, file.size) for file in going.uploads] == [("", 420)]
        assert "lost.bin" in page.text

    def test_it_removes_exactly_what_was_shown(self, as_user, alice, leftovers):
        browser = as_user(alice)
        going = browser.get("/alice/bert/storage").context["reclaimable"]
        before = account_of("alice").used
        answer = browser.post("/alice/bert/storage/reclamation", {"digest": going.digest}, follow=True)
        assert "are free again" in answer.text
        assert account_of("alice").used == before - going.bytes
        assert sorted(row.blob.size for row in RepoBlob.objects.all()) == [250, len(LARGE)]
        assert not answer.context["reclaimable"].leftovers
        event = Event.objects.get(kind="repo.storage_reclaimed")
        assert (event.actor, event.payload["bytes"]) == (alice, going.bytes)
        assert_exact("alice")

    def test_what_has_changed_since_is_not_removed(self, as_user, alice, leftovers):
        browser = as_user(alice)
        going = browser.get("/alice/bert/storage").context["reclaimable"]
        commit_large(leftovers, alice, "again.bin", b"never\0" * 70)
        before = RepoBlob.objects.count()
        answer = browser.post("/alice/bert/storage/reclamation", {"digest": going.digest}, follow=True)
        assert "has changed since you looked" in answer.text
        assert RepoBlob.objects.count() == before

    def test_an_upload_of_this_hour_is_left_alone(self, alice, repo):
        contents.receive(repo, [LARGE])
        going = reclaiming.preview(repo)
        assert not going.leftovers
        with pytest.raises(Conflict):
            reclaiming.reclaim(repo, by=alice, digest=going.digest)

    def test_only_managers_may(self, as_user, alice, bob, team, make_repo):
        repo = make_repo(alice, "shared", namespace="team")
        contents.receive(repo, [LARGE])
        grow_old()
        page = as_user(bob).get("/team/shared/storage")
        assert page.context["reclaimable"].uploads
        assert "storage/reclamation" not in page.text
        with pytest.raises(NotAllowed):
            reclaiming.reclaim(repo, by=bob, digest=page.context["reclaimable"].digest)

    def test_a_link_does_not_do_it(self, as_user, alice, repo):
        assert as_user(alice).get("/alice/bert/storage/reclamation").status_code == 405

    def test_a_program_sees_and_removes_the_same(self, as_user, alice, bob, leftovers):
        browser, place = as_user(alice), "/api/v1/models/alice/bert/storage"
        storage, going = browser.get(place).json(), browser.get(f"{place}/reclamation").json()
        assert storage["total"] == storage["current"] + storage["history"] + storage["unused"]
        assert {one["place"] for one in storage["largest"]} == {"current", "history", "unused"}
        assert [one["name"] for one in going["versions"]] == ["lost.bin"]
        assert (len(going["uploads"]), going["is_whole"]) == (1, True)
        sent = {"data": {"digest": going["digest"]}, "content_type": "application/json"}
        assert as_user(bob).post(f"{place}/reclamation", **sent).status_code == 403
        assert browser.post(f"{place}/reclamation", **sent).json() == {"bytes": going["bytes"]}
        assert browser.post(f"{place}/reclamation", **sent).status_code == 409
        assert browser.get(place).json()["total"] == storage["total"] - going["bytes"]
