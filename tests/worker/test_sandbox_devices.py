"""Devices: a run has those that it was given, and a worker states only GPUs that work behind the walls."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import absent
from tests.worker.sandboxes import ROOMY, python
from worker import gpus, node, sandbox
from worker.sandbox import Policy

READ = "import sys; print(open(sys.argv[1], 'rb').read(3))"
ZERO = os.makedev(1, 5)  # what every kernel has under the name of /dev/zero


def make_device(path: Path) -> Path:
    if os.getuid() != 0:
        absent("only root makes device files")
    os.mknod(path, stat.S_IFCHR | 0o666, ZERO)
    path.chmod(0o666)
    return path


@pytest.fixture
def device() -> Iterator[Path]:
    """A file of /dev that is a device and that no run has."""
    path = make_device(Path(f"/dev/portal-test-{os.getpid()}"))
    yield path
    path.unlink()


def said(device: Path, given: list[Path], folder: Path, policy: Policy) -> list[str]:
    lines: list[str] = []
    sandbox.run(
        python(READ, str(device)),
        readonly=[],
        writable=folder,
        limits=ROOMY,
        on_line=lines.append,
        should_stop=lambda: None,
        devices=given,
        policy=policy,
    )
    return lines


@pytest.mark.parametrize("policy", ["auto", "rlimits"])
def test_a_run_has_the_devices_that_it_was_given(device: Path, tmp_path: Path, policy: Policy) -> None:
    assert said(device, [device], tmp_path, policy) == [r"b'\x00\x00\x00'"]


def test_a_run_has_no_other_devices(device: Path, tmp_path: Path) -> None:
    assert said(device, [], tmp_path, "auto") == []


def test_the_files_of_gpus_are_found_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "dri").mkdir()
    for name in ("nvidiactl", "nvidia0", "nvidia-uvm", "kfd", "dri/renderD128", "dri/card0", "sda"):
        make_device(tmp_path / name)
    (tmp_path / "nvidia1").write_text("no device")
    names = [str(path.relative_to(tmp_path)) for path in sandbox.gpu_files(tmp_path)]
    assert names == ["nvidiactl", "nvidia-uvm", "nvidia0", "kfd", "dri/renderD128"]


@pytest.mark.engine
def test_a_gpu_that_does_not_work_inside_is_not_stated(
    device: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sandbox, "gpu_files", lambda: [device])
    assert node.capabilities()["gpus"] == []
    assert "No GPU of this machine works inside a sandbox" in caplog.text


def test_gpus_can_be_kept_from_jobs(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.WORKER_GPU = False
    monkeypatch.setattr(sandbox, "gpu_files", lambda: pytest.fail("nobody may look"))
    assert node.capabilities()["gpus"] == []


def test_runs_beside_one_another_are_spread_over_the_gpus() -> None:
    with gpus.one_of(2) as first, gpus.one_of(2) as second:
        assert [run["CUDA_VISIBLE_DEVICES"] for run in (first, second)] == ["0", "1"]
        with gpus.one_of(2) as third:
            assert third["CUDA_VISIBLE_DEVICES"] == "0"
    with gpus.one_of(2) as again:
        assert again["CUDA_VISIBLE_DEVICES"] == "0"
    for count in (0, 1):
        with gpus.one_of(count) as alone:
            assert alone == {}
