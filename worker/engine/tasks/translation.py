"""Texts of one language to another: BLEU with the signature of sacrebleu, and chrF++."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.engine.contracts import require
from worker.engine.measures.text_overlap import Tokenization, bleu, chrf
from worker.engine.records import Record
from worker.engine.tasks import prompting
from worker.engine.tasks.task import Measure, Measured, Role, Value, bad_gold
from worker.engine.tasks.writing import INPUT, WritingSettings, WritingTask, are_texts, source_of


@dataclass(frozen=True, kw_only=True)
class TranslationSettings(WritingSettings):
    """How BLEU cuts texts into words, and the prompt of models with an encoder, which mostly read the text alone."""

    source_prompt: str = INPUT
    bleu_tokenization: Tokenization = "13a"
    # Two letters, such as zh: models of many languages are told by it where to go.
    target_language: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        prompting.check_prompt(self.source_prompt)
        known = len(self.target_language) in (0, 2, 3) and self.target_language.islower()
        require(known or not self.target_language, "target_language must be a code of two or three small letters")


class Translation(WritingTask[TranslationSettings]):
    """A text to the same in another language."""

    name = "translation"
    more_gold = ("source",)
    roles = {"input": Role(default="source"), "target": Role(default="target")}
    settings_type = TranslationSettings
    measures = (Measure("bleu", "corpus"), Measure("chrf", "corpus"))
    default_primary = "bleu"

    def beside(self, record: Record) -> Value:
        """Return the text itself: copying it is what a model without any skill does."""
        return {"source": record.text("input")}

    def checked_beside(self, value: Value) -> Value:
        """Return the reference, its source a text."""
        if not are_texts([value["source"]]):
            raise bad_gold("it has no source")
        return value

    def source(self, record: Record, settings: TranslationSettings, prompt: str) -> Value:
        """Return the text in the prompt for models with an encoder."""
        return source_of(record, settings.source_prompt, prompt)

    def signatures(self, settings: TranslationSettings) -> dict[str, str]:
        """Return none yet: they come with the numbers."""
        return {}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: TranslationSettings) -> Measured:
        """Return BLEU and chrF++ over all texts."""
        wanted = [row["answers"] for row in golds]
        texts = self.texts(predictions)
        found = {"bleu": bleu(texts, wanted, settings.bleu_tokenization), "chrf": chrf(texts, wanted)}
        sources = [row["source"] for row in golds]
        copied = {"bleu": bleu(sources, wanted, settings.bleu_tokenization), "chrf": chrf(sources, wanted)}
        details = self.details(predictions, settings)
        details["signatures"] = {name: overlap.signature for name, overlap in found.items()}
        return Measured(
            corpus={name: overlap.statistic for name, overlap in found.items()},
            details=details,
            floors={
                "empty": {"metrics": dict.fromkeys(found, 0.0)},
                "copy": {"metrics": {name: overlap.statistic.value() for name, overlap in copied.items()}},
            },
        )
