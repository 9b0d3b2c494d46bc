"""Token dropout: some tokens of every batch are hidden, the cheapest augmentation there is."""

import torch

from worker.engine.contracts import EngineError
from worker.engine.tokenizing import LoadedTokenizer
from worker.engine.tuning.objectives.objective import Batch, Objective


class Masking:
    """Puts the token for hidden words in place of a share of the tokens."""

    def __init__(self, objective: Objective, share: float) -> None:
        tokenizer = objective.basis.tokenizer
        if not objective.maskable or tokenizer is None:
            raise EngineError("bad_spec", f"token_dropout is not possible for {objective.task.name}")
        if tokenizer.mask is None:
            raise EngineError("bad_spec", "token_dropout needs a tokenizer with a token for hidden words; set it to 0")
        self._mask = tokenizer.mask
        self._share = share
        self._special = torch.tensor(special_tokens(tokenizer), device=objective.basis.device)

    def mask(self, batch: Batch) -> None:
        """Hide tokens of a batch in place."""
        ids = batch.inputs["input_ids"]  # (rows, width)
        chosen = torch.rand(ids.shape, device=ids.device) < self._share
        chosen &= batch.inputs["attention_mask"].bool() & ~torch.isin(ids, self._special)
        batch.inputs["input_ids"] = ids.masked_fill(chosen, self._mask)


def special_tokens(tokenizer: LoadedTokenizer) -> list[int]:
    """Return the tokens that are no words, and stay as they are."""
    added = tokenizer.tokenizer.get_added_tokens_decoder()
    special = [number for number, token in added.items() if token.special]
    # A vocabulary of a few words may hold them without saying that they are special.
    special += [token for token in (tokenizer.bos, tokenizer.eos) if token is not None]
    return sorted(set(special))
