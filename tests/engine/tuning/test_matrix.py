"""Every method on every shape of model for every kind of task: it learns, saves, loads and merges, or is refused."""

import shutil
from pathlib import Path

import pytest

from tests.engine.tuning import tiny
from worker.engine.contracts import EngineError
from worker.engine.tuning import registry

pytestmark = pytest.mark.engine
STEPS = 5
CASES = [
    (shape, task, method) for shape, tasks in tiny.TASKS.items() for task in tasks for method in registry.methods()
]
POSSIBLE = [case for case in CASES if registry.refusal(case[2], case[0], case[1]) is None]
REFUSED = [case for case in CASES if case not in POSSIBLE]
# What cannot be, and must never be left out in silence.
IMPOSSIBLE = {
    ("albert", "prefix"), ("llama", "bitfit"), ("t5", "bitfit"), ("gpt2", "head"), ("llama", "head"), ("qwen2", "head"),
    ("t5", "head"),
}  # fmt: skip


def test_only_what_is_impossible_is_refused():
    assert {(shape, method) for shape, _task, method in REFUSED} == IMPOSSIBLE


@pytest.mark.parametrize(("shape", "task", "method"), REFUSED)
def test_it_is_refused_before_anything_is_changed_and_says_why(shape, task, method):
    from worker.engine.tuning.methods.method import attach

    model = tiny.build(shape, task)
    with pytest.raises(EngineError, match=r"not possible: .*Choose another|Choose prompt"):
        attach(model, method, {}, task=task, model_type=shape, steps=STEPS)
    assert all(parameter.requires_grad for parameter in model.parameters())


def learn(attached, task, inputs):
    """Make some steps; return the losses before and after."""
    import torch

    optimizer = torch.optim.AdamW(attached.parameters(), lr=5e-3, weight_decay=0.0)
    losses = []
    for step in range(1, STEPS + 1):
        attached.model.train()
        loss = tiny.loss_of(task, attached.model(**inputs), inputs)
        aux = attached.aux_loss()
        (loss if aux is None else loss + aux).backward()
        optimizer.step()
        attached.after_step(step)
        optimizer.zero_grad()
        losses.append(loss.item())
    attached.model.eval()
    with torch.no_grad():
        last = tiny.loss_of(task, attached.model(**inputs), inputs)
    return losses[0], last.item()


@pytest.mark.parametrize(("shape", "task", "method"), POSSIBLE)
def test_it_learns_saves_loads_and_merges(shape, task, method, tmp_path):
    import torch

    from worker.engine.tuning.methods.method import attach

    torch.set_num_threads(1)
    inputs = tiny.rows(shape)
    mask = (
        inputs.get("decoder_input_ids", inputs["attention_mask"]).ne(-1) if shape == "t5" else inputs["attention_mask"]
    )
    model = tiny.build(shape, task)
    attached = attach(model, method, {}, task=task, model_type=shape, steps=STEPS)
    trained = {id(parameter) for parameter in attached.parameters()}
    before = {name: (item, item.detach().clone()) for name, item in attached.model.named_parameters()}
    first, last = learn(attached, task, inputs)

    assert last < first
    moved = {name for name, (item, old) in before.items() if not torch.equal(item, old)}
    assert moved == {name for name, (item, _old) in before.items() if id(item) in trained}

    with torch.no_grad():
        said = tiny.answers(attached.model(**inputs), mask)
        # What is said of a row hangs on none of its neighbours, nor on padding.
        alone = [{name: table[row : row + 1] for name, table in inputs.items()} for row in range(4)]
        for row, own in enumerate(alone):
            own["input_ids"], own["attention_mask"] = (
                own["input_ids"][:, : 9 - row],
                own["attention_mask"][:, : 9 - row],
            )
        shown = [mask[row : row + 1] if shape == "t5" else own["attention_mask"] for row, own in enumerate(alone)]
        single = [tiny.answers(attached.model(**own), seen) for own, seen in zip(alone, shown, strict=True)]
    if task != "question-answering":
        assert torch.allclose(torch.cat(single), said, atol=1e-5)

    attached.save(tmp_path)
    with torch.no_grad():
        loaded = load(tmp_path, shape, task, method)
        difference = (tiny.answers(loaded(**inputs), mask) - said).abs().max().item()
    # AdaLoRA leaves out the ranks that it gave up, so that sums are made of fewer numbers.
    assert difference <= (2e-6 if method == "adalora" else 0.0)

    plain = attached.merged()
    assert (plain is not None) == registry.method(method).merges
    if plain is not None:
        shutil.rmtree(tmp_path)
        plain.save_pretrained(tmp_path)
        with torch.no_grad():
            merged = plainly(tmp_path, task)(**inputs)
        assert (tiny.answers(merged, mask) - said).abs().max().item() <= 1e-5


def load(folder: Path, shape: str, task: str, method: str):
    """Return a saved model, or a saved adapter on the base that it was trained on."""
    from worker.engine.folder import ModelFolder
    from worker.engine.tuning.methods.loading import put_on

    if registry.method(method).group == "whole":
        return plainly(folder, task)
    return put_on(tiny.build(shape, task), ModelFolder(str(folder))).model


def plainly(folder: Path, task: str):
    """Return a model as the engine loads any other, without peft."""
    import torch

    from worker.engine.folder import ModelFolder
    from worker.engine.load import build
    from worker.engine.model_config import read_config

    files = ModelFolder(str(folder))
    heads = (tiny.HEADS[task], "LMHeadModel") if task == "text-generation" else (tiny.HEADS[task],)
    return build(files, read_config(files, heads), dtype="float32", device=torch.device("cpu")).model
