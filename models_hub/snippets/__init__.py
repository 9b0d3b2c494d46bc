"""How to use a repository from one's own tools: commands and code that work when pasted."""

from collections.abc import Sequence

from models_hub.models import Repo
from models_hub.snippets import programs, python, shell
from models_hub.snippets.contracts import Snippet, Subject


def snippets(repo: Repo, *, site: str, files: Sequence[str], ssh: str = "") -> list[Snippet]:
    """Return what fits the repository, the most helpful first; `site` and `ssh` are this portal's addresses."""
    about = Subject(repo, site, files, ssh)
    return [*python.loading(about), *shell.running(about), *shell.fetching(about), *programs.fetching(about)]


__all__ = ["Snippet", "snippets"]
