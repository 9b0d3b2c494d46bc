"""The first examples that a model got wrong, read beside each other from the data and from what the model answered."""

from collections.abc import Callable, Mapping
from itertools import islice

from leaderboard.examples import (
    MAX_BYTES,
    MAX_TEXT,
    SHOWN,
    Mistake,
    Pairs,
    Row,
    json_lines,
    label_in,
    list_in,
    rows_in,
)
from leaderboard.likely import hardest_texts, wrong_choices, wrong_pairs
from leaderboard.marking import entities_of, marked_words
from leaderboard.models import Benchmark, Evaluation
from leaderboard.orders import farthest_pairs, misplaced_candidates, missed_documents
from leaderboard.passages import wrong_answers
from leaderboard.seen import wrong_boxes, wrong_images
from leaderboard.written import first_answers, wrong_words
from models_hub import contents


def first_mistakes(evaluation: Evaluation) -> list[Mistake]:
    """Return at most SHOWN wrong answers; reads no more than the first megabyte of either file."""
    if evaluation.predictions is None:
        return []
    benchmark = evaluation.benchmark
    rows = rows_in(benchmark, benchmark.split_path)
    answers = json_lines(b"".join(contents.stream(evaluation.predictions, 0, MAX_BYTES)))
    # The engine answers in the order of the data; where a file was cut, the shorter one decides.
    pairs = zip(rows, answers, strict=False)
    read = READERS.get(benchmark.task)
    return read(benchmark, pairs) if read else []


def _wrong_labels(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first answers that are not the right label."""
    wrong = (
        _mistake(benchmark, row, answer, label, str(answer.get("label", "")))
        for row, answer in pairs
        if (label := label_in(row.get(benchmark.fields["target"]), benchmark.labels)) and label != answer.get("label")
    )
    return list(islice(wrong, SHOWN))


def _wrong_sets(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first answers in which a label is missing or too many."""
    found: list[Mistake] = []
    for row, answer in pairs:
        right = labels_in(row.get(benchmark.fields["target"]), benchmark.labels)
        given = answer.get("labels")
        if right is None or not isinstance(given, list) or right == {str(label) for label in given}:
            continue
        words = ", ".join(label for label in benchmark.labels if label in right)
        found.append(_mistake(benchmark, row, answer, words or "–", ", ".join(map(str, given)) or "–"))
        if len(found) == SHOWN:
            break
    return found


def _farthest(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the answers that are farthest off."""
    found: list[tuple[float, Mistake]] = []
    for row, answer in pairs:
        try:
            right, given = float(row[benchmark.fields["target"]]), float(answer["value"])
        except (KeyError, TypeError, ValueError):
            continue
        found.append((abs(right - given), _mistake(benchmark, row, answer, f"{right:g}", f"{given:.3g}")))
    found.sort(key=lambda pair: -pair[0])
    return [mistake for off, mistake in found[:SHOWN] if off > 0]


def _wrong_tags(benchmark: Benchmark, pairs: Pairs) -> list[Mistake]:
    """Return the first sentences whose entities are not those of the reference, with both marked."""
    found: list[Mistake] = []
    for row, answer in pairs:
        words, tags = list_in(row.get(benchmark.fields["input"])), list_in(row.get(benchmark.fields["target"]))
        given = list_in(answer.get("tags"))
        if not words or not len(words) == len(tags) == len(given):
            continue
        wanted, said = entities_of([label_in(tag, benchmark.labels) for tag in tags]), entities_of(given)
        if wanted != said:
            pieces = marked_words([str(word) for word in words], wanted, said)
            found.append(Mistake(str(answer.get("id", "")), "", "", "", "", None, pieces))
        if len(found) == SHOWN:
            break
    return found


READERS: Mapping[str, Callable[[Benchmark, Pairs], list[Mistake]]] = {
    Benchmark.Task.TEXT_CLASSIFICATION: _wrong_labels,
    Benchmark.Task.PAIR_CLASSIFICATION: _wrong_labels,
    Benchmark.Task.MULTI_LABEL: _wrong_sets,
    Benchmark.Task.REGRESSION: _farthest,
    Benchmark.Task.TOKEN_CLASSIFICATION: _wrong_tags,
    Benchmark.Task.QUESTION_ANSWERING: wrong_answers,
    Benchmark.Task.SENTENCE_SIMILARITY: farthest_pairs,
    Benchmark.Task.TEXT_RETRIEVAL: missed_documents,
    Benchmark.Task.TEXT_RANKING: misplaced_candidates,
    Benchmark.Task.LANGUAGE_MODELING: hardest_texts,
    Benchmark.Task.MULTIPLE_CHOICE: wrong_choices,
    Benchmark.Task.MINIMAL_PAIRS: wrong_pairs,
    Benchmark.Task.IMAGE_CLASSIFICATION: wrong_images,
    Benchmark.Task.OBJECT_DETECTION: wrong_boxes,
    Benchmark.Task.FILL_MASK: wrong_words,
    Benchmark.Task.TEXT_GENERATION: first_answers,
    Benchmark.Task.TRANSLATION: first_answers,
    Benchmark.Task.SUMMARIZATION: first_answers,
}


def _mistake(benchmark: Benchmark, row: Row, answer: Row, right: str, given: str) -> Mistake:
    fields, scores = benchmark.fields, answer.get("scores")
    confidence = scores.get(given) if isinstance(scores, dict) else None
    return Mistake(
        id=str(answer.get("id", "")),
        text=str(row.get(fields["input"], ""))[:MAX_TEXT],
        text2=str(row.get(fields.get("input2", ""), ""))[:MAX_TEXT],
        label=right,
        answer=given,
        confidence=confidence if isinstance(confidence, int | float) else None,
    )


def labels_in(value: object, labels: list[str]) -> set[str] | None:
    """Return the labels of a row as the engine reads them: a list, or text with commas between them."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            value = list_in(value)
        else:
            value = [value] if value in labels else [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list):
        return None
    found = [label_in(item, labels) for item in value]
    return None if None in found else {label for label in found if label}
