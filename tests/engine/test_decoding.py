"""Specs are taken strictly: an unknown, missing or wrongly typed key is an error that names it."""

import pytest

from tests.engine.builders import LABELS
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, TrainSpec
from worker.engine.decoding import decode
from worker.engine.tasks import find

EVALUATE = {
    "task": "text-classification",
    "model_dir": "m",
    "inputs": "i",
    "out_dir": "o",
    "settings": {"labels": LABELS},
}


def test_a_spec_is_decoded_with_what_it_holds_and_defaults():
    spec = decode(EvaluateSpec, EVALUATE | {"max_length": None})
    assert (spec.settings, spec.max_length, spec.dtype) == ({"labels": LABELS}, None, "float32")


def test_a_whole_number_is_a_number():
    assert decode(TrainSpec, {"train": "t", "dev": "d", "labels": LABELS, "out_dir": "o", "dropout": 0}).dropout == 0.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"surprise": 1}, "unknown keys: surprise"),
        ({"threads": True}, "spec.threads must be int"),
        ({"threads": "2"}, "spec.threads must be int"),
        ({"threads": 0}, "threads must be 1 to 256"),
        ({"settings": []}, "spec.settings must be dict"),
        ({"max_length": 4}, "max_length must be 8 to 8192"),
        ({"seed": -1}, "seed must be"),
        ({"dtype": "int4"}, "spec.dtype must be one of"),
    ],
)
def test_a_wrong_key_is_named(changes, says):
    with pytest.raises(EngineError, match=says) as caught:
        decode(EvaluateSpec, EVALUATE | changes)
    assert caught.value.code == "bad_spec"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"surprise": 1}, "settings has unknown keys: surprise"),
        ({"labels": "ab"}, "settings.labels must be list"),
        ({"labels": ["a", 1]}, r"settings.labels\[1\] must be str"),
        ({"labels": ["a"]}, "2 to 1000"),
        ({"labels": ["a", "a"]}, "must not repeat"),
        ({"labels": ["a", " "]}, "must not be empty"),
        ({"label_map": {"a": 1}}, "settings.label_map.a must be str"),
    ],
)
def test_a_wrong_setting_of_a_task_is_named(changes, says):
    with pytest.raises(EngineError, match=says) as caught:
        find("text-classification").settings({"labels": LABELS} | changes)
    assert caught.value.code == "bad_spec"


def test_a_task_that_is_not_known_is_named_with_those_that_are():
    with pytest.raises(EngineError, match="task must be one of: text-classification") as caught:
        find("palmistry")
    assert caught.value.code == "bad_spec"


def test_columns_of_roles_that_a_task_does_not_have_or_lacks_are_named():
    with pytest.raises(EngineError, match="does not have: context"):
        find("text-classification").columns({"context": "c"})
    assert find("text-classification").columns({"input": "s"}) == {"input": "s", "target": "label"}


def test_missing_and_nested_keys_are_named():
    with pytest.raises(EngineError, match="spec lacks: task, model_dir"):
        decode(EvaluateSpec, {"inputs": "i", "out_dir": "o"})
    with pytest.raises(EngineError, match=r"spec\.files\.test must be str"):
        decode(PrepareSpec, {"task": "t", "files": {"test": 1}, "inputs": "i", "gold": "g"})
