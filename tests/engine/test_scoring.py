"""Scoring takes what the sandbox handed back as hostile, and writes one complete result."""

import json
from pathlib import Path

import pytest

from tests.engine.builders import LABELS, write_jsonl
from worker.engine.contracts import EngineError, ScoreSpec
from worker.engine.scoring import score

GOLD = ["negative", "positive", "positive", "negative"]


def prediction(number: int, label: str, sure: float = 0.8) -> dict[str, object]:
    other = next(name for name in LABELS if name != label)
    return {"id": str(number), "label": label, "scores": {label: sure, other: round(1 - sure, 6)}}


def good_rows() -> list[dict[str, object]]:
    return [prediction(0, "negative"), prediction(1, "positive"), prediction(2, "negative"), prediction(3, "negative")]


@pytest.fixture
def spec(tmp_path: Path) -> ScoreSpec:
    gold = write_jsonl(tmp_path / "gold.jsonl", ({"id": str(i), "label": label} for i, label in enumerate(GOLD)))
    predictions = write_jsonl(tmp_path / "predictions.jsonl", good_rows())
    return ScoreSpec(
        task="text-classification",
        settings={"labels": LABELS},
        gold=str(gold),
        predictions=str(predictions),
        out=str(tmp_path / "score.json"),
        items=str(tmp_path / "items.json"),
        bootstrap=200,
    )


def test_a_score_is_written_whole(spec):
    result = score(spec)
    assert json.loads(Path(spec.out).read_text()) == result
    assert result["n"] == 4
    assert result["metrics"]["accuracy"]["value"] == 0.75
    assert result["primary"] == {"name": "f1_macro", **result["metrics"]["f1_macro"]}
    assert result["confusion"] == {"labels": LABELS, "rows": [[2, 0], [1, 1]]}
    assert result["per_class"][1] == {
        "label": "positive", "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2, "predicted": 1,
    }  # fmt: skip
    assert result["floors"]["majority"]["metrics"]["accuracy"] == 0.5


def test_every_measure_lies_in_its_own_interval(spec):
    metrics = score(spec)["metrics"]
    bounded = [value for value in metrics.values() if "low" in value]
    assert len(bounded) == 9
    assert all(value["low"] <= value["value"] <= value["high"] for value in bounded)
    assert {name for name, value in metrics.items() if "low" not in value} == {"ece"}
    methods = {name: metrics[name]["method"] for name in ("accuracy", "log_loss", "f1_macro")}
    assert methods == {"accuracy": "wilson", "log_loss": "normal", "f1_macro": "percentile_bootstrap"}


def test_the_interval_of_a_share_ends_at_all_of_it(tmp_path):
    gold = [{"id": str(i), "answers": ["red"], "passage": str(i)} for i in range(30)]
    said = [{"id": str(i), "text": "red" if i else "red or", "start": 0} for i in range(30)]
    found = score(
        ScoreSpec(
            task="question-answering",
            gold=str(write_jsonl(tmp_path / "gold.jsonl", gold)),
            predictions=str(write_jsonl(tmp_path / "predictions.jsonl", said)),
            out=str(tmp_path / "score.json"),
        )
    )["metrics"]["f1"]
    assert 0.97 < found["value"] < 1
    assert found["high"] == 1.0


def test_one_number_for_each_example_is_kept_for_tests_between_models(spec):
    score(spec)
    items = json.loads(Path(spec.items).read_text())
    assert items["ids"] == ["0", "1", "2", "3"]
    assert items["metrics"]["accuracy"] == [1, 1, 0, 1]
    assert items["metrics"]["log_loss"] == pytest.approx([0.223144, 0.223144, 1.609438, 0.223144], abs=1e-6)


def test_a_label_of_the_benchmark_that_never_occurs_still_counts(spec):
    wider = ScoreSpec(**{**vars(spec), "settings": {"labels": [*LABELS, "neutral"]}})
    rows = [row | {"scores": {**row["scores"], "neutral": 0.0}} for row in good_rows()]  # type: ignore[dict-item]
    write_jsonl(Path(spec.predictions), rows)
    assert score(wider)["primary"]["value"] == pytest.approx((0.8 + 2 / 3 + 0) / 3)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows[:-1], "4 rows are needed, 3 are given"),
        (lambda rows: [*rows, rows[0]], "4 rows are needed, 5 are given"),
        (lambda rows: [rows[1], rows[0], *rows[2:]], "not the id"),
        (lambda rows: [rows[0] | {"label": "other"}, *rows[1:]], "does not know"),
        (lambda rows: [rows[0] | {"extra": 1}, *rows[1:]], "exactly id, label and scores"),
        (lambda rows: [rows[0] | {"scores": {"negative": 1.0}}, *rows[1:]], "one score for each label"),
        (lambda rows: [rows[0] | {"scores": {"negative": True, "positive": 0}}, *rows[1:]], "number from 0 to 1"),
        (lambda rows: [rows[0] | {"scores": {"negative": "1", "positive": 0}}, *rows[1:]], "number from 0 to 1"),
        (lambda rows: [rows[0] | {"scores": {"negative": 0.0, "positive": 0.0}}, *rows[1:]], "add up to 1"),
        (lambda rows: [rows[0] | {"label": "positive"}, *rows[1:]], "highest score"),
    ],
)
def test_predictions_that_are_not_proper_are_refused(spec, spoil, says):
    write_jsonl(Path(spec.predictions), spoil(good_rows()))
    with pytest.raises(EngineError, match=says) as caught:
        score(spec)
    assert caught.value.code == "bad_predictions"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "-0.5"])
def test_scores_that_are_no_probabilities_are_refused(spec, value):
    lines = Path(spec.predictions).read_text().splitlines()
    lines[0] = f'{{"id": "0", "label": "negative", "scores": {{"negative": {value}, "positive": 0.2}}}}'
    Path(spec.predictions).write_text("\n".join(lines) + "\n")
    with pytest.raises(EngineError) as caught:
        score(spec)
    assert caught.value.code == "bad_predictions"


def test_predictions_behind_a_link_are_not_read(spec, tmp_path):
    Path(spec.predictions).rename(tmp_path / "elsewhere.jsonl")
    Path(spec.predictions).symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(EngineError, match="cannot be opened"):
        score(spec)


@pytest.mark.parametrize("line", ['{"id": "0"}', '{"id": "0", "label": "other"}', "[]", "nonsense", '{"id": 0}'])
def test_a_reference_that_cannot_be_used_is_refused(spec, line):
    Path(spec.gold).write_text(line + "\n")
    with pytest.raises(EngineError) as caught:
        score(spec)
    assert caught.value.code == "bad_gold"


def test_only_measures_with_an_interval_can_be_primary(spec):
    with pytest.raises(EngineError, match="primary must be one of: accuracy"):
        score(ScoreSpec(**{**vars(spec), "primary": "ece"}))
