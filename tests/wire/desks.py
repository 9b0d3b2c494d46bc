"""Who works on a repository in the tests of git: somebody with git, and alice at the hub's API."""

import base64
import json
import os
import subprocess
from pathlib import Path

import requests

from tests.live import LivePortal
from tests.servers import need


class Desk:
    """Somebody's computer with git on it, and a token to push with or none."""

    def __init__(self, portal: LivePortal, home: Path, user: str | None = "alice", *, token: str | None = None) -> None:
        need("git", "git-lfs")
        self.portal, self.home = portal, home
        home.mkdir(parents=True, exist_ok=True)
        secret = token or (portal.user(user) if user else None)
        self.base = portal.url.replace("://", f"://{user or 'any'}:{secret}@") if secret else portal.url
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        self.env = {
            **clean, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
            "GIT_LFS_SKIP_SMUDGE": "0",
        }  # fmt: skip
        if not (home / ".gitconfig").exists():
            for key, value in {
                "user.name": user or "any", "user.email": f"{user}@example.org", "init.defaultBranch": "main",
                "protocol.version": "2", "pull.rebase": "true",
            }.items():  # fmt: skip
                self.git(home, "config", "--global", key, value)
            self.git(home, "lfs", "install", "--skip-repo")

    def attempt(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments], cwd=folder, env=self.env, capture_output=True, text=True, timeout=120, check=False
        )

    def git(self, folder: Path, *arguments: str) -> str:
        done = self.attempt(folder, *arguments)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}\n{self.portal.log()[-3000:]}"
        return done.stdout.strip()

    def refused(self, folder: Path, *arguments: str) -> str:
        done = self.attempt(folder, *arguments)
        assert done.returncode != 0, done.stderr
        return done.stderr

    def clone(self, repo: str, *options: str, name: str = "clone") -> Path:
        self.git(self.home, "clone", "-q", *options, f"{self.base}/{repo}", name)
        return self.home / name

    def commit(self, folder: Path, files: dict[str, bytes], title: str = "change") -> str:
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        self.git(folder, "add", "-A")
        self.git(folder, "commit", "-q", "--allow-empty", "-m", title)
        return self.git(folder, "rev-parse", "HEAD")


class Api:
    """Alice at the hub's own API."""

    def __init__(
        self, portal: LivePortal, name: str, *, kind: str = "model", private: bool = False, exist_ok: bool = False
    ) -> None:
        self.portal, self.path = portal, f"alice/{name}"
        self.kind = kind
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {portal.user('alice')}"
        body = {"name": name, "type": kind, "private": private}
        made = self.session.post(f"{portal.url}/api/repos/create", json=body)
        assert made.ok or (exist_ok and made.status_code == 409), made.text

    @property
    def git_path(self) -> str:
        return self.path if self.kind == "model" else f"{self.kind}s/{self.path}"

    def commit(self, **files: bytes) -> str:
        rows = [{"key": "header", "value": {"summary": "by api"}}]
        for path, content in files.items():
            value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
            rows.append({"key": "file", "value": value})
        address = f"{self.portal.url}/api/{self.kind}s/{self.path}/commit/main"
        answer = self.session.post(address, data="".join(json.dumps(row) + "\n" for row in rows))
        answer.raise_for_status()
        return str(answer.json()["commitOid"])

    def head(self, revision: str = "main") -> str:
        answer = self.session.get(f"{self.portal.url}/api/{self.kind}s/{self.path}/revision/{revision}")
        return str(answer.json()["sha"])
