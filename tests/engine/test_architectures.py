"""Every architecture on the allow-list loads from what transformers saves, and answers alone as it does in a batch."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

HEADS = ("ForSequenceClassification",)
SIZES = {
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
    "pad_token_id": 0,
    "embedding_size": 32,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "bos_token_id": 1,
    "eos_token_id": 1,
    "cls_token_id": 1,
    "sep_token_id": 1,
}
EXTRA: dict[str, dict[str, object]] = {
    "mobilebert": {"true_hidden_size": 32, "intra_bottleneck_size": 32},
    "opt": {"word_embed_proj_dim": 32, "ffn_dim": 48},
    "deberta-v2": {
        "relative_attention": True,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
    },
    "gpt2": {"pad_token_id": None},
}
MODEL_TYPES = [
    "albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "eurobert", "gemma",
    "gemma2", "gemma3_text", "gpt2", "gpt_neox", "llama", "mistral", "mobilebert", "modernbert", "mpnet", "olmo2",
    "opt", "phi", "phi3", "qwen2", "qwen3", "rembert", "roberta", "smollm3", "squeezebert", "xlm-roberta",
]  # fmt: skip


def save_random(model_type: str, folder: Path):
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    from worker.engine.model_config import DECODERS, ENCODERS

    stem = (ENCODERS | DECODERS)[model_type]
    config_class = getattr(transformers, f"{stem}Config")
    known = {field.name for field in fields(config_class)}
    named = {config_class.attribute_map.get(name, name): value for name, value in SIZES.items()}
    chosen = {name: value for name, value in named.items() if name in known} | EXTRA.get(model_type, {})
    torch.manual_seed(5)
    config = config_class(**chosen, id2label={0: "a", 1: "b", 2: "c"}, label2id={"a": 0, "b": 1, "c": 2})
    model = getattr(transformers, f"{stem}ForSequenceClassification")(config).eval()
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({f"w{index}": index for index in range(64)}, unk_token="w2"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return model


def test_the_list_above_is_the_allow_list():
    from worker.engine.model_config import DECODERS, ENCODERS

    assert sorted(ENCODERS | DECODERS) == sorted(MODEL_TYPES)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_it_loads_whole_and_answers_alone_as_in_a_batch(model_type, tmp_path):
    import torch

    from worker.engine.inference import predict_logits
    from worker.engine.load import load_model

    original = save_random(model_type, tmp_path)
    classifier = load_model(str(tmp_path), heads=HEADS, device="cpu")
    texts = [" ".join(f"w{3 + (7 * row + word) % 60}" for word in range(2 + 5 * row)) for row in range(5)]
    tokens = classifier.tokenizer.tokenize(texts, max_length=30, vocab_size=64, filler=0)
    together = predict_logits(classifier, tokens, budget=10_000)
    alone = predict_logits(classifier, tokens, budget=1)
    with torch.inference_mode():
        expected = [original(input_ids=torch.tensor([row.ids])).logits[0].tolist() for row in tokens]
    spread = abs(alone).max()
    assert abs(together - alone).max() < 1e-4 * spread
    assert abs(alone - expected).max() < 1e-4 * spread
    assert classifier.unused_tensors == []


def test_positions_behind_the_padding_index_are_not_counted(tmp_path):
    from worker.engine.load import load_model

    save_random("roberta", tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert load_model(str(tmp_path), heads=HEADS, device="cpu").max_length(None) == 40 - config["pad_token_id"] - 1
