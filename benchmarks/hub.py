"""`python -m benchmarks.hub`: transfers, the commonest calls and memory of the hub, each against a baseline of its run.

Needs curl, nginx, git-lfs, OpenSSH’s client and the packages of the worker. Sizes in MiB can be made smaller:
`--file 64 --huge 256`. `--only-memory ssh` measures one of the ways alone.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import measuring
from tests.live import LivePortal, free_port
from tests.wire.ssh_desks import SshDesk, SshServer

REPEATS = 3
MIB = 1024 * 1024
BLOCK = 16 * MIB
WAYS = ("xet", "lfs", "ssh")


class Hub:
    """A portal with one writer, and a home folder for the client."""

    def __init__(self, portal: LivePortal, folder: Path) -> None:
        self.portal = portal
        self.folder = folder
        self.token = portal.user("writer")
        assert portal.process is not None
        self.pid = portal.process.pid

    def client(self, script: str, *arguments: str, xet: bool = True, fresh: bool = True) -> dict[str, float]:
        """Run a script of huggingface_hub's in a process of its own; it prints JSON as its last line."""
        home = self.folder / "home"
        if fresh:
            shutil.rmtree(home, ignore_errors=True)
        env = {**os.environ, "HF_HOME": str(home), "HF_ENDPOINT": self.portal.url, "HF_TOKEN": self.token}
        env |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        if not xet:
            env["HF_HUB_DISABLE_XET"] = "1"
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), *arguments], env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return found


UPLOAD = """
    import json, sys, time
    from huggingface_hub import HfApi
    api, (path, repo) = HfApi(), sys.argv[1:]
    api.create_repo(repo, exist_ok=True)
    start = time.perf_counter()
    api.upload_file(path_or_fileobj=path, path_in_repo="model.bin", repo_id=repo)
    print(json.dumps({"seconds": time.perf_counter() - start}))
"""
DOWNLOAD = """
    import json, sys, time
    from huggingface_hub import hf_hub_download
    start = time.perf_counter()
    hf_hub_download(sys.argv[1], "model.bin")
    print(json.dumps({"seconds": time.perf_counter() - start}))
"""
LOAD_MODEL = """
    import json, sys, time
    from transformers import AutoModel, AutoTokenizer
    start = time.perf_counter()
    AutoModel.from_pretrained(sys.argv[1])
    print(json.dumps({"seconds": time.perf_counter() - start}))
"""
PUBLISH_MODEL = """
    import json, sys
    from huggingface_hub import HfApi
    from transformers import BertConfig, BertModel
    folder, repo = sys.argv[1:]
    config = BertConfig(num_hidden_layers=6, hidden_size=384, num_attention_heads=12, intermediate_size=1536)
    BertModel(config).save_pretrained(folder)
    api = HfApi()
    api.create_repo(repo, exist_ok=True)
    api.upload_folder(folder_path=folder, repo_id=repo)
    print(json.dumps({}))
"""


