"""An image to one of several labels; images are made ready as evaluations do it, and never padded."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.image_processing import FILE, read_processor
from worker.engine.images import from_question
from worker.engine.load import check_size, choose_device
from worker.engine.model_config import CheckedConfig
from worker.engine.tasks.heads import HeadTask
from worker.engine.tasks.task import Task
from worker.engine.tuning.basis import Basis
from worker.engine.tuning.beginning import build, drop
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.tuning.objectives.classifying import Classifying
from worker.engine.tuning.objectives.objective import Batch, Feature, Row
from worker.engine.vision_config import STEMS, VisionConfig, read_vision_config
from worker.engine.weights import find_weights, read_tensors

PATCH = 16


class Seeing(Classifying):
    """One label for each image."""

    task: HeadTask[Any]
    maskable = False
    attackable = False
    mixable = False

    def __init__(self, task: Task[Any], settings: Any, spec: FinetuneSpec, basis: Basis) -> None:
        super().__init__(task, settings, spec, basis)
        assert spec.model_dir is not None
        channels, kind = basis.settings.num_channels, str(basis.settings.model_type)
        self._processor = read_processor(ModelFolder(spec.model_dir), STEMS[kind].processor, int(channels))

    @classmethod
    def begin(cls, task: Task[Any], settings: Any, spec: FinetuneSpec, rows: Sequence[Row]) -> Basis:
        """Load a classifier of images; where its labels are others, its head is a new one."""
        if spec.model_dir is None:
            raise EngineError("bad_spec", "models of images are trained on from one that there is: name a base")
        folder = ModelFolder(spec.model_dir)
        config = read_vision_config(folder, cls.heads(task))
        tensors = read_tensors(find_weights(folder))
        head = cls.head(task, settings)
        if not _serves(task, config, settings):
            config.labels[:] = head.labels or []
            config.config.id2label = dict(enumerate(config.labels))
            config.config.label2id = {label: number for number, label in enumerate(config.labels)}
            prefix = config.model_class.base_model_prefix + "."
            tensors = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        config.config.problem_type = head.problem_type  # type: ignore[assignment]
        notes = drop(config.config, spec.recipe.dropout)
        made = CheckedConfig(config.model_class, config.config, list(config.labels), is_decoder=False)
        check_size(made, tensors)
        model, fresh = build(made, tensors)
        if fresh:
            notes.append(f"These tensors are new and began with random numbers: {', '.join(fresh[:20])}.")
        device = choose_device(spec.device)
        path = folder.need(FILE, code="missing_preprocessor", why="it says how images are made ready")
        return Basis(
            model=model.to(device),  # type: ignore[arg-type]
            device=device,
            tokenizer=None,
            config=made,
            files=[path],
            fresh=fresh,
            notes=notes,
        )

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return images as they stand in their rows; only those of a batch are decoded at a time."""
        features = []
        for number, row in enumerate(rows):
            height, width = self._processor.size_of(row.question["height"], row.question["width"])
            features.append(
                Feature(
                    row=number,
                    ids=np.zeros(0, dtype=np.int32),
                    length=max(1, height * width // PATCH**2),
                    target=self.target(row.gold),
                    extra=row.question,
                )
            )
        if training:
            self.weigh(features)
        return features

    def collate(self, features: Sequence[Feature], *, training: bool) -> Batch:
        """Return images (rows, channels, height, width) and the numbers of their labels (rows,)."""
        with failing_as("bad_data", "The images cannot be made ready."):
            pixels = [self._processor(from_question(feature.extra)) for feature in features]
        sizes = {image.shape for image in pixels}
        if len(sizes) > 1:
            raise EngineError(
                "bad_data",
                "The images are made ready to different sizes, which cannot stand in one batch. Take a model whose "
                "preprocessor_config.json has a fixed height and width or crops to them, or batch_size 1.",
            )
        cells = sum(feature.length for feature in features)
        return Batch(
            features=features,
            inputs={"pixel_values": torch.from_numpy(np.stack(pixels)).to(self.basis.device)},
            targets=torch.tensor([feature.target for feature in features], device=self.basis.device),
            tokens=cells,
            cells=cells,
        )


def _serves(task: Task[Any], config: VisionConfig, settings: Any) -> bool:
    fit: Any = getattr(task, "fit", None)
    try:
        fit(config.labels, settings)
    except EngineError:
        return False
    return True
