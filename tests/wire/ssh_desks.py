"""Somebody’s computer with an SSH key, and a process that serves a live portal’s repositories to it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.live import ROOT, START_SECONDS, LivePortal, free_port
from tests.wire.desks import Desk


class SshServer:
    """A process that serves a live portal’s repositories over SSH."""

    def __init__(self, portal: LivePortal) -> None:
        self.portal, self.port = portal, free_port()
        self.start()

    def start(self) -> None:
        env = {**self.portal.env, "SSH_PORT": str(self.port)}
        with (self.portal.folder / "ssh.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_ssh"], cwd=ROOT, env=env, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            probe = ["ssh-keyscan", "-p", str(self.port), "127.0.0.1"]
            if "ssh-ed25519" in subprocess.run(probe, capture_output=True, text=True, timeout=30, check=False).stdout:
                return
            time.sleep(0.2)
        self.stop(signal.SIGKILL)
        raise AssertionError(self.log())

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)

    def log(self) -> str:
        return (self.portal.folder / "ssh.log").read_text()


class SshDesk(Desk):
    """Somebody’s computer with a key that the portal knows, unless `known` says otherwise."""

    def __init__(
        self, server: SshServer, home: Path, user: str, *, known: bool = True, read_only: bool = False
    ) -> None:
        super().__init__(server.portal, home, user)
        self.server, self.base = server, f"ssh://git@127.0.0.1:{server.port}"
        self.key = home / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", user, "-f", self.key], check=True)
        self.env["GIT_SSH_COMMAND"] = " ".join(("ssh", *self.options))
        if known:
            text = self.key.with_suffix(".pub").read_text()
            self.key_id = server.portal.script(
                "from portal.models import SshKey, User\n"
                f"user = User.objects.get(username={user!r})\n"
                f"print(SshKey.add(user=user, text={text!r}, read_only={read_only}).pk)"
            ).strip()

    @property
    def options(self) -> list[str]:
        return [
            "-F", "none", "-i", str(self.key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
            "-o", "LogLevel=ERROR", "-o", "StrictHostKeyChecking=no",
            "-o", f"UserKnownHostsFile={self.home / 'known_hosts'}",
        ]  # fmt: skip

    def ssh(self, *arguments: str, user: str = "git") -> subprocess.CompletedProcess[str]:
        command = ["ssh", *self.options, "-p", str(self.server.port), f"{user}@127.0.0.1", *arguments]
        return subprocess.run(
            command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
