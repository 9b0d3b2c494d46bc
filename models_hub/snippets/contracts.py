"""What all snippets are made from, and of."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from models_hub.models import Repo


@dataclass(frozen=True)
class Snippet:
    """One way to use a repository. `key` is good for an element's id, `needs` says what must be installed."""

    key: str
    label: str
    code: str
    needs: str = ""


@dataclass(frozen=True)
class Subject:
    """The repository that a snippet is about; `site` is this portal's address, `files` are paths at its head.

    `ssh` is where git reaches the portal over SSH, empty where it does not.
    """

    repo: Repo
    site: str
    files: Sequence[str]
    ssh: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether a token is needed to download."""
        return self.repo.private or bool(self.repo.gated)

    @property
    def example(self) -> str:
        """The file that a snippet about one file names: that which tells most."""
        first = ("model.safetensors", "config.json")
        data = [path for path in self.files if path.endswith((".parquet", ".csv", ".jsonl")) and not self.repo.is_model]
        return next((path for path in (*first, *data, *self.files) if path in self.files), "README.md")

    def with_ending(self, ending: str) -> str | None:
        """Return the first file of a format, preferring one at the top."""
        fitting = sorted((path for path in self.files if path.lower().endswith(ending)), key=lambda one: one.count("/"))
        return fitting[0] if fitting else None

    def address(self, path: str) -> str:
        return f"{self.site}{self.repo.path}/resolve/main/{quote(path)}"


def file_name(path: str) -> str:
    """Return a name for a downloaded file that is safe between quotes in any language."""
    name = path.rsplit("/", 1)[-1]
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name)
    return plain.lstrip("-.") or "file"
