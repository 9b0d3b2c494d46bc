"""Words for gaps: those of transformers for one token, those of a plain search for several, scored by hand."""

import itertools
import json
import math
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import toy_rows, write_jsonl
from tests.engine.real_data import rows_of
from tests.engine.test_writing_tasks import Run
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.progress import Progress
from worker.engine.tasks import find

pytestmark = pytest.mark.usefixtures("hurried")
ENCODER_TYPES = [
    "albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "eurobert", "mobilebert",
    "modernbert", "mpnet", "rembert", "roberta", "squeezebert", "xlm-roberta",
]  # fmt: skip
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sun", "sea", "##side", "##s", "red", "is", "the", "not"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT whose vocabulary is made of the toy texts."""
    from worker.engine.wordpiece import train_wordpiece

    folder = tmp_path_factory.mktemp("bert")
    texts = [row["text"] for row in toy_rows(60)] + [row["text"] for row in rows_of("open/xed_zh", 60)]
    tokenizer = train_wordpiece(iter(texts), vocab_size=300, max_length=64)
    tokenizer.save_pretrained(folder)
    return save_bert(folder, len(tokenizer))


@pytest.fixture(scope="module")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT with so few words that all pairs of them can be tried."""
    from transformers import BertTokenizerFast

    folder = tmp_path_factory.mktemp("small_bert")
    BertTokenizerFast(vocab={word: number for number, word in enumerate(WORDS)}).save_pretrained(folder)
    return save_bert(folder, len(WORDS))


def save_bert(folder: Path, size: int) -> Path:
    import torch
    from transformers import BertConfig, BertForMaskedLM

    torch.set_num_threads(1)
    torch.manual_seed(8)
    config = BertConfig(
        vocab_size=size, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=64, initializer_range=0.4,
    )  # fmt: skip
    BertForMaskedLM(config).save_pretrained(folder)
    return folder


def gaps(count: int) -> list[dict[str, str]]:
    """Return real Chinese sentences with a character left out, and English ones with a word."""
    rows = []
    for row in rows_of("open/xed_zh", count):
        text = row["text"].replace("[MASK]", "")
        at = len(text) // 2
        if text[at].strip():
            rows.append({"text": f"{text[:at]}[MASK]{text[at + 1 :]}", "answer": text[at]})
    for row in toy_rows(4):
        words = row["text"].split()
        rows.append({"text": " ".join(["[MASK]", *words[1:]]), "answer": words[0]})
    return rows


@pytest.mark.engine
def test_one_token_is_what_transformers_takes_for_the_likeliest(bert, tmp_path):
    import torch
    from transformers import AutoTokenizer, BertForMaskedLM

    model, tokenizer = BertForMaskedLM.from_pretrained(bert).eval(), AutoTokenizer.from_pretrained(bert)
    rows = gaps(10)
    answers = Run(tmp_path, "fill-mask", rows, {"max_tokens": 1}).answer(bert)
    for row, answer in zip(rows, answers, strict=True):
        encoded = tokenizer(row["text"], return_tensors="pt")
        at = encoded.input_ids[0].tolist().index(tokenizer.mask_token_id)
        with torch.inference_mode():
            shares = model(**encoded).logits[0, at].softmax(-1)
        order = shares.argsort(descending=True).tolist()
        expected = [token for token in order if token not in tokenizer.all_special_ids][:10]
        assert answer["words"] == [tokenizer.decode([token]).strip() for token in expected]
        assert answer["scores"] == pytest.approx([shares[token].item() for token in expected], rel=1e-4)


@pytest.mark.engine
def test_words_of_two_tokens_are_those_of_a_search_through_all(small_bert, tmp_path):
    import torch
    from transformers import AutoTokenizer, BertForMaskedLM

    model, tokenizer = BertForMaskedLM.from_pretrained(small_bert).eval(), AutoTokenizer.from_pretrained(small_bert)
    [answer] = Run(
        tmp_path, "fill-mask", [{"text": "the [MASK] is red", "answer": "seaside"}], {"max_tokens": 2}
    ).answer(small_bert)

    def likely(ids: list[int], at: int) -> Any:
        with torch.inference_mode():
            return model(torch.tensor([ids])).logits[0, at].double().log_softmax(-1)

    free = [number for number, word in enumerate(WORDS) if not word.startswith("[")]
    found: dict[str, float] = {}
    one, two = (tokenizer(f"the {masks} is red").input_ids for masks in ("[MASK]", "[MASK][MASK]"))
    for token in free:
        found[tokenizer.decode([token])] = likely(one, 2)[token].item()
    first = likely(two, 2)
    for start, token in itertools.product(free, free):
        score = (first[start] + likely([*two[:2], start, *two[3:]], 3)[token]).item() / 2
        word = tokenizer.decode([start, token])
        found[word] = max(score, found.get(word, -math.inf))
    best = sorted(found, key=lambda word: -found[word])[:10]
    assert answer["words"] == best
    assert answer["scores"] == pytest.approx([math.exp(found[word]) for word in best], rel=1e-4)
    assert any(" " in word or len(word) > 4 for word in best), "a search that finds no pair would prove nothing"


@pytest.mark.engine
def test_a_chinese_word_of_two_characters_has_no_space_in_it(bert, tmp_path):
    rows = [row for row in gaps(6) if not row["text"].isascii()]
    answers = Run(tmp_path, "fill-mask", rows, {"max_tokens": 2}).answer(bert)
    words = [word for answer in answers for word in answer["words"]]
    assert any(len(word) == 2 and "\u4e00" <= min(word) <= max(word) <= "\u9fff" for word in words)
    assert not any(re.search("[\u4e00-\u9fff] [\u4e00-\u9fff]", word) for word in words)


@pytest.mark.engine
def test_neither_batches_nor_threads_change_a_word(bert, tmp_path):
    run = Run(tmp_path, "fill-mask", gaps(4), {"max_tokens": 2})
    first = [row["words"] for row in run.answer(bert, token_budget=100_000)]
    assert [row["words"] for row in run.answer(bert, token_budget=1)] == first
    assert [row["words"] for row in run.answer(bert, token_budget=300, threads=2)] == first


@pytest.mark.engine
@pytest.mark.parametrize("model_type", ENCODER_TYPES)
def test_every_encoder_fills_gaps_alone_as_in_a_batch(model_type, tmp_path):
    import torch
    import transformers

    from tests.engine.test_architectures import save_random
    from worker.engine.inference import output
    from worker.engine.load import load_model
    from worker.engine.model_config import ENCODERS
    from worker.engine.tokenizing import Tokens

    torch.set_num_threads(1)
    config = save_random(model_type, tmp_path).config
    if model_type == "mobilebert":
        config.embedding_size = 16  # its head spans the difference to the hidden size
    torch.manual_seed(4)
    original = getattr(transformers, f"{ENCODERS[model_type]}ForMaskedLM")(config).eval()
    original.save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path), heads=find("fill-mask").heads, device="cpu")
    assert loaded.unused_tensors == []
    rows = [Tokens([3 + (7 * row + at) % 60 for at in range(4 + 6 * row)], [0], truncated=False) for row in range(3)]
    with torch.inference_mode():
        together = output(loaded, rows).logits
        for row, tokens in enumerate(rows):
            expected = original(input_ids=torch.tensor([tokens.ids])).logits[0]
            assert (together[row, : len(tokens.ids)] - expected).abs().max() < 1e-4 * expected.abs().max()


def test_every_encoder_is_tried():
    from worker.engine.model_config import ENCODERS

    assert sorted(ENCODERS) == ENCODER_TYPES


@pytest.mark.engine
def test_a_long_text_keeps_what_is_around_the_gap(bert):
    from worker.engine.answering.masked import Filler
    from worker.engine.load import load_model

    task = find("fill-mask")
    filler = Filler(load_model(str(bert), heads=task.heads, device="cpu"), task.settings({}), 16)
    for before in (0, 3, 40):
        gap = filler.gap(0, "film " * before + "[MASK]" + " was" * (40 - before), 2)
        assert len(gap.tokens.ids) == 16
        assert gap.tokens.truncated
        assert gap.tokens.ids[gap.start : gap.start + 2] == [filler._mask] * 2


@pytest.mark.engine
def test_a_tokenizer_without_a_mask_is_told_what_it_lacks(tmp_path):
    from tests.engine.test_architectures import save_random

    save_random("bert", tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "architectures": ["BertForMaskedLM"]}))
    inputs = write_jsonl(tmp_path / "inputs.jsonl", [{"id": "0", "text": "a [MASK]"}])
    spec = EvaluateSpec(task="fill-mask", model_dir=str(tmp_path), inputs=str(inputs), out_dir=str(tmp_path / "out"))
    from worker.engine.evaluating import evaluate

    with pytest.raises(EngineError) as caught:
        evaluate(spec, Progress(StringIO()))
    assert caught.value.code in ("tokenizer_mismatch", "weights_incomplete")


def test_ranks_become_scores_by_hand(tmp_path):
    rows = [{"text": f"a [MASK] {n}", "answer": answer} for n, answer in enumerate(["x", ["Y", "z"], "x", "q"])]
    run = Run(tmp_path, "fill-mask", rows, {})
    (tmp_path / "out").mkdir()
    words = [["X", "b"], ["b", "c", "y"], ["b", "c", "d", "e", "f", "x"], ["b"]]
    predictions = (
        {"id": str(n), "words": row, "scores": [0.5 / (place + 1) for place in range(len(row))]}
        for n, row in enumerate(words)
    )
    write_jsonl(tmp_path / "out" / "predictions.jsonl", predictions)
    found = run.score()
    values = {name: metric["value"] for name, metric in found["metrics"].items()}
    assert values == pytest.approx({"acc_at_1": 1 / 4, "acc_at_5": 2 / 4, "mrr": (1 + 1 / 3 + 1 / 6) / 4})
    assert found["details"]["ranks"] == [{"place": place, "n": 1} for place in (0, 1, 3, 6)]
    assert found["floors"]["frequent"]["metrics"]["acc_at_1"] == 0.5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"words": ["a", "a"]}, "each word once"),
        ({"words": ["a", ""]}, "at most 10 words"),
        ({"scores": [0.1, 0.2]}, "best word first"),
        ({"scores": [2, 0.2]}, "score from 0 to 1"),
        ({"scores": [0.2]}, "score from 0 to 1"),
        ({"more": 1}, "exactly id, words and scores"),
    ],
)
def test_improper_words_are_refused(change, says):
    task = find("fill-mask")
    with pytest.raises(EngineError, match=says):
        task.check({"words": ["a", "b"], "scores": [0.2, 0.1], **change}, {}, task.settings({}))


@pytest.mark.parametrize("text", ["no gap", "[MASK] and [MASK]"])
def test_a_row_without_one_gap_is_named(tmp_path, text):
    with pytest.raises(EngineError, match=r'line 1: its field "text" must hold \[MASK\] once'):
        Run(tmp_path, "fill-mask", [{"text": text, "answer": "x"}], {})
