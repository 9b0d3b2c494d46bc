"""What every viewer hands to the page."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from models_hub.browsing import Entry
from models_hub.models import Commit, Repo


@dataclass(frozen=True)
class Place:
    """The file to show, where it lies, and what the reader asked of the page."""

    repo: Repo
    commit: Commit
    revision: str
    entry: Entry
    asked: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return self.entry.path.rpartition("/")[0]


@dataclass(frozen=True)
class Shown:
    """`kind` names the template in templates/models_hub/viewers/, `about` is what that template reads.

    `modes` are the ways to see the file that the page offers, `mode` the chosen one; `notes` stand below the content.
    """

    kind: str
    about: dict[str, Any] = field(default_factory=dict)
    modes: tuple[str, ...] = ()
    mode: str = ""
    notes: tuple[str, ...] = ()
    is_text: bool = False

    def with_modes(self, modes: tuple[str, ...], mode: str) -> "Shown":
        return replace(self, modes=modes, mode=mode)


def nothing(problem: str) -> Shown:
    """Show why there is nothing to see."""
    return Shown("none", {"problem": problem})
