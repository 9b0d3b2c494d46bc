"""A model folder is read as hostile: it loads whole and safely, or it is refused with a code and a way out."""

import json
import os
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.builders import edit_json, safetensors_bytes
from worker.engine.contracts import EngineError

if TYPE_CHECKING:
    from worker.engine.load import LoadedModel

pytestmark = pytest.mark.engine
FITTING = {"heads": ("ForSequenceClassification",), "problem_types": ("single_label_classification",)}


def refused(model) -> EngineError:
    from worker.engine.load import load_model

    with pytest.raises(EngineError) as caught:
        load_model(str(model), **FITTING, device="cpu")
    return caught.value


def load(model: Path) -> "LoadedModel":
    from worker.engine.load import load_model

    return load_model(str(model), **FITTING, device="cpu")


def spoil_tensors(model, change) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(model / "model.safetensors")
    change(tensors)
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})


def test_a_saved_classifier_loads_in_eval_mode_with_its_numbers(model):
    classifier = load(model)
    assert not any(module.training for module in classifier.model.modules())
    assert classifier.config.labels == ["negative", "positive"]
    assert classifier.parameters == sum(parameter.numel() for parameter in classifier.model.parameters())
    assert classifier.weights_bytes == (model / "model.safetensors").stat().st_size
    assert classifier.unused_tensors == []
    assert classifier.max_length(None) == 64
    assert classifier.max_length(16) == 16


def test_code_of_its_own_is_refused_and_never_imported(model, edit_config, tmp_path):
    canary = tmp_path / "canary"
    (model / "modeling_evil.py").write_text(f"open({str(canary)!r}, 'w').close()\n")
    edit_config(auto_map={"AutoModelForSequenceClassification": "modeling_evil.Evil"})
    assert refused(model).code == "custom_code"
    edit_config(auto_map=None)
    edit_json(model / "tokenizer_config.json", auto_map={"AutoTokenizer": ["modeling_evil.Evil", None]})
    assert refused(model).code == "custom_code"
    assert not canary.exists()


def test_a_config_cannot_choose_kernels_or_other_weight_files(model, edit_config):
    edit_config(
        _attn_implementation_internal="evil/kernel",
        attn_implementation="evil/kernel",
        transformers_weights="evil.bin",
        fusion_config={"a": 1},
        torch_dtype="float16",
    )
    config = load(model).model.config
    assert config._attn_implementation in ("sdpa", "eager")
    assert not hasattr(config, "transformers_weights")
    assert not hasattr(config, "fusion_config")


def test_adapters_and_distributed_checkpoints_beside_the_weights_are_not_looked_at(model):
    (model / "adapter_config.json").write_text('{"base_model_name_or_path": "/etc"}')
    (model / ".metadata").write_bytes(b"\x80\x04N.")
    (model / "__0_0.distcp").write_bytes(b"x")
    assert load(model).unused_tensors == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model_type": "not_a_model"}, "unsupported_architecture"),
        ({"model_type": "fnet"}, "unsupported_architecture"),
        ({"model_type": None}, "bad_config"),
        ({"architectures": ["BertForMaskedLM"]}, "unsupported_architecture"),
        ({"architectures": None}, "unsupported_architecture"),
        ({"quantization_config": {"quant_method": "gptq"}}, "unsupported_architecture"),
        ({"position_embedding_type": "relative_key"}, "unsupported_architecture"),
        ({"problem_type": "multi_label_classification"}, "unsupported_architecture"),
        ({"num_hidden_layers": 10**9}, "bad_config"),
        ({"num_hidden_layers": "2"}, "bad_config"),
        ({"num_attention_heads": 0}, "bad_config"),
        ({"num_attention_heads": 5}, "bad_config"),
        ({"hidden_act": "__import__"}, "bad_config"),
        ({"hidden_act": "x" * 1000}, "bad_config"),
        ({"pad_token_id": 10**6}, "bad_config"),
        ({"id2label": {"0": "a", "7": "b"}}, "bad_config"),
        ({"id2label": {str(index): f"label {index}" for index in range(1001)}}, "bad_config"),
        ({"rope_scaling": {"a": {"b": {"c": {"d": 1}}}}}, "bad_config"),
        ({"vocab_size": 5_000_000, "hidden_size": 4096}, "weights_incomplete"),
        ({"hidden_size": 64}, "weights_unreadable"),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, "weights_unreadable"),
    ],
)
def test_a_config_that_cannot_be_honoured_is_refused(model, edit_config, changes, code):
    edit_config(**changes)
    assert refused(model).code == code


