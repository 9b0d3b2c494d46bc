"""Measures, hands over and deletes a folder that a hostile run may have filled: any depth, any number of entries."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# An entry costs a block at least, so that a million empty files count as well.
SMALLEST = 4096
# Nothing of ours lies deeper, and each level costs an open descriptor while it is walked.
DEEPEST = 64


def size(folder: Path, *, stop_at: int) -> int:
    """Return the bytes below a folder, or any number not below `stop_at` once it is known to be that large."""
    total = 0
    for status in _walk(folder, give_up=stop_at):
        total += status if isinstance(status, int) else max(status.st_size, status.st_blocks * 512, SMALLEST)
        if total >= stop_at:
            break
    return total


def hand_over(folder: Path, uid: int) -> None:
    """Make a folder and what the caller has put into it belong to another user.

    A file that has a second name is left alone: it is the same file there.
    """
    os.chown(folder, uid, uid, follow_symlinks=False)
    for directory, names, files in os.walk(folder):
        for path in (Path(directory, name) for name in (*names, *files)):
            if path.is_dir() or path.lstat().st_nlink == 1:
                os.chown(path, uid, uid, follow_symlinks=False)


def discard(folder: Path) -> None:
    """Delete a folder and all below it, which `shutil.rmtree` cannot do once it is nested deeper than Python recurses.

    A nested folder is first moved to the top, so that no more than two levels are ever looked at.
    """
    with suppress(FileNotFoundError):
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchmod(top, 0o700)
            while names := os.listdir(top):
                for name in names:
                    _empty(top, name)
        finally:
            os.close(top)
        os.rmdir(folder)


def _walk(folder: Path, *, give_up: int) -> Iterator[os.stat_result | int]:
    stack: list[tuple[int, Iterator[str]]] = []
    try:
        stack.append(_opened(str(folder), None))
        while stack:
            descriptor, names = stack[-1]
            name = next(names, None)
            if name is None:
                os.close(stack.pop()[0])
                continue
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                yield status
                if stat.S_ISDIR(status.st_mode):
                    if len(stack) == DEEPEST:
                        yield give_up
                    stack.append(_opened(name, descriptor))
            except PermissionError:
                yield give_up  # A folder closed to us is a hiding place.
            except OSError:
                continue  # The run deletes and renames while it is watched.
    except FileNotFoundError:
        return
    finally:
        for descriptor, _ in stack:
            os.close(descriptor)


def _opened(name: str, parent: int | None) -> tuple[int, Iterator[str]]:
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        return descriptor, iter(os.listdir(descriptor))
    except OSError:
        os.close(descriptor)
        raise


def _empty(top: int, name: str) -> None:
    if not stat.S_ISDIR(os.stat(name, dir_fd=top, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=top)
        return
    os.chmod(name, 0o700, dir_fd=top)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    try:
        for entry in os.listdir(inner):
            if stat.S_ISDIR(os.stat(entry, dir_fd=inner, follow_symlinks=False).st_mode):
                # A folder can be moved only by who may write into it.
                os.chmod(entry, 0o700, dir_fd=inner)
                # A name that nobody can have taken beforehand.
                os.rename(entry, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=top)
            else:
                os.unlink(entry, dir_fd=inner)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)
