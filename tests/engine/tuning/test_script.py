"""The exported script knows nothing of ours and reaches the score that the run reached."""

import ast
import json
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.engine.builders import toy_rows, write_jsonl
from tests.engine.real_data import rows_of
from tests.engine.tuning.arranged import TINY
from worker.engine.contracts import EvaluateSpec, ScoreSpec
from worker.engine.progress import Progress
from worker.engine.tuning.arranging import arrange
from worker.engine.tuning.contracts import ArrangeSpec, FinetuneSpec, Recipe, Teacher
from worker.engine.tuning.script import folded, refusal

pytestmark = pytest.mark.engine

ALLOWED = set("torch transformers peft tokenizers safetensors numpy huggingface_hub sacrebleu accelerate".split())


def trained(
    folder: Path, rows: list[dict[str, Any]], task: str, settings: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """Arrange, train and test as the worker does; return the test score of the run."""
    from worker.engine.evaluating import evaluate
    from worker.engine.scoring import score
    from worker.engine.tuning.training import finetune

    data = folder / "data"
    data.mkdir()
    write_jsonl(data / "all.jsonl", rows)
    progress = Progress(StringIO())
    report = arrange(
        ArrangeSpec(
            task=task,
            files={"train": str(data / "all.jsonl")},
            out_dir=str(folder / "arranged"),
            settings=settings or {},
            test_share=0.3,
        ),
        progress,
    )
    values: dict[str, Any] = {
        "task": task,
        "train": str(folder / "arranged/train.jsonl"),
        "dev": str(folder / "arranged/dev.jsonl"),
        "out_dir": str(folder / "run"),
        "settings": report["settings"],
        "seed": 5,
    }
    finetune(FinetuneSpec(**values, **changes), progress)
    model = folder / "run/model"
    wish = {"data": "alice/data", "base": "alice/base", "files": {"train": "all.jsonl"}, "fields": {}}
    (model / "training/recipe.json").write_text(json.dumps({"wish": wish}), encoding="utf-8")
    evaluate(
        EvaluateSpec(
            task=task,
            model_dir=str(model),
            inputs=str(folder / "arranged/test_inputs.jsonl"),
            out_dir=str(folder / "answers"),
            settings=report["settings"],
        ),
        progress,
    )
    found = score(
        ScoreSpec(
            task=task,
            gold=str(folder / "arranged/test_gold.jsonl"),
            predictions=str(folder / "answers/predictions.jsonl"),
            out=str(folder / "score.json"),
            settings=report["settings"],
            bootstrap=100,
        )
    )
    return {name: metric["value"] for name, metric in found["metrics"].items()}


Repeated = Callable[..., dict[str, Any]]


@pytest.fixture
def repeated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Repeated:
    """Run the script as a program, though in this process: it takes seconds to load torch anew."""

    def run(folder: Path, *arguments: str) -> dict[str, Any]:
        script = str(folder / "run/model/training/train.py")
        monkeypatch.setattr(sys, "argv", [script, "--data", str(folder / "data"), *arguments])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of peft, which asks for what transformers has renamed
            warnings.filterwarnings("ignore", "Could not find a config file")  # of peft too, which saves an adapter
            runpy.run_path(script, run_name="__main__")
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return found

    return run


def test_a_classifier_with_an_adapter_is_repeated(
    bert_folder: Path, tmp_path: Path, hurried: None, repeated: Repeated, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.engine.tuning import products

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(
        products, "WORTH", 2000
    )  # some layers of this model are multiplied in one way, some in the other
    rows = [*toy_rows(150), {"text": "", "label": "positive"}]
    recipe = Recipe(epochs=2, lr=5e-3, batch_size=8, token_dropout=0.1, method="lora", accumulation=2, dropout=0.1)
    scores = trained(tmp_path, rows, "text-classification", model_dir=str(bert_folder), recipe=recipe)
    found = repeated(tmp_path, "--base", str(bert_folder), "--out", str(tmp_path / "again"))
    folders = (tmp_path / "run/model/adapter", tmp_path / "again")
    one, other = (load_file(folder / "adapter_model.safetensors") for folder in folders)
    assert one
    assert all(bool((one[name] == other[name]).all()) for name in one)
    assert found["accuracy"] == pytest.approx(scores["accuracy"], abs=1e-9)
    assert found["f1_macro"] == pytest.approx(scores["f1_macro"], abs=1e-9)


# What `accelerate launch` does, but for one thing: the libraries are loaded once, before one process becomes two.
TWO = """
import os, runpy, socket, sys
import accelerate, torch
from transformers import BertForSequenceClassification

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
rank = str(int(os.fork() == 0))
os.environ |= {"WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank}
os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
if rank == "0":
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_two_processes_learn_what_one_does(tmp_path: Path, hurried: None) -> None:
    recipe = Recipe(epochs=1, lr=5e-3, batch_size=7, dropout=0.0, keep="last")
    scores = trained(tmp_path, toy_rows(60), "text-classification", architecture=TINY, recipe=recipe)
    script = str(tmp_path / "run/model/training/train.py")
    said = subprocess.run(
        [sys.executable, "-c", TWO, script, "--data", str(tmp_path / "data"), "--out", str(tmp_path / "again")],
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    [line] = said.stdout.splitlines()  # one process speaks
    assert json.loads(line)["accuracy"] == pytest.approx(scores["accuracy"], abs=1e-9)
    one, other = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run/model", tmp_path / "again"))
    assert set(one) == set(other)
    assert max(float((one[name] - other[name]).abs().max()) for name in one) < 1e-5


@pytest.mark.parametrize("begins", ["layers", "sizes"])
def test_what_a_teacher_taught_is_repeated(tmp_path: Path, hurried: None, repeated: Repeated, begins: str) -> None:
    rows = toy_rows(120)
    shape = replace(TINY, layers=2)
    recipe = Recipe(epochs=1, lr=5e-3, batch_size=8)
    (tmp_path / "first").mkdir()
    trained(tmp_path / "first", rows, "text-classification", architecture=shape, recipe=recipe)
    folder = tmp_path / "first/run/model"
    begin: dict[str, Any] = {"model_dir": str(folder)} if begins == "layers" else {"architecture": TINY}
    teacher = Teacher(model_dir=str(folder), alpha=0.7, keep_layers=1 if begins == "layers" else None)
    (tmp_path / "second").mkdir()
    scores = trained(tmp_path / "second", rows, "text-classification", **begin, teacher=teacher, recipe=recipe)
    base = ["--base", str(folder)] if begins == "layers" else []
    found = repeated(tmp_path / "second", "--teacher", str(folder), *base)
    assert found["accuracy"] == pytest.approx(scores["accuracy"], abs=1e-9)
    assert found["f1_macro"] == pytest.approx(scores["f1_macro"], abs=1e-9)


def test_texts_that_were_mistyped_in_the_worst_way_are_mistyped_again(
    tmp_path: Path, hurried: None, repeated: Repeated
) -> None:
    ends = [" 我真的不太喜欢这部电影"[: number % 12] for number in range(90)]
    rows = [{**row, "text": row["text"] + end} for row, end in zip(toy_rows(90), ends, strict=True)]
    recipe = Recipe(
        epochs=2, lr=5e-3, batch_size=8, dropout=0.1, accumulation=2, token_dropout=0.1, label_smoothing=0.1,
        harden="worst_of_k", harden_options={"count": 3, "share": 0.4},
    )  # fmt: skip
    scores = trained(tmp_path, rows, "text-classification", architecture=TINY, recipe=recipe)
    found = repeated(tmp_path, "--out", str(tmp_path / "again"))
    assert found["accuracy"] == pytest.approx(scores["accuracy"], abs=1e-9)
    one, other = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run/model", tmp_path / "again"))
    assert all(bool((one[name] == other[name]).all()) for name in one)


def test_a_tagger_from_scratch_is_repeated(tmp_path: Path, hurried: None, repeated: Repeated) -> None:
    names = ["Ann", "Bob", "Cleo", "Dan"]
    rows = [
        {
            "tokens": ["hello", names[n % 4], "said", names[n % 3]],
            "tags": ["O", "B-PER", "O", "B-ORG" if n % 2 else "O"],
        }
        for n in range(120)
    ]
    recipe = Recipe(epochs=3, lr=3e-3, token_budget=60, schedule="cosine", class_weights="balanced")
    scores = trained(tmp_path, rows, "token-classification", architecture=TINY, recipe=recipe)
    found = repeated(tmp_path)
    assert found["f1_entities"] == pytest.approx(scores["f1_entities"], abs=1e-9)
    assert 0.0 < found["f1_entities"] < 1.0


def test_a_language_model_is_repeated(tmp_path: Path, hurried: None, repeated: Repeated) -> None:
    lines = [f"In {'summer' if n % 2 else 'winter'} the {n % 7} geese of farm {n} go to the lake. " for n in range(80)]
    rows = [{"text": line * (n % 3 + 1)} for n, line in enumerate(lines)]
    shape = replace(TINY, model_type="gpt2", tokenizer="bpe", vocab_size=320, max_positions=32)
    scores = trained(tmp_path, rows, "language-modeling", architecture=shape, recipe=Recipe(epochs=2, lr=5e-3))
    assert repeated(tmp_path)["bits_per_byte"] == pytest.approx(scores["bits_per_byte"], abs=1e-6)


def test_a_translator_is_repeated(tmp_path: Path, hurried: None, repeated: Repeated) -> None:
    words = ["red", "old", "wet", "big"]
    rows = [
        {"source": f"{words[n % 4]} {words[n % 3]} fox", "target": f"狐狸 {words[n % 3]} 和 {words[n % 4]} 的 一 天"}
        for n in range(60)
    ]
    shape = replace(TINY, model_type="t5", tokenizer="wordpiece")
    recipe = Recipe(epochs=6, lr=1e-2, batch_size=8)
    settings = {"max_new_tokens": 12}
    scores = trained(tmp_path, rows, "translation", settings=settings, architecture=shape, recipe=recipe)
    found = repeated(tmp_path)
    assert found["bleu"] == pytest.approx(scores["bleu"], abs=1e-6)
    assert found["chrf"] == pytest.approx(scores["chrf"], abs=1e-6)
    assert found["chrf"] > 0.1


@pytest.mark.parametrize(
    ("name", "task", "shape", "recipe", "metric"),
    [
        ("tatoeba_en_zh", "translation", {"model_type": "bart"}, {"label_smoothing": 0.1, "epochs": 5}, "bleu"),
        ("tinyshakespeare", "language-modeling", {"model_type": "llama"}, {"epochs": 2}, "bits_per_byte"),
    ],
)
def test_scores_on_texts_that_people_wrote_are_repeated(
    tmp_path: Path, hurried: None, repeated: Repeated, name: str, task: str, shape: Any, recipe: Any, metric: str
) -> None:
    rows = rows_of(f"open/{name}", 160)
    chosen = replace(TINY, tokenizer="bpe", vocab_size=1200, **shape)
    options = Recipe(lr=5e-3, batch_size=8, **recipe)
    settings = {"max_new_tokens": 12} if task == "translation" else {}
    scores = trained(tmp_path, rows, task, settings=settings, architecture=chosen, recipe=options)
    found = repeated(tmp_path, "--out", str(tmp_path / "again"))
    assert found[metric] == pytest.approx(scores[metric], abs=1e-6)
    assert found[metric] > 0.0
    one, other = (load_file(folder / "model.safetensors") for folder in (tmp_path / "run/model", tmp_path / "again"))
    assert all(bool((one[key] == other[key]).all()) for key in one)


def test_the_script_imports_nothing_of_ours() -> None:
    path = Path(__file__).parents[3] / "worker/engine/tuning/exported/train.py"
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    assert names - set(sys.stdlib_module_names) <= ALLOWED


def test_a_run_that_the_script_cannot_repeat_says_why() -> None:
    spec = FinetuneSpec(task="text-classification", train="", out_dir="", architecture=TINY)
    assert refusal(spec) is None
    hardened = FinetuneSpec(
        task="text-classification", train="", out_dir="", architecture=TINY, recipe=Recipe(harden="fgm")
    )
    assert "harden" in str(refusal(hardened))


def test_lines_are_named_in_ranges() -> None:
    assert folded([1, 2, 3, 7, 9, 10]) == [[1, 3], [7, 7], [9, 10]]
