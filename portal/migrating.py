"""Make tables quickly: Django renders most models anew after each step of a migration, we the one that changed.

Nearly all models refer to people, so that each of a thousand steps would render nearly all of them: five sixths of the
time of a first start. What a step does to a table needs only its own model and the names of those that it refers to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState


class NarrowState(ProjectState):
    """The models as the migrations so far describe them; those that refer to a changed one may know it as it was.

    Django calls that delayed, and renders all of them before a migration runs code of ours. So do we before a step that
    must know who refers to a model, which are few.
    """

    before: ProjectState | None = None
    _is_adding = False

    def clone(self) -> ProjectState:
        """Each step begins with a copy, which is how things were before it."""
        copy = super().clone()
        copy.__class__ = NarrowState
        self.before = copy
        return copy

    def add_model(self, model_state: ModelState) -> None:
        with self._adding():
            super().add_model(model_state)

    def add_field(self, *args: Any, **options: Any) -> None:
        with self._adding():
            super().add_field(*args, **options)

    def reload_model(self, app_label: str, model_name: str, delay: bool = False) -> None:
        if "apps" not in self.__dict__:
            return
        if delay or self._is_adding:
            self.is_delayed = True
            self._reload({(app_label, model_name)})  # type: ignore[attr-defined]  # not in the stubs
        else:
            self._forget_rendered()

    def reload_models(self, models: Any, delay: bool = True) -> None:
        self._forget_rendered()

    def _forget_rendered(self) -> None:
        """Render all models when they are next asked for."""
        for state in (self, self.before):
            if state is not None:
                state.__dict__.pop("apps", None)

    @contextmanager
    def _adding(self) -> Iterator[None]:
        """What nobody refers to yet changes nobody else."""
        self._is_adding = True
        yield
        self._is_adding = False


class NarrowExecutor(MigrationExecutor):
    """Runs migrations with states that render little."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        state: ProjectState = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]  # not in stubs
        state.__class__ = NarrowState
        return state
