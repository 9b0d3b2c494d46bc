"""Process settings that only count when they are set before torch is imported."""

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
