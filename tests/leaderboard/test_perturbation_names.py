"""What the web process knows of perturbations is what the engine does."""

from leaderboard import engine_facts, perturbations
from worker.engine import contracts
from worker.engine.perturbing import asking
from worker.engine.perturbing.registry import FIELDS, PERTURBATIONS, SHARES


def test_the_names_and_their_tasks_are_those_of_the_engine():
    assert {name: found.tasks for name, found in perturbations.PERTURBATIONS.items()} == {
        name: found.tasks for name, found in PERTURBATIONS.items()
    }
    assert frozenset(FIELDS) == perturbations.TASKS
    invariances = {name for name, found in perturbations.PERTURBATIONS.items() if found.is_invariance}
    assert invariances == {name for name, found in PERTURBATIONS.items() if found.kind == "invariance"}
    assert tuple(SHARES) == perturbations.STRENGTHS


def test_as_many_rows_are_asked_again():
    assert (perturbations.ROWS, perturbations.ROWS_OF) == (asking.ROWS, asking.ROWS_OF)
    assert set(asking.ROWS_OF) <= set(FIELDS)


def test_the_limits_are_those_of_the_engine():
    assert engine_facts.MAX_ROBUSTNESS_ROWS == contracts.MAX_ROBUSTNESS_ROWS
    assert engine_facts.MAX_SLICE_COLUMNS == contracts.MAX_SLICE_COLUMNS
