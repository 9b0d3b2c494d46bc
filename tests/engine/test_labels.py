"""The labels of a model find those of a benchmark, or the error says how to declare the map."""

import pytest

from worker.engine.contracts import EngineError
from worker.engine.labels import model_labels, resolve_labels

WANTED = ["negative", "positive"]


def test_equal_names_correspond_in_any_order():
    assert resolve_labels(["positive", "negative"], WANTED, None) == [1, 0]


def test_names_that_differ_in_case_or_edge_spaces_correspond():
    assert resolve_labels(["POSITIVE", " Negative"], WANTED, None) == [1, 0]


def test_case_decides_where_the_benchmark_has_both():
    assert resolve_labels(["A", "a"], ["a", "A"], None) == [1, 0]


def test_several_labels_may_lead_to_one():
    declared = {"1 star": "negative", "2 stars": "negative", "5 stars": "positive"}
    assert resolve_labels(["1 star", "2 stars", "5 stars"], WANTED, declared) == [0, 0, 1]


def test_a_declared_map_overrules_names_that_look_right():
    assert resolve_labels(WANTED, WANTED, {"negative": "positive", "positive": "negative"}) == [1, 0]


@pytest.mark.parametrize(
    ("own", "declared", "says"),
    [
        (["LABEL_0", "LABEL_1"], None, "No benchmark label corresponds to: 'LABEL_0', 'LABEL_1'"),
        (["negative", "positive", "neutral"], None, "corresponds to: 'neutral'"),
        (["negative", "NEGATIVE"], None, "No model label leads to: 'positive'"),
        (["LABEL_0", "LABEL_1"], {"LABEL_2": "positive"}, "labels that the model does not have: 'LABEL_2'"),
        (["LABEL_0", "LABEL_1"], {"LABEL_0": "good"}, "labels that the benchmark does not have: 'good'"),
    ],
)
def test_a_mismatch_shows_both_sets_and_the_way_out(own, declared, says):
    with pytest.raises(EngineError) as caught:
        resolve_labels(own, WANTED, declared)
    assert caught.value.code == "label_mismatch"
    for part in (says, f"Model: {own[0]!r}", "Benchmark: 'negative', 'positive'", "label_map"):
        assert part in caught.value.message


def test_a_config_without_names_has_numbered_labels():
    assert model_labels({}) == ["LABEL_0", "LABEL_1"]
    assert model_labels({"num_labels": 3}) == ["LABEL_0", "LABEL_1", "LABEL_2"]


@pytest.mark.parametrize(
    "config",
    [
        {"num_labels": 0},
        {"num_labels": 10**9},
        {"num_labels": True},
        {"id2label": ["a", "b"]},
        {"id2label": {}},
        {"id2label": {"0": "a", "2": "b"}},
        {"id2label": {"0": "a", "1": 7}},
        {"id2label": {"0": "a", "1": "b" * 300}},
        {"id2label": {str(index): str(index) for index in range(1001)}},
    ],
)
def test_labels_that_cannot_be_used_are_refused(config):
    with pytest.raises(EngineError) as caught:
        model_labels(config)
    assert caught.value.code == "bad_config"
