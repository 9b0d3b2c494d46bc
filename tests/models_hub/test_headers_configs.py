"""Config files are read field by field; what is no number that a model may have is not believed."""

import random

import pytest

from models_hub.headers.configs import FILES, GENERATION, SIZES, read_configs

BERT = {
    "architectures": ["BertForMaskedLM"],
    "model_type": "bert",
    "max_position_embeddings": 514,
    "vocab_size": 30522,
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def test_a_config_tells_how_the_model_is_built():
    found = read_configs({"config.json": BERT})
    assert (found.architecture, found.model_type, found.context_length) == ("BertForMaskedLM", "bert", 514)
    assert found.sizes == {"vocabulary": 30522, "hidden_size": 128, "layers": 2, "heads": 2}


def test_the_shorter_limit_of_model_and_tokenizer_counts():
    found = read_configs({"config.json": BERT, "tokenizer_config.json": {"model_max_length": 512}})
    assert found.context_length == 512
    assert found.context == {"max_position_embeddings": 514, "model_max_length": 512}


def test_a_tokenizer_without_a_limit_tells_none():
    assert read_configs({"tokenizer_config.json": {"model_max_length": 10**30}}).context_length is None


def test_the_text_part_of_a_model_of_images_is_read():
    config = {"model_type": "gemma3", "text_config": {"hidden_size": 640, "max_position_embeddings": 32768}}
    found = read_configs({"config.json": config})
    assert (found.model_type, found.sizes["hidden_size"], found.context_length) == ("gemma3", 640, 32768)


def test_stretched_positions_are_told():
    scaling = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    assert read_configs({"config.json": {"rope_scaling": scaling}}).rope == {
        "kind": "yarn",
        "original": 32768,
        "factor": 4.0,
    }


def test_modules_name_the_folders_that_belong_to_the_model():
    modules = [{"path": ""}, {"path": "2_Dense"}, {"path": "../../etc"}, {"path": 7}, "x"]
    assert read_configs({"modules.json": modules}).folders == ["2_Dense"]


@pytest.mark.parametrize("value", [-1, 0, 2**70, 1.5, True, "512", None, [512], {"a": 1}])
def test_what_is_no_size_is_not_believed(value):
    found = read_configs({"config.json": {"max_position_embeddings": value, "vocab_size": value}})
    assert found.context_length is None
    assert not found.sizes


def test_no_json_whatever_is_too_odd():
    chance = random.Random(6)
    keys = [*(key for names in SIZES.values() for key in names), *GENERATION, "text_config", "rope_scaling"]
    keys += ["quantization_config", "architectures", "model_type", "config_groups", "target_modules", "r", "path"]

    def anything(depth: int) -> object:
        kind = chance.randrange(8 if depth else 6)
        if kind == 7:
            return {chance.choice(keys): anything(depth - 1) for _index in range(4)}
        if kind == 6:
            return [anything(depth - 1) for _index in range(3)]
        return (None, -5, 2**80, "a\x00b", 1e300, True)[kind]

    for _attempt in range(2000):
        read_configs({name: anything(3) for name in FILES})
