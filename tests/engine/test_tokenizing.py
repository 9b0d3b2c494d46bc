"""Tokenizers are read as hostile, and agree with transformers where they are honest."""

import json

import pytest

from tests.engine.builders import POSITIVE, edit_json, toy_rows
from worker.engine.contracts import EngineError

pytestmark = pytest.mark.engine

TEXTS = ["The film was GREAT", "电影很好 indeed", "naïve café", "a", "🙂 unknown", " ".join(POSITIVE * 30)]


def load(folder, model_type: str = "bert"):
    from worker.engine.folder import ModelFolder
    from worker.engine.tokenizing import load_tokenizer

    return load_tokenizer(ModelFolder(str(folder)), model_type)


def tokenize(folder, texts=TEXTS, *, model_type: str = "bert", vocab_size: int = 10_000, max_length: int = 32):
    return load(folder, model_type).tokenize(texts, max_length=max_length, vocab_size=vocab_size, filler=0)


def reference(folder, texts=TEXTS, max_length: int = 32):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)(texts, truncation=True, max_length=max_length)["input_ids"]


def test_ids_are_those_of_transformers_and_truncation_is_counted(model):
    tokens = tokenize(model)
    assert [row.ids for row in tokens] == reference(model)
    assert [row.truncated for row in tokens] == [False] * 5 + [True]


def test_a_pair_has_two_segments(model):
    row = load(model).tokenize([("good", "bad")], max_length=16, vocab_size=10_000, filler=0)[0]
    assert row.type_ids == [0] * row.type_ids.index(1) + [1] * row.type_ids.count(1)
    assert row.ids.count(3) == 2  # [SEP] twice


def test_old_wordpiece_vocabularies_are_read_as_transformers_reads_them(model):
    from transformers import BertTokenizer

    vocab = json.loads((model / "tokenizer.json").read_text())["model"]["vocab"]
    (model / "tokenizer.json").unlink()
    (model / "vocab.txt").write_text("\n".join(sorted(vocab, key=vocab.__getitem__)) + "\n", encoding="utf-8")
    expected = BertTokenizer(vocab=vocab)(TEXTS, truncation=True, max_length=32)["input_ids"]
    assert [row.ids for row in tokenize(model)] == expected


@pytest.mark.parametrize("model_type", ["roberta", "gpt2", "qwen2"])
def test_old_byte_level_vocabularies_are_read_as_transformers_reads_them(tmp_path, model_type):
    import transformers
    from tokenizers import ByteLevelBPETokenizer

    from worker.engine.tokenizing import BYTE_BPE

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator([row["text"] for row in toy_rows(50)], vocab_size=300, special_tokens=special)
    bpe.save_model(str(tmp_path))
    theirs = getattr(transformers, BYTE_BPE[model_type]).from_pretrained(tmp_path)
    expected = theirs(TEXTS, truncation=True, max_length=32)["input_ids"]
    assert [row.ids for row in tokenize(tmp_path, model_type=model_type)] == expected


def test_padding_and_sampling_of_the_file_are_ignored(model):
    padding = {
        "strategy": {"Fixed": 10**10},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[PAD]",
    }
    truncation = {"direction": "Left", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    expected = [row.ids for row in tokenize(model)]
    edit_json(model / "tokenizer.json", padding=padding, truncation=truncation)
    assert [row.ids for row in tokenize(model)] == expected


def test_random_merges_are_switched_off(tmp_path):
    from tokenizers import Tokenizer, models

    vocab = {"<unk>": 0, "a": 1, "b": 2, "ab": 3}
    Tokenizer(models.BPE(vocab=vocab, merges=[("a", "b")], unk_token="<unk>", dropout=0.9)).save(
        str(tmp_path / "tokenizer.json")
    )
    assert [row.ids for row in tokenize(tmp_path, ["ab"] * 20)] == [[3]] * 20


def test_ids_without_an_embedding_are_a_mismatch(model):
    with pytest.raises(EngineError, match="embeddings for 0 to 9 only") as caught:
        tokenize(model, vocab_size=10)
    assert caught.value.code == "tokenizer_mismatch"


def test_a_text_without_a_token_is_answered_all_the_same(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("x", "removed")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert tokenize(tmp_path, ["x", "b"])[0].ids == [0]


def test_a_missing_tokenizer_says_what_to_save(model):
    (model / "tokenizer.json").unlink()
    with pytest.raises(EngineError, match="save_pretrained") as caught:
        load(model)
    assert caught.value.code == "missing_tokenizer"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"model": {"type": "Evil"}}',
        '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}',
        "[" * 100_000,
        '{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}, "normalizer": '
        '{"type": "Prepend", "prepend": "' + "x" * (5 << 20) + '"}}',
    ],
)
def test_a_tokenizer_that_cannot_be_read_is_refused(model, content):
    (model / "tokenizer.json").write_text(content)
    with pytest.raises(EngineError) as caught:
        load(model)
    assert caught.value.code == "tokenizer_unreadable"


def test_a_regular_expression_that_explodes_is_a_typed_error(tmp_path):
    spec = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": "(a*)*b|(a|aa)+$c"},
            "behavior": "Removed",
            "invert": False,
        },
        "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"},
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(spec))
    with pytest.raises(EngineError) as caught:
        tokenize(tmp_path, ["a" * 5000 + "!"])
    assert caught.value.code == "tokenizer_unreadable"


def test_a_vocabulary_without_its_unknown_token_is_a_typed_error(model):
    spec = json.loads((model / "tokenizer.json").read_text())
    spec["added_tokens"], spec["post_processor"] = [], None
    del spec["model"]["vocab"]["[UNK]"]
    (model / "tokenizer.json").write_text(json.dumps(spec))
    with pytest.raises(EngineError) as caught:
        tokenize(model, ["🙂🙂"])
    assert caught.value.code == "tokenizer_unreadable"


def test_chinese_that_was_written_has_no_spaces_of_the_decoder(model):
    tokenizer = load(model)
    ids = tokenizer.encode("真的棒 indeed 真的", special=False)
    assert tokenizer.decode(ids) == "真 的 棒 indeed 真 的"
    assert tokenizer.written(ids) == "真的棒 indeed 真的"
