"""Changed questions: which are asked, that they show no answer, and what becomes of the answers to them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.builders import LABELS, toy_rows, write_jsonl
from tests.engine.real_data import rows_of
from worker.engine.contracts import EngineError, PrepareSpec, RobustnessSpec, ScoreSpec
from worker.engine.perturbing.asking import FIXED, Changed, ask_changed
from worker.engine.perturbing.registry import PERTURBATIONS, perturb_question
from worker.engine.rows import prepare
from worker.engine.scoring import score
from worker.engine.statistics.intervals import wilson
from worker.engine.statistics.paired import paired_normal

Rows = list[dict[str, Any]]
SETTINGS = {"labels": LABELS}


def read(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def prepared(tmp_path: Path) -> Callable[..., Path]:
    def run(rows: Rows, *, slices: tuple[str, ...] = (), robustness: RobustnessSpec | None = None) -> Path:
        asked = robustness or RobustnessSpec(rows=50)
        prepare(
            PrepareSpec(
                task="text-classification",
                files={"test": str(write_jsonl(tmp_path / "test.jsonl", rows))},
                fields={"input": "text", "target": "label"},
                settings=SETTINGS,
                inputs=str(tmp_path / "inputs.jsonl"),
                gold=str(tmp_path / "gold.jsonl"),
                robustness=asked,
                slices=list(slices),
                perturbed=str(tmp_path / "perturbed.jsonl"),
                marks=str(tmp_path / "marks.json"),
            )
        )
        return tmp_path

    return run


def answers(rows: Rows, wrong: Callable[[dict[str, Any]], bool]) -> Rows:
    """Right answers but where `wrong` says so, with probabilities."""
    found = []
    for row in rows:
        right = row["label"]
        other = LABELS[1 - LABELS.index(right)]
        label, rest = (other, right) if wrong(row) else (right, other)
        found.append({"id": row["id"], "label": label, "scores": {label: 0.9, rest: 0.1}})
    return found


def scored(folder: Path, rows: Rows, wrong: Callable[[dict[str, Any]], bool], **options: Any) -> dict[str, Any]:
    """Score a model that goes wrong on a question by its text, clean or changed."""
    labels = {str(number): row["label"] for number, row in enumerate(rows)}
    marks = json.loads((folder / "marks.json").read_text())
    clean = [{"label": labels[row["id"]], **row} for row in read(folder / "inputs.jsonl")]
    of = [marks["rows"][place] for places in marks["changed"].values() for place in places]
    asked = zip(of, read(folder / "perturbed.jsonl"), strict=True)
    changed = [{"label": labels[str(row)], **question} for row, question in asked]
    return score(
        ScoreSpec(
            task="text-classification",
            settings=SETTINGS,
            gold=str(folder / "gold.jsonl"),
            predictions=str(write_jsonl(folder / "predictions.jsonl", answers(clean, wrong))),
            marks=str(folder / "marks.json"),
            perturbed=str(write_jsonl(folder / "changed.jsonl", answers(changed, wrong))),
            out=str(folder / "score.json"),
            bootstrap=200,
            **options,
        )
    )


def rows_with_ids(count: int) -> Rows:
    return [{"id": str(number), **row} for number, row in enumerate(toy_rows(count))]


def test_changed_questions_are_those_of_the_registry_and_show_no_answer(prepared):
    rows = rows_with_ids(120)
    folder = prepared(rows)
    asked = read(folder / "perturbed.jsonl")
    marks = json.loads((folder / "marks.json").read_text())
    assert [row["id"] for row in asked] == [str(number) for number in range(len(asked))]
    assert {key for row in asked for key in row} == {"id", "text"}
    at = 0
    for name, places in marks["changed"].items():
        for place in places:
            row = rows[marks["rows"][place]]
            question = {"id": row["id"], "text": row["text"]}
            assert asked[at]["text"] == perturb_question(name, "text-classification", question, seed=0)["text"]
            assert asked[at]["text"] != row["text"]
            at += 1
    assert at == len(asked)


def test_rows_are_spread_evenly_and_bounded(prepared):
    marks = json.loads((prepared(rows_with_ids(120)) / "marks.json").read_text())
    assert len(marks["rows"]) == 50
    assert (marks["rows"][0], marks["rows"][-1]) == (0, 119)
    assert max(np.diff(marks["rows"])) <= 3


def test_what_is_asked_goes_by_the_script_of_the_rows():
    def asked(text: str) -> Changed:
        return ask_changed("text-classification", ["0"], [{"text": text}], RobustnessSpec())

    latin, han = asked("It was Anna who liked London, not me."), asked("这部电影真的很好看，我非常喜欢。")
    assert {"keyboard", "lower_case", "suffix", "names", "places"} <= set(latin.changed) <= set(FIXED["latin"])
    assert {"homophone", "near_shape", "other_script", "punctuation_width"} <= set(han.changed) <= set(FIXED["han"])
    assert asked("это хорошо").questions == []


def test_only_what_leaves_the_answers_right_can_be_asked():
    for name in ("suffix", "swap"):
        with pytest.raises(EngineError, match="may change the right answers"):
            ask_changed("token-classification", ["0"], [{"tokens": ["a"]}], RobustnessSpec(perturbations=[name]))
    with pytest.raises(EngineError, match="there is no perturbation"):
        ask_changed("text-classification", ["0"], [{"text": "a"}], RobustnessSpec(perturbations=["magic"]))


def test_the_answers_to_changed_questions_are_counted_on_the_same_rows(prepared):
    rows = rows_with_ids(120)
    folder = prepared(rows)
    found = scored(folder, rows, lambda row: row["text"].isupper(), primary="mcc")["details"]["robustness"]
    (upper,) = [row for row in found["perturbations"] if row["name"] == "upper_case"]
    others = [row for row in found["perturbations"] if row["name"] != "upper_case"]
    assert (found["metric"], found["rows"], upper["n"]) == ("mcc", 50, 50)
    assert upper["flip_rate"]["value"] == 1.0
    assert all(row["drop"]["value"] == 0 and row["flip_rate"]["value"] == 0 for row in others)
    assert upper["value"] < upper["clean"] == 1.0


def test_the_drop_of_a_share_has_the_paired_interval_and_the_flip_rate_wilsons(prepared):
    rows = [{"id": str(number), "text": f"It was {'BAD' if number % 3 else 'bad'} 5 times", "label": "negative"}
            for number in range(60)]  # fmt: skip
    rows[0]["label"] = "positive"
    folder = prepared(rows, robustness=RobustnessSpec(rows=60, perturbations=["lower_case", "upper_case"]))
    found = scored(folder, rows, lambda row: "BAD" in row["text"], primary="accuracy")["details"]["robustness"]
    lower, upper = found["perturbations"]
    before = np.array([float(number % 3 == 0) for number in range(60)])
    expected = paired_normal(before, np.ones(60))
    assert (lower["clean"], lower["value"]) == (pytest.approx(20 / 60), 1.0)
    assert (lower["drop"]["low"], lower["drop"]["high"]) == (expected.low, expected.high)
    assert lower["flip_rate"]["value"] == wilson(40, 60).value
    assert upper["drop"]["value"] == pytest.approx(20 / 60)
    # What is lost of the score, mean of both: -2/3 of 1/3 and 1/3 of 1/3.
    assert found["relative_drop"] == pytest.approx((-2 + 1) / 2)
    # The same rows drawn for both: without capitals all are right, in capitals none.
    drawn = np.random.RandomState(0).randint(0, 60, size=(200, 60), dtype=np.int64)
    clean = (drawn % 3 == 0).mean(axis=1)
    shares = ((clean - 1) / clean + 1) / 2
    interval = found["relative_drop_interval"]
    assert (interval["low"], interval["high"]) == pytest.approx(tuple(np.percentile(shares, [2.5, 97.5])))
    assert interval["low"] < found["relative_drop"] < interval["high"]


def test_the_score_itself_is_the_same_with_and_without(prepared):
    rows = rows_with_ids(60)
    folder = prepared(rows)
    wrong = lambda row: row["text"].endswith("bad")  # noqa: E731
    whole = scored(folder, rows, wrong)
    plain = score(
        ScoreSpec(task="text-classification", settings=SETTINGS, gold=str(folder / "gold.jsonl"),
                  predictions=str(folder / "predictions.jsonl"), out=str(folder / "plain.json"), bootstrap=200)
    )  # fmt: skip
    same = ("metrics", "primary", "prediction_digest", "confusion", "floors")
    assert {name: whole[name] for name in same} == {name: plain[name] for name in same}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows[:-1], "rows are needed"),
        (lambda rows: rows[::-1], "has not the id that was asked for"),
        (lambda rows: [*rows[:-1], rows[-1] | {"label": "fine"}], "a label that the benchmark does not know"),
    ],
)
def test_answers_that_do_not_fit_the_changed_questions_are_refused(prepared, spoil, says):
    rows = rows_with_ids(60)
    folder = prepared(rows)
    scored(folder, rows, lambda row: False)
    write_jsonl(folder / "changed.jsonl", spoil(read(folder / "changed.jsonl")))
    with pytest.raises(EngineError, match=says) as caught:
        score(ScoreSpec(task="text-classification", settings=SETTINGS, gold=str(folder / "gold.jsonl"),
                        predictions=str(folder / "predictions.jsonl"), perturbed=str(folder / "changed.jsonl"),
                        marks=str(folder / "marks.json"), out=str(folder / "score.json")))  # fmt: skip
    assert caught.value.code == "bad_predictions"


@pytest.mark.parametrize(
    "change",
    [
        {"rows": [0, 0]},
        {"rows": [0, 10_000]},
        {"changed": {"magic": [0]}},
        {"changed": {"swap": [99]}},
        {"lengths": [1]},
        {"scripts": ["x" * 101] * 60},
        {"columns": {"a": ["b"]}},
        {"unknown": 1},
    ],
)
def test_marks_that_do_not_fit_the_rows_are_refused(prepared, change):
    rows = rows_with_ids(60)
    folder = prepared(rows)
    scored(folder, rows, lambda row: False)
    marks = json.loads((folder / "marks.json").read_text())
    (folder / "marks.json").write_text(json.dumps(marks | change))
    with pytest.raises(EngineError):
        score(ScoreSpec(task="text-classification", settings=SETTINGS, gold=str(folder / "gold.jsonl"),
                        predictions=str(folder / "predictions.jsonl"), perturbed=str(folder / "changed.jsonl"),
                        marks=str(folder / "marks.json"), out=str(folder / "score.json")))  # fmt: skip


def test_slices_go_by_length_script_and_the_columns_that_are_named(prepared):
    rows = [row | {"domain": "films" if number % 3 else "books"} for number, row in enumerate(rows_with_ids(120))]
    folder = prepared(rows, slices=("domain",))
    found = scored(folder, rows, lambda row: int(row["id"]) % 3 == 0 and len(row) == 3)["details"]["slices"]
    assert {row["by"] for row in found} == {"length", "script", "domain"}
    # Macro-F1 needs examples of both classes, so that parts are compared by the first measure that does not.
    assert {row["metric"] for row in found} == {"accuracy"}
    films, books = [row for row in found if row["by"] == "domain"]
    assert (films["name"], films["n"], films["value"]) == ("films", 80, 1.0)
    assert (books["name"], books["n"], books["value"]) == ("books", 40, 0.0)
    assert (films["low"], films["high"]) == (wilson(80, 80).low, wilson(80, 80).high)


def test_a_column_that_is_not_there_is_named(prepared):
    with pytest.raises(EngineError, match=r'line 1.*"domain"'):
        prepared(rows_with_ids(30), slices=("domain",))


@pytest.mark.parametrize("name", ["open/rotten_tomatoes", "open/xed_zh"])
def test_real_rows_in_both_languages_are_asked_in_many_ways_and_show_no_answer(prepared, name):
    rows = [{"id": str(n), "text": row["text"], "label": LABELS[n % 2]} for n, row in enumerate(rows_of(name, 60))]
    folder = prepared(rows)
    asked = read(folder / "perturbed.jsonl")
    assert {key for row in asked for key in row} == {"id", "text"}
    changed = json.loads((folder / "marks.json").read_text())["changed"]
    assert set(changed) <= set(PERTURBATIONS)
    assert sum(len(places) >= 20 for places in changed.values()) >= 6
