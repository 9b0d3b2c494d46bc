"""Scratch folders, and content that comes over HTTP to workers without the portal's disk."""

import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from models_hub import browsing, contents
from models_hub.browsing import Entry
from models_hub.job_contents import issue_token
from models_hub.models import Blob, Repo
from portal.models import Job, User
from tests.evaluating import model_files
from worker import scratch
from worker.attempts import JobFailed, TryAgain

MakeRepo = Callable[..., Repo]


@pytest.fixture(autouse=True)
def root(settings, tmp_path: Path) -> Path:
    settings.SCRATCH_DIR = str(tmp_path / "scratch")
    return tmp_path / "scratch"


@pytest.fixture
def model(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, files=model_files())


@pytest.fixture
def job(model: Repo, alice: User) -> Job:
    """A running job that may read the model."""
    queued = Job.enqueue("evaluate", spec={"reads": [model.pk]}, owner=alice, title="")
    claimed = Job.claim(queued.pk, worker="one", lease=timedelta(seconds=30))
    assert claimed is not None
    return claimed


def entry_of(repo: Repo, path: str) -> Entry:
    return browsing.find(repo, browsing.resolve_revision(repo, "main"), path)


def blob_of(repo: Repo) -> Blob:
    blob = entry_of(repo, "model.safetensors").blob
    assert blob is not None
    return blob


class TestFolders:
    pytestmark = pytest.mark.django_db

    def test_a_folder_is_fresh_and_goes_with_the_attempt(self, job: Job, root: Path) -> None:
        with scratch.folder_for(job) as first, scratch.folder_for(job) as second:
            assert first != second
            (first / "deep").mkdir()
            (first / "deep" / "file").write_text("x")
            (first / "deep").chmod(0)
        assert not list(root.glob("job-*"))

    def test_leftovers_of_a_killed_worker_go_and_live_work_stays(self, job: Job, root: Path) -> None:
        (root / "job-7-dead").mkdir(parents=True)
        with scratch.folder_for(job) as alive:
            assert scratch.remove_leftovers() == 1
            assert alive.is_dir()
        assert not (root / "job-7-dead").exists()

    def test_a_folder_of_another_process_stays(self, root: Path) -> None:
        folder = root / "job-8-theirs"
        folder.mkdir(parents=True)
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert scratch.remove_leftovers() == 0
        os.close(descriptor)
        assert scratch.remove_leftovers() == 1

    def test_a_file_is_a_read_only_copy_and_no_link_into_the_store(self, job: Job, model: Repo, tmp_path: Path) -> None:
        target = tmp_path / "model.safetensors"
        sha256 = scratch.place(job, model, entry_of(model, "model.safetensors"), target)
        assert sha256 == blob_of(model).sha256
        assert target.stat().st_nlink == 1
        assert target.stat().st_mode & 0o777 == 0o444
        scratch.place(job, model, entry_of(model, "config.json"), tmp_path / "config.json")
        assert (tmp_path / "config.json").read_text() == model_files()["config.json"]

    def test_a_small_file_with_altered_bytes_is_refused(
        self, job: Job, model: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry = entry_of(model, "config.json")
        monkeypatch.setattr(scratch.browsing, "stream", lambda *_: iter([b"x" * entry.size]))
        with pytest.raises(JobFailed):
            scratch.place(job, model, entry, tmp_path / "config.json")

    def test_a_link_that_a_run_left_behind_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "secret").write_text("labels")
        (tmp_path / "out" / "predictions.jsonl").symlink_to(tmp_path / "secret")
        with pytest.raises(JobFailed):
            scratch.collect(tmp_path / "out" / "predictions.jsonl", tmp_path / "copy")
        assert not (tmp_path / "copy").exists()


