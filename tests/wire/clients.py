"""Real clients in processes of their own: each with its own HF_HOME, as different people on different machines."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from tests.live import LivePortal
from tests.wire.environments import Environment

HF = str(Path(sys.executable).parent / "hf")
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Machine:
    """Somebody's computer: a home folder, the portal as endpoint, a token or none, the project's clients or others."""

    portal: LivePortal
    home: Path
    token: str | None = None
    xet: bool = True
    environment: Environment | None = None

    @property
    def env(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "DJANGO_", "PYTEST_"))}
        own = {"HF_HOME": str(self.home / "hf"), "HF_ENDPOINT": self.portal.url, "HOME": str(self.home)}
        env = {**clean, **QUIET, **own}
        if self.token:
            env["HF_TOKEN"] = self.token
        if not self.xet:
            env["HF_HUB_DISABLE_XET"] = "1"
        return env

    def python(self, script: str, *arguments: str) -> str:
        """Run a script and return what it printed; its failure is the test's."""
        return self.run(self.program("python"), "-c", textwrap.dedent(script), *arguments)

    def hf(self, *arguments: str) -> str:
        return self.run(self.program("hf"), *arguments)

    def program(self, name: str) -> str:
        """Return the path of a program of this machine's environment."""
        if self.environment:
            return self.environment.program(name)
        return str(Path(sys.executable).parent / name)

    def of(self, home: Path, token: str | None) -> "Machine":
        """Return another person's machine with the same programs."""
        return replace(self, home=home, token=token)

    def run(self, *command: str) -> str:
        done = self.attempt(*command)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n--- portal ---\n{self.portal.log()[-2000:]}"
        return done.stdout

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        self.home.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            command, env=self.env, cwd=self.home, capture_output=True, text=True, timeout=240, check=False
        )
