"""GGUF files for llama.cpp, read again by the library of the format and by transformers."""

import json
from pathlib import Path

import gguf
import pytest

from tests.engine.builders import edit_json
from tests.engine.causal_models import build_gpt2, build_llama
from tests.engine.tuning.exported import TEXTS, made
from worker.engine.contracts import EngineError
from worker.engine.tuning.exporting.gguf_tokens import LLAMA3, QWEN2, pre_tokenizer_of

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict]:
    place = tmp_path_factory.mktemp("gguf")
    (place / "model").mkdir()
    build_llama(place / "model", TEXTS)
    manifest = made(place / "model", place / "out", format="gguf", precisions=["f32", "f16", "q8_0", "q4_0"])
    return place / "model", place / "out" / "model", manifest


def test_each_file_says_what_its_precision_costs(llama):
    files = llama[2]["files"]
    sizes = [files[f"model-{kind}.gguf"]["bytes"] for kind in ("F32", "F16", "Q8_0", "Q4_0")]
    assert sizes == sorted(sizes, reverse=True)
    assert files["model-F32.gguf"]["check"]["max_abs_difference"] == 0.0
    losses = [files[f"model-{kind}.gguf"]["check"]["max_abs_difference"] for kind in ("F16", "Q8_0", "Q4_0")]
    assert losses == sorted(losses)
    assert files["model-F16.gguf"]["check"]["same_tokens"] is True


def test_transformers_reads_the_same_model_and_tokenizer(llama):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source, out, _manifest = llama
    read = AutoModelForCausalLM.from_pretrained(out, gguf_file="model-F32.gguf").eval()
    own = AutoModelForCausalLM.from_pretrained(source).eval()
    ids = torch.randint(0, 200, (2, 20), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert float((read(ids).logits - own(ids).logits).abs().max()) < 1e-5
    tokens = AutoTokenizer.from_pretrained(out, gguf_file="model-F32.gguf")
    assert (
        tokens("the film, 真的 good 12").input_ids
        == AutoTokenizer.from_pretrained(source)("the film, 真的 good 12").input_ids
    )


def test_the_file_names_how_texts_are_split_and_what_begins_them(llama):
    fields = gguf.GGUFReader(str(llama[1] / "model-F16.gguf")).fields
    assert fields["tokenizer.ggml.pre"].contents() == "gpt-2"
    assert fields["tokenizer.ggml.add_bos_token"].contents() is True
    assert fields["llama.attention.head_count_kv"].contents() == 2


def test_gpt2_keeps_its_matrices_the_other_way_round(tmp_path):
    (tmp_path / "model").mkdir()
    build_gpt2(tmp_path / "model", TEXTS)
    manifest = made(tmp_path / "model", tmp_path / "out", format="gguf", precisions=["f32"])
    assert manifest["files"]["model-F32.gguf"]["check"]["max_abs_difference"] == 0.0
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(str(tmp_path / "out/model/model-F32.gguf")).tensors}
    assert tensors["blk.0.attn_qkv.weight"].data.shape == (96, 32)


def test_scaled_positions_are_refused(llama, tmp_path):
    import shutil

    model = Path(shutil.copytree(llama[0], tmp_path / "model"))
    edit_json(model / "config.json", rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0})
    with pytest.raises(EngineError, match="positions scaled by linear"):
        made(model, tmp_path / "out", format="gguf")


def test_a_classifier_is_refused(bert_folder, tmp_path):
    with pytest.raises(EngineError, match="predict the next token"):
        made(bert_folder, tmp_path, format="gguf")


def test_a_tokenizer_without_a_name_in_llama_cpp_is_refused(llama, tmp_path):
    import shutil

    model = Path(shutil.copytree(llama[0], tmp_path / "model"))
    spec = json.loads((model / "tokenizer.json").read_text("utf-8"))
    spec["pre_tokenizer"] = {
        "type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, spec["pre_tokenizer"]],
    }  # fmt: skip
    (model / "tokenizer.json").write_text(json.dumps(spec), encoding="utf-8")
    with pytest.raises(EngineError, match="no name for"):
        made(model, tmp_path / "out", format="gguf")


BYTES, BYTES_ALONE = ({"type": "ByteLevel", "add_prefix_space": False, "use_regex": own} for own in (True, False))
DIGITS = {"type": "Digits", "individual_digits": True}
QWEN_SPLIT, LLAMA_SPLIT = ({"type": "Split", "pattern": {"Regex": regex}} for regex in (QWEN2, LLAMA3))


@pytest.mark.parametrize(
    ("steps", "normalizer", "whole_words", "name"),
    [
        ([BYTES], None, False, "gpt-2"),
        ([DIGITS, BYTES], None, False, "smollm"),
        ([QWEN_SPLIT, BYTES_ALONE], "NFC", False, "qwen2"),
        ([LLAMA_SPLIT, BYTES_ALONE], None, True, "llama-bpe"),
    ],
)
def test_known_ways_to_split_are_found_by_their_steps(steps, normalizer, whole_words, name):
    spec = {
        "model": {"ignore_merges": whole_words},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "normalizer": {"type": normalizer} if normalizer else None,
    }
    assert pre_tokenizer_of(spec) == name
