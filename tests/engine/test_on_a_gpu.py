"""What only a GPU can show: the answers of a processor, learning in half precision, and batches that do not fit."""

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS, toy_rows, write_jsonl
from tests.engine.causal_models import build_gpt2
from tests.engine.embedding import save_body
from tests.engine.tuning.arranged import TINY, kill_in_the_middle, losses, records, run, spec_of
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.progress import Progress
from worker.engine.tuning.contracts import Recipe

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("gpu", "hurried")]
TAGS = ["O", "B-PER", "I-PER"]
# Every task and its settings.
KINDS: dict[str, dict[str, Any]] = {
    "text-classification": {"labels": LABELS},
    "token-classification": {"labels": TAGS},
    "sentence-similarity": {},
    "fill-mask": {},
    "multiple-choice": {"prompt": "{question}"},
    "text-generation": {"prompt": "{input}", "max_new_tokens": 8},
    "image-classification": {"labels": LABELS},
}
SMALL = Recipe(epochs=2, lr=5e-3, batch_size=8)


@pytest.fixture(scope="module", autouse=True)
def gpu() -> Iterator[None]:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("this machine has no GPU that torch can use")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        yield


@pytest.fixture
def little_memory(gpu: None) -> Iterator[Callable[[int], None]]:
    """Leave torch only so many bytes more than it holds."""
    import torch

    def leave(more: int) -> None:
        torch.cuda.empty_cache()
        whole = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + more) / whole)

    yield leave
    torch.cuda.set_per_process_memory_fraction(1.0)


