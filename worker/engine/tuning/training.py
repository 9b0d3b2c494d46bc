"""The verb `finetune`: a model learns from arranged rows, step by step, and can go on after it was killed."""

import importlib
import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.engine.environment import keep_memory
from worker.engine.failures import failing_as
from worker.engine.progress import Progress
from worker.engine.repeating import repeatable
from worker.engine.tuning import checkpoints
from worker.engine.tuning.batches import Stride
from worker.engine.tuning.checkpoints import Progressed
from worker.engine.tuning.compressing.distilling import STUDENT_DIR
from worker.engine.tuning.contracts import MODEL_DIR, SUMMARY_FILE, FinetuneSpec
from worker.engine.tuning.counting import Counting
from worker.engine.tuning.creating import WORK_DIR
from worker.engine.tuning.earlier import Earlier
from worker.engine.tuning.gradients import Gradients
from worker.engine.tuning.identity import identity_of
from worker.engine.tuning.log import Log
from worker.engine.tuning.optimizing import optimizer_of, schedule_of
from worker.engine.tuning.publishing import write_model, write_tokenizer
from worker.engine.tuning.ready import Ready
from worker.engine.tuning.summary import keeps_best, summary_of, write_script
from worker.engine.tuning.telling import Telling
from worker.engine.tuning.watching import Watch, metrics_of

# A run has at most about so many records of steps.
RECORDS = 1000
# A checkpoint that takes long is written less often: at most this share of the time goes into them.
CHECKPOINT_SHARE = 0.05
MODEL_PART = MODEL_DIR + ".part"


