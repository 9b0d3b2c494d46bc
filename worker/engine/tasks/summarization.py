"""Long texts to short ones: ROUGE, by words or by Chinese characters, and chrF++."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.engine.measures.text_overlap import RougeTokenization, chrf, rouge
from worker.engine.records import Record
from worker.engine.tasks import prompting
from worker.engine.tasks.task import Array, Measure, Measured, Role, Value, bad_gold
from worker.engine.tasks.writing import INPUT, WritingSettings, WritingTask, are_texts, source_of

# How many sentences of the beginning stand for a summary that took no reading.
LEADS = (1, 3)
MAX_LEAD = 2000
_SENTENCE = re.compile(r".+?(?:[.!?]+(?=\s)|[。！？]+|\n|$)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class SummarySettings(WritingSettings):
    """What ROUGE counts, and the prompts of decoders and of models with an encoder."""

    source_prompt: str = INPUT
    rouge_tokenization: RougeTokenization = "words"

    def __post_init__(self) -> None:
        super().__post_init__()
        prompting.check_prompt(self.source_prompt)


class Summarization(WritingTask[SummarySettings]):
    """A text to its summary."""

    name = "summarization"
    more_gold = ("lead",)
    roles = {"input": Role(default="text"), "target": Role(default="summary")}
    settings_type = SummarySettings
    measures = (
        Measure("rouge1", "mean"),
        Measure("rouge2", "mean"),
        Measure("rougeL", "mean"),
        Measure("chrf", "corpus"),
    )
    default_primary = "rougeL"

    def beside(self, record: Record) -> Value:
        """Return the first sentences."""
        sentences = (found.group().strip()[:MAX_LEAD] for found in _SENTENCE.finditer(record.text("input")))
        lead: list[str] = []
        for sentence in filter(None, sentences):
            lead.append(sentence)
            if len(lead) == max(LEADS):
                break
        return {"lead": lead}

    def checked_beside(self, value: Value) -> Value:
        """Return the reference, its lead texts."""
        if not are_texts(value["lead"]) or len(value["lead"]) > max(LEADS):
            raise bad_gold("it has no lead")
        return value

    def source(self, record: Record, settings: SummarySettings, prompt: str) -> Value:
        """Return the text in the prompt for models with an encoder."""
        return source_of(record, settings.source_prompt, prompt)

    def signatures(self, settings: SummarySettings) -> dict[str, str]:
        """Return what ROUGE counted."""
        return {"rouge": f"tokens:{settings.rouge_tokenization}|stemmed:no|refs:best"}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: SummarySettings) -> Measured:
        """Return ROUGE of each text and chrF++ over all."""
        wanted, texts = [row["answers"] for row in golds], self.texts(predictions)
        overlap = chrf(texts, wanted)
        details = self.details(predictions, settings)
        details["signatures"]["chrf"] = overlap.signature
        floors = {f"lead_{count}": {"metrics": self._lead(golds, count, settings)} for count in LEADS}
        return Measured(
            items=dict(rouge(texts, wanted, settings.rouge_tokenization)),
            corpus={"chrf": overlap.statistic},
            details=details,
            floors=floors,
        )

    def _lead(self, golds: Sequence[Value], count: int, settings: SummarySettings) -> dict[str, float]:
        """Return what the first sentences reach."""
        wanted = [row["answers"] for row in golds]
        # Chinese sentences follow each other without a space; for what is counted a space more is none.
        leads = [" ".join(row["lead"][:count]) for row in golds]
        found: dict[str, Array] = rouge(leads, wanted, settings.rouge_tokenization)
        means = {name: float(np.mean(values)) for name, values in found.items()}
        return {**means, "chrf": chrf(leads, wanted).statistic.value()}
