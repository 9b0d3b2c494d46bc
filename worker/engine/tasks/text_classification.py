"""Texts, or pairs of texts, to one of several labels."""

from worker.engine.records import Record
from worker.engine.tasks.choice_task import ChoiceTask
from worker.engine.tasks.choices import LabelSettings
from worker.engine.tasks.task import Role, Value


class TextClassification(ChoiceTask):
    """One text to one label; a benchmark may name a second text."""

    name = "text-classification"
    roles = {"input": Role(default="text"), "input2": Role(required=False), "target": Role(default="label")}
    heads = ("ForSequenceClassification",)
    default_primary = "f1_macro"

    def read(self, record: Record, settings: LabelSettings) -> tuple[Value, Value]:
        """Return the text, the second one where there is one, and the label."""
        question = {"text": record.text("input")}
        if "input2" in record.columns:
            question["text2"] = record.text("input2")
        return question, {"label": record.label("target", settings.labels)}
