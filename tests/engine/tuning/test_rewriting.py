"""Rows that other models wrote otherwise: asked once, taken anew each epoch, and nothing hostile believed."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.engine.tuning.arranged import records, run, spec_of
from tests.engine.tuning.exported import with_head
from worker.engine.contracts import EngineError
from worker.engine.progress import Progress
from worker.engine.tuning.augmenting import find, rewriting
from worker.engine.tuning.augmenting.rewritten import Rewritten, read
from worker.engine.tuning.contracts import REWRITTEN_FILE, Recipe, RewriteSpec
from worker.engine.tuning.objectives.objective import Row

pytestmark = pytest.mark.engine
PLAIN = Row({"text": "The Film was not good and long"}, {"label": "negative"})
TAGGED = Row({"tokens": ["Ann", "saw", "no", "film"], "tags": []}, {"tags": ["B-PER", "O", "O", "O"]})


def spec(place: Path, **changes: Any) -> RewriteSpec:
    values: dict[str, Any] = {"task": "text-classification", "train": "", "out_dir": str(place), "words_dir": "x"}
    return RewriteSpec(**values | changes)


def test_gaps_are_words_whose_change_turns_no_sense_around() -> None:
    found = {word for seed in range(40) for _name, _span, word, _text in rewriting.gaps_of(PLAIN, Random(seed))}
    assert found == {"The", "Film", "was", "good", "and", "long"}
    [(name, span, word, text)] = [*rewriting.gaps_of(PLAIN, Random(3))][:1]
    assert (name, PLAIN.question["text"][slice(*span)]) == ("text", word)
    assert text.replace(rewriting.GAP, word) == PLAIN.question["text"]
    tagged = {word for seed in range(20) for _name, _span, word, _text in rewriting.gaps_of(TAGGED, Random(seed))}
    assert tagged == {"saw", "film"}


def test_proposals_are_other_words_of_the_same_script() -> None:
    assert rewriting.fitting("Film", ["film", "movie", "not", "##ing", "影片", "show"]) == ["Movie", "Show"]
    assert rewriting.fitting("片", ["影", "不", "film"]) == ["影"]


def test_a_model_is_asked_for_words_and_a_training_takes_them(bert_folder: Path, tmp_path: Path) -> None:
    words = with_head(bert_folder, tmp_path / "words", "ForMaskedLM")
    trained = spec_of(tmp_path, recipe=Recipe(epochs=1, batch_size=16, augment_fill=0.5, augment_copies=1))
    asked = spec(tmp_path / "made", train=trained.train, words_dir=str(words), max_rows=20)
    report = rewriting.rewrite(asked, Progress(StringIO()))
    assert 0 < report["words"] <= report["asked"] == 20
    made = tmp_path / "made" / REWRITTEN_FILE
    first = made.read_bytes()
    rewriting.rewrite(asked, Progress(StringIO()))
    assert made.read_bytes() == first
    with pytest.raises(EngineError, match="rewrite"):
        run(trained)
    run(replace(trained, rewritten=str(made)))
    assert records(tmp_path / "run", "step")


def test_texts_go_there_and_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [{"id": str(n), "question": {"text": text}, "gold": {}} for n, text in enumerate(["a b", "same", "a b"])]
    (tmp_path / "rows").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    sent: list[list[str]] = []

    def answers(_task: str, _spec: Any, folder: str, questions: list[Any], *_more: Any) -> list[Any]:
        sent.append([question["source"] for question in questions])
        return [{"text": text.upper() if folder == "t" else text.lower().replace("a", "c")} for text in sent[-1]]

    monkeypatch.setattr(rewriting, "_answers", answers)
    asked = spec(tmp_path, train=str(tmp_path / "rows"), words_dir=None, there_dir="t", back_dir="b")
    assert rewriting.rewrite(asked, Progress(StringIO()))["back"] == 3
    assert sent == [["a b", "same"], ["A B", "SAME"]]  # each text once
    lines = [json.loads(line) for line in (tmp_path / REWRITTEN_FILE).read_text("utf-8").splitlines()]
    assert [line["back"] for line in lines] == [{"text": "c b"}, {"text": "scme"}, {"text": "c b"}]


def test_each_epoch_takes_of_it_what_seed_and_row_say(tmp_path: Path) -> None:
    made = {
        "row": 0,
        "words": {"text": [[4, 8, ["Movie", "Show"]], [17, 21, ["fine"]]]},
        "back": {"text": "It was bad"},
    }
    path = tmp_path / "made.jsonl"
    path.write_text(json.dumps(made) + "\n", encoding="utf-8")
    base = spec_of(tmp_path)
    recipe = Recipe(augment_fill=0.5, augment_back=True, augment_share=1.0)
    augmented = find(replace(base, recipe=recipe, rewritten=str(path)), [PLAIN, PLAIN])
    assert augmented is not None
    found = [augmented.row(epoch, 0, 0) for epoch in range(30)]
    assert found == [augmented.row(epoch, 0, 0) for epoch in range(30)]
    texts = {row.question["text"] for row in found if row is not None}
    assert "It was bad" in texts
    assert {"The Movie was not good and long", "The Film was not fine and long"} < texts
    assert all(row is None or row.gold == PLAIN.gold for row in found)
    assert augmented.row(0, 1, 0) is None  # nothing was made of it


@pytest.mark.parametrize(
    "line",
    [
        {"row": 9, "back": {"text": "x"}},
        {"row": 0, "words": {"text": [[0, 99, ["x"]]]}},
        {"row": 0, "words": {"text": [[3, 1, ["x"]]]}},
        {"row": 0, "words": {"text": [[0, 1, ["x" * 999]]]}},
        {"row": 0, "words": {"text": "abc"}},
        {"row": 0, "words": [], "back": {"text": "y" * 9999}},
        {"row": 0, "back": {"text": 3, "other": "x"}},
        {"row": "0"},
        [],
    ],
)
def test_what_fits_no_row_is_left_out(tmp_path: Path, line: Any) -> None:
    path = tmp_path / "made.jsonl"
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert read(str(path), [PLAIN]).get(0, Rewritten()) == Rewritten(words={}, back={}) or read(str(path), [PLAIN]) == {
        0: Rewritten(words={"text": []}, back={})
    }
