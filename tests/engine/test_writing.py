"""Models that write: every architecture, alone as in a batch, with and without what was read before."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import edit_json
from tests.engine.test_architectures import EXTRA, SIZES
from worker.engine.contracts import EngineError
from worker.engine.tasks.translation import TranslationSettings
from worker.engine.tasks.writing import HEADS, WritingSettings

pytestmark = pytest.mark.engine
OF_ENCODERS: dict[str, Any] = {
    "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "d_ff": 48, "num_layers": 2, "num_heads": 2, "d_kv": 16,
    "decoder_start_token_id": 0, "decoder_vocab_size": 64,
}  # fmt: skip
SETTINGS = WritingSettings(max_new_tokens=12, until=["w5"])


def save_writer(model_type: str, folder: Path, **more: Any) -> Any:
    """Save a random model that writes, with a tokenizer of 64 words."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    from worker.engine.model_config import DECODERS, OTHER_NAMES, SEQ2SEQ

    folder.mkdir(exist_ok=True)
    stem = (DECODERS | SEQ2SEQ)[model_type]
    config_class = getattr(transformers, f"{stem}Config")
    known = {field.name for field in fields(config_class)}
    named = {config_class.attribute_map.get(name, name): value for name, value in (SIZES | OF_ENCODERS).items()}
    chosen = {name: value for name, value in named.items() if name in known} | EXTRA.get(model_type, {})
    if model_type in SEQ2SEQ:
        chosen["num_layers" if model_type in ("t5", "mt5") else "encoder_layers"] = 2
    torch.set_num_threads(1)
    torch.manual_seed(5)
    name = next(
        name for head in HEADS if hasattr(transformers, name := OTHER_NAMES.get(stem + head, stem + head))
        and (model_type in DECODERS or head in ("ForConditionalGeneration", "MTModel"))
    )  # fmt: skip
    model = getattr(transformers, name)(config_class(**{**chosen, **more})).eval()
    torch.manual_seed(6)
    for name, parameter in model.named_parameters():
        # As random models begin, all of them write one word for ever.
        if parameter.dim() > 1 and "embed_positions" not in name:
            torch.nn.init.normal_(parameter, std=0.6)
        elif "norm" in name.lower() or "ln_" in name:
            torch.nn.init.constant_(parameter, 1.0 if "weight" in name else 0.0)
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({f"w{index}": index for index in range(64)}, unk_token="w2"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return model


def prompts() -> list[str]:
    return [" ".join(f"w{3 + (7 * row + word) % 60}" for word in range(2 + 5 * row)) for row in range(5)]


def test_the_lists_are_those_of_the_config():
    from worker.engine import model_config

    assert set(HEADS) == {*model_config.CAUSAL_HEADS, *model_config.SEQ2SEQ_HEADS}


MODEL_TYPES = [
    "bart", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neox", "llama", "marian", "mbart", "mistral", "mt5", "olmo2",
    "opt", "pegasus", "phi", "phi3", "qwen2", "qwen3", "smollm3", "t5",
]  # fmt: skip


def test_every_architecture_is_tried():
    from worker.engine.model_config import DECODERS, SEQ2SEQ

    assert sorted(DECODERS | SEQ2SEQ) == MODEL_TYPES


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_it_writes_what_it_writes_without_what_was_read_before_and_alone(model_type, tmp_path):
    import torch

    from worker.engine.answering.generator import Hand
    from worker.engine.load import load_model

    original = save_writer(model_type, tmp_path)
    loaded = load_model(str(tmp_path), heads=HEADS, device="cpu")
    assert loaded.unused_tensors == []
    hand = Hand(loaded, SETTINGS, 40)
    rows = [hand.read(prompt).ids for prompt in prompts()]
    with torch.inference_mode():
        together = hand.write(rows)
        assert together == [hand.write([row])[0] for row in rows]
        for row, answer in zip(rows, together, strict=True):
            ids = written_plainly(original, row, loaded.config.has_encoder, never=0 if model_type == "marian" else None)
            text = " ".join(f"w{token}" for token in ids).partition("w5")[0]
            assert answer["text"] == text
    assert len({answer["text"] for answer in together}) > 1, "a model with one answer would prove nothing"


def test_an_answer_of_many_languages_begins_with_its_own(tmp_path):
    import torch

    from worker.engine.answering.generator import Hand, first_token_of
    from worker.engine.load import load_model

    save_writer("mbart", tmp_path)
    raw = (tmp_path / "tokenizer.json").read_text()
    (tmp_path / "tokenizer.json").write_text(raw.replace('"w40"', '"zh_CN"').replace('"w41"', '"en_XX"'))
    edit_json(tmp_path / "config.json", forced_bos_token_id=7)
    loaded = load_model(str(tmp_path), heads=HEADS, device="cpu")
    assert [first_token_of(loaded, language) for language in ("zh", "en", "de", "")] == [40, 41, 7, 7]
    settings = TranslationSettings(target_language="zh", max_new_tokens=4, until=[])
    with torch.inference_mode():
        hand = Hand(loaded, settings, 40)
        assert all(row["text"].startswith("zh_CN") for row in hand.write([hand.read("w9 w10").ids]))


def test_marian_is_told_how_a_tokenizer_is_made(tmp_path):
    from worker.engine.load import load_model

    save_writer("marian", tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(EngineError, match=r"Convert source\.spm") as caught:
        load_model(str(tmp_path), heads=HEADS, device="cpu")
    assert caught.value.code == "missing_tokenizer"


def test_the_two_kinds_of_t5_are_told_apart(tmp_path):
    from worker.engine.load import load_model

    for number, (tied, scaled) in enumerate(((False, False), (True, True))):
        save_writer("t5", tmp_path / str(number))
        edit_json(tmp_path / str(number) / "config.json", tie_word_embeddings=tied, scale_decoder_outputs=None)
        loaded = load_model(str(tmp_path / str(number)), heads=HEADS, device="cpu")
        assert loaded.config.config.scale_decoder_outputs is scaled


def written_plainly(model: Any, row: list[int], has_encoder: bool, *, never: int | None) -> list[int]:
    """Write by reading all anew for each token; the end is token 1."""
    import torch

    written: list[int] = []
    while len(written) < SETTINGS.max_new_tokens:
        if has_encoder:
            found = model(input_ids=torch.tensor([row]), decoder_input_ids=torch.tensor([[0, *written]]))
        else:
            found = model(input_ids=torch.tensor([[*row, *written]]))
        numbers = found.logits[0, -1]
        if never is not None:
            numbers[never] = -torch.inf
        token = int(numbers.argmax())
        if token == 1:
            break
        written.append(token)
    return written
