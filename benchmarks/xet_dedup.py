"""`python -m benchmarks.xet_dedup`: what the second upload of a model costs when clients send through Xet.

Takes a safetensors file (`--model`), else makes weights of 90 MB. Each upload is a process with a memory of its own
(HF_HOME), so that only what the portal tells can spare it bytes, except where it says "warm".
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy

from tests.live import LivePortal

MB = 1024 * 1024
PLACES = 12
# The portal's own log does not name the length of what was sent.
LOG = """--access-logfile - --access-logformat '"%(m)s %(U)s" %(s)s %(B)s %({content-length}i)s'"""
UPLOAD = """
import sys
from huggingface_hub import HfApi
api, (path, repo) = HfApi(), sys.argv[1:]
api.create_repo(repo, exist_ok=True)
api.upload_file(path_or_fileobj=path, path_in_repo="model.safetensors", repo_id=repo)
"""


@dataclass(frozen=True)
class Cost:
    """What one upload moved: bytes sent as xorbs and shards, bytes told by the portal, bytes added to its store."""

    sent: int
    told: int
    stored: int

    def line(self, what: str, size: int) -> str:
        shares = (f"{value / size:6.1%} {name}" for name, value in vars(self).items())
        return f"{what:44} " + ", ".join(shares)


class Client:
    """Uploads to one portal, and what its proxy would have counted."""

    def __init__(self, portal: LivePortal, folder: Path) -> None:
        self.portal = portal
        self.folder = folder
        self.token = portal.user("writer")

    def upload(self, path: Path, repo: str, *, home: str) -> Cost:
        """Upload one file to a repository of the writer's."""
        env = {**os.environ, "HF_HOME": str(self.folder / home), "HF_ENDPOINT": self.portal.url, "HF_TOKEN": self.token}
        env |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        seen, held = len(self.portal.log()), self._stored()
        done = subprocess.run(
            [sys.executable, "-c", UPLOAD, str(path), f"writer/{repo}"], env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        log = self.portal.log()[seen:]
        told = re.findall(r'"GET /cas/v1/chunks/[^"]*" 200 (\d+)', log)
        sent = re.findall(r'"POST /cas/v[12]/(?:xorbs/default/\w+|shards)" 200 \d+ (\d+)', log)
        return Cost(sum(map(int, sent)), sum(map(int, told)), self._stored() - held)

    def _stored(self) -> int:
        return sum(path.stat().st_size for path in (self.portal.data / "blobs").rglob("*") if path.is_file())


def weights(size: int) -> bytes:
    """Return numbers like those of a model."""
    return numpy.random.default_rng(1).normal(0, 0.02, size // 4).astype("<f4").tobytes()


def tuned(model: bytes, share: float, *, also_first: bool = False) -> bytes:
    """Return the model with a share of its bytes changed, in places that are spread over it."""
    changed, length = bytearray(model), int(len(model) * share) // PLACES
    noise = numpy.random.default_rng(2)
    for place in range(PLACES):
        start = (place * 2 + 1) * len(model) // (PLACES * 2)
        changed[start : start + length] = noise.bytes(length)
    if also_first:
        changed[16_000:16_064] = noise.bytes(64)
    return bytes(changed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a safetensors file")
    parser.add_argument("--size", type=int, default=90, help="MiB of made weights, without --model")
    options = parser.parse_args()
    model = options.model.read_bytes() if options.model else weights(options.size * MB)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with LivePortal(folder, GUNICORN_CMD_ARGS=LOG) as portal:
            measure(Client(portal, folder), folder, model)


def measure(client: Client, folder: Path, model: bytes) -> None:
    """Upload a model and what is like it, and print the cost of each."""
    files = {
        "base": model,
        "tuned": tuned(model, 0.05),
        "checkpoint": tuned(model, 0.04, also_first=True),
    }
    paths = {}
    for name, content in files.items():
        paths[name] = folder / f"{name}.safetensors"
        paths[name].write_bytes(content)
    size = len(model)
    print(f"model of {size / 1e6:.1f} MB; shares of its size:")
    for what, file, repo, home in (
        ("first upload", "base", "base", "one"),
        ("the same, warm, to another repository", "base", "copy", "one"),
        ("the same, cold, to another repository", "base", "mirror", "two"),
        ("5 % changed, cold, to another repository", "tuned", "tuned", "three"),
        ("4 % and the first chunk changed, cold, same one", "checkpoint", "base", "four"),
    ):
        print(client.upload(paths[file], repo, home=home).line(what, size))


if __name__ == "__main__":
    main()