def finetune(spec: FinetuneSpec, progress: Progress) -> dict[str, Any]:
    """Train a model and write it into spec.out_dir; return the summary."""
    keep_memory()
    folder = Path(spec.out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if spec.recipe.pseudo_rounds:
        self_training: Any = importlib.import_module("worker.engine.tuning.self_training")  # which trains by this one
        found: dict[str, Any] = self_training.run(spec, progress, folder)
        return found
    return Training(spec, progress, folder).run()


class Training:
    """One run from the first row to the published model, or one round of it."""

    def __init__(self, spec: FinetuneSpec, progress: Progress, folder: Path, earlier: Earlier | None = None) -> None:
        repeatable(spec.seed, spec.threads)
        np.random.seed(spec.seed)  # the global generator, which libraries use
        before = self.earlier = earlier or Earlier()
        self.recipe, self.folder = spec.recipe, folder
        identity = identity_of(spec, before.rows)
        found = checkpoints.read(folder, identity)
        self.at = found.progressed if found else Progressed(identity=identity, seq=before.seq, seconds=before.seconds)
        self.at.attempts += 1 if found else 0
        self.log = Log(folder, seq=self.at.seq, seconds=self.at.seconds)
        self._telling = Telling(self.log, progress, before)
        ready = self.ready = Ready(spec, folder, before, self._telling)
        ready.passes.count = self.at.passes
        self.optimizer = optimizer_of(ready.parameters, self.recipe)
        self._schedule = schedule_of(self.recipe, ready.steps)
        self._watch = Watch(ready.basis.device)
        self._gradients = Gradients(ready, self.log)
        self._counting = Counting(self.at, ready.basis.device)
        self._every = max(1, math.ceil(ready.steps / RECORDS))
        self._saved_at = time.monotonic()
        self._least_pause = self._pause = spec.checkpoint_seconds
        if found:
            self._go_on(found)

    def run(self) -> dict[str, Any]:
        """Learn, keep the best, publish it."""
        self.learn_all()
        return self.publish()

    def learn_all(self) -> None:
        """Go all the steps, from where the checkpoint stands."""
        if self.at.finished:
            return
        self._telling.phase("training", self._share())
        for note in self.ready.basis.notes if self.at.attempts == 1 else []:
            self.log.write("note", text=note)
        for stride in self.ready.plan.walk(self.at.epoch, self.at.offset):
            if self.at.step >= self.ready.steps or self.at.finished:
                break
            with failing_as("training_failed", "Training failed."):
                self._step(stride)
            if self._is_due(stride):
                self._evaluate()
            if time.monotonic() - self._saved_at >= self._pause:
                self._save_checkpoint()

    def _step(self, stride: Stride) -> None:
        """Learn from the rows of one step."""
        at, ready, scaler = self.at, self.ready, self.ready.passes.scaler
        rate = self.recipe.lr * self._schedule(at.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        ready.attached.model.train()
        gone = self._gradients.add(stride)
        scaler.unscale_(self.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(ready.parameters, self.recipe.clip_norm or math.inf)
        scaler.step(self.optimizer)
        scaler.update()
        at.step += 1
        ready.attached.after_step(at.step)
        self.optimizer.zero_grad(set_to_none=True)
        at.epoch, at.offset, at.epochs = stride.epoch, stride.offset, stride.epochs
        if stride.ends_epoch:
            at.epoch, at.offset = stride.epoch + 1, 0
        self._counting.add(gone)
        at.passes = ready.passes.count
        self._watch.stepped()
        if at.step % self._every == 0 or at.step == ready.steps:
            self._record(rate, float(norm))
        self._telling.report(self._share(), f"step {at.step} of {ready.steps}")

    def _record(self, rate: float, norm: float) -> None:
        at, earlier = self.at, self.earlier
        self.log.write(
            "step",
            step=earlier.steps + at.step,
            steps=earlier.steps + self.ready.steps,
            epoch=round(at.epochs, 4),
            lr=rate,
            **self._counting.means(self._every),
            **({"grad_norm": norm} if math.isfinite(norm) else {}),
            **self._watch.speeds(at.rows, at.tokens),
            left=self._left(),
            **self._watch.memory(),
        )
        self._counting.begin_anew()

    def _is_due(self, stride: Stride) -> bool:
        if not self.ready.dev:
            return False
        if self.at.step >= self.ready.steps:
            return True
        return stride.ends_epoch if self.recipe.eval_every is None else self.at.step % self.recipe.eval_every == 0

    def _evaluate(self) -> None:
        """Answer the dev set, and keep the weights where they are the best so far."""
        at, ready = self.at, self.ready
        self._telling.phase("evaluating", self._share())
        ready.attached.model.eval()
        with self._watch.paused():
            began = time.monotonic()
            with failing_as("training_failed", "The dev set cannot be answered."), ready.passes.cast():
                answered = ready.objective.answer(ready.attached.model, ready.dev, ready.dev_features)
            rows = ready.dev if answered.rows is None else answered.rows
            metrics = metrics_of(ready.task, ready.settings, rows, answered.predictions) if rows else {}
            value = ready.choice.value(metrics, answered.loss)
            step = self.earlier.steps + at.step
            is_best = ready.choice.is_better(value, answered.loss, at.best)
            if is_best:
                at.best = {"step": step, "epoch": round(at.epochs, 4), "loss": answered.loss,
                           "value": value, "metrics": metrics}  # fmt: skip
                at.without_gain = 0
                if self.recipe.keep == "best":
                    checkpoints.write_best(self.folder, ready.attached.state())
            else:
                at.without_gain += 1
            self.log.write(
                "dev", step=step, epoch=round(at.epochs, 4), loss=answered.loss, metrics=metrics,
                best=is_best,
            )  # fmt: skip
            self._watch.evaluated(time.monotonic() - began)
        if self.recipe.patience and at.without_gain >= self.recipe.patience and at.step < ready.steps:
            at.finished = True
            self.log.write("note", text=f"Stopped early: {at.without_gain} evaluations brought no gain.")
        elif at.step < ready.steps:
            self._telling.phase("training", self._share())

    def _save_checkpoint(self) -> None:
        began = time.monotonic()
        self._counting.look()
        with self._watch.paused():
            self.at.seq, self.at.seconds = self.log.seq, self.log.seconds
            scaler = self.ready.passes.scaler.state_dict()
            checkpoints.write(self.folder, self.at, self.ready.attached.state(), self.optimizer, scaler)
        self._saved_at = time.monotonic()
        self._pause = max(self._least_pause, (self._saved_at - began) / CHECKPOINT_SHARE)

    def _go_on(self, found: checkpoints.Found) -> None:
        """Stand where the checkpoint stands."""
        self._take(found.weights)
        with failing_as("training_failed", "The checkpoint does not fit."):
            self.optimizer.load_state_dict(found.optimizer)
            if found.random["more"]:
                self.ready.passes.scaler.load_state_dict(found.random["more"])
        checkpoints.set_random_state(found.random)

    def take_best(self) -> None:
        """Stand where the dev set was answered best, ready to answer."""
        self.at.finished = True
        if keeps_best(self.ready, self.at):
            self._take(checkpoints.read_best(self.folder))
        self.ready.attached.model.eval()

    def _take(self, weights: dict[str, torch.Tensor]) -> None:
        device = self.ready.basis.device
        self.ready.attached.load_state({name: value.to(device) for name, value in weights.items()})

    def publish(self) -> dict[str, Any]:
        """Write the model and what was found; nothing is left to go on from."""
        ready = self.ready
        self._telling.phase("saving", 0.98)
        self.take_best()
        target, partial = self.folder / MODEL_DIR, self.folder / MODEL_PART
        for stale in (target, partial):
            shutil.rmtree(stale, ignore_errors=True)
        partial.mkdir()
        with failing_as("training_failed", "The model cannot be saved."):
            if reason := write_script(ready, self.at, partial):
                self.log.write("note", text=reason)
            write_model(ready.attached, ready.method, partial)
            write_tokenizer(ready.basis, partial)
            ready.objective.publish(partial)
        partial.rename(target)
        summary = {
            **summary_of(ready, self.at, self.earlier),
            "seconds": round(self.log.seconds, 2),
            **self._watch.overall(),
        }
        (self.folder / SUMMARY_FILE).write_text(
            json.dumps(summary, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
        checkpoints.remove(self.folder)
        for made in (WORK_DIR, STUDENT_DIR):
            shutil.rmtree(self.folder / made, ignore_errors=True)
        self._telling.report(1.0, "done", always=True)
        return summary

    def _left(self) -> float:
        ready = self.ready
        evaluations = 0.0
        if ready.dev:
            every = self.recipe.eval_every or ready.epoch_steps
            evaluations = math.ceil((ready.steps - self.at.step) / every)
        return self._watch.left(ready.steps - self.at.step, evaluations)

    def _share(self) -> float:
        return 0.02 + 0.96 * self.at.step / max(1, self.ready.steps)
