"""What an evaluation is likely to cost, from how long those of the same benchmark took lately."""

from collections import defaultdict
from collections.abc import Iterable

from leaderboard.models import Benchmark, Evaluation
from portal import durations
from portal.durations import Span

LATEST = 400  # runs of all the benchmarks together


def of_benchmarks(benchmarks: Iterable[Benchmark]) -> dict[int, Span]:
    """Return the measured spans of each benchmark's runs, without those that ran too seldom; one query."""
    rows = Evaluation.objects.finished().filter(
        benchmark__in=[benchmark.pk for benchmark in benchmarks], job__started_at__isnull=False
    )
    times = rows.order_by("-id").values_list("benchmark_id", "job__started_at", "job__finished_at")[:LATEST]
    seconds: dict[int, list[float]] = defaultdict(list)
    for benchmark, begun, over in times:
        if begun and over:
            seconds[benchmark].append((over - begun).total_seconds())
    spans = {benchmark: durations.span_of(found) for benchmark, found in seconds.items()}
    return {benchmark: span for benchmark, span in spans.items() if span}
