"""Real clients in processes of their own: each with its own HF_HOME, as different people on different machines."""

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from tests.live import LivePortal

HF = str(Path(sys.executable).parent / "hf")
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Machine:
    """Somebody's computer: a home folder, the portal as endpoint, a token or none."""

    portal: LivePortal
    home: Path
    token: str | None = None
    xet: bool = True

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
        return self.run(sys.executable, "-c", textwrap.dedent(script), *arguments)

    def hf(self, *arguments: str) -> str:
        return self.run(HF, *arguments)

    def run(self, *command: str) -> str:
        done = self.attempt(*command)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n--- portal ---\n{self.portal.log()[-2000:]}"
        return done.stdout

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        self.home.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            command, env=self.env, cwd=self.home, capture_output=True, text=True, timeout=240, check=False
        )
