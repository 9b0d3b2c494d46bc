"""The boards and benchmarks to which a question can be narrowed."""

from django.db.models import Count

from leaderboard.models import Benchmark, Standing, Suite
from models_hub.models.repos import UNRANKED
from portal.models import Asker

MAX = 100


def of_task(task: str, user: Asker) -> list[tuple[str, str]]:
    """Return boards that hold benchmarks of a task, and those benchmarks, each with its key and its name."""
    if task not in Benchmark.Task.values:
        return []
    rows = Benchmark.objects.visible_to(user).filter(task=task, standing=Standing.APPROVED).current()
    rows = rows.exclude(dataset__restriction__level__gte=UNRANKED).order_by("-id")
    suites = Suite.objects.current().filter(benchmarks__task=task, benchmarks__dataset__private=False).distinct()
    boards = [(f"board:{suite.slug}", suite.name) for suite in suites[:MAX]]
    return boards + [(f"benchmark:{row.pk}", f"{row.title} v{row.version}") for row in rows[:MAX]]


def tasks(user: Asker) -> list[tuple[str, str, int]]:
    """Return the tasks that there are benchmarks of, with how many, those of most first."""
    rows = Benchmark.objects.visible_to(user).filter(standing=Standing.APPROVED)
    rows = rows.exclude(dataset__restriction__level__gte=UNRANKED).order_by()
    counted = rows.values_list("task").annotate(count=Count("dataset", distinct=True))
    found = [(task, str(Benchmark.Task(task).label), count) for task, count in counted]
    return sorted(found, key=lambda one: (-one[2], one[1]))
