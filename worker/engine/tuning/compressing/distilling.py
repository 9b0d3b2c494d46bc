"""A student learns what its teacher says of each row, beside what the labels say (Hinton and others, 2015)."""

import inspect
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F

from worker.engine.contracts import EngineError
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel, load_model
from worker.engine.tasks import find
from worker.engine.tuning import objectives
from worker.engine.tuning.compressing.folders import key_of, write_folder
from worker.engine.tuning.compressing.layers import Layers
from worker.engine.tuning.contracts import Architecture, FinetuneSpec, Teacher
from worker.engine.tuning.objectives.objective import Batch, Loss, Objective

STUDENT_DIR = "student.part"


@dataclass(frozen=True, kw_only=True)
class Student:
    """What a run begins from, and which layers of its teacher that is made of."""

    spec: FinetuneSpec
    layers: dict[str, Any] | None = None


def student(spec: FinetuneSpec, folder: Path) -> Student:
    """Return the spec with the folder of the student, which is made here where none is given."""
    teacher = spec.teacher
    if teacher is None or (teacher.keep_layers is None and spec.architecture is None):
        return Student(spec=spec)
    taken = None
    out = folder / STUDENT_DIR
    loaded = _load(spec, teacher)
    source = ModelFolder(teacher.model_dir)
    if teacher.keep_layers is not None:
        layers = Layers(loaded)
        kept = evenly(layers.count, teacher.keep_layers)
        layers.keep(kept)
        taken = {"prefix": layers.prefix, "kept": kept}
        write_folder(source, loaded, loaded.model.state_dict(), layers.changes(kept), out)
    else:
        assert spec.architecture is not None
        changes = sizes_of(loaded, spec.architecture)
        config = type(loaded.config.config).from_dict(loaded.config.config.to_dict() | changes)
        # Its numbers are torch's, which the caller has seeded.
        made: Any = loaded.config.model_class(config)
        write_folder(source, loaded, made.state_dict(), changes, out)
    made_of = replace(spec, model_dir=str(out), architecture=None, teacher=replace(teacher, keep_layers=None))
    return Student(spec=made_of, layers=taken)


def evenly(count: int, keep: int) -> list[int]:
    """Return so many layers of all, the first and the last among them."""
    if keep >= count:
        raise EngineError("bad_spec", f"keep_layers must be below {count}, the layers of the teacher")
    return [0] if keep == 1 else [round(place * (count - 1) / (keep - 1)) for place in range(keep)]


def sizes_of(teacher: LoadedModel, wanted: Architecture) -> dict[str, Any]:
    """Return the keys of config.json for a student of the teacher's type and tokenizer, in other sizes."""
    if wanted.model_type != teacher.config.config.model_type:
        raise EngineError(
            "bad_spec",
            f"architecture.model_type must be {teacher.config.config.model_type}, as the teacher's: both read the same "
            "tokens.",
        )
    sizes = {
        "hidden_size": wanted.hidden,
        "num_hidden_layers": wanted.layers,
        "num_attention_heads": wanted.heads,
        "intermediate_size": wanted.intermediate,
    }
    raw = teacher.config.config.to_dict()
    changed: dict[str, Any] = {key_of(teacher, name): size for name, size in sizes.items()}
    if "num_key_value_heads" in raw:
        changed["num_key_value_heads"] = wanted.heads
    if "head_dim" in raw:
        changed["head_dim"] = wanted.hidden // wanted.heads
    if isinstance(raw.get("layer_types"), list):
        changed["layer_types"] = [raw["layer_types"][place % len(raw["layer_types"])] for place in range(wanted.layers)]
    return changed


def distilled(objective: Objective, spec: FinetuneSpec) -> Objective:
    """Return an objective whose loss asks the teacher too; to be called once nothing of the objective changes."""
    if spec.teacher is None:
        return objective
    if objective.virtual_tokens:
        raise EngineError("bad_spec", "A method with virtual tokens cannot be distilled into: they shift the rows.")
    teacher = _load(spec, spec.teacher)
    _check_alike(objective, teacher)
    if objective.max_length > (most := teacher.max_length(None)):
        raise EngineError("bad_spec", f"max_length must be at most {most}, which is what the teacher reads")
    # Everything but the loss is the objective's own.
    return cast("Objective", Distilling(objective, teacher, spec.teacher))


class Distilling:
    """Stands before an objective, and changes its loss while training."""

    def __init__(self, objective: Objective, teacher: LoadedModel, options: Teacher) -> None:
        self._objective = objective
        self._options = options
        self._loaded = teacher
        self._teacher = teacher.model.to(objective.basis.device)  # type: ignore[arg-type]
        self._heard = inspect.signature(self._teacher.forward).parameters
        self._teacher.requires_grad_(requires_grad=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objective, name)

    def loss(self, output: Any, batch: Batch, *, training: bool) -> Loss:
        """Return the loss of labels and teacher, weighed by alpha; the dev set is judged by its labels alone."""
        own = self._objective.loss(output, batch, training=training)
        if not training:
            return own
        with torch.no_grad():
            said = self._objective.loss(self._asked(batch), batch, training=True).logits
        if own.logits is None or said is None:
            raise EngineError("bad_spec", f"{self._objective.task.name} cannot be distilled: it has no classes")
        heat, share = self._options.temperature, self._options.alpha
        apart = F.kl_div(
            F.log_softmax(own.logits / heat, dim=-1),
            F.log_softmax(said / heat, dim=-1),
            log_target=True,
            reduction="sum",
        )
        # Hot answers have small gradients: their square brings both losses to one size.
        return Loss(total=share * heat**2 * apart + (1 - share) * own.total, logits=own.logits)

    def _asked(self, batch: Batch) -> Any:
        # Not every type of model tells segments apart.
        inputs = {name: value for name, value in batch.inputs.items() if name in self._heard}
        return self._objective.forward(self._teacher, replace(batch, inputs=inputs))

    def told(self) -> dict[str, Any]:
        """Return what the exported script has to know, the teacher as well."""
        teacher = {
            "model_class": type(self._teacher).__name__,
            "config": json.loads(self._loaded.config.config.to_json_string(use_diff=False)),
            "temperature": self._options.temperature,
            "alpha": self._options.alpha,
        }
        return {**self._objective.told(), "teacher": teacher}


def _load(spec: FinetuneSpec, teacher: Teacher) -> LoadedModel:
    task = find(spec.task)
    heads = objectives.find(spec.task).heads(task)
    return load_model(teacher.model_dir, heads=heads, problem_types=task.problem_types, device="cpu")


def _check_alike(objective: Objective, teacher: LoadedModel) -> None:
    """Refuse a teacher that would be asked in other tokens, or that answers in other classes."""
    mine, theirs = objective.basis.tokenizer, teacher.tokenizer
    if mine is None or _tokens(mine.tokenizer) != _tokens(theirs.tokenizer):
        raise EngineError("tokenizer_mismatch", "Teacher and student must have the same tokenizer.")
    config = objective.basis.config
    if config is None or config.labels != teacher.config.labels:
        raise EngineError(
            "label_mismatch", f"The student must have the labels of its teacher: {teacher.config.labels}."
        )


def _tokens(tokenizer: Any) -> Any:
    spec = json.loads(tokenizer.to_str())
    return {name: spec[name] for name in ("model", "normalizer", "pre_tokenizer", "added_tokens")}