def test_tensors_of_another_shape_are_named_with_both_shapes(model, edit_config):
    edit_config(id2label={"0": "a", "1": "b", "2": "c"})
    message = refused(model).message
    assert "classifier.bias has [2] instead of [3]" in message
    assert "Publish config.json and the weights of the same model." in message


@pytest.mark.parametrize("content", ["", "[]", "{", "\udcff", "[" * 100_000, '{"a": NaN}', '{"a": 1, "a": 2}'])
def test_a_config_that_is_no_json_object_is_refused(model, content):
    (model / "config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert refused(model).code == "bad_config"


def test_a_folder_without_a_config_or_no_folder_at_all_is_refused(model, tmp_path):
    (model / "config.json").unlink()
    assert "config.json is missing" in refused(model).message
    assert refused(tmp_path / "absent").code == "bad_config"


def test_pickles_alone_are_refused_and_not_opened(model):
    (model / "model.safetensors").unlink()
    (model / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
    error = refused(model)
    assert error.code == "unsafe_weights"
    assert "save_pretrained" in error.message


def test_no_weights_at_all_are_missing_weights(model):
    (model / "model.safetensors").unlink()
    assert refused(model).code == "missing_weights"


def test_absent_tensors_are_named_and_not_made_up(model):
    spoil_tensors(model, lambda tensors: [tensors.pop(name) for name in ("classifier.weight", "classifier.bias")])
    error = refused(model)
    assert error.code == "weights_incomplete"
    assert "classifier.weight" in error.message


def test_a_surplus_tensor_is_counted(model):
    import torch

    spoil_tensors(model, lambda tensors: tensors.update({"cls.predictions.bias": torch.zeros(3)}))
    assert load(model).unused_tensors == ["cls.predictions.bias"]


def test_quantised_tensors_are_refused(model):
    import torch

    spoil_tensors(model, lambda tensors: tensors.update({"classifier.weight": torch.ones(2, 32, dtype=torch.int8)}))
    assert "quantised" in refused(model).message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04K\x01.",
        struct.pack("<Q", 2**63) + b"{}",
        safetensors_bytes({}, claim=10**9),
        safetensors_bytes([]),
        struct.pack("<Q", 6) + b"  {}  ",
        safetensors_bytes({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}),
        safetensors_bytes({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}}, b"12345678"),
        safetensors_bytes(
            {str(index): {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for index in range(20_001)}
        ),
    ],
)
def test_weights_that_lie_about_themselves_are_refused(model, content):
    (model / "model.safetensors").write_bytes(content)
    assert refused(model).code == "weights_unreadable"


def shard(model) -> dict[str, str]:
    """Split the weights in two and write their index."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(model / "model.safetensors")
    names = sorted(tensors)
    parts = {"a-00001-of-00002.safetensors": names[::2], "a-00002-of-00002.safetensors": names[1::2]}
    for part, held in parts.items():
        save_file({name: tensors[name] for name in held}, model / part)
    (model / "model.safetensors").unlink()
    weight_map = {name: part for part, held in parts.items() for name in held}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return weight_map


def test_sharded_weights_give_the_same_model(model, bert_folder):
    import torch

    shard(model)
    whole, parts = load(bert_folder), load(model)
    pairs = zip(whole.model.state_dict().values(), parts.model.state_dict().values(), strict=True)
    assert all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/passwd", "sub/x.safetensors", "x.bin", "", 7])
def test_an_index_cannot_lead_out_of_the_folder(model, tmp_path, name):
    shutil.copy(model / "model.safetensors", tmp_path / "secret.safetensors")
    weight_map = shard(model)
    weight_map["classifier.bias"] = name
    edit_json(model / "model.safetensors.index.json", weight_map=weight_map)
    assert refused(model).code == "weights_unreadable"


def test_a_shard_that_the_index_names_must_be_there(model):
    shard(model)
    (model / "a-00002-of-00002.safetensors").unlink()
    assert refused(model).code == "missing_weights"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("config.json", "bad_config"),
        ("model.safetensors", "weights_unreadable"),
        ("tokenizer.json", "tokenizer_unreadable"),
    ],
)
def test_a_link_out_of_the_folder_is_refused(model, tmp_path, name, code):
    (model / name).rename(tmp_path / name)
    (model / name).symlink_to(tmp_path / name)
    error = refused(model)
    assert (error.code, "out of the model folder" in error.message) == (code, True)


def test_a_pipe_instead_of_a_file_does_not_hang(model):
    (model / "config.json").unlink()
    os.mkfifo(model / "config.json")
    assert refused(model).code == "bad_config"


def test_a_gpu_that_is_not_there_is_a_typed_error(model):
    import torch

    from worker.engine.load import load_model

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EngineError) as caught:
        load_model(str(model), **FITTING, device="cuda")
    assert caught.value.code == "device_unavailable"
