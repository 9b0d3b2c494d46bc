"""A run before its first step: rows read, the model loaded, the method on it, the batches planned."""

from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as
from worker.engine.tasks import find as find_task
from worker.engine.tuning import augmenting, hardening, objectives, registry, shortcuts
from worker.engine.tuning.batches import Plan
from worker.engine.tuning.choosing import Choice
from worker.engine.tuning.compressing import distilling
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.earlier import Earlier
from worker.engine.tuning.masking import Masking
from worker.engine.tuning.methods.method import attach
from worker.engine.tuning.passes import Passes
from worker.engine.tuning.reading import read_rows
from worker.engine.tuning.telling import Telling


class Ready:
    """What stays the same for the whole of a run, but for the weights of its model."""

    def __init__(self, spec: FinetuneSpec, folder: Path, earlier: Earlier, telling: Telling) -> None:
        self.asked, self.recipe = spec, spec.recipe
        telling.phase("loading", 0.0)
        self.task = find_task(spec.task)
        self.settings = self.task.settings(spec.settings)
        kind = objectives.find(spec.task, spec.recipe)
        train = [*read_rows(spec.train, "training"), *earlier.rows]
        self.train_rows = len(train)
        self.dev = read_rows(spec.dev, "dev") if spec.dev else []
        self.choice = Choice(self.task, self.recipe.metric)
        student = distilling.student(spec, folder)
        spec, self.layers = student.spec, student.layers
        self.basis = kind.begin(self.task, self.settings, spec, train)
        self.objective = kind(self.task, self.settings, spec, self.basis)
        method = self.method = registry.method(self.recipe.method)
        if reason := registry.refusal(method.name, self.basis.settings.model_type, spec.task):
            raise EngineError("bad_spec", f"method {method.name} is not possible: {reason}")
        options = method.checked(self.recipe.method_options)
        self.objective.virtual_tokens = options["length"] if method.group == "prompt" else 0

        telling.phase("tokenising", 0.01)
        with failing_as("training_failed", "The rows cannot be made ready."):
            self.features = self.objective.encode(train, training=True)
            self.dev_features = self.objective.encode(self.dev, training=False) if self.dev else []
        if not self.features:
            raise EngineError("bad_data", "no training row has anything to learn from")
        self.augmented = augmenting.find(spec, train)
        # Copies come after all rows; batches are planned by what rows are without a change.
        turns = 1 + (self.augmented.copies if self.augmented else 0)
        self.plan = Plan([feature.length for feature in self.features] * turns, self.recipe, spec.seed)
        self.steps, self.epoch_steps = self.plan.steps(), self.plan.epoch_steps()
        with failing_as("training_failed", "The method cannot be put on this model."):
            self.attached = attach(
                self.basis.model,
                method.name,
                self.recipe.method_options,
                task=spec.task,
                model_type=self.basis.settings.model_type,
                steps=self.steps,
                fresh=self.basis.fresh,
            )
        self.objective.padding_side = self.attached.padding_side
        if self.recipe.gradient_checkpointing:
            self._recompute()
        self.objective = distilling.distilled(self.objective, spec)
        self.passes = Passes(self.attached, self.objective, self.recipe.precision)
        self.passes.rows = train
        self.passes.usual = turns * sum(feature.units for feature in self.features) / self.epoch_steps
        self.shortcuts = shortcuts.take(self.attached, self.objective, method, self.passes.dtype)
        self.learn = hardening.find(self.recipe, self.objective)
        self.masking = Masking(self.objective, self.recipe.token_dropout) if self.recipe.token_dropout else None
        self.parameters = self.attached.parameters()
        # Of the model with what the method put on it; publishing merges it away.
        self.size = sum(parameter.numel() for parameter in self.attached.model.parameters())

    def _recompute(self) -> None:
        """Keep no inner numbers of layers for the way back: less memory, more work."""
        model: Any = self.basis.model
        if not model.supports_gradient_checkpointing:
            raise EngineError("bad_spec", f"gradient_checkpointing is not possible for {model.config.model_type}")
        model.activation_checkpointing_enable({"use_reentrant": False})
