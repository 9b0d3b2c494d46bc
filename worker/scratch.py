"""A fresh folder for each attempt, the content that goes into it, and what hostile processes left in it."""

import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.conf import settings
from django.utils.translation import gettext_noop

from models_hub import browsing, contents, fetching, job_contents
from models_hub.browsing import Entry
from models_hub.models import Blob, Repo
from models_hub.storage import blob_store
from portal.models import Job
from worker import sandbox
from worker.attempts import JobFailed, TryAgain

logger = logging.getLogger(__name__)

TIMEOUT = (5, 60)  # seconds to connect, and between two bytes
BLOCK = 1024 * 1024
MAX_COLLECTED = 256 * 1024**2

NO_TRANSFER = gettext_noop("The worker could not exchange a file with the portal: %(cause)s")
CORRUPT = gettext_noop("The stored bytes of “%(path)s” are not those that were uploaded. Upload the file again.")
BAD_OUTPUT = gettext_noop("What the run left behind cannot be used: %(cause)s.")


def root() -> Path:
    """Return the folder below which the workers of this machine keep their scratch folders."""
    return Path(settings.SCRATCH_DIR or settings.DATA_DIR / "scratch")


@contextmanager
def folder_for(job: Job) -> Iterator[Path]:
    """Give one attempt an empty folder of its own, removed afterwards; a lock shows that it is in use."""
    with _alone():
        path = Path(tempfile.mkdtemp(prefix=f"job-{job.pk}-", dir=root()))
        lock = _lock(path)
    path.chmod(0o755)  # the sandbox may run as another user
    try:
        yield path
    finally:
        _remove(path)
        if lock is not None:
            os.close(lock)


def remove_leftovers() -> int:
    """Remove the folders of attempts whose worker was killed; returns how many."""
    removed = 0
    with _alone():
        for path in root().glob("job-*"):
            lock = _lock(path)
            if lock is not None:
                _remove(path)
                os.close(lock)
                removed += 1
    return removed


@contextmanager
def _alone() -> Iterator[None]:
    """Between its creation and its lock a folder looks like a leftover: only one process may look at a time."""
    root().mkdir(parents=True, exist_ok=True)
    with (root() / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(folder: Path) -> int | None:
    """Lock a folder until the descriptor is closed or this process dies; None while another one holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove(path: Path) -> None:
    try:
        sandbox.discard(path)
    except OSError as error:
        logger.warning("The scratch folder %s could not be removed: %s", path, error)


def place(job: Job, repo: Repo, entry: Entry, target: Path) -> str:
    """Copy a file of a repository to `target`, verified and read-only; returns the sha256 of its bytes.

    A copy and never a hard link: where the sandbox has no namespaces, a hostile process could write through a link
    into the blob store.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256()
    git_id = hashlib.sha1(b"blob %d\0" % entry.size, usedforsecurity=False)
    with target.open("xb") as file:
        for chunk in _chunks(job, entry.blob) if entry.blob else browsing.stream(repo, entry):
            sha256.update(chunk)
            git_id.update(chunk)
            file.write(chunk)
    intact = sha256.hexdigest() == entry.blob.sha256 if entry.blob else git_id.hexdigest() == entry.oid
    if not intact:
        raise JobFailed(CORRUPT, code="corrupt_content", data={"path": entry.path})
    target.chmod(0o444)
    return sha256.hexdigest()


def place_blob(job: Job, blob: Blob, target: Path) -> None:
    """Copy content that a job keeps beside repositories to `target`, verified."""
    sha256 = hashlib.sha256()
    with target.open("xb") as file:
        for chunk in _chunks(job, blob):
            sha256.update(chunk)
            file.write(chunk)
    if sha256.hexdigest() != blob.sha256:
        raise JobFailed(CORRUPT, code="corrupt_content", data={"path": target.name})


def _chunks(job: Job, blob: Blob) -> Iterable[bytes]:
    if blob.awaited_by:
        return _download(job, blob) if settings.PORTAL_URL else fetching.stream(fetching.ensure(blob))
    return _download(job, blob) if settings.PORTAL_URL and not _is_here(blob) else contents.stream(blob)


def _is_here(blob: Blob) -> bool:
    store = blob_store()
    if not blob.in_pieces:
        return store.has(blob.sha256)
    return all(store.has(key) for key in blob.pieces.values_list("xorb__key", flat=True).distinct())


def _address(job: Job, sha256: str) -> str:
    return f"{settings.PORTAL_URL}/api/v1/jobs/{job.pk}/content/{sha256}"


def _right(job: Job) -> dict[str, str]:
    return {"Authorization": f"Job {job_contents.issue_token(job)}"}


def _download(job: Job, blob: Blob) -> Iterator[bytes]:
    """Fetch content over HTTP with a token that is good for this attempt alone."""
    url = _address(job, blob.sha256)
    try:
        with requests.get(url, headers=_right(job), stream=True, timeout=TIMEOUT, allow_redirects=False) as answer:
            _require(answer, requests.codes.ok)
            yield from answer.iter_content(BLOCK)
    except requests.RequestException as error:
        raise TryAgain(NO_TRANSFER, code="transfer_failed", data={"cause": str(error)[:300]}) from error


def store(job: Job, path: Path) -> Blob:
    """Keep a file that the job made, in the blob store of the portal."""
    if not settings.PORTAL_URL:
        with path.open("rb") as file:
            return job_contents.keep(iter(lambda: file.read(BLOCK), b""))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        try:
            answer = requests.put(
                _address(job, sha256), headers=_right(job), data=file, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise TryAgain(NO_TRANSFER, code="transfer_failed", data={"cause": str(error)[:300]}) from error
    _require(answer, requests.codes.created)
    return Blob.objects.get(sha256=sha256)


def _require(answer: requests.Response, status: int) -> None:
    if answer.status_code != status:
        cause = f"{answer.url}: HTTP {answer.status_code}"
        raise TryAgain(NO_TRANSFER, code="transfer_failed", data={"cause": cause})


def collect_folder(source: Path, target: Path, *, files: int, limit: int) -> list[str]:
    """Copy a folder out of one that a hostile process wrote to; returns the paths of its files, sorted."""
    target.mkdir(parents=True, exist_ok=True)
    try:
        return sandbox.copy_folder(source.parent, source.name, target, files=files, limit=limit)
    except sandbox.OutputRefused as error:
        raise JobFailed(BAD_OUTPUT, code="bad_output", data={"cause": str(error)}) from error


def collect(source: Path, target: Path, *, limit: int = MAX_COLLECTED) -> None:
    """Copy a file out of a folder that a hostile process wrote to."""
    try:
        target.write_bytes(sandbox.collect(source.parent, source.name, limit))
    except sandbox.OutputRefused as error:
        raise JobFailed(BAD_OUTPUT, code="bad_output", data={"cause": str(error)}) from error
