"""The file from which forms are drawn says what the engine takes."""

import importlib
from dataclasses import MISSING, fields

import pytest

from worker.engine.contracts import EngineError
from worker.engine.tasks import find
from worker.engine.tuning import hardening, registry
from worker.engine.tuning.contracts import Architecture, Recipe, Teacher

# What is no option of a form, or is one of the methods' or of the task's.
NO_OPTIONS = {"method", "method_options", "harden_options", "metric"}


def test_the_options_are_the_fields_of_a_recipe_in_their_order():
    names = [field.name for field in fields(Recipe) if field.name not in NO_OPTIONS]
    assert sorted(registry.options()) == sorted(names)


@pytest.mark.parametrize("name", list(registry.options()))
def test_an_option_has_the_default_and_the_bounds_of_a_recipe(name):
    option = registry.options()[name]
    [field] = [field for field in fields(Recipe) if field.name == name]
    assert field.default is not MISSING
    assert option.default == field.default
    for value in [option.least, option.most, *option.choices]:
        assert value is None or option.problem(value) is None
        Recipe(**{name: value} if value is not None else {})
    beyond = [bound + step for bound, step in [(option.least, -1), (option.most, 1)] if bound is not None]
    for value in beyond:
        assert option.problem(value)
        with pytest.raises(EngineError):
            Recipe(**{name: value})


def test_attacks_and_teachers_have_the_defaults_and_bounds_of_the_engine():
    for name, options in registry.read()["hardenings"].items():
        module = importlib.import_module(f"worker.engine.tuning.hardening.{name}")
        assert {key: option["default"] for key, option in options.items()} == module.OPTIONS
        assert {key: (option["least"], option["most"]) for key, option in options.items()} == module.BOUNDS
    assert set(registry.read()["hardenings"]) == set(hardening.MODULES)
    for name, option in registry.read()["teaching"].items():
        [field] = [field for field in fields(Teacher) if field.name == name]
        assert option.get("default") == field.default
        for end in ("least", "most"):
            assert getattr(Teacher(model_dir="", **{name: option[end]}), name) == option[end]


def test_choices_are_those_of_a_recipe():
    from typing import get_args, get_type_hints

    hints = get_type_hints(Recipe)
    for name, option in registry.options().items():
        if option.type == "choice":
            assert list(get_args(hints[name])) == option.choices


def test_every_architecture_of_the_engine_is_known_and_no_other():
    from worker.engine.model_config import DECODERS, ENCODERS, SEQ2SEQ
    from worker.engine.vision_config import STEMS

    of_texts = {
        **dict.fromkeys(ENCODERS, "encoder"), **dict.fromkeys(DECODERS, "decoder"), **dict.fromkeys(SEQ2SEQ, "seq2seq"),
    }  # fmt: skip
    # Those that only find objects have no head for classes.
    of_images = {name: "vision" for name in STEMS if name not in ("detr", "yolos")}
    known = {name: registry.architecture(name)["family"] for name in registry.read()["architectures"]}
    assert known == of_texts | of_images


def test_tasks_that_options_name_are_known():
    for option in registry.options().values():
        assert set(option.tasks or ()) <= set(registry.tasks())


def test_what_is_usual_from_random_numbers_is_accepted():
    for facts in registry.tasks().values():
        scratch = facts.get("scratch", {})
        recipe = Recipe(**scratch.get("recipe", {}))
        Architecture(**scratch.get("sizes", {}))
        for name in scratch.get("recipe", {}):
            assert registry.options()[name].problem(getattr(recipe, name)) is None


@pytest.mark.parametrize("task", ["translation", "summarization", "text-generation"])
def test_what_is_usual_from_random_numbers_has_room_for_the_usual_answer(task):
    # A decoder reads and writes in one window.
    room = Architecture(**registry.tasks()[task]["scratch"]["sizes"]).max_positions
    assert room >= 2 * find(task).settings({}).max_new_tokens


def test_every_need_of_a_method_has_its_reason_and_every_default_is_accepted():
    for method in registry.methods().values():
        assert set(method.needs) <= set(registry.read()["needs"])
        assert method.checked({}) == method.checked(method.checked({}))


def test_a_method_refuses_what_it_does_not_know():
    with pytest.raises(EngineError, match="has no option speed"):
        registry.method("lora").checked({"speed": 1})
    with pytest.raises(EngineError, match="rank of lora must be 1 to 256"):
        registry.method("lora").checked({"rank": 0})


def test_what_is_impossible_is_refused_with_its_reason():
    assert registry.refusal("lora", "bert", "text-classification") is None
    assert "keys and values" in (registry.refusal("prefix", "distilbert", "text-classification") or "")
    assert "no biases" in (registry.refusal("bitfit", "llama", "text-classification") or "")
    assert "another kind" in (registry.refusal("full", "bert", "translation") or "")
    assert "cannot be tuned here" in (registry.refusal("full", "mamba", "text-classification") or "")
    assert "There is no method" in (registry.refusal("magic", "bert", "text-classification") or "")
