"""The real transformers: a model is pushed by one person and loaded by another."""

import json

import pytest

from tests.live import LivePortal
from tests.wire.clients import Machine

pytestmark = [pytest.mark.live, pytest.mark.engine]

PUSH = """
    import sys, torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast
    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
    open("vocab.txt", "w").write("\\n".join(words))
    tokenizer = BertTokenizerFast("vocab.txt")
    model = BertForSequenceClassification(BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16))
    model.eval()
    model.push_to_hub(sys.argv[1], commit_message="Push the model")
    tokenizer.push_to_hub(sys.argv[1])
    print(model(**tokenizer("good film", return_tensors="pt")).logits.tolist())
"""
LOAD = """
    import sys
    from huggingface_hub import HfApi
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1])
    pipeline(model=sys.argv[1])("bad film")  # finds its task from the portal's own answer
    info = HfApi().model_info(sys.argv[1])
    assert (info.pipeline_tag, info.library_name) == ("text-classification", "transformers"), info
    assert info.safetensors.total == sum(p.numel() for p in model.parameters())
    print(model(**tokenizer("good film", return_tensors="pt")).logits.tolist())
"""


@pytest.mark.parametrize("xet", [True, False], ids=["xet", "lfs"])
def test_a_pushed_model_loads_and_computes_the_same(live_portal: LivePortal, tmp_path, xet):
    name = f"alice/pushed-{'xet' if xet else 'lfs'}"
    author = Machine(live_portal, tmp_path / "alice", live_portal.user("alice"), xet=xet)
    reader = Machine(live_portal, tmp_path / "nobody", None, xet=xet)
    pushed, loaded = author.python(PUSH, name), reader.python(LOAD, name)
    ours, theirs = (json.loads(text.splitlines()[-1])[0] for text in (pushed, loaded))
    assert theirs == pytest.approx(ours, abs=1e-6)
