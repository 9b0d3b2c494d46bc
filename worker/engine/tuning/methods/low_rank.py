"""LoRA and its kin by `peft`: small matrices or factors beside layers that rest, which can be merged into them."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import AdaLoraConfig, IA3Config, LoraConfig, PeftConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.utils import ModulesToSaveWrapper
from safetensors.torch import save_file
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from worker.engine.contracts import EngineError
from worker.engine.tuning.methods.method import CONFIG, WEIGHTS, Attached, Given, heads_of
from worker.engine.tuning.methods.places import layers, roles_of, task_type

ADAPTER = "default"
# Of AdaLoRA's steps: before the first tenth no rank is given up, and in the last fifth the ranks stay as they are.
FIRST_SHARE, LAST_SHARE, BUDGETS = 10, 5, 50
IMPORTANCE = ("ipt", "exp_avg_ipt", "exp_avg_unc")


class LowRank(Attached):
    """A model whose layers were wrapped in place, so that it is called as before."""

    def __init__(self, base: PreTrainedModel, config: PeftConfig) -> None:
        super().__init__(base)
        self.peft: Any = wrapped(base, config)

    def save(self, folder: Path) -> None:
        """Write the adapter, in the form that `peft` reads."""
        save_adapter(self.peft, folder)
        self.say_purpose(folder)

    def merged(self) -> PreTrainedModel:
        """Return the model with everything added to its layers."""
        # IA3 fails on heads that are more than one layer, so they are put back here.
        for name, part in list(self.base.named_modules()):
            if isinstance(part, ModulesToSaveWrapper):
                parent, _, own = name.rpartition(".")
                setattr(self.base.get_submodule(parent), own, part.modules_to_save[ADAPTER])
        plain: PreTrainedModel = self.peft.merge_and_unload(safe_merge=True)
        return plain


class AdaLora(LowRank):
    """Gives up ranks while it trains, those that matter least first."""

    @property
    def _settings(self) -> Any:
        return self.peft.peft_config[ADAPTER]

    def after_step(self, step: int) -> None:
        """Spread the ranks anew."""
        # Of a single step there is nothing by which ranks could be chosen.
        if self._settings.total_step > 1:
            self.peft.base_model.update_and_allocate(step)

    def aux_loss(self) -> torch.Tensor | None:
        """Return how far the matrices are from orthogonal, as `peft` adds it where it computes the loss itself."""
        parts = []
        for name, matrix in self.model.named_parameters():
            if "lora_A" in name or "lora_B" in name:
                product = matrix @ matrix.T if "lora_A" in name else matrix.T @ matrix  # (ranks, ranks)
                parts.append(torch.linalg.norm(product - torch.eye(len(product), device=product.device)))
        return self._settings.orth_reg_weight * torch.stack(parts).mean() if parts else None

    def state(self) -> dict[str, torch.Tensor]:
        """Return the weights, how much each matters, and which ranks are left."""
        state = super().state()
        allocator = self.peft.base_model.rankallocator
        for kind in IMPORTANCE:
            state |= {f"{kind}|{name}": tensor.clone() for name, tensor in getattr(allocator, kind).items()}
        pattern = self._settings.rank_pattern or {}
        return state | {f"pattern|{name}": torch.tensor(kept, dtype=torch.int32) for name, kept in pattern.items()}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `state` returned."""
        super().load_state({name: tensor for name, tensor in state.items() if "|" not in name})
        parts: dict[str, dict[str, torch.Tensor]] = {kind: {} for kind in (*IMPORTANCE, "pattern")}
        for name, tensor in state.items():
            kind, bar, rest = name.partition("|")
            if bar:
                parts[kind][rest] = tensor
        allocator = self.peft.base_model.rankallocator
        for kind in IMPORTANCE:
            setattr(allocator, kind, {name: tensor.to(self.base.device) for name, tensor in parts[kind].items()})
        self._settings.rank_pattern = {name: kept.bool().tolist() for name, kept in parts["pattern"].items()} or None


def attach(model: PreTrainedModel, method: str, options: Mapping[str, Any], given: Given) -> Attached:
    """Add to the layers that the architecture has for it; the head is trained as a whole."""
    common: dict[str, Any] = {
        "task_type": task_type(given.task, given.facts),
        "modules_to_save": heads_of(model, given.task) or None,
    }
    if method == "ia3":
        down = layers(model, given.facts, ["down"])
        places = layers(model, given.facts, ["key", "value", "down"])
        return LowRank(
            model,
            IA3Config(
                target_modules=places, feedforward_modules=down, fan_in_fan_out=_is_turned(model, places), **common
            ),
        )
    places = layers(model, given.facts, roles_of(options["targets"]))
    common |= {
        "target_modules": places,
        "lora_alpha": options["alpha"],
        "lora_dropout": options["dropout"],
        "fan_in_fan_out": _is_turned(model, places),
    }
    if method == "adalora":
        return AdaLora(model, _adalora(options, given.steps, common))
    kinds: dict[str, Any] = {"dora": {"use_dora": True}, "rslora": {"use_rslora": True}}
    return LowRank(model, LoraConfig(r=options["rank"], **kinds.get(method, {}), **common))


def _adalora(options: Mapping[str, Any], steps: int, common: Mapping[str, Any]) -> AdaLoraConfig:
    if options["rank"] >= options["first_rank"]:
        raise EngineError("bad_spec", "rank of adalora must be less than first_rank, or there is nothing to give up")
    return AdaLoraConfig(
        init_r=options["first_rank"],
        target_r=options["rank"],
        tinit=steps // FIRST_SHARE,
        tfinal=steps // LAST_SHARE,
        deltaT=max(1, steps // BUDGETS),
        total_step=max(1, steps),
        orth_reg_weight=options["orthogonality"],
        **common,
    )


def _is_turned(model: PreTrainedModel, places: list[str]) -> bool:
    """Say whether the weights lie the other way round, as GPT-2 has them."""
    return isinstance(model.get_submodule(places[0]), Conv1D)


def wrapped(model: PreTrainedModel, config: PeftConfig) -> Any:
    """Let `peft` do its part."""
    with warnings.catch_warnings():
        # It asks a model for what transformers has renamed.
        warnings.simplefilter("ignore", FutureWarning)
        # It takes the ranks that AdaLoRA left for those of LoRA.
        warnings.filterwarnings("ignore", message="The following rank_pattern keys", category=RuntimeWarning)
        return get_peft_model(model, config)


def save_adapter(peft: PeftModel, folder: Path) -> None:
    """Write what `peft` itself would, but no card, and without a look at the network."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = get_peft_model_state_dict(peft, save_embedding_layers=False)
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS)
    config = peft.peft_config[ADAPTER]
    value = {**config.to_dict(), "inference_mode": True}
    sets = {name: sorted(item) for name, item in value.items() if isinstance(item, set)}
    (folder / CONFIG).write_text(json.dumps(value | sets, indent=1, default=str) + "\n", encoding="utf-8")
