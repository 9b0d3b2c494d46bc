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


def save_random(model_type: str, folder: Path, class_name: str = ""):
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
    model = getattr(transformers, class_name or f"{stem}ForSequenceClassification")(config).eval()
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({f"w{index}": index for index in range(64)}, unk_token="w2"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return model


def test_the_list_above_is_the_allow_list():
    from worker.engine.model_config import DECODERS, ENCODERS

    assert sorted(ENCODERS | DECODERS) == sorted(MODEL_TYPES)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_it_loads_whole_and_answers_alone_as_in_a_batch(model_type, tmp_path, monkeypatch):
    import torch

    from worker.engine.answering import linear_layers
    from worker.engine.answering.first_token import LIKE_BERT, LIKE_DISTILBERT, read_first_token
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
    assert read_first_token(classifier.model) is (model_type in LIKE_BERT | LIKE_DISTILBERT)
    assert abs(predict_logits(classifier, tokens, budget=10_000) - expected).max() < 1e-4 * spread
    monkeypatch.setattr(linear_layers, "WORTH", 0)
    assert linear_layers.multiply_with_onednn(classifier.model)
    assert abs(predict_logits(classifier, tokens, budget=10_000) - expected).max() < 1e-4 * spread


def test_positions_behind_the_padding_index_are_not_counted(tmp_path):
    from worker.engine.load import load_model

    save_random("roberta", tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert load_model(str(tmp_path), heads=HEADS, device="cpu").max_length(None) == 40 - config["pad_token_id"] - 1


CAUSAL = [
    "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neox", "llama", "mistral", "olmo2", "opt", "phi", "phi3", "qwen2",
    "qwen3", "smollm3",
]  # fmt: skip
CAUSAL_NAMES = {
    "gemma3_text": "Gemma3ForCausalLM", "gpt2": "GPT2LMHeadModel", "gpt_neox": "GPTNeoXForCausalLM",
    "opt": "OPTForCausalLM", "smollm3": "SmolLM3ForCausalLM",
}  # fmt: skip


def test_the_decoders_above_are_all_that_the_gate_lets_through():
    from leaderboard.task_kinds import CAUSAL_TYPES
    from worker.engine import model_config
    from worker.engine.tasks.likelihoods import CAUSAL_HEADS

    assert sorted(model_config.DECODERS) == CAUSAL == sorted(CAUSAL_TYPES)
    assert model_config.CAUSAL_HEADS == CAUSAL_HEADS


@pytest.mark.parametrize("model_type", CAUSAL)
def test_a_decoder_finds_texts_as_likely_as_transformers_does_whatever_is_read_once(model_type, tmp_path, monkeypatch):
    import torch

    from worker.engine import likelihoods
    from worker.engine.answering import linear_layers
    from worker.engine.continuations import Row
    from worker.engine.load import load_model
    from worker.engine.tasks.likelihoods import CAUSAL_HEADS

    original = save_random(model_type, tmp_path, CAUSAL_NAMES.get(model_type, model_type.title() + "ForCausalLM"))
    model = load_model(str(tmp_path), heads=CAUSAL_HEADS, device="cpu")
    # Three questions with beginnings of 9 to 17 tokens, and four ways to go on from each; some are parts of others.
    beginnings = [[3 + (5 * question + word) % 60 for word in range(9 + 4 * question)] for question in range(3)]
    rows = [
        Row([*beginning, *([7 + choice] * choice), 50, 51, 9 + choice % 2], len(beginning))
        for beginning in beginnings
        for choice in range(4)
    ]
    groups = [question for question in range(3) for _choice in range(4)]
    expected = []
    for row in rows:
        with torch.inference_mode():
            logits = original(input_ids=torch.tensor([row.ids[:-1]])).logits[0].double().log_softmax(-1)
        tokens = torch.tensor(row.ids[row.start :])
        expected.append(logits[row.start - 1 :].gather(1, tokens[:, None]).sum().item())
    for worth in (0, 10_000):  # the second time with oneDNN
        monkeypatch.setattr(likelihoods, "WORTH", worth)
        found = likelihoods.likelihoods(model, rows, groups, budget=200)
        assert found.values == pytest.approx(expected, abs=1e-4)
        assert (found.read < 0.6 * sum(len(row.ids) - 1 for row in rows)) is (worth == 0)
        monkeypatch.setattr(linear_layers, "WORTH", 0)
        assert linear_layers.multiply_with_onednn(model.model) is (worth == 0), "twice is as good as once"
