"""Two texts, read together, to one of several labels: paraphrase, inference, question and answer."""

from worker.engine.records import Record
from worker.engine.tasks.choices import LabelSettings
from worker.engine.tasks.task import Role, Value
from worker.engine.tasks.text_classification import TextClassification


class PairClassification(TextClassification):
    """A pair to one label."""

    name = "text-pair-classification"
    roles = {
        "input": Role(default="sentence1"),
        "input2": Role(default="sentence2"),
        "target": Role(default="label"),
    }
    default_primary = "accuracy"

    def read(self, record: Record, settings: LabelSettings) -> tuple[Value, Value]:
        """Return the pair and its label."""
        question = {"text": record.text("input"), "text2": record.text("input2")}
        return question, {"label": record.label("target", settings.labels)}
