"""Specs are taken strictly: an unknown, missing or wrongly typed key is an error that names it."""

import pytest

from tests.engine.builders import LABELS
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, TrainSpec
from worker.engine.decoding import decode

EVALUATE = {
    "task": "text-classification",
    "model_dir": "m",
    "inputs": "i",
    "out_dir": "o",
    "labels": LABELS,
}


def test_a_spec_is_decoded_with_what_it_holds_and_defaults():
    spec = decode(EvaluateSpec, EVALUATE | {"label_map": {"a": "positive"}, "max_length": None})
    assert (spec.label_map, spec.max_length, spec.dtype) == ({"a": "positive"}, None, "float32")


def test_a_whole_number_is_a_number():
    assert decode(TrainSpec, {"train": "t", "dev": "d", "labels": LABELS, "out_dir": "o", "dropout": 0}).dropout == 0.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"surprise": 1}, "unknown keys: surprise"),
        ({"task": "translation"}, "spec.task must be one of: text-classification"),
        ({"threads": True}, "spec.threads must be int"),
        ({"threads": "2"}, "spec.threads must be int"),
        ({"threads": 0}, "threads must be 1 to 256"),
        ({"labels": "ab"}, "spec.labels must be list"),
        ({"labels": ["a", 1]}, r"spec.labels\[1\] must be str"),
        ({"labels": ["a"]}, "2 to 1000"),
        ({"labels": ["a", "a"]}, "must not repeat"),
        ({"labels": ["a", " "]}, "must not be empty"),
        ({"label_map": {"a": 1}}, "spec.label_map.a must be str"),
        ({"max_length": 4}, "max_length must be 8 to 8192"),
        ({"seed": -1}, "seed must be"),
        ({"dtype": "int4"}, "spec.dtype must be one of"),
    ],
)
def test_a_wrong_key_is_named(changes, says):
    with pytest.raises(EngineError, match=says) as caught:
        decode(EvaluateSpec, EVALUATE | changes)
    assert caught.value.code == "bad_spec"


def test_missing_and_nested_keys_are_named():
    with pytest.raises(EngineError, match="spec lacks: task, model_dir"):
        decode(EvaluateSpec, {"inputs": "i", "out_dir": "o", "labels": LABELS})
    with pytest.raises(EngineError, match=r"spec\.field_spec has unknown keys: extra"):
        decode(PrepareSpec, {"data": "d", "labels": LABELS, "inputs": "i", "gold": "g", "field_spec": {"extra": 1}})
