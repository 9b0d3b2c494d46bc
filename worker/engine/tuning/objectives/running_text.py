"""Running text: a decoder learns what comes next, and is judged in bits for each byte."""

from collections.abc import Sequence
from typing import Any

from worker.engine.continuations import prefix_token, tokenised
from worker.engine.failures import failing_as
from worker.engine.tasks.likelihoods import Asked, rounded
from worker.engine.tasks.task import Task, Value
from worker.engine.tuning.objectives.causal import Causal
from worker.engine.tuning.objectives.objective import IGNORED, Batch, Feature, Row


class RunningText(Causal):
    """Texts in windows, each of which begins with the last token of the one before."""

    @classmethod
    def heads(cls, task: Task[Any]) -> tuple[str, ...]:
        """Return the endings of decoders."""
        return ("ForCausalLM", "LMHeadModel")

    def told(self) -> dict[str, Any]:
        """Return the tokens around a text."""
        prefix = prefix_token(self.loaded)
        text = self.tokenizer.decode([prefix], special=True)
        return {"prefix_token": prefix, "prefix_text": text, "end_tokens": self.ends()}

    def encode(self, rows: Sequence[Row], *, training: bool) -> list[Feature]:
        """Return the windows of each text, cut as evaluations do; the token that ends it is learned, and not scored."""
        room = self.max_length - self.virtual_tokens
        texts = [Asked(row.question["text"], row.question.get("context")) for row in rows]
        with failing_as("bad_data", "The texts cannot be tokenised."):
            parts = tokenised(self.loaded, texts, room - 1)
        ends = self.ends() if training else []
        features = []
        for number, part in enumerate(parts):
            *begun, last = part.rows
            # A tokenizer may itself put an end behind each text.
            ended = [*last.ids, *(ends if last.ids[-1:] != ends else [])][:room]
            features += [self.feature(number, window.ids, window.start) for window in begun]
            features.append(self.feature(number, ended, last.start))
        return self.packed(features) if training and self.recipe.packing else features

    def read(self, output: Any, batch: Batch) -> list[tuple[float, int, bool]]:
        """Return of each window how likely its tokens are, how many, and whether each was the first choice."""
        logits = output.logits[:, :-1].float()  # (rows, width - 1, vocabulary)
        wanted = batch.targets[:, 1:]
        counts = wanted != IGNORED
        tokens = wanted.clamp(min=0)
        likely = logits.log_softmax(dim=-1).gather(2, tokens[:, :, None])[:, :, 0]
        sums = (likely.double() * counts).sum(dim=1).cpu().tolist()
        greedy = ((logits.argmax(dim=-1) == tokens) | ~counts).all(dim=1).cpu().tolist()
        return list(zip(sums, counts.sum(dim=1).cpu().tolist(), greedy, strict=True))

    def predictions(self, rows: Sequence[Row], features: Sequence[Feature], read: Sequence[Any]) -> list[Value]:
        """Return the likelihood of each text, added up over its windows."""
        found: list[Value] = [{"log_likelihood": 0.0, "tokens": 0, "greedy": True, "lossless": True} for _row in rows]
        for feature, (likely, tokens, greedy) in zip(features, read, strict=True):
            value = found[feature.row]
            value["log_likelihood"] += likely
            value["tokens"] += tokens
            value["greedy"] = value["greedy"] and greedy
        return [{**value, "log_likelihood": rounded(value["log_likelihood"])} for value in found]
