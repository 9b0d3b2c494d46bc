"""What a job may say about a benchmark whose test rows are withheld: what went wrong, in no words of the engine.

Messages of the engine quote lines, values and exceptions, and whoever sees an evaluation sees why it failed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_noop

from leaderboard.models import Benchmark
from worker.attempts import Attempt
from worker.engine.contracts import EngineError, ErrorCode

WITHHELD = gettext_noop("withheld, as the test rows are; the owner of the benchmark can see them by running it.")
# Errors that speak of the model's files or of settings, which were checked before any row was read.
OF_THE_MODEL: frozenset[ErrorCode] = frozenset(
    {
        "bad_config", "custom_code", "unsupported_architecture", "missing_tokenizer", "tokenizer_unreadable",
        "missing_weights", "unsafe_weights", "weights_unreadable", "weights_incomplete", "label_mismatch",
        "device_unavailable",
    }
)  # fmt: skip


@contextmanager
def of(attempt: Attempt, benchmark: Benchmark) -> Iterator[None]:
    """Let nothing of the rows into the job's log, progress or reason while this lasts."""
    if benchmark.test_is_public:
        yield
        return
    attempt.is_silent = True
    try:
        yield
    except EngineError as error:
        if error.code in OF_THE_MODEL:
            raise
        raise EngineError(error.code, WITHHELD) from None
