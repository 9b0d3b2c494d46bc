"""The real transformers: a model is pushed by one person and loaded by another."""

import json
from dataclasses import replace

import pytest

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


def test_a_pushed_model_loads_and_computes_the_same(author, reader):
    pushed, loaded = author.python(PUSH, "alice/pushed"), replace(reader, xet=False).python(LOAD, "alice/pushed")
    ours, theirs = (json.loads(text.splitlines()[-1])[0] for text in (pushed, loaded))
    assert theirs == pytest.approx(ours, abs=1e-6)


def test_a_trainer_pushes_what_it_trained(author, reader):
    author.python(
        """
        import torch
        from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast
        from transformers import Trainer, TrainingArguments
        torch.manual_seed(0)
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
        open("vocab.txt", "w").write("\\n".join(words))
        tokenizer = BertTokenizerFast("vocab.txt")
        model = BertForSequenceClassification(BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16))
        rows = [{**tokenizer(f"{word} film"), "label": label} for word, label in (("good", 1), ("bad", 0))] * 8
        arguments = TrainingArguments(
            "trained-by-trainer", push_to_hub=True, hub_private_repo=False, hub_strategy="every_save",
            save_strategy="epoch", num_train_epochs=2, per_device_train_batch_size=4, report_to=[], use_cpu=True)
        trainer = Trainer(model, arguments, train_dataset=rows, eval_dataset=rows, processing_class=tokenizer)
        trainer.train()
        trainer.push_to_hub(dataset_tags="alice/films", tags=["made-by-trainer"])
        """
    )
    reader.python(
        """
        from huggingface_hub import HfApi, ModelCard
        from transformers import AutoConfig, AutoModel, AutoTokenizer, pipeline
        name = "alice/trained-by-trainer"
        files = HfApi().list_repo_files(name)
        assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "training_args.bin"} <= set(files)
        info = HfApi().model_info(name)
        assert info.library_name == "transformers"
        assert {"made-by-trainer", "dataset:alice/films"} <= set(info.tags), info
        assert "made-by-trainer" in ModelCard.load(name).data.tags
        assert pipeline("text-classification", name)("good film")[0]["label"] in {"LABEL_0", "LABEL_1"}
        commit = HfApi().list_repo_commits(name)[0].commit_id
        model = AutoModel.from_pretrained(name, revision=commit)
        assert AutoConfig.from_pretrained(name).hidden_size == 16 == model.config.hidden_size
        assert AutoTokenizer.from_pretrained(name)("good film")["input_ids"]
        """
    )
