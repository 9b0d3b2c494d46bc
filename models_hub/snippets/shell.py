"""Snippets for a shell: one command fetches all, or runs the model."""

import re
from urllib.parse import quote

from models_hub.snippets.contracts import Snippet, Subject, file_name

_PLAIN_NAME = re.compile(r"[\w.-]+", re.ASCII)


def running(about: Subject) -> list[Snippet]:
    """Return how llama.cpp runs the model, where it has a file for it."""
    path = about.with_ending(".gguf") if about.repo.is_model else None
    if path is None:
        return []
    name = file_name(path)
    code = f'{_curl_of(about, path, name)}\nllama-cli -m {name} -p "Once upon a time" -n 64'
    return [Snippet("llama-cpp", "llama.cpp", code, "https://github.com/ggml-org/llama.cpp")]


def fetching(about: Subject) -> list[Snippet]:
    """Return how the repository comes to one's own disk."""
    return [_hf(about), _git(about), *_git_over_ssh(about), _curl(about)]


def _hf(about: Subject) -> Snippet:
    repo = about.repo
    kind = "" if repo.is_model else f" --repo-type {repo.kind}"
    login = "hf auth login\n" if about.is_closed else ""
    code = f"export HF_ENDPOINT={about.site}\n{login}hf download {repo.full_name}{kind} --local-dir {repo.name}"
    return Snippet("hf", "hf", code, "pip install huggingface_hub")


def _git(about: Subject) -> Snippet:
    comment = "# as the password, give an access token\n" if about.is_closed else ""
    code = f"{comment}git lfs install\ngit clone {about.site}{about.repo.path}"
    return Snippet("git", "git", code, "git, git-lfs")


def _git_over_ssh(about: Subject) -> list[Snippet]:
    if not about.ssh:
        return []
    code = f"git lfs install\ngit clone {about.ssh}{about.repo.path}"
    return [Snippet("git-ssh", "git (SSH)", code, "git, git-lfs, ssh")]


def _curl(about: Subject) -> Snippet:
    path = about.example
    name = path.rsplit("/", 1)[-1]
    plain = _PLAIN_NAME.fullmatch(name) and not name.startswith("-")
    return Snippet("curl", "curl", _curl_of(about, path, name if plain else ""))


def _curl_of(about: Subject, path: str, name: str) -> str:
    header = ' -H "Authorization: Bearer $HF_TOKEN"' if about.is_closed else ""
    target = f"-o {name}" if name else "-O"
    return f"curl -fL{header} {target} \\\n  {about.site}{about.repo.path}/resolve/main/{quote(path)}"
