"""A model that begins from random numbers, with a tokenizer that is trained on the texts at hand."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import transformers
from transformers import PretrainedConfig, PreTrainedTokenizerBase

from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.load import choose_device
from worker.engine.model_config import DECODERS, OTHER_NAMES, SEQ2SEQ, SEQ2SEQ_HEADS, CheckedConfig
from worker.engine.tokenizing import load_tokenizer
from worker.engine.tuning import first_numbers, registry, vocabularies
from worker.engine.tuning.basis import Basis, Head
from worker.engine.tuning.beginning import drop
from worker.engine.tuning.contracts import Architecture, FinetuneSpec

# Where the tokenizer lies until it is published.
WORK_DIR = "tokenizer.part"


def create(spec: FinetuneSpec, wanted: Architecture, head: Head, heads: Sequence[str], texts: Iterable[str]) -> Basis:
    """Build a model; its numbers are torch's, which the caller has seeded."""
    if wanted.model_type not in _CONFIGS:
        raise EngineError("bad_spec", f"architecture.model_type must be one of: {', '.join(_CONFIGS)}")
    if not registry.method(spec.recipe.method).merges:
        raise EngineError(
            "bad_spec", f"method {spec.recipe.method} needs a base that is kept: a model from scratch has none"
        )
    stem = _STEMS[wanted.model_type]
    if wanted.model_type in SEQ2SEQ:  # BART without its encoder is a decoder, which is not what is asked for
        heads = [ending for ending in heads if ending in SEQ2SEQ_HEADS]
    names = [OTHER_NAMES.get(stem + ending, stem + ending) for ending in heads]
    found = [name for name in names if hasattr(transformers, name)]
    if not found:
        raise EngineError("bad_spec", f"models of the type {wanted.model_type} have no head for this task")
    tokenizer = vocabularies.train(wanted, texts)
    config = _CONFIGS[wanted.model_type](wanted, tokenizer)
    if head.labels is not None:
        config.id2label = dict(enumerate(head.labels))
        config.label2id = {label: number for number, label in enumerate(head.labels)}
    if head.problem_type is not None:
        config.problem_type = head.problem_type  # type: ignore[assignment]
    config.use_cache = False
    notes = drop(config, spec.recipe.dropout)
    folder = Path(spec.out_dir) / WORK_DIR
    folder.mkdir(exist_ok=True)
    tokenizer.save_pretrained(folder)
    model_class: Any = getattr(transformers, found[0])
    with failing_as("training_failed", "No model can be built with these sizes."):
        model = model_class(config)
    first_numbers.begin(model)
    device = choose_device(spec.device)
    labels = [str(label) for label in (config.id2label or {}).values()]
    return Basis(
        model=model.to(device),
        device=device,
        tokenizer=load_tokenizer(ModelFolder(str(folder)), wanted.model_type),
        config=CheckedConfig(model_class, config, labels, is_decoder=wanted.model_type in DECODERS),
        files=sorted(folder.iterdir()),
        notes=["The model began from random numbers.", *notes],
    )


def _ends(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    names = ("pad_token_id", "bos_token_id", "eos_token_id")
    return {name: getattr(tokenizer, name) for name in names}


def _bert(wanted: Architecture, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    return transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=wanted.hidden,
        num_hidden_layers=wanted.layers,
        num_attention_heads=wanted.heads,
        intermediate_size=wanted.intermediate,
        max_position_embeddings=wanted.max_positions,
        pad_token_id=tokenizer.pad_token_id,
    )


def _roberta(wanted: Architecture, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    pad = int(tokenizer.pad_token_id or 0)
    return transformers.RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=wanted.hidden,
        num_hidden_layers=wanted.layers,
        num_attention_heads=wanted.heads,
        intermediate_size=wanted.intermediate,
        # Positions are counted from behind the padding index.
        max_position_embeddings=wanted.max_positions + pad + 1,
        type_vocab_size=1,
        pad_token_id=pad,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
    )


def _gpt2(wanted: Architecture, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    return transformers.GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=wanted.hidden,
        n_layer=wanted.layers,
        n_head=wanted.heads,
        n_inner=wanted.intermediate,
        n_positions=wanted.max_positions,
        **_ends(tokenizer),
    )


def _llama_like(config_class: type[Any]) -> Callable[[Architecture, PreTrainedTokenizerBase], PretrainedConfig]:
    def make(wanted: Architecture, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
        config: PretrainedConfig = config_class(
            vocab_size=len(tokenizer),
            hidden_size=wanted.hidden,
            num_hidden_layers=wanted.layers,
            num_attention_heads=wanted.heads,
            num_key_value_heads=wanted.heads,
            intermediate_size=wanted.intermediate,
            max_position_embeddings=wanted.max_positions,
            # A small model with a table of its own for what it writes would be little else.
            tie_word_embeddings=True,
            **_ends(tokenizer),
        )
        return config

    return make


def _t5(wanted: Architecture, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    make: Any = transformers.T5Config
    config: PretrainedConfig = make(
        vocab_size=len(tokenizer),
        d_model=wanted.hidden,
        d_kv=wanted.hidden // wanted.heads,
        d_ff=wanted.intermediate,
        num_layers=wanted.layers,
        num_decoder_layers=wanted.layers,
        num_heads=wanted.heads,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    return config


def _bart(wanted: Architecture, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    return transformers.BartConfig(
        vocab_size=len(tokenizer),
        d_model=wanted.hidden,
        encoder_layers=wanted.layers,
        decoder_layers=wanted.layers,
        encoder_attention_heads=wanted.heads,
        decoder_attention_heads=wanted.heads,
        encoder_ffn_dim=wanted.intermediate,
        decoder_ffn_dim=wanted.intermediate,
        max_position_embeddings=wanted.max_positions,
        # As in the first transformers: embeddings are small where they write, and as large as states where they read.
        init_std=wanted.hidden**-0.5,
        scale_embedding=True,
        decoder_start_token_id=tokenizer.pad_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
        **_ends(tokenizer),
    )


_STEMS = {
    "bert": "Bert",
    "roberta": "Roberta",
    "gpt2": "GPT2",
    "llama": "Llama",
    "qwen2": "Qwen2",
    "bart": "Bart",
    "t5": "T5",
}
_CONFIGS: dict[str, Callable[[Architecture, PreTrainedTokenizerBase], PretrainedConfig]] = {
    "bert": _bert,
    "roberta": _roberta,
    "gpt2": _gpt2,
    "llama": _llama_like(transformers.LlamaConfig),
    "qwen2": _llama_like(transformers.Qwen2Config),
    "bart": _bart,
    "t5": _t5,
}