@pytest.mark.django_db(transaction=True)
class TestOverHttp:
    @pytest.fixture(autouse=True)
    def far_away(self, live_server, settings, tmp_path: Path, model: Repo) -> Iterator[None]:
        """The worker has no access to the store: it believes that nothing is there."""
        settings.PORTAL_URL = live_server.url
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scratch, "_is_here", lambda blob: False)
            yield

    def ask(self, job: Job, sha256: str, *, token: str | None = None, method: str = "GET", **options):
        header = {"Authorization": f"Job {issue_token(job) if token is None else token}"}
        address = f"{scratch.settings.PORTAL_URL}/api/v1/jobs/{job.pk}/content/{sha256}"
        return requests.request(method, address, headers=header, timeout=10, **options)

    def test_a_worker_fetches_what_its_job_reads(self, job: Job, model: Repo, tmp_path: Path) -> None:
        entry = entry_of(model, "model.safetensors")
        sha256 = scratch.place(job, model, entry, tmp_path / "model.safetensors")
        assert sha256 == blob_of(model).sha256
        assert (tmp_path / "model.safetensors").read_bytes() == model_files()["model.safetensors"]

    def test_a_worker_hands_in_what_its_job_made(self, job: Job, tmp_path: Path) -> None:
        (tmp_path / "predictions.jsonl").write_bytes(b"{}\n" * 1000)
        blob = scratch.store(job, tmp_path / "predictions.jsonl")
        assert b"".join(contents.stream(blob)) == b"{}\n" * 1000

    def test_content_of_another_repository_is_not_there(self, job: Job, make_repo: MakeRepo, alice: User) -> None:
        other = make_repo(alice, "other", files=model_files(9.0), private=True)
        assert self.ask(job, blob_of(other).sha256).status_code == 404

    def test_a_token_is_good_for_its_own_job_only(self, job: Job, model: Repo, alice: User) -> None:
        sha256 = blob_of(model).sha256
        other = Job.enqueue("evaluate", spec={"reads": [model.pk]}, owner=alice, title="")
        claimed = Job.claim(other.pk, worker="one", lease=timedelta(seconds=30))
        assert claimed is not None
        assert self.ask(job, sha256).status_code == 200
        for wrong in (issue_token(claimed), "", "x" * 20, issue_token(job)[:-1]):
            answer = self.ask(job, sha256, token=wrong)
            assert answer.status_code == 404
            assert set(answer.json()) == {"error", "code"}

    def test_a_token_ends_with_its_attempt(self, job: Job, model: Repo) -> None:
        token = issue_token(job)
        job.fail(code="x", reason="y")
        assert self.ask(job, blob_of(model).sha256, token=token).status_code == 404

    def test_a_token_of_a_person_opens_nothing_here(self, job: Job, model: Repo, token_of, alice: User) -> None:
        address = f"{scratch.settings.PORTAL_URL}/api/v1/jobs/{job.pk}/content/{blob_of(model).sha256}"
        headers = {"Authorization": f"Bearer {token_of(alice)}"}
        assert requests.get(address, headers=headers, timeout=10).status_code == 404

    def test_wrong_bytes_are_not_taken_in(self, job: Job) -> None:
        answer = self.ask(job, "0" * 64, method="PUT", data=b"other bytes")
        assert (answer.status_code, answer.json()["code"]) == (400, "content_mismatch")
        assert not Blob.objects.filter(sha256="0" * 64).exists()

    def test_more_than_a_job_may_write_is_not_taken_in(self, job: Job, settings) -> None:
        settings.JOB_DISK_MB = 0
        assert self.ask(job, "0" * 64, method="PUT", data=b"x").status_code == 413

    def test_nothing_else_can_be_done_there(self, job: Job) -> None:
        assert self.ask(job, "0" * 64, method="DELETE").status_code == 405

    def test_a_portal_that_does_not_answer_is_another_attempt(
        self, job: Job, model: Repo, settings, tmp_path: Path
    ) -> None:
        settings.PORTAL_URL = "http://127.0.0.1:9"
        with pytest.raises(TryAgain):
            scratch.place(job, model, entry_of(model, "model.safetensors"), tmp_path / "x")
