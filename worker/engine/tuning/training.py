"""The verb `finetune`: a model learns from arranged rows, step by step, and can go on after it was killed."""

import hashlib
import importlib
import json
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.engine.contracts import ENGINE_VERSION, EngineError
from worker.engine.failures import failing_as, is_out_of_memory
from worker.engine.progress import Progress
from worker.engine.provenance import cpu_name, peak_rss_bytes, versions
from worker.engine.repeating import cannot_repeat, repeatable, repeating
from worker.engine.tasks import find as find_task
from worker.engine.tuning import augmenting, checkpoints, hardening, objectives, registry, script
from worker.engine.tuning.batches import Plan, Stride
from worker.engine.tuning.checkpoints import Progressed
from worker.engine.tuning.choosing import Choice
from worker.engine.tuning.compressing import distilling
from worker.engine.tuning.contracts import MODEL_DIR, SUMMARY_FILE, FinetuneSpec
from worker.engine.tuning.creating import WORK_DIR
from worker.engine.tuning.log import Log
from worker.engine.tuning.masking import Masking, special_tokens
from worker.engine.tuning.methods.method import attach
from worker.engine.tuning.objectives.objective import Batch, Feature, Row
from worker.engine.tuning.optimizing import optimizer_of, schedule_of
from worker.engine.tuning.passes import Passes
from worker.engine.tuning.publishing import facts_of, write_model, write_tokenizer
from worker.engine.tuning.reading import digest, lengths_of, read_rows
from worker.engine.tuning.watching import Watch, metrics_of

# A run has at most about so many records of steps.
RECORDS = 1000
# A checkpoint that takes long is written less often: at most this share of the time goes into them.
CHECKPOINT_SHARE = 0.05
LOOK_EVERY = 50
MODEL_PART = MODEL_DIR + ".part"
UNSTEADY_NOTE = (
    "This device has no repeatable form of one of the operations: the same seed may give slightly other numbers."
)


