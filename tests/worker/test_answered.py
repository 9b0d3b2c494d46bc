"""Answers of a run are saved with its job in pieces, and put back for the next attempt, whatever became of the file."""

import os
from pathlib import Path

import pytest

from portal.errors import InvalidInput
from worker import answered
from worker.answered import Answered
from worker.engine.contracts import KEPT_FILE


class Job:
    """What an attempt offers, with the pieces in memory."""

    def __init__(self) -> None:
        self.pieces: dict[str, bytes] = {}
        self.is_full = False

    def saved(self) -> dict[str, bytes]:
        return dict(self.pieces)

    def save(self, name: str, content: bytes) -> str:
        if self.is_full:
            raise InvalidInput("full")
        self.pieces[name] = content
        return ""


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(answered, "SAVE_EVERY", 0.0)
    return Job()


def write(folder: Path, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / KEPT_FILE).write_bytes(content)


def keep(job: Job, folder: Path, *contents: bytes) -> None:
    run = Answered(job, folder)  # type: ignore[arg-type]
    for content in contents:
        write(folder, content)
        run.save()


def restored(job: Job, folder: Path) -> bytes:
    folder.mkdir()
    Answered(job, folder).restore()  # type: ignore[arg-type]
    path = folder / KEPT_FILE
    return path.read_bytes() if path.exists() else b""


def test_only_what_is_new_is_saved_and_only_whole_lines(job: Job, tmp_path: Path) -> None:
    keep(job, tmp_path / "run", b"key\n", b"key\none\n", b"key\none\ntw", b"key\none\ntwo\n")
    assert len(job.pieces) == 2
    assert restored(job, tmp_path / "next") == b"key\none\ntwo\n"


def test_the_next_attempt_adds_to_it(job: Job, tmp_path: Path) -> None:
    keep(job, tmp_path / "run", b"key\none\n")
    (tmp_path / "next").mkdir()
    run = Answered(job, tmp_path / "next")  # type: ignore[arg-type]
    run.restore()
    write(tmp_path / "next", b"key\none\ntwo\n")
    run.save()
    assert restored(job, tmp_path / "last") == b"key\none\ntwo\n"


def test_other_work_is_kept_apart_and_the_farthest_is_put_back(job: Job, tmp_path: Path) -> None:
    keep(job, tmp_path / "run", b"key\none\ntwo\n")
    keep(job, tmp_path / "other", b"yek\none\n")
    assert restored(job, tmp_path / "next") == b"key\none\ntwo\n"


def test_what_the_engine_did_not_take_is_saved_anew(job: Job, tmp_path: Path) -> None:
    keep(job, tmp_path / "run", b"key\none\nspoilt\n", b"key\none\n2nd\n3rd\n")
    assert restored(job, tmp_path / "next") == b"key\none\n2nd\n3rd\n"


def test_damaged_pieces_end_what_is_put_back(job: Job, tmp_path: Path) -> None:
    keep(job, tmp_path / "run", b"key\none\n", b"key\none\ntwo\n")
    job.pieces[max(job.pieces)] = b"no zlib"
    assert restored(job, tmp_path / "next") == b"key\none\n"


def test_neither_a_link_nor_a_full_job_is_an_error(job: Job, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "secret").write_bytes(b"key\nsecret\n")
    os.symlink(tmp_path / "secret", tmp_path / "run" / KEPT_FILE)
    Answered(job, tmp_path / "run").save()  # type: ignore[arg-type]
    job.is_full = True
    keep(job, tmp_path / "other", b"key\none\n", b"key\none\ntwo\n")
    assert not job.pieces
