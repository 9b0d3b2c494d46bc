"""Deleted repositories: gone for everybody, and back for their owner while their days last."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from models_hub import quotas, trash
from models_hub.models import Deletion, Repo
from portal.models import Event
from tests.evaluating import model_files

pytestmark = pytest.mark.django_db
PLACES = (
    "/alice/bert",
    "/alice/bert/tree/main",
    "/alice/bert/resolve/main/README.md",
    "/alice/bert/info/refs?service=git-upload-pack",
    "/api/models/alice/bert",
    "/api/v1/models/alice/bert",
)


@pytest.fixture
def deleted(alice, make_repo) -> Deletion:
    repo = make_repo(alice, "bert", files=model_files() | {"README.md": "# Hello"})
    trash.delete(repo, by=alice)
    return Deletion.objects.get()


def test_it_is_gone_for_everybody(client, as_user, alice, deleted):
    for browser in (client, as_user(alice)):
        for place in PLACES:
            assert browser.get(place).status_code in {401, 404}
        assert "alice/bert" not in browser.get("/models").text
        assert "alice/bert" not in browser.get("/alice").text


def test_nobody_may_see_it_by_the_name_it_hides_under(as_user, alice, deleted):
    hidden = Repo.objects.get().lower
    assert as_user(alice).get(f"/alice/{hidden}").status_code == 404


def test_an_admin_of_the_portal_does_not_see_it_either(as_user, alice, morgan, deleted):
    morgan.is_superuser = True
    morgan.save()
    assert as_user(morgan).get("/alice/bert").status_code == 404


def test_its_name_is_free(alice, make_repo, deleted):
    assert make_repo(alice, "bert").full_name == "alice/bert"


def test_its_owner_brings_it_back_as_it_was(as_user, client, alice, deleted):
    browser = as_user(alice)
    assert "alice/bert" in browser.get("/settings/deleted").text
    answer = browser.post(f"/deleted/alice/{deleted.pk}/restoration", {"name": "bert"})
    assert answer.headers["Location"] == "/alice/bert"
    assert "Hello" in client.get("/alice/bert").text
    assert Event.objects.filter(kind="repo.restored").exists()


def test_a_private_one_comes_back_private(as_user, client, alice, make_repo):
    repo = make_repo(alice, "secret", private=True)
    trash.delete(repo, by=alice)
    trash.restore(Deletion.objects.get(), by=alice)
    assert client.get("/alice/secret").status_code == 404
    assert as_user(alice).get("/alice/secret").status_code == 200


def test_a_taken_name_asks_for_another(as_user, alice, make_repo, deleted):
    make_repo(alice, "bert")
    browser = as_user(alice)
    answer = browser.post(f"/deleted/alice/{deleted.pk}/restoration", {"name": "bert"}, follow=True)
    assert "choose another one" in answer.text
    browser.post(f"/deleted/alice/{deleted.pk}/restoration", {"name": "bert-2"})
    assert {repo.full_name for repo in Repo.objects.visible_to(alice)} == {"alice/bert", "alice/bert-2"}


def test_others_neither_see_nor_undo_a_deletion(as_user, client, alice, charlie, bob, team, make_repo, deleted):
    assert as_user(charlie).post(f"/deleted/alice/{deleted.pk}/restoration").status_code == 403
    assert as_user(charlie).post(f"/deleted/charlie/{deleted.pk}/restoration").status_code == 404
    assert "alice/bert" not in as_user(charlie).get("/settings/deleted").text
    assert client.get("/settings/deleted").status_code == 302
    assert as_user(bob).get("/organizations/team/deleted").status_code == 403
    assert as_user(alice).get("/organizations/team/deleted").status_code == 200


def test_it_is_removed_for_good_by_its_typed_name(as_user, alice, deleted):
    browser = as_user(alice)
    browser.post(f"/deleted/alice/{deleted.pk}/erasure", {"name": "bert"})
    assert Deletion.objects.exists()
    browser.post(f"/deleted/alice/{deleted.pk}/erasure", {"name": "alice/bert"})
    assert not Repo.objects.exists()


def test_its_bytes_count_until_it_is_gone(as_user, alice, deleted):
    held = quotas.account_now(alice.namespace).used
    assert held > 0
    assert "/settings/deleted" in as_user(alice).get("/settings/storage").text
    trash.erase(deleted, by=alice, typed="alice/bert")
    assert quotas.account_now(alice.namespace).used < held


def test_its_page_takes_as_many_questions_however_many_there_are(as_user, alice, make_repo, deleted):
    browser, counts = as_user(alice), []
    browser.get("/settings/deleted")
    for name in ("two", "three"):
        with CaptureQueriesContext(connection) as asked:
            page = browser.get("/settings/deleted")
        counts.append(len(asked))
        assert [one["bytes"] for one in page.context["deletions"]][-1] == quotas.held_by(deleted.repo)
        trash.delete(make_repo(alice, name, files={"a.txt": name}), by=alice)
    assert len(set(counts)) == 1


def test_it_goes_when_its_days_are_over(settings, alice, deleted):
    assert trash.erase_due() == 0
    Deletion.objects.update(at=timezone.now() - timedelta(days=settings.DELETED_REPOS_DAYS + 1))
    assert trash.erase_due() == 1
    assert not Repo.objects.exists()


def test_without_days_it_goes_at_once(settings, alice, make_repo):
    settings.DELETED_REPOS_DAYS = 0
    trash.delete(make_repo(alice, "bert"), by=alice)
    assert not Repo.objects.exists()


def test_the_page_of_a_deletion_says_what_can_be_undone(as_user, alice, make_repo):
    make_repo(alice, "bert")
    browser = as_user(alice)
    assert "for 14 days you can bring it back" in browser.get("/alice/bert/settings").text
    answer = browser.post("/alice/bert/settings/deletion", {"confirmation": "alice/bert"}, follow=True)
    assert "is deleted. For 14 days" in answer.text