def finetune(spec: FinetuneSpec, progress: Progress) -> dict[str, Any]:
    """Train a model and write it into spec.out_dir; return the summary."""
    folder = Path(spec.out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if spec.recipe.pseudo_rounds:
        self_training: Any = importlib.import_module("worker.engine.tuning.self_training")  # which trains by this one
        found: dict[str, Any] = self_training.run(spec, progress, folder)
        return found
    return Training(spec, progress, folder).run()


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What rounds of the same run before this one came to."""

    seq: int = 0
    seconds: float = 0.0
    steps: int = 0
    rows: Sequence[Row] = ()  # that the model labelled itself
    done: float = 0.0  # share of the run
    share: float = 1.0  # of the run that this round is
    told: Mapping[str, Any] = field(default_factory=dict)  # what the summary says beside


class Training:
    """One run from the first row to the published model, or one round of it."""

    def __init__(self, spec: FinetuneSpec, progress: Progress, folder: Path, earlier: Earlier | None = None) -> None:
        repeatable(spec.seed, spec.threads)
        np.random.seed(spec.seed)  # the global generator, which libraries use
        self.earlier = earlier or Earlier()
        self.spec, self.recipe = spec, spec.recipe
        self.progress = progress
        self.folder = folder
        self.task = find_task(spec.task)
        self.settings = self.task.settings(spec.settings)
        kind = objectives.find(spec.task, spec.recipe)
        identity = identity_of(spec, self.earlier.rows)
        found = checkpoints.read(folder, identity)
        before = self.earlier
        self.at = found.progressed if found else Progressed(identity=identity, seq=before.seq, seconds=before.seconds)
        self.at.attempts += 1 if found else 0
        self.log = Log(folder, seq=self.at.seq, seconds=self.at.seconds)
        self._phase("loading", 0.0)
        train = [*read_rows(spec.train, "training"), *self.earlier.rows]
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

        self._phase("tokenising", 0.01)
        with failing_as("training_failed", "The rows cannot be made ready."):
            self.features = self.objective.encode(train, training=True)
            self.dev_features = self.objective.encode(self.dev, training=False) if self.dev else []
        if not self.features:
            raise EngineError("bad_data", "no training row has anything to learn from")
        self.train_rows = len(train)
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
        self.passes.usual = turns * sum(feature.units for feature in self.features) / self.epoch_steps
        self.passes.count = self.at.passes
        self.learn = hardening.find(self.recipe, self.objective)
        self.masking = Masking(self.objective, self.recipe.token_dropout) if self.recipe.token_dropout else None
        self.parameters = self.attached.parameters()
        self.size = sum(parameter.numel() for parameter in self.attached.model.parameters())
        self.optimizer = optimizer_of(self.parameters, self.recipe)
        self.schedule = schedule_of(self.recipe, self.steps)
        self.watch = Watch(self.basis.device)
        self.every = max(1, math.ceil(self.steps / RECORDS))
        self._losses: list[tuple[torch.Tensor, torch.Tensor | None]] = []
        self._saved_at = time.monotonic()
        self._pause = spec.checkpoint_seconds
        # The most cells of a batch that fit into the memory of a GPU, once that is known.
        self._most_cells: int | None = None
        # Whether every operation so far had a form that gives the same numbers each time.
        self._repeats = True
        if found:
            self._go_on(found)

    def run(self) -> dict[str, Any]:
        """Learn, keep the best, publish it."""
        self.learn_all()
        return self.publish()

    def learn_all(self) -> None:
        """Go all the steps, from where the checkpoint stands."""
        if not self.at.finished:
            self._phase("training", self._share())
            for note in self.basis.notes if self.at.attempts == 1 else []:
                self.log.write("note", text=note)
            for stride in self.plan.walk(self.at.epoch, self.at.offset):
                if self.at.step >= self.steps or self.at.finished:
                    break
                with failing_as("training_failed", "Training failed."):
                    self._step(stride)
                if self._is_due(stride):
                    self._evaluate()
                if time.monotonic() - self._saved_at >= self._pause:
                    self._save_checkpoint()

    def _step(self, stride: Stride) -> None:
        """Learn from the rows of one step."""
        rate = self.recipe.lr * self.schedule(self.at.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.attached.model.train()
        batches, loss, aux = self._gradients(stride)
        self.passes.scaler.unscale_(self.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip_norm or math.inf)
        self.passes.scaler.step(self.optimizer)
        self.passes.scaler.update()
        self.at.step += 1
        self.attached.after_step(self.at.step)
        self.optimizer.zero_grad(set_to_none=True)
        self.at.epoch, self.at.offset, self.at.epochs = stride.epoch, stride.offset, stride.epochs
        if stride.ends_epoch:
            self.at.epoch, self.at.offset = stride.epoch + 1, 0
        self._count(batches, loss, aux)
        self.watch.stepped()
        if self.at.step % self.every == 0 or self.at.step == self.steps:
            self._record(rate, float(norm))
        self._report(self._share(), f"step {self.at.step} of {self.steps}")

    def _gradients(self, stride: Stride) -> tuple[list[Batch], torch.Tensor, torch.Tensor | None]:
        """Return the batches of a step, and their loss when all gradients are there.

        Where memory runs out the whole step begins again with smaller batches: their sum is the same.
        """
        while True:
            cells = 0
            try:
                done: list[Batch] = []
                losses, aux = [], None
                with repeating(always=self._repeats):
                    for features in self._pieces(stride):
                        batch = self.objective.collate(features, training=True)
                        cells = batch.cells
                        if self.masking:
                            self.masking.mask(batch)
                        losses.append(self.learn(self.passes, batch))
                        done.append(batch)
                    extra = self.attached.aux_loss()
                    if extra is not None:
                        torch.autograd.backward(self.passes.scaler.scale(extra))
                        aux = extra.detach()
                return done, torch.stack(losses).sum(), aux
            except Exception as error:
                if not self._can_try_again(error, stride, cells // 2):
                    raise
            self.optimizer.zero_grad(set_to_none=True)
            if self.basis.device.type == "cuda":
                torch.cuda.empty_cache()

    def _can_try_again(self, error: Exception, stride: Stride, cells: int) -> bool:
        """Make the next try another one, where that may help."""
        if self._repeats and cannot_repeat(error):
            self._repeats = False
            self.log.write("note", text=UNSTEADY_NOTE)
            return True
        can_split = self.objective.splittable and cells > 0 and self.basis.device.type == "cuda"
        if is_out_of_memory(error) and can_split and self._splits(stride, cells):
            self.log.write("note", text="Memory ran out; batches are cut smaller, and the steps stay what they are.")
            return True
        return False

    def _splits(self, stride: Stride, cells: int) -> bool:
        before, self._most_cells = len(self._pieces(stride)), cells
        return len(self._pieces(stride)) > before

    def _pieces(self, stride: Stride) -> list[list[Feature]]:
        pieces = [self._features(batch, stride.epoch) for batch in stride.batches]
        if self._most_cells is None:
            return pieces
        found = []
        for piece in pieces:
            rows = max(1, self._most_cells // max(feature.length for feature in piece))
            found += [piece[start : start + rows] for start in range(0, len(piece), rows)]
        return found

    def _features(self, batch: Sequence[int], epoch: int) -> list[Feature]:
        """Return what is read of these rows, or copies of rows, in this epoch."""
        places = [divmod(number, len(self.features)) for number in batch]
        found = [self.features[place] for _copy, place in places]
        if self.augmented is None:
            return found
        rows = [self.augmented.row(epoch, self.features[place].row, copy) for copy, place in places]
        changed = {at: row for at, row in enumerate(rows) if row is not None}
        encoded = self.objective.encode(list(changed.values()), training=False) if changed else []
        for at, made in zip(changed, encoded, strict=True):
            # What was written otherwise may have nothing left to learn from.
            found[at] = replace(made, row=found[at].row) if made.units else found[at]
        return found

    def _count(self, batches: Sequence[Batch], loss: torch.Tensor, aux: torch.Tensor | None) -> None:
        at = self.at
        self._losses.append((loss, aux))
        # To look at a number on a GPU is to wait for it.
        if self.basis.device.type != "cuda" or len(self._losses) >= LOOK_EVERY:
            self._look()
        at.units += sum(batch.units for batch in batches)
        for batch in batches:
            at.tokens += batch.tokens
            at.cells += batch.cells
            at.rows += len(batch.features)
            at.all_tokens += batch.tokens
            at.all_cells += batch.cells
            at.all_rows += len(batch.features)
        at.passes = self.passes.count

    def _look(self) -> None:
        """Add up the losses since the last look."""
        for loss, aux in self._losses:
            self.at.loss += float(loss)
            self.at.aux_loss += 0.0 if aux is None else float(aux)
        self._losses.clear()
        if not math.isfinite(self.at.loss):
            raise EngineError("training_failed", "The loss is not a number any more; a lower lr may help.")

    def _record(self, rate: float, norm: float) -> None:
        self._look()
        at = self.at
        extra: dict[str, Any] = {}
        if at.aux_loss:
            extra["aux_loss"] = at.aux_loss / self.every
        if math.isfinite(norm):
            extra["grad_norm"] = norm
        self.log.write(
            "step",
            step=self.earlier.steps + at.step,
            steps=self.earlier.steps + self.steps,
            epoch=round(at.epochs, 4),
            loss=at.loss / max(at.units, 1e-9),
            lr=rate,
            padding=round(1 - at.tokens / max(1, at.cells), 4),
            **extra,
            **self.watch.speeds(at.rows, at.tokens),
            left=self._left(),
            **self.watch.memory(),
        )
        at.loss, at.aux_loss, at.units, at.tokens, at.cells, at.rows = 0.0, 0.0, 0.0, 0, 0, 0

    def _is_due(self, stride: Stride) -> bool:
        if not self.dev:
            return False
        if self.at.step >= self.steps:
            return True
        return stride.ends_epoch if self.recipe.eval_every is None else self.at.step % self.recipe.eval_every == 0

    def _evaluate(self) -> None:
        """Answer the dev set, and keep the weights where they are the best so far."""
        self._phase("evaluating", self._share())
        self.attached.model.eval()
        with self.watch.paused():
            began = time.monotonic()
            with failing_as("training_failed", "The dev set cannot be answered."), self.passes.cast():
                answered = self.objective.answer(self.attached.model, self.dev, self.dev_features)
            rows = self.dev if answered.rows is None else answered.rows
            metrics = metrics_of(self.task, self.settings, rows, answered.predictions) if rows else {}
            value = self.choice.value(metrics, answered.loss)
            step = self.earlier.steps + self.at.step
            is_best = self.choice.is_better(value, answered.loss, self.at.best)
            if is_best:
                self.at.best = {"step": step, "epoch": round(self.at.epochs, 4), "loss": answered.loss,
                                "value": value, "metrics": metrics}  # fmt: skip
                self.at.without_gain = 0
                if self.recipe.keep == "best":
                    checkpoints.write_best(self.folder, self.attached.state())
            else:
                self.at.without_gain += 1
            self.log.write(
                "dev", step=step, epoch=round(self.at.epochs, 4), loss=answered.loss, metrics=metrics,
                best=is_best,
            )  # fmt: skip
            self.watch.evaluated(time.monotonic() - began)
        if self.recipe.patience and self.at.without_gain >= self.recipe.patience and self.at.step < self.steps:
            self.at.finished = True
            self.log.write("note", text=f"Stopped early: {self.at.without_gain} evaluations brought no gain.")
        elif self.at.step < self.steps:
            self._phase("training", self._share())

    def _save_checkpoint(self) -> None:
        began = time.monotonic()
        self._look()
        with self.watch.paused():
            self.at.seq, self.at.seconds = self.log.seq, self.log.seconds
            checkpoints.write(
                self.folder, self.at, self.attached.state(), self.optimizer, self.passes.scaler.state_dict()
            )
        self._saved_at = time.monotonic()
        self._pause = max(self.spec.checkpoint_seconds, (self._saved_at - began) / CHECKPOINT_SHARE)

    def _go_on(self, found: checkpoints.Found) -> None:
        """Stand where the checkpoint stands."""
        self.attached.load_state({name: value.to(self.basis.device) for name, value in found.weights.items()})
        with failing_as("training_failed", "The checkpoint does not fit."):
            self.optimizer.load_state_dict(found.optimizer)
            if found.random["more"]:
                self.passes.scaler.load_state_dict(found.random["more"])
        checkpoints.set_random_state(found.random)

    def take_best(self) -> None:
        """Stand where the dev set was answered best, ready to answer."""
        self.at.finished = True
        if self.at.best and self.recipe.keep == "best":
            weights = checkpoints.read_best(self.folder)
            self.attached.load_state({name: value.to(self.basis.device) for name, value in weights.items()})
        self.attached.model.eval()

    def publish(self) -> dict[str, Any]:
        """Write the model and what was found; nothing is left to go on from."""
        self._phase("saving", 0.98)
        self.take_best()
        target, partial = self.folder / MODEL_DIR, self.folder / MODEL_PART
        for stale in (target, partial):
            shutil.rmtree(stale, ignore_errors=True)
        partial.mkdir()
        with failing_as("training_failed", "The model cannot be saved."):
            self._write_script(partial)
            write_model(self.attached, self.method, partial)
            write_tokenizer(self.basis, partial)
            self.objective.publish(partial)
        partial.rename(target)
        summary = self._summary()
        (self.folder / SUMMARY_FILE).write_text(
            json.dumps(summary, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
        checkpoints.remove(self.folder)
        for made in (WORK_DIR, distilling.STUDENT_DIR):
            shutil.rmtree(self.folder / made, ignore_errors=True)
        self._report(1.0, "done", always=True)
        return summary

    def _write_script(self, target: Path) -> None:
        """Write what repeats the run elsewhere, or say why there is none."""
        has_encoder = self.basis.config is not None and self.basis.config.has_encoder
        if reason := script.refusal(self.spec, has_encoder=has_encoder):
            self.log.write("note", text=reason)
            return
        tokenizer = self.basis.tokenizer
        facts = {
            **facts_of(self.basis, self.attached),
            **self.objective.told(),
            "layers": self.layers,
            "outputs": self.objective.outputs(),
            "max_length": self.objective.max_length,
            "steps": self.steps,
            "kept_step": self.at.best["step"] if self.at.best and self.recipe.keep == "best" else self.at.step,
            "mask_token": tokenizer.mask if tokenizer else None,
            "special_tokens": special_tokens(tokenizer) if tokenizer else [],
        }
        script.write(target, self.spec, facts)

    def _summary(self) -> dict[str, Any]:
        at = self.at
        return {
            "engine_version": ENGINE_VERSION,
            "task": self.task.name,
            "model_type": self.basis.settings.model_type,
            "method": self.recipe.method,
            "steps": self.earlier.steps + at.step,
            "planned_steps": self.earlier.steps + self.steps,
            "epochs": round(at.epochs, 4),
            "stopped_early": at.step < self.steps,
            "metric": self.choice.metric,
            "best": at.best,
            "best_step": at.best.get("step"),
            "best_value": at.best.get("value"),
            "kept": "best" if at.best and self.recipe.keep == "best" else "last",
            "train_rows": self.train_rows,
            "dev_rows": len(self.dev),
            "train": lengths_of(self.features, self.objective.max_length),
            "max_length": self.objective.max_length,
            "parameters": self.size,
            "trained_parameters": sum(parameter.numel() for parameter in self.parameters),
            "examples": at.all_rows,
            "tokens": at.all_tokens,
            "padding": round(1 - at.all_tokens / max(1, at.all_cells), 4),
            "passes": at.passes,
            "fresh": self.basis.fresh[:100],
            "notes": self.basis.notes,
            "precision": str(self.passes.dtype).removeprefix("torch."),
            "device": str(self.basis.device),
            "seed": self.spec.seed,
            "threads": self.spec.threads,
            "attempts": at.attempts,
            "versions": versions(),
            "cpu": cpu_name(),
            "peak_rss_bytes": peak_rss_bytes(),
            "seconds": round(self.log.seconds, 2),
            **self.watch.overall(),
            **self.earlier.told,
        }

    def _recompute(self) -> None:
        """Keep no inner numbers of layers for the way back: less memory, more work."""
        model: Any = self.basis.model
        if not model.supports_gradient_checkpointing:
            raise EngineError("bad_spec", f"gradient_checkpointing is not possible for {model.config.model_type}")
        model.activation_checkpointing_enable({"use_reentrant": False})

    def _left(self) -> float:
        evaluations = 0.0
        if self.dev:
            every = self.recipe.eval_every or self.epoch_steps
            evaluations = math.ceil((self.steps - self.at.step) / every)
        return self.watch.left(self.steps - self.at.step, evaluations)

    def _share(self) -> float:
        return 0.02 + 0.96 * self.at.step / max(1, self.steps) if hasattr(self, "steps") else 0.0

    def _phase(self, name: str, share: float) -> None:
        self.log.write("phase", phase=name)
        self._report(share, name, always=True)

    def _report(self, share: float, what: str, *, always: bool = False) -> None:
        self.progress.report(self.earlier.done + self.earlier.share * share, what, always=always)


def identity_of(spec: FinetuneSpec, rows: Sequence[Row] = ()) -> str:
    """Return what a run is a run of: everything that may move its numbers, rows of its own making among it."""
    said = asdict(spec)
    for name in (
        "out_dir",
        "checkpoint_seconds",
        "train",
        "dev",
        "lexicon",
        "rewritten",
        "unlabelled",
        "model_dir",
        "threads",
    ):
        said.pop(name)
    base = Path(spec.model_dir) if spec.model_dir else None
    weights = sorted(base.glob("*.safetensors")) if base else []
    if spec.teacher is not None:
        files = sorted(Path(spec.teacher.model_dir).glob("*.safetensors"))
        said["teacher"]["model_dir"] = [digest(str(path)) for path in files]
    said |= {
        "engine": ENGINE_VERSION,
        "files": [digest(path) for path in (spec.train, spec.dev, spec.lexicon, spec.rewritten, spec.unlabelled)],
        "labelled": [[row.question, row.gold] for row in rows],
        "base": [digest(str(path)) for path in ([base / "config.json"] if base else []) + weights if path.is_file()],
    }
    # A spec from JSON has 4.0 where one from Python may have 4.
    alike = json.loads(json.dumps(said), parse_int=float)
    return hashlib.sha256(json.dumps(alike, sort_keys=True).encode()).hexdigest()
