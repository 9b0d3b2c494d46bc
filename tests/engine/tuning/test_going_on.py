"""What a checkpoint keeps of a method is all that it needs to go on as if nothing had happened."""

import pytest

from tests.engine.tuning import tiny

pytestmark = pytest.mark.engine
TASK, STEPS = "text-classification", 10


def walk(attached, optimizer, inputs, steps):
    losses = []
    for step in steps:
        loss = tiny.loss_of(TASK, attached.model(**inputs), inputs)
        aux = attached.aux_loss()
        (loss if aux is None else loss + aux).backward()
        optimizer.step()
        attached.after_step(step)
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("method", ["adalora", "ptuning", "pfeiffer", "head"])
def test_it_goes_on_from_a_state_to_the_last_bit(method):
    import torch

    from worker.engine.tuning.methods.method import attach

    def begun():
        attached = attach(tiny.build("bert", TASK), method, {}, task=TASK, model_type="bert", steps=STEPS)
        return attached, torch.optim.AdamW(attached.parameters(), lr=5e-3)

    inputs = tiny.rows("bert")
    whole, optimizer = begun()
    expected = walk(whole, optimizer, inputs, range(1, STEPS + 1))

    first, before = begun()
    walk(first, before, inputs, range(1, 8))
    second, after = begun()
    with torch.no_grad():  # of another beginning nothing may be left
        for parameter in second.parameters():
            parameter.add_(1.0)
    second.load_state(first.state())
    after.load_state_dict(before.state_dict())
    assert walk(second, after, inputs, range(8, STEPS + 1)) == expected[7:]


@pytest.mark.parametrize("method", ["lora", "houlsby", "prompt"])
def test_layers_that_are_computed_twice_give_the_same_gradients(method):
    import torch

    from worker.engine.tuning.methods.method import attach

    found = []
    for twice in (False, True):
        model = tiny.build("llama", TASK)
        attached = attach(model, method, {}, task=TASK, model_type="llama", steps=STEPS)
        if twice:
            model.activation_checkpointing_enable({"use_reentrant": False})
        attached.model.train()
        inputs = tiny.rows("llama")
        tiny.loss_of(TASK, attached.model(**inputs), inputs).backward()
        found.append([parameter.grad.clone() for parameter in attached.parameters()])
    assert all(torch.allclose(one, two, atol=1e-6) for one, two in zip(*found, strict=True))


def test_a_prefix_is_never_left_out_in_silence():
    from worker.engine.contracts import EngineError
    from worker.engine.tuning.methods.method import attach

    model = tiny.build("llama", TASK)
    attached = attach(model, "prefix", {}, task=TASK, model_type="llama", steps=STEPS)
    model.activation_checkpointing_enable({"use_reentrant": False})
    attached.model.train()
    with pytest.raises(EngineError, match="does not go with gradient_checkpointing"):
        attached.model(**tiny.rows("llama"))
