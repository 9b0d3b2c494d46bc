"""Smaller models: what is left answers as it should, and the table says what it cost."""

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.builders import LABELS, toy_rows, write_jsonl
from tests.engine.causal_models import build_gpt2, build_llama
from tests.engine.tuning.exported import TEXTS, arranged
from worker.engine.contracts import EngineError
from worker.engine.folder import ModelFolder
from worker.engine.inference import forward
from worker.engine.load import LoadedModel, load_model
from worker.engine.progress import Progress
from worker.engine.tuning.compressing import measuring
from worker.engine.tuning.compressing.contracts import CompressSpec
from worker.engine.tuning.compressing.verb import compress
from worker.engine.tuning.compressing.vocabulary import keep_tokens

pytestmark = pytest.mark.engine
CLASSIFIED = {"task": "text-classification", "settings": {"labels": LABELS}}


@pytest.fixture(autouse=True)
def in_this_process(hurried: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "measure_apart", lambda spec: measuring.measure(spec, Progress(StringIO())))


@pytest.fixture
def rows(tmp_path: Path) -> str:
    return str(arranged(tmp_path / "rows.jsonl", 30))


def run(model: Path, place: Path, **spec: Any) -> dict[str, Any]:
    return compress(CompressSpec(model_dir=str(model), out_dir=str(place), **CLASSIFIED, **spec), Progress(StringIO()))


def logits(model: LoadedModel, texts: list[str]) -> np.ndarray:
    import torch

    rows = model.tokenizer.tokenize(texts, max_length=64, vocab_size=model.vocab_size, filler=0)
    with torch.inference_mode():
        return forward(model, rows)


def load(folder: Path, *heads: str) -> LoadedModel:
    return load_model(str(folder), heads=heads or ("ForSequenceClassification",), device="cpu")


def test_the_layer_that_is_missed_least_goes(bert_folder, tmp_path, rows):
    summary = run(bert_folder, tmp_path / "out", method="layers", keep_layers=1, rows=rows, dev=rows)
    [gone] = summary["dropped"]
    assert summary["kept_layers"] == [1 - gone["layer"]]
    before, after = summary["table"]
    assert gone["dev_score"] == pytest.approx(after["score"]["value"])
    assert summary["parameters_after"] < summary["parameters_before"]
    assert after["bytes"] < before["bytes"]
    assert after["loads_in"] == ["the engine here", "transformers"]
    assert json.loads((tmp_path / "out" / "summary.json").read_text("utf-8")) == summary


def test_a_decoder_keeps_writing_with_fewer_layers(tmp_path):
    from worker.engine.tuning.compressing.layers import drop_layers

    build_llama(tmp_path, TEXTS)
    model = load(tmp_path, "ForCausalLM")
    found = drop_layers(ModelFolder(str(tmp_path)), model, tmp_path / "out", keep=1, score=lambda: 0.0)
    assert found["kept_layers"] == [0]
    assert load(tmp_path / "out", "ForCausalLM").config.config.num_hidden_layers == 1


def test_no_layer_goes_where_none_is_to_go(bert_folder, tmp_path, rows):
    with pytest.raises(EngineError, match="below 2"):
        run(bert_folder, tmp_path / "out", method="layers", keep_layers=2, rows=rows, dev=rows)


def test_texts_of_kept_tokens_are_answered_exactly_as_before(bert_folder, tmp_path, rows):
    train = write_jsonl(tmp_path / "train.jsonl", [{"question": {"text": TEXTS[0]}, "gold": {"label": "positive"}}])
    summary = run(bert_folder, tmp_path / "out", method="vocabulary", rows=rows, train=str(train))
    assert summary["tokens_after"] < summary["tokens_before"]
    assert summary["covered"] == 1.0
    before, after = (load(folder) for folder in (bert_folder, tmp_path / "out" / "model"))
    assert np.array_equal(logits(before, [TEXTS[0]]), logits(after, [TEXTS[0]]))


def test_transformers_reads_the_smaller_tokenizer_alike(bert_folder, tmp_path):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    keep_tokens(ModelFolder(str(bert_folder)), load(bert_folder), tmp_path / "out", texts=TEXTS[:1], least=1)
    said = []
    for folder in (bert_folder, tmp_path / "out"):
        tokens = AutoTokenizer.from_pretrained(folder)(TEXTS[0], return_tensors="pt")
        said.append(AutoModelForSequenceClassification.from_pretrained(folder).eval()(**tokens).logits.tolist())
    assert said[0] == said[1]


