"""Makes files reachable for a user that may not walk to them: a view of its own, nothing changes on disk."""

import os
import stat
from collections.abc import Sequence

from . import kernel


class Closed(OSError):
    """A path that the run needs and its user may not read."""


def reveal(readable: Sequence[str], writable: Sequence[str], uid: int) -> None:
    """Let the user `uid` reach these paths at their own place, for this process and its children only.

    The interpreter may lie below /root (0700) and a spec below a private scratch directory. Each directory on the way
    that others may not enter is covered by an empty one, in which only the wanted paths appear. Files of root that
    others may not read are shown as files of `uid` where the file system can do that. What may be written is
    never shown that way: what a run creates would belong to root on disk, a set-user-id program included.
    """
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.make_mounts_private()
    # A link is reached once what it leads to is there: the interpreter of an environment may be one.
    paths = sorted({*readable, *writable}, key=lambda path: (os.path.islink(path), path.count("/"), path))
    trees = [(path, os.path.isdir(path), kernel.clone_tree(path)) for path in paths]
    owners = _user_namespace(uid)
    for directory in {hidden for path in paths if (hidden := _first_hidden(path))}:
        kernel.mount_tmpfs(directory)
    for path, is_directory, tree in trees:
        if path not in writable:
            _show_as_own(tree, path, owners)
        _make_mount_point(path, is_directory)
        kernel.attach_tree(tree, path)
        os.close(tree)
    if owners is not None:
        os.close(owners)


def _user_namespace(uid: int) -> int | None:
    """Open a user namespace in which root's files are those of `uid`; a short-lived child has to make it."""
    ready, made = os.pipe()
    release, done = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(done)
            kernel.unshare(kernel.CLONE_NEWUSER)
            os.write(made, b"1")
            os.read(release, 1)
        finally:
            os._exit(0)
    os.close(made)
    os.close(release)
    try:
        if not os.read(ready, 1):
            return None
        for kind in ("uid_map", "gid_map"):
            with open(f"/proc/{child}/{kind}", "w") as file:
                file.write(f"0 {uid} 1")
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(ready)
        os.close(done)
        os.waitpid(child, 0)


def _first_hidden(path: str) -> str | None:
    parts = path.split("/")
    for depth in range(2, len(parts)):
        directory = "/".join(parts[:depth])
        if not os.stat(directory).st_mode & stat.S_IXOTH:
            return directory
    return None


def _show_as_own(tree: int, path: str, owners: int | None) -> None:
    if owners is not None:
        try:
            kernel.map_owners(tree, owners)
        except OSError:
            pass  # A network or overlay file system cannot; then the files must be readable for all as they are.
        else:
            return
    mode = os.fstat(tree).st_mode
    needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
    if mode & needed != needed:
        raise Closed(f"{path} is closed to the run's own user. Let others read it (chmod o+rX).")


def _make_mount_point(path: str, is_directory: bool) -> None:
    os.makedirs(path if is_directory else os.path.dirname(path), exist_ok=True)
    if not is_directory and not os.path.exists(path):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
