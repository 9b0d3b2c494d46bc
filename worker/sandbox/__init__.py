"""Runs what is not trusted: files in, files out, no network, no rights, nothing left behind. Knows no Django."""

from worker.sandbox.collecting import OutputRefused, collect, copy_folder
from worker.sandbox.contracts import LAUNCH_FAILED, Isolation, Limits, Outcome, Policy, SandboxUnavailable
from worker.sandbox.detection import detect
from worker.sandbox.devices import gpu_files
from worker.sandbox.folders import discard
from worker.sandbox.interpreter import engine_command
from worker.sandbox.running import run

__all__ = [
    "LAUNCH_FAILED",
    "Isolation",
    "Limits",
    "Outcome",
    "OutputRefused",
    "Policy",
    "SandboxUnavailable",
    "collect",
    "copy_folder",
    "detect",
    "discard",
    "engine_command",
    "gpu_files",
    "run",
]
