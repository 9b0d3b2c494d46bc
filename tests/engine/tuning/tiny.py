"""Models of a few thousand random parameters, one of each shape that methods of tuning must cope with."""

from typing import Any

VOCABULARY, PAD = 48, 0
_SHARED: dict[str, Any] = {"vocab_size": VOCABULARY, "pad_token_id": PAD}
_LAYERS: dict[str, Any] = {
    **_SHARED, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "max_position_embeddings": 40,
}  # fmt: skip
_ENCODER = {**_LAYERS, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
_DECODER = {**_LAYERS, "num_key_value_heads": 1, "bos_token_id": 1, "eos_token_id": 2}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("Bert", _ENCODER),
    "roberta": ("Roberta", _ENCODER),
    # Narrow embeddings, and one layer twice.
    "albert": ("Albert", {**_ENCODER, "embedding_size": 8}),
    "gpt2": (
        "GPT2",
        {**_SHARED, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40, "bos_token_id": 1, "eos_token_id": 2,
         "resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0},
    ),
    "llama": ("Llama", _DECODER),
    "qwen2": ("Qwen2", _DECODER),
    # Heads that do not divide its width, and fewer layers that write than read.
    "t5": (
        "T5",
        {**_SHARED, "d_model": 16, "d_kv": 6, "d_ff": 24, "num_layers": 2, "num_decoder_layers": 1, "num_heads": 2,
         "dropout_rate": 0.0, "eos_token_id": 2, "decoder_start_token_id": 0},
    ),
}  # fmt: skip
HEADS = {
    "text-classification": "ForSequenceClassification",
    "token-classification": "ForTokenClassification",
    "question-answering": "ForQuestionAnswering",
    "sentence-similarity": "Model",
    "fill-mask": "ForMaskedLM",
    "text-generation": "ForCausalLM",
    "translation": "ForConditionalGeneration",
}
TASKS = {
    "bert": ("text-classification", "token-classification", "question-answering"),
    "roberta": ("text-classification", "token-classification", "question-answering"),
    "albert": ("text-classification", "token-classification", "question-answering"),
    "gpt2": ("text-classification", "text-generation"),
    "llama": ("text-classification", "text-generation"),
    "qwen2": ("text-classification", "text-generation"),
    "t5": ("translation",),
}
LABELS = 3


def build(shape: str, task: str) -> Any:
    """Return a model, always the same one."""
    import torch
    import transformers

    torch.manual_seed(3)
    stem, sizes = SHAPES[shape]
    head = "LMHeadModel" if (shape, task) == ("gpt2", "text-generation") else HEADS[task]
    labels = {} if task == "question-answering" else {"num_labels": LABELS}
    config = getattr(transformers, f"{stem}Config")(**sizes, **labels)
    return getattr(transformers, stem + head)(config).eval()


def rows(shape: str) -> dict[str, Any]:
    """Return four rows of unequal length, filled up on their right."""
    import torch

    torch.manual_seed(1)
    ids = torch.randint(3, VOCABULARY, (4, 9))
    mask = (torch.arange(9) < 9 - torch.arange(4)[:, None]).long()
    inputs = {"input_ids": ids.masked_fill(mask == 0, PAD), "attention_mask": mask}
    if shape == "t5":
        inputs["decoder_input_ids"] = torch.randint(3, VOCABULARY, (4, 5))
    return inputs


def loss_of(task: str, output: Any, inputs: dict[str, Any]) -> Any:
    """Return something to learn."""
    import torch
    from torch.nn.functional import cross_entropy

    if task == "text-classification":
        return cross_entropy(output.logits, torch.arange(4) % LABELS)
    if task == "question-answering":
        return cross_entropy(output.start_logits, torch.arange(4)) + cross_entropy(output.end_logits, torch.arange(4))
    if task == "token-classification":
        return cross_entropy(output.logits.transpose(1, 2), inputs["input_ids"] % LABELS)
    written = inputs.get("decoder_input_ids", inputs["input_ids"])
    return cross_entropy(output.logits[:, :-1].transpose(1, 2), written[:, 1:])


def answers(output: Any, mask: Any) -> Any:
    """Return the numbers of an output in one row, those of padding left out."""
    import torch

    names = ("logits", "start_logits", "end_logits", "last_hidden_state")
    found = [output[name] for name in names if output.get(name) is not None]
    of_tokens = [numbers[mask.bool()] if numbers.shape[:2] == mask.shape else numbers for numbers in found]
    return torch.cat([numbers.flatten() for numbers in of_tokens])
