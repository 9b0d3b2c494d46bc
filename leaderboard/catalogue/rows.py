"""What a row of each kind of task must be like. A row that is not refuses the file, and says which line it was."""

from collections.abc import Callable, Sequence
from typing import Any

from leaderboard.catalogue.refusals import ImportRefused, shown

Row = dict[str, Any]
MAX_TEXT = 400_000
MAX_CHOICES = 26
MAX_CANDIDATES = 1000
NEAR = 200  # how far from its stated place an answer is looked for


def checked(task: str, row: Row, labels: Sequence[str]) -> Row:
    """Return the row, its answers put right where only their place was wrong; raises ImportRefused."""
    return CHECKS[task](row, labels)


def _texts(row: Row, *names: str) -> None:
    for name in names:
        value = row.get(name)
        if not isinstance(value, str) or not value.strip():
            raise ImportRefused("empty_text", column=name)
        _fits(name, value)


def checked_text(name: str, value: str) -> None:
    """Raise ImportRefused for text that a file or a page cannot hold."""
    _fits(name, value)


def _fits(name: str, value: str) -> None:
    if len(value) > MAX_TEXT or "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise ImportRefused("bad_text", column=name)


def _label(row: Row, labels: Sequence[str]) -> None:
    if row["label"] not in labels:
        raise ImportRefused("unknown_value", column="label", value=shown(row["label"]))


def _classified(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "text")
    _label(row, labels)
    return row


def _labelled(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "text")
    for label in row["labels"]:
        _label({"label": label}, labels)
    return row


def _pair(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "text1", "text2")
    _label(row, labels)
    return row


def _scored_pair(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "text1", "text2")
    if not isinstance(row["score"], float) or not abs(row["score"]) < 1e6:
        raise ImportRefused("not_a_number", value=shown(row["score"]))
    return row


def _tagged(row: Row, labels: Sequence[str]) -> Row:
    tokens, tags = row["tokens"], row["tags"]
    if not tokens or len(tokens) != len(tags):
        raise ImportRefused("uneven_tags", tokens=len(tokens), tags=len(tags))
    for token in tokens:
        _texts({"tokens": token}, "tokens")
    for tag in tags:
        if tag != "O" and tag[2:] not in labels:
            raise ImportRefused("unknown_value", column="tags", value=shown(tag))
    return row


def _answered(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "context", "question")
    answers = []
    for answer in row["answers"]:
        text = answer["text"]
        _texts({"answers": text}, "answers")
        start = _place(row["context"], text, answer.get("start"))
        if start is not None and {"text": text, "start": start} not in answers:
            answers.append({"text": text, "start": start})
    if row["answers"] and not answers:
        raise ImportRefused("no_answer", value=shown(row["answers"][0]["text"]))
    return row | {"answers": answers}


def _place(context: str, text: str, start: int | None) -> int | None:
    """Return where the answer stands: as said, else nearest to it, else first; None where it stands nowhere."""
    if start is None:
        at = context.find(text)
        return at if at >= 0 else None
    if start >= 0 and context.startswith(text, start):
        return start
    before = context.rfind(text, max(0, start - NEAR), max(0, start) + len(text))
    after = context.find(text, max(0, start), max(0, start) + NEAR + len(text))
    places = [at for at in (before, after) if at >= 0]
    return min(places, key=lambda at: abs(at - start)) if places else None


def _chosen(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "question")
    if not 2 <= len(row["choices"]) <= MAX_CHOICES:
        raise ImportRefused("few_choices", found=len(row["choices"]))
    for choice in row["choices"]:
        _texts({"choices": choice}, "choices")
    if not 0 <= row["answer"] < len(row["choices"]):
        raise ImportRefused("not_a_choice", value=shown(row["answer"]))
    return row


def _minimal_pair(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "good", "bad")
    return row


def _generated(row: Row, labels: Sequence[str]) -> Row:
    answers = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
    _texts(row, "question")
    if not answers:
        raise ImportRefused("no_answer", value="")
    for answer in answers:
        _texts({"answer": answer}, "answer")
    return row


def _translated(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "source", "target")
    return row


def _summarized(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "text", "summary")
    return row


def _searched(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "id", "query")
    return row


def _ranked(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "query")
    if not 2 <= len(row["candidates"]) <= MAX_CANDIDATES:
        raise ImportRefused("few_choices", found=len(row["candidates"]))
    for candidate in row["candidates"]:
        _texts({"candidates": candidate}, "candidates")
    return row


def _modelled(row: Row, labels: Sequence[str]) -> Row:
    _texts(row, "text", *(["context"] if "context" in row else []))
    return row


def _seen(row: Row, labels: Sequence[str]) -> Row:
    _label(row, labels)
    return row


# By the public name of the task.
CHECKS: dict[str, Callable[[Row, Sequence[str]], Row]] = {
    "text-classification": _classified,
    "multi-label-classification": _labelled,
    "text-pair-classification": _pair,
    "sentence-similarity": _scored_pair,
    "text-retrieval": _searched,
    "text-ranking": _ranked,
    "token-classification": _tagged,
    "question-answering": _answered,
    "multiple-choice": _chosen,
    "minimal-pairs": _minimal_pair,
    "text-generation": _generated,
    "translation": _translated,
    "summarization": _summarized,
    "language-modeling": _modelled,
    "image-classification": _seen,
}
# The column of each row that the task gives each of its roles.
COLUMNS: dict[str, tuple[str, ...]] = {
    "text-classification": ("text", "label"),
    "multi-label-classification": ("text", "labels"),
    "text-pair-classification": ("text1", "text2", "label"),
    "sentence-similarity": ("text1", "text2", "score"),
    "text-retrieval": ("query", "relevant"),
    "text-ranking": ("query", "candidates", "relevance"),
    "token-classification": ("tokens", "tags"),
    "question-answering": ("context", "question", "answers"),
    "multiple-choice": ("question", "choices", "answer"),
    "minimal-pairs": ("good", "bad"),
    "text-generation": ("question", "answer"),
    "translation": ("source", "target"),
    "summarization": ("text", "summary"),
    "language-modeling": ("text",),
    "image-classification": ("image", "label"),
}
# Columns that only some sets of a task have.
OPTIONAL: dict[str, tuple[str, ...]] = {
    "multiple-choice": ("subject",),
    "minimal-pairs": ("phenomenon",),
    "language-modeling": ("context",),
}
