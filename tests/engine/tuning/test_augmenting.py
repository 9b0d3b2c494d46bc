"""Augmented rows say the same in other words: seeded, anew each epoch, and with the labels they had."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.engine.tuning.arranged import records, run, spec_of
from worker.engine.contracts import EngineError
from worker.engine.tuning import augmenting, script
from worker.engine.tuning.augmenting import lexicon, tagged, texts
from worker.engine.tuning.augmenting.lexicon import Lexicon
from worker.engine.tuning.contracts import Recipe
from worker.engine.tuning.objectives.objective import Row

pytestmark = pytest.mark.engine

WORDS = Lexicon({"film": ["movie"], "good": ["fine", "quite nice"], "电影": ["影片"], "喜欢": ["喜爱"]})
TEXT = "The film was good but I did not like the long ending"
HAN = "我很喜欢这部电影，不喜欢结尾"
KINDS = list(augmenting.TEXTS)
SHORT = Recipe(epochs=2, lr=5e-3, batch_size=32, dropout=0.1, augment_swap=0.3, augment_characters=0.3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [TEXT, HAN])
def test_a_change_is_the_same_for_a_seed_and_keeps_negations(kind: str, text: str) -> None:
    change = augmenting.TEXTS[kind]
    found = {change(text, Random(seed), 0.3, WORDS) for seed in range(20)}
    assert change(text, Random(4), 0.3, WORDS) == change(text, Random(4), 0.3, WORDS)
    assert found != {text}
    assert all((" not " if text is TEXT else "不") in changed for changed in found)
    if kind != "characters":
        assert all("not like" in changed or "不" in changed for changed in found)


def test_synonyms_are_written_as_large_as_the_word_and_chinese_words_are_found_without_spaces() -> None:
    assert texts.synonyms("Film. FILM! film", Random(1), 1.0, WORDS) == "Movie. MOVIE! movie"
    assert texts.synonyms("很喜欢电影", Random(1), 1.0, WORDS) == "很喜爱影片"


def test_addresses_stay_as_they_are() -> None:
    text = "see https://film.example/good and good good film"
    for kind in KINDS:
        for seed in range(10):
            assert "https://film.example/good" in augmenting.TEXTS[kind](text, Random(seed), 0.5, WORDS)


@pytest.mark.parametrize("kind", KINDS)
def test_entities_stay_whole_and_words_keep_their_tags(kind: str) -> None:
    words = "yesterday Anna Maria Lopez did not watch the good long film in New York again".split()
    tags = "O B-PER I-PER I-PER O O O O O O O O B-LOC I-LOC O".split()
    pairs = dict(zip(words, tags, strict=True))
    for seed in range(20):
        changed, new_tags = augmenting.TAGGED[kind]((words, tags), Random(seed), 0.4, WORDS)
        assert len(changed) == len(new_tags)
        assert [tag for tag in new_tags if tag != "O"] == [tag for tag in tags if tag != "O"]
        assert all(pairs.get(word, tag) == tag for word, tag in zip(changed, new_tags, strict=True))
        assert not any(" " in word for word in changed)
        # No entity is cut in two.
        assert all(new_tags[at - 1] != "O" for at, tag in enumerate(new_tags) if tag.startswith("I-"))
    assert tagged.delete((["a"], ["O"]), Random(1), 0.9, None) == (["a"], ["O"])


def test_rows_change_with_the_epoch_and_copies_leave_the_row_alone() -> None:
    rows = [Row({"text": TEXT}, {"label": "good"})]
    asked = augmenting.Augmenting(rows, {"swap": 0.3, "insert": 0.3}, share=1.0, copies=0, seed=1, lexicon=None)
    found = [asked.row(epoch, 0, 0) for epoch in range(8)]
    assert found == [asked.row(epoch, 0, 0) for epoch in range(8)]
    assert len({json.dumps(row.question) for row in found if row}) > 2
    assert all(row.gold == rows[0].gold for row in found if row)
    with_copies = replace(asked, copies=2)
    assert with_copies.row(0, 0, 0) is None
    assert with_copies.row(0, 0, 1) != with_copies.row(0, 0, 2)
    assert replace(asked, share=0.0).row(0, 0, 0) is None


def test_of_a_pair_both_texts_change_and_nothing_is_left_out() -> None:
    rows = [Row({"text": TEXT, "text2": TEXT + " again"}, {"label": "good"})]
    asked = augmenting.Augmenting(rows, {"swap": 0.3}, share=1.0, copies=0, seed=1, lexicon=None)
    changed = asked.row(0, 0, 0)
    assert changed is not None
    assert all(changed.question[name] != rows[0].question[name] for name in ("text", "text2"))
    assert replace(asked, rates={"delete": 0.3, "insert": 0.3}).row(0, 0, 0) is None


def test_a_run_goes_on_after_it_was_killed_with_the_rows_it_would_have_had(tmp_path: Path) -> None:
    from worker.engine.tuning.training import Training

    recipe = replace(SHORT, augment_copies=1, augment_share=0.8)
    whole = run(spec_of(tmp_path / "whole", recipe=recipe, dev=None))
    assert whole["steps"] == 16  # 120 rows and as many copies, twice
    spec = spec_of(tmp_path / "cut", recipe=recipe, dev=None, checkpoint_seconds=0.0)
    steps = Training._step
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "_step", lambda self, stride: _stopping(self, stride, steps))
        with pytest.raises(KeyboardInterrupt):
            run(spec)
    assert run(spec)["attempts"] == 2
    losses = [[one["loss"] for one in records(tmp_path / name / "run", "step")] for name in ("whole", "cut")]
    assert losses[0] == losses[1]


def _stopping(training: Any, stride: Any, steps: Any) -> None:
    if training.at.step == 11:
        raise KeyboardInterrupt
    steps(training, stride)


def test_augmented_rows_move_the_numbers_of_a_run_and_there_is_no_script(tmp_path: Path) -> None:
    spec = spec_of(tmp_path / "with", recipe=SHORT, dev=None)
    plain = spec_of(tmp_path / "without", recipe=replace(SHORT, augment_swap=0, augment_characters=0), dev=None)
    assert run(spec)["steps"] == run(plain)["steps"]
    losses = [[one["loss"] for one in records(Path(one.out_dir), "step")] for one in (spec, plain)]
    assert losses[0] != losses[1]
    assert "augmented" in (script.refusal(spec) or "")
    assert script.refusal(plain) is None


@pytest.mark.parametrize(
    ("changes", "more", "message"),
    [
        ({"augment_synonyms": 0.1}, {}, "needs a lexicon"),
        ({"few_rows": True}, {}, "few_rows"),
        ({}, {"task": "text-regression"}, "augment_swap is possible for"),
        ({"augment_delete": 0.1}, {"task": "text-pair-classification"}, "augment_delete is possible for"),
    ],
)
def test_what_would_make_labels_wrong_is_refused(
    tmp_path: Path, changes: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    recipe = replace(SHORT, **changes)
    with pytest.raises(EngineError, match=message):
        augmenting.find(spec_of(tmp_path, recipe=recipe, **more), [])


@pytest.mark.parametrize(
    "content",
    ['{"Film": ["movie", "film", 7], "x": "y"}', "Film\tmovie\t\nx\ty\nalone\n"],
)
def test_a_lexicon_is_json_or_lines(tmp_path: Path, content: str) -> None:
    (tmp_path / "words").write_text("\ufeff" + content, encoding="utf-8")
    assert lexicon.read(str(tmp_path / "words")).synonyms == {"film": ["movie"], "x": ["y"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe\x00", "UTF-8"), (b'{"a": ', "not JSON"), (b'{"a": 3}', "list of words"), (b"one\ntwo\n", "no words")],
)
def test_a_lexicon_that_is_none_says_what_to_mend(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "words").write_bytes(content)
    with pytest.raises(EngineError, match=message):
        lexicon.read(str(tmp_path / "words"))
