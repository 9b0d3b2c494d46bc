"""What a commit is asked to do: put files, refer to content that came before, delete."""

from dataclasses import dataclass


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
class Delete:
    """Remove a file, or a folder with all that is in it."""

    path: str


Change = PutFile | PutLarge | Delete
