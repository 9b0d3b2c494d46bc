"""The job kind `import`: a repository of another hub is copied, verified and its owner's."""

import pytest
from django.core.cache import cache

from models_hub import importing, publishing, referencing
from models_hub.models import Import, QuotaAccount, Repo
from models_hub.publishing import PutFile
from models_hub.upstream.hub import HubRefused
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Event, Job
from tests.models_hub.other_hub import ADDRESS, OtherHub
from tests.models_hub.wire import Wire
from tests.worker.performing import perform
from worker.jobs import import_repo

pytestmark = pytest.mark.django_db(transaction=True)
WEIGHTS = [bytes([number, 0]) * 20_000 for number in range(3)]


@pytest.fixture
def hub(monkeypatch, settings, tmp_path, make_repo, alice) -> OtherHub:
    cache.clear()
    settings.DATA_DIR = tmp_path
    settings.IMPORT_HUBS = [ADDRESS]
    hub = OtherHub()
    monkeypatch.setattr(import_repo, "importable", lambda address: hub)
    files = {f"{number}.bin": content for number, content in enumerate(WEIGHTS)}
    repo = make_repo(alice, "original", files={"README.md": "---\nlicense: mit\n---\n# Acme", **files})
    referencing.create_tag(repo, by=alice, name="v1")
    publishing.commit(repo=repo, by=alice, changes=[PutFile("new.txt", b"new")], title="Later")
    referencing.create_branch(repo, by=alice, name="extra")
    hub.repos["acme/bert"] = repo
    return hub


def ask(by, **changes) -> Import:
    values = {"kind": "model", "hub": ADDRESS, "source": "acme/bert", "namespace": "bob", **changes}
    return importing.request(by=by, **values)


def run(origin: Import) -> Job:
    assert origin.job is not None
    Job.objects.filter(pk=origin.job.pk).update(not_before=None)
    perform(origin.job.pk)
    return Job.objects.get(pk=origin.job.pk)


def fetched(hub: OtherHub) -> int:
    return len([asked for asked in hub.asked if asked.startswith("content")])


def test_a_repository_is_copied_with_its_ids_and_charged_to_its_new_owner(hub, bob):
    job = run(ask(bob))
    assert job.state == "succeeded", job.reason_text
    copy, original = Repo.objects.get(namespace=bob.namespace), hub.repos["acme/bert"]
    assert set(copy.refs.values_list("name", "oid")) == set(original.refs.values_list("name", "oid"))
    assert set(copy.commits.values_list("oid")) == set(original.commits.values_list("oid"))
    assert set(copy.repo_blobs.values_list("blob")) == set(original.repo_blobs.values_list("blob"))
    assert (copy.full_name, copy.private, copy.license) == ("bob/bert", False, "mit")
    assert QuotaAccount.objects.get(namespace=bob.namespace).used >= sum(map(len, WEIGHTS))
    assert job.result["page"] == "/bob/bert"
    assert Event.objects.filter(kind="repo.imported", actor=bob).count() == 1
    publishing.commit(repo=copy, by=bob, changes=[PutFile("mine.txt", b"mine")], title="Mine")


def test_until_it_is_complete_nobody_else_sees_it(hub, bob):
    ask(bob)
    assert Repo.objects.get(namespace=bob.namespace).private
    assert Wire().get("/api/models/bob/bert").status_code == 401


def test_it_stays_private_where_that_was_asked_for(hub, bob):
    run(ask(bob, private=True))
    assert Repo.objects.get(namespace=bob.namespace).private


def test_only_the_revisions_that_were_asked_for_come(hub, bob):
    assert run(ask(bob, revisions="main, v1")).state == "succeeded"
    copy = Repo.objects.get(namespace=bob.namespace)
    assert set(copy.refs.values_list("name", flat=True)) == {"refs/heads/main", "refs/tags/v1"}


def test_a_tag_alone_becomes_the_main_branch_too(hub, bob):
    assert run(ask(bob, revisions="v1")).state == "succeeded"
    copy, original = Repo.objects.get(namespace=bob.namespace), hub.repos["acme/bert"]
    assert copy.head == original.refs.get(name="refs/tags/v1").oid
    assert not copy.commits.filter(title="Later").exists()


def test_a_revision_that_is_not_there_fails_with_its_name(hub, bob):
    job = run(ask(bob, revisions="nowhere"))
    assert (job.state, "nowhere" in job.reason_text) == ("failed", True)


def test_what_broke_off_goes_on_in_the_middle_of_a_file(hub, bob):
    hub.breaks_off_after = 7000
    origin = ask(bob)
    job = run(origin)
    assert (job.state, job.reason_code) == ("queued", "upstream_down")
    hub.breaks_off_after = None
    assert run(origin).state == "succeeded"
    assert "content 7000" in hub.asked


