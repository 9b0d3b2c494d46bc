"""What is said of the machine beside the numbers."""

import pytest

from worker.engine.provenance import is_busy


@pytest.mark.parametrize(
    ("before", "after", "threads", "busy"),
    [
        (0.1, 1.9, 2, False),  # our own two threads are all that there was
        (1.0, 2.4, 2, True),  # somebody was there before
        (0.1, 3.0, 2, True),  # somebody came
        (1.0, 2.0, 1, False),  # a neighbour on the other core, as planned
        (2.0, 2.0, 1, True),
        (None, 2.0, 1, None),
    ],
)
def test_a_machine_is_busy_where_others_took_the_cores(before, after, threads, busy):
    assert is_busy(before, after, threads=threads, cores=2) is busy
