"""Finding the walls that stand, taking files out, and the engine behind them."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.worker.sandboxes import CALLER, HERE, HERE_BARE, ROOMY, Kind, kinds, limits, python
from worker import sandbox
from worker.sandbox import OutputRefused, SandboxUnavailable, bubblewrap, cgroups, collect, discard
from worker.sandbox.cgroups import Group, Places
from worker.sandbox.detection import detect


@pytest.fixture
def undetected() -> Iterator[None]:
    """Whatever is found out in a test is forgotten after it."""
    detect.cache_clear()
    yield
    detect.cache_clear()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can raise all walls")
def test_root_gets_every_wall_without_a_warning() -> None:
    isolation = sandbox.detect("require")
    assert isolation.mode == "full"
    assert set(isolation.in_force) >= {"namespaces", "own user", "system call filter", "resource limits"}
    assert (isolation.warning is None) == isolation.cgroup


def test_without_bubblewrap_the_weaker_walls_are_used_and_the_warning_says_how_to_mend_it(
    undetected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "program", lambda: None)
    isolation = sandbox.detect("auto")
    assert isolation.mode == "rlimits"
    assert isolation.warning is not None
    assert "apt install bubblewrap" in isolation.warning


def test_without_bubblewrap_a_strict_policy_refuses(undetected: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "program", lambda: None)
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap"):
        sandbox.detect("require")


def let_others_reach(program: Path) -> None:
    """Open the folders above, which pytest keeps to its user: the sandbox starts programs as another one."""
    for place in (program, *program.parents):
        if place.stat().st_uid == os.getuid() and place.is_relative_to(tempfile.gettempdir()):
            place.chmod(place.stat().st_mode | 0o055)


def test_where_namespaces_are_forbidden_the_warning_repeats_what_bubblewrap_said(
    undetected: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    let_others_reach(broken)
    monkeypatch.setattr(bubblewrap, "program", lambda: str(broken))
    isolation = sandbox.detect("auto")
    assert isolation.mode == "rlimits"
    assert isolation.warning is not None
    assert "No permissions to create new namespace" in isolation.warning
    assert "user namespaces" in isolation.warning


def test_a_bubblewrap_that_isolates_nothing_is_found_out(
    undetected: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretender = tmp_path / "bwrap"
    pretender.write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n')
    let_others_reach(pretender)
    monkeypatch.setattr(bubblewrap, "program", lambda: str(pretender))
    with pytest.raises(SandboxUnavailable, match="does not close the network"):
        sandbox.detect("require")


def test_an_unknown_processor_is_run_without_the_filter_and_warned_about(
    undetected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    isolation = sandbox.detect("auto")
    assert not isolation.syscall_filter
    assert isolation.warning is not None
    assert "system call filter" in isolation.warning


def test_a_folder_that_is_a_link_cannot_be_made_writable(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(NotADirectoryError):
        sandbox.run(
            python("pass"), readonly=[], writable=tmp_path / "link", limits=limits(), on_line=print,
            should_stop=lambda: None,
        )  # fmt: skip


LEAVE = """
import os
open("good", "w").write("numbers")
os.symlink("/etc/shadow", "link")
os.mkfifo("pipe")
os.mkdir("folder")
open("twice", "w").close(); os.link("twice", "twice-more")
open("large", "wb").write(bytes(2000))
open("sparse", "wb").truncate(1 << 20)
"""


@kinds(HERE, HERE_BARE)
def test_only_plain_files_of_the_agreed_size_are_taken_out(kind: Kind, tmp_path: Path) -> None:
    assert kind.attempt(LEAVE, tmp_path).outcome.returncode == 0
    out = tmp_path / "out"
    assert collect(out, "good", 1000) == b"numbers"
    for name in ("link", "pipe", "folder", "twice", "large", "sparse", "absent"):
        with pytest.raises(OutputRefused):
            collect(out, name, 1000)


@pytest.mark.parametrize("name", ["", "..", "../secret", "a/b", "/etc/passwd", "a\0b"])
def test_a_name_that_leaves_the_folder_is_a_mistake_of_the_caller(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the name of a file"):
        collect(tmp_path, name, 10)


def test_a_folder_swapped_for_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "result").write_text("stolen")
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputRefused):
        collect(tmp_path / "out", "result", 100)


def test_a_folder_deeper_than_python_recurses_is_discarded(tmp_path: Path) -> None:
    code = """
