"""What the showcase holds, read from world.yaml and held against itself."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from demo.errors import DemoFailed

WORLD = Path(__file__).parent / "world.yaml"


@dataclass(frozen=True, kw_only=True)
class SetPlan:
    """A set of rows and the benchmark on its test rows; `rows` is how many of these are asked, None for all."""

    name: str
    task: str
    title: str
    title_zh: str
    primary: str = ""
    max_length: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    rows: int | None = None
    robustness: bool = True
    before_text: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """A model that begins from random numbers, and perhaps learns from what another one answers."""

    name: str
    set: str
    sizes: dict[str, Any]
    recipe: dict[str, Any]
    teacher: str = ""


@dataclass(frozen=True, kw_only=True)
class BoardPlan:
    """A board over the benchmarks of some sets."""

    name: str
    title: str
    title_zh: str
    sets: list[str]


@dataclass(frozen=True)
class World:
    """Everything, in the order in which it is made."""

    sets: tuple[SetPlan, ...]
    models: tuple[ModelPlan, ...]
    boards: tuple[BoardPlan, ...]

    def boards_of(self, model: ModelPlan) -> list[BoardPlan]:
        """The boards whose benchmarks a model was made for."""
        return [board for board in self.boards if model.set in board.sets]

    def of_sets(self, names: frozenset[str]) -> "World":
        """The part that needs these sets alone, a board all of its own; raises DemoFailed for unknown ones."""
        if unknown := sorted(names - {one.name for one in self.sets}):
            known = ", ".join(one.name for one in self.sets)
            raise DemoFailed(f"There is no set {', '.join(unknown)}; there are {known}.")
        return World(
            tuple(one for one in self.sets if one.name in names),
            tuple(one for one in self.models if one.set in names),
            tuple(one for one in self.boards if names.issuperset(one.sets)),
        )


def read_world(path: Path = WORLD) -> World:
    """Read the plan; raises DemoFailed where it names what it does not hold."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    world = World(
        tuple(SetPlan(name=name, **values) for name, values in found["sets"].items()),
        tuple(ModelPlan(name=name, **values) for name, values in found["models"].items()),
        tuple(BoardPlan(name=name, **values) for name, values in found["boards"].items()),
    )
    _check(world)
    return world


def _check(world: World) -> None:
    sets = {one.name for one in world.sets}
    earlier: set[str] = set()
    for model in world.models:
        if model.set not in sets or (model.teacher and model.teacher not in earlier):
            raise DemoFailed(f"{model.name} names a set or a teacher that does not come before it.")
        earlier.add(model.name)
    for board in world.boards:
        if missing := set(board.sets) - sets:
            raise DemoFailed(f"{board.name} names unknown sets: {', '.join(sorted(missing))}")