@pytest.mark.parametrize("build", [build_gpt2, build_llama])
def test_merges_of_bytes_lead_to_the_same_tokens(tmp_path, build):
    build(tmp_path, [*TEXTS, "something else entirely and more of it"] * 2)
    model = load(tmp_path, "ForCausalLM", "LMHeadModel")
    texts = [row["text"] for row in toy_rows(12)]
    found = keep_tokens(ModelFolder(str(tmp_path)), model, tmp_path / "out", texts=texts, least=1)
    after = load(tmp_path / "out", "ForCausalLM", "LMHeadModel")
    assert found["tokens_after"] < found["tokens_before"]
    for text in texts:
        old, new = (one.tokenizer.tokenizer.encode(text) for one in (model, after))
        assert old.tokens == new.tokens
    # What was left out is still read, by its bytes.
    assert after.tokenizer.decode(after.tokenizer.encode("entirely 真")) == "entirely 真"


def test_a_vocabulary_of_unigrams_keeps_its_best_ways(bert_folder, tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    model = Path(shutil.copytree(bert_folder, tmp_path / "model"))
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = {"special_tokens": ["[PAD]", "[UNK]"], "unk_token": "[UNK]"}
    trainer = trainers.UnigramTrainer(vocab_size=70, show_progress=False, **special)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.save(str(model / "tokenizer.json"))
    loaded = load(model)
    keep_tokens(ModelFolder(str(model)), loaded, tmp_path / "out", texts=TEXTS[:2], least=1)
    after = load(tmp_path / "out")
    assert [after.tokenizer.tokenizer.encode(text).tokens for text in TEXTS[:2]] == [
        loaded.tokenizer.tokenizer.encode(text).tokens for text in TEXTS[:2]
    ]
    assert np.array_equal(logits(loaded, TEXTS[:2]), logits(after, TEXTS[:2]))


def test_heads_that_the_loss_hangs_on_least_go(bert_folder, tmp_path, rows):
    summary = run(bert_folder, tmp_path / "out", method="heads", keep_heads=1, rows=rows, train=rows)
    for weights, [kept] in zip(summary["importance"], summary["kept_heads"], strict=True):
        assert weights[kept] == max(weights) > min(weights) > 0
    # No config of a BERT can say that heads are missing.
    assert summary["only_onnx"] is True
    assert [line["name"] for line in summary["table"]] == ["before", "fp32"]


def test_a_decoder_with_fewer_heads_is_a_model_like_others(tmp_path):
    from transformers import LlamaConfig, LlamaForSequenceClassification

    model = tmp_path / "model"
    model.mkdir()
    build_llama(model, TEXTS)
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {label: place for place, label in enumerate(LABELS)}}
    config = LlamaConfig.from_pretrained(model, pad_token_id=0, **labels)
    LlamaForSequenceClassification(config).save_pretrained(model)
    rows = str(arranged(tmp_path / "rows.jsonl", 12))
    summary = run(model, tmp_path / "out", method="heads", keep_heads=1, rows=rows, train=rows)
    smaller = load(tmp_path / "out" / "model").config.config
    assert (smaller.num_key_value_heads, smaller.num_attention_heads, smaller.head_dim) == (1, 2, 8)
    assert summary["parameters_after"] < summary["parameters_before"]


def test_heads_that_add_nothing_are_not_missed(bert_folder):
    import torch

    from worker.engine.tuning.compressing.heads import attentions, drop_heads

    whole, fewer = load(bert_folder), load(bert_folder)
    with torch.no_grad():
        for loaded in (whole, fewer):
            for attention in attentions(loaded.model):
                attention.parts[-1].weight[:, :16] = 0
    drop_heads(fewer, [[1], [1]])
    assert np.abs(logits(whole, TEXTS[:4]) - logits(fewer, TEXTS[:4])).max() < 1e-5


def test_fewer_bits_come_with_their_cost_and_with_what_runs_them(bert_folder, tmp_path, rows):
    summary = run(bert_folder, tmp_path / "out", method="quantize", rows=rows, precisions=["int8", "q4"])
    assert [line["name"] for line in summary["table"]] == ["before", "fp32", "int8", "q4"]
    assert summary["table"][3]["loads_in"] == ["onnxruntime"]
    for line in summary["table"]:
        assert {"value", "low", "high"} <= set(line["score"])
        assert line["p50_ms"] <= line["p90_ms"]
    assert summary["table"][1]["agreement"] == 1.0


def test_each_method_says_which_rows_it_needs():
    for method in ("layers", "heads", "vocabulary"):
        with pytest.raises(EngineError, match=f"{method} needs rows"):
            CompressSpec(model_dir="m", out_dir="o", rows="r", method=method, **CLASSIFIED)