import os
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
open("leaf", "w").close()
os.chmod(".", 0)
"""
    assert HERE.attempt(code, tmp_path).outcome.killed_because == "disk"
    discard(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    discard(tmp_path / "out")


def test_discarding_follows_no_link(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("mine")
    out = tmp_path / "out"
    (out / "inner").mkdir(parents=True)
    for folder in (out, out / "inner"):
        (folder / "link").symlink_to(kept)
    discard(out)
    assert (kept / "file").read_text() == "mine"


@pytest.mark.engine
@kinds(HERE, HERE_BARE)
def test_torch_works_behind_the_walls(kind: Kind, tmp_path: Path) -> None:
    code = "import torch; a = torch.ones(64, 64); print(int((a @ a).sum()), torch.get_num_threads())"
    lines: list[str] = []
    outcome = sandbox.run(
        [sys.executable, "-I", "-c", code],
        readonly=[],
        writable=tmp_path,
        limits=limits(memory_mb=1024, cpu_seconds=60, wall_seconds=60, processes=32, open_files=128),
        on_line=lines.append,
        should_stop=lambda: None,
        environment={"OMP_NUM_THREADS": "1"},
        policy=kind.policy,
    )
    assert lines == ["262144 1"], outcome


@kinds(HERE, HERE_BARE)
def test_the_engine_is_found_wherever_the_run_is_started(kind: Kind, tmp_path: Path) -> None:
    outcome = sandbox.run(
        sandbox.engine_command("no-such-verb"), readonly=[], writable=tmp_path, limits=limits(memory_mb=1024),
        on_line=print, should_stop=lambda: None, policy=kind.policy,
    )  # fmt: skip
    assert "No module named" not in outcome.stderr_tail
    assert outcome.returncode not in (0, sandbox.LAUNCH_FAILED)


def described(folder: Path, mountinfo: str, cgroup: str) -> Path:
    """What /proc would say about another machine."""
    proc = folder / "proc"
    proc.mkdir()
    (proc / "mountinfo").write_text(mountinfo)
    (proc / "cgroup").write_text(cgroup)
    return proc


def test_version_2_groups_are_made_where_they_are_delegated(tmp_path: Path) -> None:
    unit = tmp_path / "cgroup" / "system.slice" / "portal.service"
    (unit / "worker").mkdir(parents=True)
    (unit / "cgroup.subtree_control").write_text("cpu memory pids")
    # The worker is a member of its own group, so the kernel refuses this file; here it cannot be written either.
    (unit / "worker" / "cgroup.subtree_control").mkdir()
    proc = described(
        tmp_path,
        f"31 23 0:28 / {tmp_path}/cgroup rw - cgroup2 cgroup2 rw\n",
        "0::/system.slice/portal.service/worker\n",
    )
    places = cgroups.find(proc)
    assert places == Places(2, {"memory": unit, "pids": unit})


def test_version_2_groups_are_not_made_in_a_slice_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "cgroup" / "system.slice" / "portal.service").mkdir(parents=True)
    (tmp_path / "cgroup" / "system.slice" / "cgroup.subtree_control").write_text("memory pids")
    proc = described(
        tmp_path, f"31 23 0:28 / {tmp_path}/cgroup rw - cgroup2 cgroup2 rw\n", "0::/system.slice/portal.service\n"
    )
    (tmp_path / "cgroup" / "system.slice" / "portal.service" / "cgroup.subtree_control").mkdir()
    assert cgroups.find(proc) is None


def test_version_2_limits_and_readings_use_its_own_names(tmp_path: Path) -> None:
    group = Group(Places(2, {"memory": tmp_path, "pids": tmp_path}), "run")
    group.make(limits(memory_mb=64, processes=7), extra_processes=2)
    folder = tmp_path / "run"
    assert (folder / "memory.max").read_text() == str(64 << 20)
    assert (folder / "pids.max").read_text() == "9"
    (folder / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    assert group.ran_out_of_memory()
    assert group.cpu_seconds() == 2.5


def test_in_a_container_only_the_visible_part_of_a_hierarchy_counts(tmp_path: Path) -> None:
    lines = []
    for controller in ("memory", "pids", "cpuacct"):
        (tmp_path / controller).mkdir()
        lines.append(f"31 23 0:28 /docker/ab {tmp_path}/{controller} rw shared:7 - cgroup cgroup rw,{controller}")
    cgroup = "".join(f"4:{controller}:/docker/ab\n" for controller in ("memory", "pids", "cpuacct"))
    places = cgroups.find(described(tmp_path, "\n".join(lines), cgroup))
    assert places is not None
    assert places.folders == {name: tmp_path / name for name in ("memory", "pids", "cpuacct")}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root shows files below its own folders")
def test_an_interpreter_behind_a_link_is_found_whatever_the_order_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "environment").symlink_to(sys.prefix)
    asked = {"code": "print(1)", "arguments": [], "limits": asdict(ROOMY), "policy": "auto"}
    command = [str(tmp_path / "environment" / "bin" / "python"), str(CALLER)]
    for _again in range(4):  # sets order what they hold by chance
        done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=60)
        assert json.loads(done.stdout)["lines"] == ["1"], done.stdout
