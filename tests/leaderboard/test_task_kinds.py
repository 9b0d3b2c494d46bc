"""What the site knows of each kind of task is what the engine does."""

from dataclasses import fields

import pytest

from leaderboard.definition_settings import SETTINGS
from leaderboard.metric_names import NAMES
from leaderboard.models import Benchmark
from leaderboard.task_kinds import KINDS, METRICS
from worker.engine.tasks import TASKS


def test_both_know_the_same_kinds() -> None:
    assert list(KINDS) == list(TASKS)
    assert set(Benchmark.Task.values) == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_what_the_engine_does(name: str) -> None:
    kind, task = KINDS[name], TASKS[name]
    roles = {role: (what.default, what.required) for role, what in kind.roles.items()}
    assert roles == {role: (what.default, what.required) for role, what in task.roles.items()}
    assert set(kind.settings) == {field.name for field in fields(task.settings_type)}
    assert dict(kind.files) == dict(task.files)
    assert tuple(kind.heads) == task.heads
    assert tuple(kind.problem_types) == task.problem_types
    assert kind.reads_images != task.reads_text
    assert kind.default_primary == task.default_primary
    assert set(kind.shown) <= set(kind.metric_names)


@pytest.mark.parametrize("name", KINDS)
def test_its_metrics_are_those_of_the_engine(name: str) -> None:
    def facts(metric: object) -> tuple[object, ...]:
        return tuple(getattr(metric, fact) for fact in ("name", "rankable", "lower_is_better", "plain", "best"))

    assert [facts(metric) for metric in KINDS[name].metrics] == [facts(measure) for measure in TASKS[name].measures]


def test_every_metric_means_one_thing_and_has_a_name_for_readers() -> None:
    for kind in KINDS.values():
        assert all(METRICS[metric.name] == metric for metric in kind.metrics)
    assert set(METRICS) <= set(NAMES)


def test_every_setting_can_be_read_from_a_definition() -> None:
    known = {name for kind in KINDS.values() for name in kind.settings}
    assert known == {"labels", "label_map", *SETTINGS}
