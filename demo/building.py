"""From the committed sentences to folders that are ready to publish."""

from dataclasses import dataclass
from pathlib import Path

from demo.dataset import build_dataset
from demo.engine import OnLine
from demo.files import write_text
from demo.model_card import model_card
from demo.models import RECIPES, TrainedModel, train_model


@dataclass(frozen=True, slots=True)
class DemoContent:
    """The data set folder and the trained models, cards included."""

    dataset: Path
    models: tuple[TrainedModel, ...]


def build(workdir: Path, on_line: OnLine) -> DemoContent:
    """Build the data set and train the models in workdir; what is finished there is not done again."""
    dataset = workdir / "dataset"
    splits = build_dataset(dataset)
    on_line("The data set is built: " + ", ".join(f"{len(rows)} {name}" for name, rows in splits.items()) + ".")
    models = []
    for recipe in RECIPES:
        model = train_model(recipe, dataset, splits["dev"], workdir / "models", on_line)
        write_text(model.folder / "README.md", model_card(model))
        models.append(model)
    return DemoContent(dataset, tuple(models))
