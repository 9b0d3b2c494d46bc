"""Texts behind contexts, and running text, to token ids by the rules of lm-eval, so that numbers can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.engine.contracts import EngineError
from worker.engine.load import LoadedModel
from worker.engine.tasks.likelihoods import Asked
from worker.engine.tokenizing import check_ids


@dataclass(frozen=True, slots=True)
class Row:
    """What a model reads at once; the tokens from `start` on are those whose likelihood counts."""

    ids: list[int]
    start: int

    @property
    def inputs(self) -> tuple[int, ...]:
        """The tokens that the model sees: the last one is only predicted."""
        return tuple(self.ids[:-1])


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one text: several where it is longer than the model reads."""

    rows: list[Row]
    tokens: int
    # Whether some of its context was cut off.
    truncated: bool


def prefix_token(model: LoadedModel) -> int:
    """Return the token that stands before a text without a context: that which begins texts, else which ends them."""
    config = model.config.config
    named = (getattr(config, name, None) for name in ("bos_token_id", "eos_token_id"))
    for number in (model.tokenizer.bos, model.tokenizer.eos, *named):
        if type(number) is int and 0 <= number < model.vocab_size:
            return number
    raise EngineError(
        "tokenizer_mismatch",
        "No token begins a text: neither bos_token nor eos_token of tokenizer_config.json is in the vocabulary. "
        "The likelihood of a first word needs one; save the tokenizer with it.",
    )


def tokenised(model: LoadedModel, texts: Sequence[Asked], max_length: int) -> list[Part]:
    """Return the rows of each text, none longer than `max_length`."""
    prefix = prefix_token(model)
    coder = _Coder(model, prefix)
    coder.learn([text for asked in texts for text in coder.needed(asked)])
    return [_part(coder.ids_of(asked), max_length, running=asked.context is None) for asked in texts]


def is_lossless(model: LoadedModel, text: str) -> bool:
    """Say whether the tokens of a text hold all of it but its white space."""
    ids = model.tokenizer.encode(text, special=False)
    return "".join(model.tokenizer.decode(ids).split()) == "".join(text.split())


class _Coder:
    """Tokenises each text once, however often it is a context."""

    def __init__(self, model: LoadedModel, prefix: int) -> None:
        self._model = model
        self._prefix = prefix
        # A text that begins with this itself does not get it again.
        self._prefix_text = model.tokenizer.decode([prefix], special=True)
        self._known: dict[tuple[str, bool], list[int]] = {}

    def needed(self, asked: Asked) -> list[tuple[str, bool]]:
        """Return what has to be tokenised for a text, and whether with the author's special tokens."""
        if asked.context is None:
            return [self._whole(asked.text)]
        if not asked.context:
            return [(asked.text, False)]
        context, text = _moved(asked)
        return [self._whole(context + text), self._whole(context)]

    def learn(self, texts: list[tuple[str, bool]]) -> None:
        """Tokenise texts."""
        for special in (True, False):
            wanted = list(dict.fromkeys(text for text, with_special in texts if with_special is special))
            found = self._model.tokenizer.encode_all(wanted, special=special)
            for ids in found:
                check_ids(ids, self._model.vocab_size)
            self._known |= {(text, special): ids for text, ids in zip(wanted, found, strict=True)}

    def ids_of(self, asked: Asked) -> Row:
        """Return all tokens of a text behind its context."""
        first, *rest = (self._known[key] for key in self.needed(asked))
        if asked.context is None:
            return Row([self._prefix, *first], 1)
        if rest:
            (context,) = rest
            before, text = context or [self._prefix], first[len(context) :]
        elif first[:1] == [self._prefix]:
            before, text = first[:1], first[1:]
        else:
            before, text = [self._prefix], first
        if not text:
            raise EngineError(
                "tokenizer_mismatch",
                f"The tokenizer makes no token of {asked.text[:80]!r}, so that it has no likelihood. "
                "Train one that knows every byte, or that has a token for unknown characters.",
            )
        return Row([*before, *text], len(before))

    def _whole(self, text: str) -> tuple[str, bool]:
        return text, not text.startswith(self._prefix_text)


def _moved(asked: Asked) -> tuple[str, str]:
    """Move white space at the end of a context to the text behind it, as tokens of words begin with their space."""
    assert asked.context
    context = asked.context.rstrip()
    return context, asked.context[len(context) :] + asked.text


def _part(whole: Row, limit: int, *, running: bool) -> Part:
    """Cut into rows that predict as many tokens as the model reads; context is cut off from the left."""
    ids, at = whole.ids, whole.start
    truncated = not running and len(ids) > limit + 1
    rows = []
    while at < len(ids):
        end = min(at + limit, len(ids))
        row = ids[max(0, end - limit - 1) : end]
        rows.append(Row(row, len(row) - (end - at)))
        at = end
    return Part(rows, len(ids) - whole.start, truncated)
