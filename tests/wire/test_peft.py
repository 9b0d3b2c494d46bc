"""The real peft: an adapter is pushed by one person and laid on its base model by another."""

import json

import pytest

pytestmark = [pytest.mark.live, pytest.mark.engine]


def test_an_adapter_is_pushed_and_laid_on_its_base(author, reader):
    pushed = author.python(
        """
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
        BertForSequenceClassification(config).push_to_hub("alice/adapted-base")
        base = AutoModelForSequenceClassification.from_pretrained("alice/adapted-base")
        model = get_peft_model(base, LoraConfig(task_type="SEQ_CLS", r=4, init_lora_weights=False)).eval()
        model.push_to_hub("alice/adapter")
        print(model(torch.arange(8)[None]).logits.tolist())
        """
    )
    loaded = reader.python(
        """
        import torch
        from huggingface_hub import HfApi
        from peft import AutoPeftModelForSequenceClassification, PeftConfig
        from transformers import AutoModelForSequenceClassification
        assert PeftConfig.from_pretrained("alice/adapter").base_model_name_or_path == "alice/adapted-base"
        model = AutoPeftModelForSequenceClassification.from_pretrained("alice/adapter").eval()
        # transformers finds the base by the adapter alone.
        other = AutoModelForSequenceClassification.from_pretrained("alice/adapter").eval()
        ids = torch.arange(8)[None]
        assert torch.allclose(model(ids).logits, other(ids).logits, atol=1e-6)
        info = HfApi().model_info("alice/adapter")
        assert info.library_name == "peft" and "base_model:alice/adapted-base" in info.tags, info
        print(model(ids).logits.tolist())
        """
    )
    ours, theirs = (json.loads(text.splitlines()[-1])[0] for text in (pushed, loaded))
    assert theirs == pytest.approx(ours, abs=1e-6)
