"""A model with fewer layers: those go that the dev rows miss the least."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from worker.engine.contracts import EngineError, require
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel
from worker.engine.tuning.compressing.folders import key_of, write_folder

# Layers that stand in the model once and are walked through several times.
SHARED = ("albert",)


class Layers:
    """The layers of a model, of which some can be taken out in place."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self.count = int(model.config.config.num_hidden_layers)
        if model.config.config.model_type in SHARED:
            raise EngineError(
                "unsupported_architecture",
                "All layers of this model are the same one. Lower num_hidden_layers of config.json to walk through it "
                "less often; nothing would be smaller.",
            )
        found = [
            (parent, name, child)
            for parent in model.model.modules()
            for name, child in parent.named_children()
            if isinstance(child, nn.ModuleList)
            and len(child) == self.count
            and name in ("layer", "layers", "h", "block")
        ]
        if len(found) != 1:
            raise EngineError("unsupported_architecture", "The layers of this type of model cannot be told apart here.")
        self._parent, self._name, whole = found[0]
        # What the names of all tensors of the layers begin with.
        self.prefix = next(name for name, part in model.model.named_modules() if part is whole)
        self._whole: list[nn.Module] = list(whole)
        self._types = getattr(model.config.config, "layer_types", None)

    def keep(self, numbers: list[int]) -> None:
        """Leave these layers in the model, and none of the others."""
        setattr(self._parent, self._name, nn.ModuleList([self._whole[number] for number in numbers]))
        # The config of the model and that of its parts are one object.
        config: Any = self._model.model.config
        config.num_hidden_layers = len(numbers)
        if self._types is not None:
            config.layer_types = [self._types[number] for number in numbers]
        for place, number in enumerate(numbers):
            for part in self._whole[number].modules():
                # Where keys and values are kept: a gap would be taken for an empty layer.
                if hasattr(part, "layer_idx"):
                    part.layer_idx = place  # type: ignore[assignment]

    def changes(self, numbers: list[int]) -> dict[str, Any]:
        """Return the keys of config.json that say so."""
        changed: dict[str, Any] = {key_of(self._model, "num_hidden_layers"): len(numbers)}
        if self._types is not None:
            changed["layer_types"] = [self._types[number] for number in numbers]
        return changed


def drop_layers(
    source: ModelFolder, model: LoadedModel, out: Path, *, keep: int, score: Callable[[], float]
) -> dict[str, Any]:
    """Write a model of so many layers; `score` answers the dev rows with the model as it is, more is better."""
    layers = Layers(model)
    require(keep < layers.count, f"keep_layers must be below {layers.count}, the layers that the model has")
    kept = list(range(layers.count))
    order = []
    while len(kept) > keep:
        found = {}
        for number in kept:
            layers.keep([other for other in kept if other != number])
            found[number] = score()
        # Of equals the one nearest to the end, which the head was fitted to least firmly.
        least_missed = max(kept, key=lambda number: (found[number], number))
        kept.remove(least_missed)
        order.append({"layer": least_missed, "dev_score": found[least_missed]})
    layers.keep(kept)
    write_folder(source, model, model.model.state_dict(), layers.changes(kept), out)
    return {"kept_layers": kept, "dropped": order}
