"""What a commit is asked to do: put files, refer to what came before, delete."""

from dataclasses import dataclass

PLAIN_MODE = 0o100644


@dataclass(frozen=True)
class PutFile:
    """A file sent with its bytes."""

    path: str
    content: bytes


@dataclass(frozen=True)
class PutLarge:
    """A file whose content the repository received before, named by digest."""

    path: str
    sha256: str
    size: int | None = None


@dataclass(frozen=True)
class PutKnown:
    """A file that a commit of the repository holds already, named by git's id: moved, or brought back."""

    path: str
    oid: str
    mode: int = PLAIN_MODE


@dataclass(frozen=True)
class Delete:
    """Remove a file, or a folder with all that is in it."""

    path: str


Change = PutFile | PutLarge | PutKnown | Delete
