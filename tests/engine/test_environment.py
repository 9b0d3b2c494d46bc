"""What a process of the engine is told before it starts to work."""

import subprocess
import sys

import pytest

from tests.engine.builders import ROOT

FREED = """
import ctypes, resource, sys
from worker.engine.environment import keep_memory

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def fill():
    blocks = [libc.malloc(4 << 20) for _ in range(4)]
    for block in blocks:
        ctypes.memset(block, 1, 4 << 20)
    for block in reversed(blocks):
        libc.free(block)

if sys.argv[1] == "kept":
    keep_memory()
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the counters of Linux")
def test_blocks_that_were_freed_are_used_again_without_asking_for_pages():
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FREED, how]
        return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout)

    assert faults("left") > 1000
    assert faults("kept") < 100


def test_no_kind_of_task_waits_for_libraries_that_another_needs():
    code = (
        "import sys, worker.engine.tasks; print(sorted({'sacrebleu', 'lxml', 'torch', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
