"""Linear layers that oneDNN computes answer as torch’s own, and leave alone what is not theirs."""

import copy
from typing import Any

import pytest

pytestmark = pytest.mark.engine


@pytest.fixture
def bert() -> Any:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=16, initializer_range=0.4,
    )  # fmt: skip
    return BertForSequenceClassification(config).eval()


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have every layer be worth it, and note which activations oneDNN is asked for."""
    import torch

    from worker.engine.answering import linear_layers

    real = torch.ops.mkldnn._linear_pointwise
    names: list[str] = []

    def noted(*given: Any) -> Any:
        names.append(given[3])
        return real(*given)

    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", noted)
    monkeypatch.setattr(linear_layers, "WORTH", 0)
    return names


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.arange(3, 11).reshape(2, 4)).logits


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish"])
def test_every_known_activation_is_computed_with_its_layer(bert, called, activation):
    from transformers.activations import ACT2FN

    from worker.engine.answering.linear_layers import multiply_with_onednn

    for layer in bert.bert.encoder.layer:
        layer.intermediate.intermediate_act_fn = ACT2FN[activation]
    expected = logits(bert)
    assert multiply_with_onednn(bert)
    assert logits(bert).flatten().tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-5)
    assert len(called) == 2 * 6 + 2
    assert called.count("none") == 2 * 5 + 2


def test_an_unknown_activation_stays_where_it_is(bert, called):
    from transformers.activations import ACT2FN

    from worker.engine.answering.linear_layers import multiply_with_onednn

    for layer in bert.bert.encoder.layer:
        layer.intermediate.intermediate_act_fn = ACT2FN["mish"]
    expected = logits(bert)
    assert multiply_with_onednn(bert)
    assert logits(bert).flatten().tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-5)
    assert set(called) == {"none"}


def test_small_products_and_those_with_gradients_are_left_to_torch(bert, called, monkeypatch):
    import torch

    from worker.engine.answering import linear_layers

    plain = copy.deepcopy(bert)
    linear_layers.multiply_with_onednn(bert)
    ids = torch.arange(3, 11).reshape(2, 4)
    for model in (plain, bert):
        model(input_ids=ids).logits.sum().backward()
    assert torch.equal(bert.classifier.weight.grad, plain.classifier.weight.grad)
    first, other = (model.bert.encoder.layer[0].intermediate.dense.weight.grad for model in (bert, plain))
    assert torch.equal(first, other)
    monkeypatch.setattr(linear_layers, "WORTH", 1 << 23)
    assert torch.equal(logits(bert), logits(plain))
    assert called == []


def test_other_number_formats_and_models_that_learn_stay_as_they_are(bert):
    import torch

    from worker.engine.answering.linear_layers import multiply_with_onednn

    assert not multiply_with_onednn(copy.deepcopy(bert).to(torch.bfloat16))
    assert not multiply_with_onednn(copy.deepcopy(bert).train())
    assert not multiply_with_onednn(object())  # such as a file of ONNX behind a face
    assert multiply_with_onednn(bert)
    assert not multiply_with_onednn(bert), "twice is as good as once"


def test_a_torch_without_the_operation_answers_as_before(bert, monkeypatch):
    from worker.engine.answering import linear_layers

    monkeypatch.setattr(linear_layers, "is_known", lambda: False)
    assert not linear_layers.multiply_with_onednn(bert)
    assert all("forward" not in vars(module) for module in bert.modules())