def test_a_later_attempt_fetches_no_file_again(hub, bob, monkeypatch):
    origin = ask(bob)
    with monkeypatch.context() as patched:
        patched.setattr(importing, "finish", lambda *_args, **_options: (_ for _ in ()).throw(OSError("disk")))
        assert run(origin).state == "queued"
    assert fetched(hub) == 3
    assert run(origin).state == "succeeded"
    assert fetched(hub) == 3


def test_wrong_bytes_are_refused_and_asking_again_after_a_failure_starts_anew(hub, bob):
    hub.spoils = True
    job = run(ask(bob))
    assert (job.state, "sha256" in job.reason_text) == ("failed", True)
    hub.spoils = False
    again = ask(bob)
    assert again.job_id != job.pk
    assert run(again).state == "succeeded"
    assert Import.objects.count() == 1


def test_asked_twice_while_it_runs_it_is_one_job(hub, bob):
    assert ask(bob).job_id == ask(bob).job_id
    assert Job.objects.count() == 1


def test_a_cancelled_import_stops_and_keeps_what_it_has(hub, bob, monkeypatch):
    origin = ask(bob)
    content = hub.content

    def content_then_cancel(*args, **options):
        yield from content(*args, **options)
        if fetched(hub) == 2:
            Job.objects.get(pk=origin.job_id).cancel(by=bob)
            for attempt in list(import_repo.Attempt._running):
                attempt.stop("cancelled")

    monkeypatch.setattr(hub, "content", content_then_cancel)
    job = run(origin)
    assert job.state == "cancelled"
    assert Repo.objects.get(namespace=bob.namespace).repo_blobs.count() >= 1


def test_progress_names_files_and_bytes(hub, bob, monkeypatch):
    said = []
    monkeypatch.setattr(
        import_repo.Attempt, "report", lambda self, share, text, **data: said.append((text % data, share))
    )
    assert run(ask(bob)).state == "succeeded"
    texts = [text for text, _share in said]
    assert "file 3 of 3: 120000 of 120000 bytes" in texts
    shares = [share for _text, share in said]
    assert max(shares) <= 1
    assert shares[-1] == max(shares)


def test_only_hubs_that_the_admin_named_are_asked(hub, bob, settings):
    for address in ("http://127.0.0.1:9", "https://hub.example.evil", "file:///etc/passwd", "https://hub.example@evil"):
        with pytest.raises(InvalidInput):
            ask(bob, hub=address)
    settings.IMPORT_HUBS = []
    with pytest.raises(HubRefused, match="none"):
        ask(bob)
    assert not Repo.objects.filter(namespace=bob.namespace).exists()


def test_nobody_imports_into_a_name_of_somebody_else(hub, bob, make_repo):
    with pytest.raises(NotAllowed):
        ask(bob, namespace="alice")
    make_repo(bob, "bert")
    with pytest.raises(Conflict):
        ask(bob)


def test_a_repository_that_somebody_wrote_to_meanwhile_is_left_alone(hub, bob):
    origin = ask(bob)
    publishing.commit(repo=origin.repo, by=bob, changes=[PutFile("mine.txt", b"mine")], title="Mine")
    job = run(origin)
    assert (job.state, job.reason_code) == ("failed", "conflict")
    assert origin.repo.commits.filter(title="Mine").exists()


def test_what_does_not_fit_fails_before_a_file_is_fetched(hub, bob):
    origin = ask(bob)
    QuotaAccount.objects.update_or_create(namespace=bob.namespace, defaults={"limit": 10_000})
    job = run(origin)
    assert (job.state, job.reason_code) == ("failed", "storage_full")
    assert fetched(hub) == 0


def test_a_repository_that_is_not_there_ends_the_job(hub, bob):
    job = run(ask(bob, source="acme/none"))
    assert (job.state, job.reason_code) == ("failed", "not_upstream")


def test_programs_and_pages_ask_for_imports(hub, bob, token_of, as_user):
    body = {"hub": ADDRESS, "repo": "acme/bert", "namespace": "bob", "name": "one"}
    answer = Wire(token_of(bob)).post("/api/v1/imports", body)
    assert (answer.status_code, answer.json()["repo"]) == (202, "bob/one")
    assert Wire(token_of(bob)).get("/api/v1/imports").json() == {"hubs": [ADDRESS]}
    assert Wire(token_of(bob, role="read")).post("/api/v1/imports", body).status_code == 403
    assert Wire().post("/api/v1/imports", body).status_code == 401
    form = {"hub": ADDRESS, "kind": "model", "source": "acme/bert", "namespace": "bob", "name": ""}
    page = as_user(bob).post("/new/import", form)
    assert page.status_code == 302
    assert page["Location"].startswith("/jobs/")
    assert "acme/bert → bob/bert" in as_user(bob).get(page["Location"]).content.decode()
    bad = as_user(bob).post("/new/import", {**form, "source": "nonsense"})
    assert bad.status_code == 400
    assert as_user(None).get("/new/import").status_code == 302
