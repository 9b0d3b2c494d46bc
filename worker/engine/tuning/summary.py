"""What a run says of itself at its end: the summary, and the script that repeats it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from worker.engine.contracts import ENGINE_VERSION
from worker.engine.provenance import cpu_name, peak_rss_bytes, versions
from worker.engine.tuning import script
from worker.engine.tuning.checkpoints import Progressed
from worker.engine.tuning.earlier import Earlier
from worker.engine.tuning.masking import special_tokens
from worker.engine.tuning.publishing import facts_of
from worker.engine.tuning.reading import lengths_of
from worker.engine.tuning.ready import Ready


def keeps_best(ready: Ready, at: Progressed) -> bool:
    """Say whether what is published is the best by the dev set, rather than the last."""
    return bool(at.best) and ready.recipe.keep == "best"


def write_script(ready: Ready, at: Progressed, target: Path) -> str | None:
    """Write what repeats the run elsewhere, or return why there is none."""
    spec, basis = ready.asked, ready.basis
    has_encoder = basis.config is not None and basis.config.has_encoder
    if reason := script.refusal(spec, has_encoder=has_encoder):
        return reason
    facts = {
        **facts_of(basis, ready.attached),
        **ready.objective.told(),
        **asdict(ready.shortcuts),
        "layers": ready.layers,
        "outputs": ready.objective.outputs(),
        "max_length": ready.objective.max_length,
        "steps": ready.steps,
        "kept_step": at.best["step"] if keeps_best(ready, at) else at.step,
        "mask_token": basis.tokenizer.mask if basis.tokenizer else None,
        "special_tokens": special_tokens(basis.tokenizer) if basis.tokenizer else [],
    }
    script.write(target, spec, facts)
    return None


def summary_of(ready: Ready, at: Progressed, earlier: Earlier) -> dict[str, Any]:
    """Return what became of a run, but for how long it took."""
    spec = ready.asked
    return {
        "engine_version": ENGINE_VERSION,
        "task": ready.task.name,
        "model_type": ready.basis.settings.model_type,
        "method": ready.recipe.method,
        "steps": earlier.steps + at.step,
        "planned_steps": earlier.steps + ready.steps,
        "epochs": round(at.epochs, 4),
        "stopped_early": at.step < ready.steps,
        "metric": ready.choice.metric,
        "best": at.best,
        "best_step": at.best.get("step"),
        "best_value": at.best.get("value"),
        "kept": "best" if keeps_best(ready, at) else "last",
        "train_rows": ready.train_rows,
        "dev_rows": len(ready.dev),
        "train": lengths_of(ready.features, ready.objective.max_length),
        "max_length": ready.objective.max_length,
        "parameters": ready.size,
        "trained_parameters": sum(parameter.numel() for parameter in ready.parameters),
        "examples": at.all_rows,
        "tokens": at.all_tokens,
        "padding": round(1 - at.all_tokens / max(1, at.all_cells), 4),
        "passes": at.passes,
        "fresh": ready.basis.fresh[:100],
        "notes": ready.basis.notes,
        "precision": str(ready.passes.dtype).removeprefix("torch."),
        "device": str(ready.basis.device),
        "seed": spec.seed,
        "threads": spec.threads,
        "attempts": at.attempts,
        "versions": versions(),
        "cpu": cpu_name(),
        "peak_rss_bytes": peak_rss_bytes(),
        **earlier.told,
    }
