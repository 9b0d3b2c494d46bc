"""Images to one of several labels."""

from collections.abc import Sequence
from dataclasses import replace

from worker.engine.images import picture_of
from worker.engine.measures import images
from worker.engine.records import Record
from worker.engine.tasks import choices
from worker.engine.tasks.choice_task import ChoiceTask
from worker.engine.tasks.choices import LabelSettings
from worker.engine.tasks.task import Measure, Measured, Role, Value

TOP = 5


class ImageClassification(ChoiceTask):
    """One image to one label."""

    name = "image-classification"
    roles = {"input": Role(default="image"), "target": Role(default="label")}
    heads = ("ForImageClassification",)
    answering = "worker.engine.answering.seeing"
    measures = (*choices.MEASURES, Measure("accuracy_top5", "proportion"))
    default_primary = "accuracy"
    reads_text = False

    def read(self, record: Record, settings: LabelSettings) -> tuple[Value, Value]:
        """Return the image and its label."""
        return picture_of(record, "input").as_value(), {"label": record.label("target", settings.labels)}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: LabelSettings) -> Measured:
        """Return the measures of a classifier, and how often the label is among the first five."""
        found = choices.measure(golds, predictions, settings)
        ranked = [_ranked(row) for row in predictions]
        right = images.top([row["label"] for row in golds], ranked, TOP)
        floors = {name: floor | {"metrics": dict(floor["metrics"])} for name, floor in found.floors.items()}
        # Guessing gives five labels at random; the majority names the five most frequent ones.
        floors["chance"]["metrics"]["accuracy_top5"] = min(1.0, TOP / len(settings.labels))
        counts = sorted((row["support"] for row in found.details["per_class"]), reverse=True)
        floors["majority"]["metrics"]["accuracy_top5"] = sum(counts[:TOP]) / len(golds)
        return replace(found, items={**found.items, "accuracy_top5": right}, floors=floors)


def _ranked(prediction: Value) -> list[str]:
    """Return all labels, the chosen one first, then the surest ones; equal ones in the order of the benchmark."""
    scores = prediction["scores"]
    return sorted(scores, key=lambda label: (label != prediction["label"], -scores[label]))