def random_file(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        for start in range(0, size, BLOCK):
            file.write(os.urandom(min(BLOCK, size - start)))
    return path


@contextmanager
def nginx(root: Path) -> Iterator[str]:
    """Serve a folder as nginx does by default, with sendfile; yields its address."""
    port, folder = free_port(), root / "nginx"
    folder.mkdir()
    settings = folder / "nginx.conf"
    settings.write_text(
        f"daemon off; worker_processes 2; pid {folder}/pid; error_log stderr error; events {{}}\n"
        f"http {{ access_log off; log_not_found off; sendfile on; tcp_nopush on; client_body_temp_path {folder}/body;\n"
        f"proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;\n"
        f"scgi_temp_path {folder}/s; server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n"
    )
    root.chmod(0o755)
    process = subprocess.Popen(["nginx", "-c", str(settings)])
    try:
        wait = ["curl", "-s", "-I", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-o", "/dev/null"]
        subprocess.run([*wait, f"http://127.0.0.1:{port}/"], check=True)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def downloads(hub: Hub, path: Path, server: str) -> None:
    """One file over one and eight connections, from nginx and from the portal, taking turns."""
    size = path.stat().st_size
    kinds = {
        "nginx": f"{server}/{path.name}",
        "portal, one file": f"{hub.portal.url}/writer/by-lfs/resolve/main/model.bin",
        "portal, in pieces": f"{hub.portal.url}/writer/by-xet/resolve/main/model.bin",
    }
    for connections in (1, 8):
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(REPEATS):
            for kind, url in kinds.items():
                times[kind].append(measuring.curl(url, size, connections))
        baseline = statistics.median(times["nginx"])
        for kind, found in times.items():
            took = statistics.median(found)
            print(f"download over {connections}, {kind}: {size / took / 1e6:.0f} MB/s, {baseline / took:.2f} of nginx")


def transfers(hub: Hub, files: dict[str, Path]) -> None:
    """Uploads and downloads of the real client, against a copy of a file of that size and its sha256."""
    path = files["by-xet"]
    size = path.stat().st_size
    copy = path.with_suffix(".copy")
    baseline = measuring.seconds(lambda: subprocess.run(["cp", str(path), str(copy)], check=True))
    baseline += measuring.seconds(lambda: subprocess.run(["sha256sum", str(copy)], check=True, capture_output=True))
    copy.unlink()
    print(f"cp + sha256sum (the baseline): {size / baseline / 1e6:.0f} MB/s")
    for name, xet in (("by-xet", True), ("by-lfs", False)):
        for action, took in (
            ("upload", hub.client(UPLOAD, str(files[name]), f"writer/{name}", xet=xet)["seconds"]),
            ("download", hub.client(DOWNLOAD, f"writer/{name}", xet=xet)["seconds"]),
        ):
            print(f"{action} {name}: {size / took / 1e6:.0f} MB/s, {took / baseline:.1f} times the baseline")


def calls(hub: Hub) -> None:
    """The calls that every download begins with, from eight clients at once."""
    api, url = f"{hub.portal.url}/api/models/writer/by-lfs", hub.portal.url
    kinds = [
        ("healthz (the baseline)", "GET", f"{url}/healthz"),
        ("HEAD resolve", "HEAD", f"{url}/writer/by-lfs/resolve/main/model.bin"),
        ("model info", "GET", api),
        ("tree", "GET", f"{api}/tree/main?recursive=true"),
    ]
    for name, method, address in kinds:
        seen = measuring.load(hub.pid, address, method=method, requests=2000, clients=8)
        print(
            f"{name}: {seen.per_second:.0f} requests/s, median {seen.median_ms:.1f} ms, "
            f"p99 {seen.p99_ms:.1f} ms, {seen.cpu_ms:.2f} ms of CPU each"
        )


def memory(hub: Hub, path: Path, ways: Sequence[str]) -> None:
    """The peak of all web processes while a huge file passes through them."""
    size = path.stat().st_size / 2**30
    for name, xet in (("huge-xet", True), ("huge-lfs", False)):
        if name.removeprefix("huge-") not in ways:
            continue
        with measuring.memory_peak(hub.pid) as seen:
            hub.client(UPLOAD, str(path), f"writer/{name}", xet=xet)
        print(
            f"upload of {size:.1f} GiB {name}: peak {seen.peak:.0f} MB of all web processes, {seen.before:.0f} before"
        )
        with measuring.memory_peak(hub.pid) as seen:
            hub.client(DOWNLOAD, f"writer/{name}", xet=xet)
        print(f"download of {size:.1f} GiB {name}: peak {seen.peak:.0f} MB, {seen.before:.0f} before")
    if "ssh" in ways:
        memory_of_a_push(hub, path)


def memory_of_a_push(hub: Hub, path: Path) -> None:
    """The peaks of all web processes, and of the SSH server, while git and git-lfs push a huge file."""
    size = path.stat().st_size / 2**30
    create = [f"{hub.portal.url}/api/repos/create", "-H", f"Authorization: Bearer {hub.token}", "-d"]
    subprocess.run(["curl", "-sf", "-o", "/dev/null", *create, '{"name": "huge-ssh"}'], check=True)
    server = SshServer(hub.portal)
    try:
        desk = SshDesk(server, hub.folder / "desk", "writer")
        clone = desk.clone("writer/huge-ssh")
        path.rename(clone / "model.bin")
        for command in (["add", "model.bin"], ["commit", "-qm", "Add the model"]):
            subprocess.run(["git", *command], cwd=clone, env=desk.env, check=True)
        (clone / "model.bin").unlink()  # git-lfs has its own copy by now
        with measuring.memory_peak(hub.pid) as web, measuring.memory_peak(server.process.pid) as ssh:
            subprocess.run(["git", "push", "-q"], cwd=clone, env=desk.env, check=True)
        print(
            f"push of {size:.1f} GiB over SSH: peak {web.peak:.0f} MB of all web processes, {web.before:.0f} before; "
            f"{ssh.peak:.0f} MB of the SSH server, {ssh.before:.0f} before"
        )
    finally:
        server.stop()


def from_pretrained(hub: Hub) -> None:
    """A model of 90 MB loaded from the portal into an empty cache, from a full cache, and from a folder."""
    folder = str(hub.folder / "small-model")
    hub.client(PUBLISH_MODEL, folder, "writer/small-model")
    disk = statistics.median(hub.client(LOAD_MODEL, folder)["seconds"] for _ in range(REPEATS))
    print(f"from_pretrained from disk (the baseline): {disk:.2f} s")
    for name, fresh in (("from the portal, empty cache", True), ("from the portal, cached", False)):
        took = statistics.median(
            hub.client(LOAD_MODEL, "writer/small-model", fresh=fresh)["seconds"] for _ in range(REPEATS)
        )
        print(f"from_pretrained {name}: {took:.2f} s, {took / disk:.1f} times the baseline")


def speed(hub: Hub, folder: Path, server: str, size: int) -> None:
    """Everything about time."""
    # Two contents: the one that came first decides how both would be stored.
    files = {name: random_file(folder / f"{name}.bin", size) for name in ("by-xet", "by-lfs")}
    transfers(hub, files)
    downloads(hub, files["by-lfs"], server)
    calls(hub)
    from_pretrained(hub)
    for path in files.values():
        path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the hub.")
    parser.add_argument("--file", type=int, default=1024, help="MiB of the file to transfer")
    parser.add_argument(
        "--only-memory",
        nargs="*",
        choices=WAYS,
        metavar="WAY",
        help="leave out all but the peaks of memory",
    )
    parser.add_argument("--huge", type=int, default=4096, help="MiB of the file that memory is measured with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with LivePortal(folder / "portal") as portal:
            hub = Hub(portal, folder)
            if options.only_memory is None:
                with nginx(folder) as server:
                    speed(hub, folder, server, options.file * MIB)
                portal.stop()  # peaks are looked for from where a portal starts
                portal.start()
                hub = Hub(portal, folder)
            memory(hub, random_file(folder / "huge.bin", options.huge * MIB), options.only_memory or WAYS)


if __name__ == "__main__":
    main()
