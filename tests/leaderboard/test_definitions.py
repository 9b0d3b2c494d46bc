"""eval.yaml: what is read, and what each refusal says."""

import pytest

from leaderboard.definitions import parse
from portal.errors import InvalidInput
from tests.evaluating import EVAL_YAML

SMALL = """\
version: 1
name: Mood
task: text-classification
split: {path: test.jsonl}
labels: [a, b]
"""


def test_every_key_of_the_form_is_read() -> None:
    definition = parse(EVAL_YAML)
    assert (definition.name, definition.name_zh, definition.version) == ("Mood", "情绪", 1)
    assert definition.fields == {"input": "text", "target": "label"}
    assert definition.labels == ["negative", "positive"]
    assert (definition.primary_metric, definition.max_length, definition.bootstrap) == ("f1_macro", 64, 200)
    assert definition.split_path == "data/test.jsonl"


def test_what_is_left_out_has_a_default() -> None:
    definition = parse(SMALL)
    assert (definition.primary_metric, definition.seed, definition.bootstrap) == ("f1_macro", 0, 2000)
    assert (definition.max_length, definition.test_is_public, definition.label_map) == (None, True, {})


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("version", "version: 0"),
        ("version", "version: one"),
        ("version", "version: true"),
        ("name", "name: ''"),
        ("name", f"name: {'x' * 121}"),
        ("task", "task: juggling"),
        ("split", "split: test.jsonl"),
        ("split", "split: {path: ''}"),
        ("split", "split: {path: a, extra: b}"),
        ("fields", "fields: {input: text}"),
        ("fields", "fields: {input: text, target: text}"),
        ("fields", "fields: {input: text, target: label, input3: x}"),
        ("labels", "labels: [one]"),
        ("labels", "labels: [one, one]"),
        ("labels", "labels: [yes, no]"),
        ("labels", "labels: [0, 1]"),
        ("labels", "labels: [a, '  ']"),
        ("label_map", "label_map: {LABEL_0: c}"),
        ("label_map", "label_map: [a]"),
        ("primary", "primary: ece"),
        ("primary", "primary: 3"),
        ("metrics", "metrics: [accuracy, wit]"),
        ("metrics", "metrics: []"),
        ("metrics", "metrics: [mcc, mcc]"),
        ("max_length", "max_length: 4"),
        ("max_length", "max_length: 1.5"),
        ("seed", "seed: -1"),
        ("seed", "seed: 4294967296"),
        ("bootstrap", "bootstrap: 10"),
        ("license", "license: [mit]"),
        ("test_is_public", "test_is_public: maybe"),
        ("prompt", "prompt: Say it"),
    ],
)
def test_a_refusal_names_the_key(key: str, line: str) -> None:
    kept = "".join(f"{text}\n" for text in SMALL.splitlines() if not text.startswith(f"{key}:"))
    with pytest.raises(InvalidInput) as refused:
        parse(f"{kept}{line}\n")
    assert refused.value.data["key"] == key
    assert f"“{key}”" in refused.value.message


@pytest.mark.parametrize("key", ["version", "name", "task", "split", "labels"])
def test_what_must_be_there_is_asked_for(key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("".join(f"{text}\n" for text in SMALL.splitlines() if not text.startswith(f"{key}:")))
    assert refused.value.data["key"] == key


@pytest.mark.parametrize("raw", ["", "- a\n", "a: [", "a: &x 1\nb: *x\n", "x" * 200_000, "[" * 500])
def test_what_is_no_mapping_or_no_yaml_is_refused(raw: str) -> None:
    with pytest.raises(InvalidInput):
        parse(raw)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("true", {}),
        ("false", {"perturbations": []}),
        ("{rows: 100}", {"rows": 100}),
        ("{strength: strong}", {"strength": "strong"}),
        ("{perturbations: [swap, names]}", {"perturbations": ["swap", "names"]}),
    ],
)
def test_robustness_is_on_and_may_be_bounded_or_off(written: str, kept: object) -> None:
    assert parse(EVAL_YAML).robustness == {}
    assert parse(f"{EVAL_YAML}robustness: {written}\n").robustness == kept


@pytest.mark.parametrize("written", ["often", "{rows: 5}", "{rows: many}", "{perturbations: [magic]}", "{more: 1}",
                                     "{strength: mild}", "{perturbations: [[swap]]}", "[swap]"])  # fmt: skip
def test_what_robustness_cannot_be_is_refused_with_what_it_can(written: str) -> None:
    with pytest.raises(InvalidInput, match=r"robustness.*rows.*strength.*homophone"):
        parse(f"{EVAL_YAML}robustness: {written}\n")


def test_slices_are_a_few_columns() -> None:
    assert parse(f"{EVAL_YAML}slices: [domain, year]\n").slices == ["domain", "year"]
    for wrong in ("domain", "[a, a]", "[a, b, c, d, e, f]", "[1]"):
        with pytest.raises(InvalidInput, match="slices"):
            parse(f"{EVAL_YAML}slices: {wrong}\n")