@pytest.fixture(scope="module")
def models(bert_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a model for each kind of task."""
    root = tmp_path_factory.mktemp("models")

    def model(task: str) -> Path:
        folder = root / task
        if task == "text-classification":
            return bert_folder
        if not folder.exists():
            _build(task, folder, bert_folder)
        return folder

    return model


def _build(task: str, folder: Path, bert: Path) -> None:
    import torch
    from transformers import BertConfig, BertForMaskedLM, BertForTokenClassification

    from tests.engine.vision_models import save_random

    torch.manual_seed(5)
    if task in ("multiple-choice", "text-generation"):
        folder.mkdir()
        build_gpt2(folder, [row["text"] for row in toy_rows(60)])
    elif task == "image-classification":
        folder.mkdir()
        save_random("resnet", folder, LABELS)
    else:
        save_body(bert, folder)
        config = BertConfig.from_pretrained(folder)
        if task == "token-classification":
            config.id2label, config.label2id = dict(enumerate(TAGS)), {tag: n for n, tag in enumerate(TAGS)}
            BertForTokenClassification(config).save_pretrained(folder)
        if task == "fill-mask":
            BertForMaskedLM(config).save_pretrained(folder)


def questions(task: str) -> list[dict[str, Any]]:
    texts = [row["text"] for row in toy_rows(40)]
    made: dict[str, Callable[[int, str], dict[str, Any]]] = {
        "text-classification": lambda _n, text: {"text": text},
        "token-classification": lambda _n, text: {"tokens": text.split()},
        "sentence-similarity": lambda n, text: {"text": text, "text2": texts[-n]},
        "fill-mask": lambda _n, text: {"text": f"{text} [MASK] indeed"},
        "multiple-choice": lambda n, text: {"prompt": text, "choices": ["good", "bad indeed", "fine"]},
        "text-generation": lambda _n, text: {"prompt": text},
        "image-classification": lambda n, _text: _image(n),
    }
    return [{"id": str(n), **made[task](n, text)} for n, text in enumerate(texts)]


def _image(number: int) -> dict[str, Any]:
    import numpy as np
    from PIL import Image

    file = BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(file, "PNG")
    return {"width": 16, "height": 16, "image": base64.b64encode(file.getvalue()).decode()}


def ask(task: str, model: Path, folder: Path, **changes: Any) -> tuple[list[Any], dict[str, Any]]:
    """Answer all questions; returns answers and report."""
    from worker.engine.evaluating import evaluate

    folder.mkdir(exist_ok=True)
    inputs = write_jsonl(folder / "inputs.jsonl", questions(task))
    spec = EvaluateSpec(
        task=task, model_dir=str(model), inputs=str(inputs), out_dir=str(folder / "out"), settings=KINDS[task]
    )
    report = evaluate(replace(spec, **changes), Progress(StringIO()))
    lines = (folder / "out/predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], report


def close(found: Any, wanted: Any) -> bool:
    """Say whether two answers are the same but for what float32 rounds."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(close(found[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(close, found, wanted))
    return bool(found == pytest.approx(wanted, abs=2e-4) if isinstance(wanted, float) else found == wanted)


@pytest.mark.parametrize("task", KINDS)
def test_answers_in_float32_are_those_of_a_processor(task, models, tmp_path):
    wanted, _report = ask(task, models(task), tmp_path / "cpu", device="cpu")
    found, report = ask(task, models(task), tmp_path / "gpu")
    assert report["device"] == "cuda"
    assert report["peak_device_bytes"] > report["weights_bytes"]
    assert [pair for pair in zip(found, wanted, strict=True) if not close(*pair)] == []


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("task", KINDS)
def test_all_kinds_answer_in_half_precision(task, dtype, models, tmp_path):
    found, report = ask(task, models(task), tmp_path / dtype, dtype=dtype)
    assert (len(found), report["dtype"]) == (40, dtype)


def test_half_precision_seldom_changes_a_label(models, tmp_path):
    wanted, _report = ask("text-classification", models("text-classification"), tmp_path / "whole")
    for dtype in ("bfloat16", "float16"):
        found, _report = ask("text-classification", models("text-classification"), tmp_path / dtype, dtype=dtype)
        assert sum(a["label"] == b["label"] for a, b in zip(found, wanted, strict=True)) >= 38


def test_batches_that_do_not_fit_are_halved_until_they_do(models, little_memory, monkeypatch):
    from worker.engine import inference
    from worker.engine.load import load_model
    from worker.engine.tasks import find
    from worker.engine.tokenizing import Tokens

    heads = find("text-classification").heads
    model = load_model(str(models("text-classification")), heads=heads)
    tokens = [Tokens([2, *[5 + n % 40] * 50, 3], [0] * 52, truncated=False) for n in range(2000)]
    wanted = inference.predict_logits(model, tokens, budget=2048)
    seen = []
    real = inference.forward

    def forward(model: Any, rows: Any) -> Any:
        seen.append(len(rows))
        return real(model, rows)

    monkeypatch.setattr(inference, "forward", forward)
    little_memory(8 << 20)
    found = inference.predict_logits(model, tokens, budget=2048)
    assert seen[0] > 2 * seen[-1]
    assert found == pytest.approx(wanted, abs=1e-4)


def test_what_does_not_fit_at_all_is_a_reason_that_people_can_read(bert_folder, tmp_path, little_memory):
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig.from_pretrained(bert_folder)
    config.hidden_size, config.intermediate_size = 512, 2048
    folder = Path(shutil.copytree(bert_folder, tmp_path / "large"))
    BertForSequenceClassification(config).save_pretrained(folder)
    little_memory(0)
    with pytest.raises(EngineError) as caught:
        ask("text-classification", folder, tmp_path / "none")
    assert caught.value.code == "out_of_memory"


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_it_learns_in_every_precision_and_repeats_itself(precision, tmp_path):
    recipe = replace(SMALL, epochs=6, token_dropout=0.1, precision=precision)
    summaries = [run(spec_of(tmp_path / name, recipe=recipe)) for name in ("one", "two")]
    assert summaries[0]["best"]["metrics"]["accuracy"] > 0.9
    assert (summaries[0]["device"], summaries[0]["precision"]) == ("cuda", precision)
    curves = [losses(tmp_path / name / "run") for name in ("one", "two")]
    assert curves[0] == curves[1]
    assert not any(record["text"].startswith("This device") for record in records(tmp_path / "one/run", "note"))
    weights = [(tmp_path / name / "run/model/model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]
    assert records(tmp_path / "one/run", "step")[-1]["gpu_mb"] > 0


def test_a_processor_learns_the_same_curve_in_float32(tmp_path):
    architecture = replace(TINY, model_type="bert")
    # Adam makes whole steps of what is nothing but rounding.
    recipe = replace(SMALL, dropout=0.0, precision="float32", optimizer="sgd", lr=0.05)
    for device in ("cpu", "cuda"):
        run(spec_of(tmp_path / device, recipe=recipe, architecture=architecture, device=device))
    curves = [losses(tmp_path / device / "run") for device in ("cpu", "cuda")]
    assert curves[1] == pytest.approx(curves[0], abs=1e-3)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_killed_run_goes_on_and_ends_on_the_same_curve(precision, tmp_path):
    recipe = replace(SMALL, epochs=4, accumulation=2, eval_every=7, precision=precision)
    run(spec_of(tmp_path / "whole", recipe=recipe))
    spec = spec_of(tmp_path / "killed", recipe=recipe, checkpoint_seconds=0.05)
    kill_in_the_middle(spec, tmp_path)
    assert run(spec)["attempts"] == 2
    whole, resumed = (losses(tmp_path / name / "run") for name in ("whole", "killed"))
    assert len(whole) == len(resumed) == 32
    assert resumed == pytest.approx(whole, abs=1e-6)


@pytest.mark.filterwarnings("ignore:Adapter")  # adalora may take all of a layer
@pytest.mark.parametrize(
    "method", ["head", "bitfit", "lora", "dora", "adalora", "ia3", "prefix", "prompt", "ptuning", "pfeiffer"]
)
def test_every_method_learns_and_its_result_answers(method, bert_folder, tmp_path):
    from worker.engine.evaluating import evaluate

    recipe = replace(SMALL, method=method, lr=2e-2)
    summary = run(spec_of(tmp_path, recipe=recipe, model_dir=str(bert_folder)))
    assert (summary["device"], summary["precision"]) == ("cuda", "bfloat16")
    curve = losses(tmp_path / "run")
    assert min(curve[-5:]) < curve[0]
    inputs = write_jsonl(tmp_path / "inputs.jsonl", questions("text-classification"))
    spec = EvaluateSpec(
        task="text-classification", model_dir=str(tmp_path / "run/model"), inputs=str(inputs),
        out_dir=str(tmp_path / "out"), settings={"labels": LABELS}, base_dir=str(bert_folder),
    )  # fmt: skip
    assert evaluate(spec, Progress(StringIO()))["device"] == "cuda"


@pytest.mark.parametrize("harden", ["fgm", "pgd", "freelb", "worst_of_k", "rdrop"])
def test_hardening_learns_in_half_precision(harden, tmp_path):
    run(spec_of(tmp_path, recipe=replace(SMALL, epochs=6, precision="float16", harden=harden)))
    curve = losses(tmp_path / "run")
    assert sum(curve[-8:]) < sum(curve[:8])


def test_steps_that_do_not_fit_are_cut_smaller_and_stay_what_they_are(tmp_path, little_memory, monkeypatch):
    from worker.engine.tuning import training

    large = replace(TINY, hidden=64, intermediate=1024)
    recipe = replace(SMALL, epochs=4, batch_size=120, dropout=0.0, precision="float32", optimizer="sgd", lr=0.05)
    run(spec_of(tmp_path / "whole", recipe=recipe, architecture=large))
    real = training.Training.run

    def crowded(self: Any) -> Any:
        # The optimizer has its room after a step; then little is left for what a batch holds.
        little_memory(12 << 20)
        return real(self)

    monkeypatch.setattr(training.Training, "run", crowded)
    run(spec_of(tmp_path / "little", recipe=recipe, architecture=large))
    notes = [record["text"] for record in records(tmp_path / "little/run", "note")]
    assert any(text.startswith("Memory ran out") for text in notes)
    whole, little = (losses(tmp_path / name / "run") for name in ("whole", "little"))
    assert little == pytest.approx(whole, abs=1e-3)
