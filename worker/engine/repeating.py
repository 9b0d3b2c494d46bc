"""What lets the same job answer the same the second time."""

import random

import torch


def repeatable(seed: int, threads: int) -> None:
    """Fix everything that would let the same job answer differently the second time."""
    torch.set_num_threads(threads)
    random.seed(seed)
    torch.manual_seed(seed)
    # Some GPU operations have no deterministic form; a warning is better than no answer.
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.benchmark = False
