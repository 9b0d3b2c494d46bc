"""A question and its passage to token ids, the passage in overlapping windows where it is too long for the model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as
from worker.engine.tokenizing import CHUNK, LoadedTokenizer, Tokens, tokens_of

# As the reference programs for SQuAD have them: a longer question is cut, and neighbours share so many tokens.
MAX_QUESTION = 64
OVERLAP = 128

Places = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a passage: where in the passage each of its tokens begins and ends, in characters."""

    starts: Places  # (tokens of the passage,)
    ends: Places  # (tokens of the passage,)
    # Whether a token has a character that is no space: an answer begins and ends with such a one.
    solid: npt.NDArray[np.bool_]  # (tokens of the passage,)


@dataclass(frozen=True, slots=True)
class Window:
    """One row for the model: a question and a piece of its passage."""

    question: int
    tokens: Tokens
    first: int  # the position of the piece's first token in the row
    piece: Piece


@dataclass(frozen=True, slots=True)
class Room:
    """How many tokens there are for a question, and how many for it and its piece together."""

    question: int
    both: int

    def piece(self, question: Encoding) -> int:
        """Return how many tokens of the passage fit beside a question."""
        return self.both - len(question.ids)


def windows_of(
    tokenizer: LoadedTokenizer, pairs: Sequence[tuple[str, str]], *, max_length: int, vocab_size: int, filler: int
) -> Iterator[Window]:
    """Yield the windows of each question and passage, in their order; `truncated` says that the question was cut.

    Each passage is tokenised once, however many questions are about it.
    """
    room = _room(tokenizer, max_length)
    for start in range(0, len(pairs), CHUNK):
        chunk = pairs[start : start + CHUNK]
        contexts = list(dict.fromkeys(context for _question, context in chunk))
        with failing_as("tokenizer_unreadable", "The tokenizer fails on the texts of the benchmark."):
            questions = tokenizer.tokenizer.encode_batch([question for question, _ in chunk], add_special_tokens=False)
            passages = dict(
                zip(contexts, tokenizer.tokenizer.encode_batch(contexts, add_special_tokens=False), strict=True)
            )
        pieces: dict[tuple[str, int], list[tuple[Encoding, Piece]]] = {}
        for number, (question, (_text, context)) in enumerate(zip(questions, chunk, strict=True), start=start):
            is_cut = len(question.ids) > room.question
            question.truncate(room.question)
            key = context, room.piece(question)
            if key not in pieces:
                pieces[key] = _pieces(tokenizer, context, passages[context], key[1])
            for encoding, piece in pieces[key]:
                row, first = _joined(tokenizer, question, encoding)
                tokens = tokens_of(row, vocab_size, filler)
                yield Window(number, Tokens(tokens.ids, tokens.type_ids, is_cut), first, piece)


def _room(tokenizer: LoadedTokenizer, max_length: int) -> Room:
    both = max_length - int(tokenizer.tokenizer.num_special_tokens_to_add(is_pair=True))
    if both < 4:
        raise EngineError(
            "tokenizer_mismatch",
            f"{max_length} tokens leave no room for a question and a passage: see max_position_embeddings of "
            "config.json and model_max_length of tokenizer_config.json.",
        )
    return Room(min(MAX_QUESTION, both // 2), both)


def _pieces(tokenizer: LoadedTokenizer, context: str, passage: Encoding, size: int) -> list[tuple[Encoding, Piece]]:
    if len(passage.ids) <= size:
        return [(passage, _piece(context, passage))]
    # Cutting changes an encoding, and questions of other lengths want this one cut elsewhere.
    whole = tokenizer.tokenizer.encode(context, add_special_tokens=False)
    whole.truncate(size, stride=min(OVERLAP, size // 2))
    return [(part, _piece(context, part)) for part in (whole, *whole.overflowing)]


def _piece(context: str, encoding: Encoding) -> Piece:
    places: Any = encoding.offsets
    solid = [not context[start:end].isspace() and start < end for start, end in places]
    starts, ends = (np.array([place[side] for place in places], dtype=np.int32) for side in (0, 1))
    return Piece(starts, ends, np.array(solid, dtype=bool))


def _joined(tokenizer: LoadedTokenizer, question: Encoding, piece: Encoding) -> tuple[Encoding, int]:
    """Return a question and a piece with the tokens between them, and where the piece begins."""
    with failing_as("tokenizer_unreadable", "The tokenizer cannot put a question and a passage together."):
        row = tokenizer.tokenizer.post_process(question, piece, add_special_tokens=True)
    sequences = row.sequence_ids
    first = sequences.index(1) if 1 in sequences else len(sequences)
    if sequences[first : first + len(piece.ids)] != [1] * len(piece.ids):
        raise EngineError("tokenizer_mismatch", "The tokenizer does not keep the tokens of a passage together.")
    return row, first
