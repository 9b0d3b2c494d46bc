"""Shorter ways teach a model what the long ones do, and only where they are known to."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tests.engine.tuning import tiny
from tests.engine.tuning.arranged import run, spec_of
from worker.engine.tuning.contracts import Recipe
from worker.engine.tuning.earlier import Earlier

pytestmark = pytest.mark.engine
TASK = "text-classification"


def built(shape: str) -> Any:
    if shape != "distilbert":
        return tiny.build(shape, TASK)
    import torch
    import transformers

    torch.manual_seed(3)
    make: Any = transformers.DistilBertConfig
    config = make(
        vocab_size=tiny.VOCABULARY, dim=16, n_layers=2, n_heads=2, hidden_dim=24, max_position_embeddings=40,
        num_labels=tiny.LABELS, dropout=0.0, attention_dropout=0.0, seq_classif_dropout=0.0,
    )  # fmt: skip
    return transformers.DistilBertForSequenceClassification(config)


def learned(model: Any, shape: str = "bert") -> tuple[Any, dict[str, Any]]:
    """Return the loss of a step and its gradients."""
    inputs = tiny.rows("bert" if shape == "distilbert" else shape)
    loss = tiny.loss_of(TASK, model.train()(**inputs), inputs)
    loss.backward()
    return loss, {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


@pytest.mark.parametrize("shape", ["bert", "roberta", "distilbert", "albert", "gpt2", "llama"])
def test_loss_and_gradients_stay_what_they_are(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from worker.engine.answering.first_token import learn_first_token
    from worker.engine.tuning import products

    expected, long = learned(built(shape), shape)
    model = built(shape)
    monkeypatch.setattr(products, "WORTH", 1)
    assert products.learn_with_onednn(model)
    assert learn_first_token(model) is (shape in ("bert", "roberta", "distilbert"))
    loss, short = learned(model, shape)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    # Of the last layer nothing else is learned either.
    assert set(long) == set(short)
    assert all(torch.allclose(long[name], short[name], atol=1e-6) for name in long)


def test_what_is_dropped_of_the_last_layer_is_dropped_while_learning_alone() -> None:
    import torch

    from worker.engine.answering.first_token import learn_first_token

    model = built("bert")
    learn_first_token(model)
    model.bert.encoder.layer[-1].attention.self.dropout.p = 0.5
    inputs = tiny.rows("bert")
    with torch.no_grad():
        drawn = [model.train()(**inputs).logits for _turn in range(2)]
        answers = [model.eval()(**inputs).logits for _turn in range(2)]
    assert not torch.equal(*drawn)
    assert torch.equal(*answers)


@pytest.mark.parametrize("method", ["lora", "adalora", "ia3"])
def test_what_wraps_layers_learns_the_same(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from worker.engine.answering.first_token import learn_first_token
    from worker.engine.tuning import products
    from worker.engine.tuning.methods.method import attach

    def begun() -> Any:
        attached = attach(built("bert"), method, {"dropout": 0.0} if method == "lora" else {}, **facts)
        with torch.no_grad():
            for number, parameter in enumerate(attached.parameters()):
                parameter.add_(0.1 * (1 + number % 3))
        return attached

    facts: dict[str, Any] = {"task": TASK, "model_type": "bert", "steps": 10}
    monkeypatch.setattr(products, "WORTH", 1)
    expected, long = learned(begun().model)
    attached = begun()
    assert products.learn_with_onednn(attached.model)
    assert learn_first_token(attached.base)
    loss, short = learned(attached.model)
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-6)
    assert set(long) == set(short)
    assert all(torch.allclose(long[name], short[name], atol=1e-6) for name in long)


def test_invented_tokens_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    run(spec_of(tmp_path / "base", recipe=Recipe(epochs=0.2)))
    base = str(tmp_path / "base/run/model")

    def first_token(method: str) -> bool:
        from worker.engine.tuning.ready import Ready

        spec = spec_of(tmp_path / method, recipe=Recipe(epochs=0.1, method=method), model_dir=base)
        (tmp_path / method / "run").mkdir()
        telling: Any = Mock()
        return Ready(spec, tmp_path / method / "run", Earlier(), telling).shortcuts.first_token

    assert [first_token(method) for method in ("full", "lora", "prompt", "prefix", "houlsby")] == [True] * 2 + [
        False
    ] * 3


def test_short_draws_drop_the_share_that_was_asked_for_and_keep_the_mean() -> None:
    import torch

    from worker.engine.tuning.dropping import learn_with_short_draws

    layer = torch.nn.Dropout(0.3)
    assert learn_with_short_draws(torch.nn.Sequential(layer))
    torch.manual_seed(7)
    states = torch.ones(301, 333, requires_grad=True)
    thinned = layer(states)
    thinned.sum().backward()
    assert states.grad is not None
    assert torch.equal(states.grad, thinned)
    assert set(thinned.detach().unique().tolist()) == {0.0, float(thinned.detach().max())}
    assert float(thinned.detach().max()) == pytest.approx(1 / 0.7, rel=1e-4)
    # Each of the four that one draw decides, so that none follows another.
    kept = (thinned.detach().flatten()[:100_000] > 0).view(-1, 4).double()
    assert torch.allclose(kept.mean(dim=0), torch.tensor(0.7).double(), atol=0.01)
    assert torch.allclose(torch.corrcoef(kept.T), torch.eye(4).double(), atol=0.03)
    torch.manual_seed(7)
    assert torch.equal(layer(states), thinned)
    assert torch.equal(layer.eval()(states), states)


@pytest.mark.parametrize(("share", "kind"), [(0.0, "float32"), (1.0, "float32"), (0.3, "bfloat16")])
def test_dropout_that_short_draws_cannot_decide_stays_torchs_own(share: float, kind: str) -> None:
    import torch

    from worker.engine.tuning.dropping import learn_with_short_draws

    states = torch.ones(9, 5, dtype=getattr(torch, kind))
    torch.manual_seed(7)
    expected = torch.nn.Dropout(share)(states)
    layer = torch.nn.Dropout(share)
    learn_with_short_draws(layer)
    torch.manual_seed(7)
    assert torch.equal(layer(states), expected)
