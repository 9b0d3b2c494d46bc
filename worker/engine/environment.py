"""Settings of a process that answers or learns; most only count when they are set before torch is imported."""

import ctypes
import os

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # cuBLAS picks its algorithm by workspace; a fixed one makes a GPU run repeat itself.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
# Of mallopt in glibc: how much may lie free at the end of the heap, and how large a block may be that comes from it.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES, KEPT_BLOCK = 512 << 20, 32 << 20
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


def prepare_process(threads: int) -> None:
    """Fix the thread count and forbid the network, for this process and its children.

    Two processes with two threads each on two cores were measured 10 to 25 times slower than with one each.
    """
    os.environ.update(OFFLINE)
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    if threads > 1:
        # Beside a GPU one thread of a tokenizer is what all wait for.
        os.environ["TOKENIZERS_PARALLELISM"] = "true"


def keep_memory() -> None:
    """Have this process keep freed blocks for the next batch, where the library of C is one that can be told.

    Left alone it gives them back after each batch, and the kernel fills them with zeros page by page for the next.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK)
