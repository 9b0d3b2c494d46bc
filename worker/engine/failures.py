"""Turns what the libraries throw, panics included, into typed errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from worker.engine.contracts import EngineError, ErrorCode

MESSAGE_LIMIT = 400
# The last one is of the libraries of a GPU, which take memory for themselves.
ALLOCATION_PHRASES = ("can't allocate memory", "not enough memory", "out of memory", "STATUS_ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether memory ran out: torch reports it on the CPU as a plain RuntimeError with a phrase."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in ALLOCATION_PHRASES)


def summary(error: BaseException) -> str:
    """Return one short printable line about an error; its text may come from a hostile file."""
    line = " ".join(str(error).split())
    printable = "".join(char for char in line if char.isprintable())
    return f"{type(error).__name__}: {printable[:MESSAGE_LIMIT]}"


def out_of_memory(error: BaseException) -> EngineError:
    """Return the typed error for memory that ran out."""
    return EngineError("out_of_memory", f"The job ran out of memory. {summary(error)}")


@contextmanager
def failing_as(code: ErrorCode, message: str) -> Iterator[None]:
    """Re-raise anything that escapes the block as an EngineError with this code.

    The Rust tokenizers raise pyo3's PanicException, which is a BaseException, for a regular expression that
    explodes; `except Exception` would let it through.
    """
    try:
        yield
    except (EngineError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        if is_out_of_memory(error):
            raise out_of_memory(error) from error
        raise EngineError(code, f"{message} {summary(error)}") from error
