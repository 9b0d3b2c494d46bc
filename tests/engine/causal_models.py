"""Small models with random weights that predict the next token, each with a tokenizer that knows every byte."""

from collections.abc import Iterable
from pathlib import Path

END = "<|endoftext|>"


def build_gpt2(folder: Path, texts: Iterable[str], *, positions: int = 256) -> Path:
    """A GPT-2, whose tokenizer puts nothing around texts."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    size = _tokenizer(folder, texts, begins=False)
    torch.manual_seed(11)
    config = GPT2Config(
        vocab_size=size, n_embd=32, n_layer=2, n_head=2, n_positions=positions, bos_token_id=0, eos_token_id=0,
        initializer_range=0.15,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def build_llama(folder: Path, texts: Iterable[str], *, positions: int = 256) -> Path:
    """A Llama, whose tokenizer puts a token before each text, and whose weights stand twice for what they tie."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    size = _tokenizer(folder, texts, begins=True)
    torch.manual_seed(12)
    config = LlamaConfig(
        vocab_size=size, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=positions, bos_token_id=0, eos_token_id=0,
        initializer_range=0.2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def _tokenizer(folder: Path, texts: Iterable[str], *, begins: bool) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    if begins:
        tokenizer.post_processor = processors.TemplateProcessing(single=f"{END} $A", special_tokens=[(END, 0)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=END, eos_token=END).save_pretrained(folder)
    return tokenizer.get_vocab_size()
