"""Secrets that are made at the first start."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from portal.config import env
from portal.kept_once import kept_once


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert kept_once(path, lambda: b"first") == b"first"
    assert kept_once(path, lambda: b"second") == b"first"
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_that_was_made_meanwhile_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "key"

    def late() -> bytes:
        path.write_bytes(b"theirs")
        return b"mine"

    assert kept_once(path, late) == b"theirs"
    assert os.listdir(tmp_path) == ["key"]


def test_a_full_disk_leaves_no_empty_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("SECRET_KEY_FILE", raising=False)

    def full(*_arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as short:
        short.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            env.secret_key()
    assert os.listdir(tmp_path) == []
    assert len(env.secret_key()) == 64
    assert env.secret_key() == env.secret_key()


def test_a_file_system_without_second_names_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert kept_once(tmp_path / "key", lambda: b"first") == b"first"
    assert os.listdir(tmp_path) == ["key"]
