"""The real sentence-transformers: a model for sentences is pushed by one person and encodes for another."""

import json

import pytest

pytestmark = [pytest.mark.live, pytest.mark.engine]


def test_a_pushed_model_encodes_the_same(author, reader):
    pushed = author.python(
        """
        import torch
        from sentence_transformers import SentenceTransformer, models
        from transformers import BertConfig, BertModel, BertTokenizerFast
        torch.manual_seed(0)
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
        open("vocab.txt", "w").write("\\n".join(words))
        BertTokenizerFast("vocab.txt").save_pretrained("encoder")
        BertModel(BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16)).save_pretrained("encoder")
        word = models.Transformer("encoder", max_seq_length=32)
        model = SentenceTransformer(modules=[word, models.Pooling(16), models.Normalize()], device="cpu")
        model.push_to_hub("alice/sentences")
        print(model.encode(["good film"]).tolist())
        """
    )
    loaded = reader.python(
        """
        from huggingface_hub import HfApi
        from sentence_transformers import SentenceTransformer
        model = SentenceTransformer("alice/sentences", device="cpu")
        assert model.similarity(model.encode(["good film"]), model.encode(["good film"])).item() > 0.999
        info = HfApi().model_info("alice/sentences")
        assert (info.pipeline_tag, info.library_name) == ("sentence-similarity", "sentence-transformers"), info
        assert "alice/sentences" in {m.id for m in HfApi().list_models(filter="sentence-transformers")}
        print(model.encode(["good film"]).tolist())
        """
    )
    ours, theirs = (json.loads(text.splitlines()[-1])[0] for text in (pushed, loaded))
    assert theirs == pytest.approx(ours, abs=1e-6)
