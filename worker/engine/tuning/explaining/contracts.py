"""What goes into the verb `explain`. Imports no torch."""

from dataclasses import dataclass
from typing import Any, Literal

from worker.engine.contracts import require
from worker.engine.tuning.contracts import MAX_THREADS

MAX_CHARACTERS = 20_000
MAX_TOKENS = 512


@dataclass(frozen=True, kw_only=True)
class ExplainSpec:
    """Explain one answer of a model.

    `question` is as evaluations have it: {"text"}, {"text", "text2"}, {"tokens"} or {"question", "context"}. `target`
    is the label to explain, by default the one that the model gives; of {"tokens"} it is that of the word with the
    number `word`, by default of the one outside O that the model is surest of. "gradients" are integrated gradients
    over `steps` points; "occlusion" hides one word after the other. `base_dir` is what an adapter alone is put on.
    """

    model_dir: str
    out: str  # the whole explanation goes into this file
    question: dict[str, Any]
    base_dir: str | None = None
    method: Literal["gradients", "occlusion"] = "gradients"
    target: str | None = None
    word: int | None = None
    steps: int = 32
    max_length: int = 256
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        forms = ({"text"}, {"text", "text2"}, {"tokens"}, {"question", "context"})
        require(set(self.question) in forms, "question must have text, text and text2, tokens, or question and context")
        require(all(_is_readable(value) for value in self.question.values()), "question must hold texts or words")
        size = sum(len(value) for value in self.question.values())
        require(1 <= size <= MAX_CHARACTERS, f"question must have 1 to {MAX_CHARACTERS} characters")
        require("tokens" in self.question or self.word is None, "word is the number of one of the tokens")
        require(self.word is None or 0 <= self.word < len(self.question["tokens"]), "word must be one of the tokens")
        require("context" not in self.question or self.target is None, "an answer in a passage has no label to name")
        require(8 <= self.steps <= 256, "steps must be 8 to 256")
        require(8 <= self.max_length <= MAX_TOKENS, f"max_length must be 8 to {MAX_TOKENS}")
        require(1 <= self.threads <= MAX_THREADS, f"threads must be 1 to {MAX_THREADS}")


def _is_readable(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(word, str) and 0 < len(word) <= MAX_CHARACTERS for word in value)
    return isinstance(value, str)
