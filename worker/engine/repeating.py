"""What lets the same job answer the same the second time."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def repeatable(seed: int, threads: int) -> None:
    """Fix everything that would let the same job answer differently the second time."""
    torch.set_num_threads(threads)
    random.seed(seed)
    torch.manual_seed(seed)
    # Some GPU operations have no deterministic form; a warning is better than no answer.
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # Or else every tensor is filled before it is written: a tenth of the time of small models.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a property of the module
    torch.backends.cudnn.benchmark = False
    # What is called float32 is that on a GPU too: convolutions would be rounded to 10 bits.
    torch.backends.cudnn.allow_tf32 = False


@contextmanager
def repeating(*, always: bool) -> Iterator[None]:
    """Have what cannot answer the same each time refused in this block, rather than warned of.

    A warning is not enough where gradients are made: attention in float32 then keeps to its unsteady form on a GPU.
    """
    torch.use_deterministic_algorithms(mode=True, warn_only=not always)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(mode=True, warn_only=True)


def cannot_repeat(error: Exception) -> bool:
    """Say whether an operation was refused for that."""
    return isinstance(error, RuntimeError) and "deterministic" in str(error)
