"""How likely a model finds texts: the same to the digit as lm-eval says, on rows of public sets."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.builders import ROOT, write_jsonl
from tests.engine.causal_models import build_gpt2, build_llama
from tests.engine.real_data import FOLDER, rows_of
from worker.engine.contracts import EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.progress import Progress
from worker.engine.rows import prepare
from worker.engine.scoring import score

pytestmark = pytest.mark.engine
Rows = list[dict[str, Any]]
MAX_LENGTH = 200
ACC = [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")]
LETTERED = "{{question}}\n" + "\n".join(f"{letter}. {{{{choices[{at}]}}}}" for at, letter in enumerate("ABCD"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A benchmark of ours, and the same task as lm-eval takes it."""

    data: str
    rows: int
    task: str
    theirs: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    train: int = 0
    metrics: dict[str, str] = field(default_factory=lambda: {"acc": "acc", "acc_norm": "acc_norm"})


CHOICES = {"output_type": "multiple_choice", "doc_to_choice": "{{choices}}", "doc_to_target": "answer"}
PAIRS = {
    "output_type": "multiple_choice", "doc_to_text": "", "doc_to_target": 0, "doc_to_choice": "{{[good, bad]}}",
    "metric_list": ACC,
}  # fmt: skip
ROLLING = {
    "output_type": "loglikelihood_rolling", "doc_to_text": "", "doc_to_target": "{{text}}",
    "metric_list": [{"metric": name} for name in ("bits_per_byte", "byte_perplexity", "word_perplexity")],
}  # fmt: skip
OF_TEXT = {name: name for name in ("bits_per_byte", "byte_perplexity", "word_perplexity")}
CASES = {
    "arc": Case(
        data="open/arc_easy", rows=24, task="multiple-choice",
        settings={"prompt": "Question: {question}\nAnswer:"},
        theirs={**CHOICES, "doc_to_text": "Question: {{question}}\nAnswer:", "metric_list": ACC},
    ),
    "hellaswag": Case(
        data="open/hellaswag", rows=16, task="multiple-choice",
        theirs={**CHOICES, "doc_to_text": "{{question}}", "metric_list": ACC},
    ),
    "cmmlu": Case(
        data="noncommercial/cmmlu", rows=10, task="multiple-choice", train=3,
        settings={"prompt": "{question}\n{choices}\n答案：", "answers": "letters", "few_shot": 3},
        theirs={
            **CHOICES, "doc_to_text": LETTERED + "\n答案：", "doc_to_choice": ["A", "B", "C", "D"],
            "num_fewshot": 3, "fewshot_config": {"sampler": "first_n"}, "metric_list": ACC,
        },
    ),
    "gaokao": Case(
        data="open/gaokao_zh", rows=12, task="multiple-choice", settings={"before_answer": ""},
        theirs={**CHOICES, "doc_to_text": "{{question}}", "target_delimiter": "", "metric_list": ACC},
    ),
    "truthfulqa": Case(
        data="open/truthfulqa_mc1", rows=10, task="multiple-choice",
        theirs={**CHOICES, "doc_to_text": "{{question}}", "metric_list": ACC},
    ),
    "blimp": Case(data="open/blimp", rows=20, task="minimal-pairs", theirs=PAIRS, metrics={"accuracy": "acc"}),
    "sling": Case(
        data="open/sling_zh", rows=20, task="minimal-pairs", settings={"before_text": ""},
        theirs={**PAIRS, "target_delimiter": ""}, metrics={"accuracy": "acc"},
    ),
    "shakespeare": Case(
        data="open/tinyshakespeare", rows=30, task="language-modeling", theirs=ROLLING, metrics=OF_TEXT
    ),
    "poems": Case(
        data="open/song_ci_poems", rows=8, task="language-modeling", theirs=ROLLING,
        metrics={"bits_per_byte": "bits_per_byte"},
    ),
    "lambada": Case(
        data="open/lambada", rows=12, task="language-modeling", fields={"input": "target", "context": "context"},
        theirs={
            "output_type": "loglikelihood", "doc_to_text": "{{context}}", "doc_to_target": "{{' ' + target}}",
            "metric_list": [
                {"metric": "perplexity", "aggregation": "perplexity"}, {"metric": "acc", "aggregation": "mean"}
            ],
        },
        metrics={"word_perplexity": "perplexity", "greedy_match": "acc"},
    ),
}  # fmt: skip
# What the models write, which is told by the words alone.
EXACT = {"ignore_case": False, "ignore_punctuation": False}
WRITTEN = {
    "gsm8k": Case(
        data="open/gsm8k", rows=8, task="text-generation", train=2, fields={"input": "question", "target": "final"},
        settings={
            "prompt": "Question: {question}\nAnswer:", "few_shot": 2, "until": ["\n", "Question:"],
            "max_new_tokens": 16, **EXACT,
        },
        theirs={
            "output_type": "generate_until", "doc_to_text": "Question: {{question}}\nAnswer:",
            "doc_to_target": "{{final}}", "num_fewshot": 2, "fewshot_config": {"sampler": "first_n"},
            "generation_kwargs": {"until": ["\n", "Question:"], "max_gen_toks": 16, "do_sample": False},
            "metric_list": [{"metric": "exact_match"}],
        },
        metrics={"exact_match": "exact_match"},
    ),
    "mgsm": Case(
        data="open/mgsm_zh", rows=8, task="text-generation",
        settings={"prompt": "{question}\n", "until": ["e"], "max_new_tokens": 24, **EXACT},
        theirs={
            "output_type": "generate_until", "doc_to_text": "{{question}}\n", "doc_to_target": "{{answer}}",
            "generation_kwargs": {"until": ["e"], "max_gen_toks": 24, "do_sample": False},
            "metric_list": [{"metric": "exact_match"}],
        },
        metrics={"exact_match": "exact_match"},
    ),
}  # fmt: skip
ALL_CASES = CASES | WRITTEN


def data_of(case: Case) -> Rows:
    return rows_of(case.data, case.rows)


def train_of(case: Case) -> Rows:
    lines = (FOLDER / case.data / "dev.jsonl").read_text(encoding="utf-8").splitlines()[: case.train]
    return [json.loads(line) for line in lines]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is about time."""
    from worker.engine.answering import measuring

    monkeypatch.setattr(measuring, "LATENCY_SAMPLES", 2)
    monkeypatch.setattr(measuring, "LATENCY_WARM_UP", 1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    import torch

    torch.set_num_threads(1)
    texts = [str(value) for case in CASES.values() for row in data_of(case) for value in row.values()]
    builders = {"gpt2": build_gpt2, "llama": build_llama}
    return {name: build(tmp_path_factory.mktemp(name), texts) for name, build in builders.items()}


@pytest.fixture(scope="module")
def reference(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What lm-eval says of both models on all sets."""
    folder = tmp_path_factory.mktemp("lm-eval")
    tasks = []
    for name, case in ALL_CASES.items():
        files = {"test": _by_digest(folder, data_of(case))}
        more = {"fewshot_split": "train"} if case.train else {}
        if case.train:
            files["train"] = _by_digest(folder, train_of(case))
        tasks.append(
            {"task": name, "dataset_path": "json", "dataset_kwargs": {"data_files": files}, "test_split": "test",
             **more, **case.theirs, "metadata": {"version": 1.0}}
        )  # fmt: skip
    spec = {
        "models": {name: str(path) for name, path in models.items()}, "tasks": tasks, "max_length": MAX_LENGTH,
        "home": str(folder / "home"), "out": str(folder / "answer.json"),
    }  # fmt: skip
    (folder / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "tests.engine.lm_eval_reference", str(folder / "spec.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    return answer


def _by_digest(folder: Path, rows: Rows) -> str:
    """A file in a folder named by its content: lm-eval's data sets are cached by path and time."""
    raw = json.dumps(rows).encode()
    place = folder / hashlib.sha256(raw).hexdigest()
    place.mkdir(exist_ok=True)
    return str(write_jsonl(place / "rows.jsonl", rows))


@pytest.fixture
def ready(models: dict[str, Path], tmp_path: Path) -> Callable[..., EvaluateSpec]:
    """Prepare a case for one of the models."""

    def make(name: str, model: str = "llama", **options: Any) -> EvaluateSpec:
        case = ALL_CASES[name]
        files = {"test": str(write_jsonl(tmp_path / "test.jsonl", data_of(case)))}
        if case.train:
            files["train"] = str(write_jsonl(tmp_path / "train.jsonl", train_of(case)))
        paths = {part: str(tmp_path / f"{part}.jsonl") for part in ("inputs", "gold", "context")}
        prepare(PrepareSpec(task=case.task, files=files, settings=case.settings, fields=case.fields, **paths))
        return EvaluateSpec(
            task=case.task, model_dir=str(models[model]), inputs=paths["inputs"], out_dir=str(tmp_path / "out"),
            settings=case.settings, context=paths["context"] if case.train else None, max_length=MAX_LENGTH,
            device="cpu", **options,
        )  # fmt: skip

    return make


def predictions_of(spec: EvaluateSpec) -> tuple[Rows, dict[str, Any]]:
    from worker.engine.evaluating import evaluate

    report = evaluate(spec, Progress(StringIO()))
    lines = (Path(spec.out_dir) / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], report


def scored(spec: EvaluateSpec) -> dict[str, Any]:
    folder = Path(spec.out_dir).parent
    return score(
        ScoreSpec(task=spec.task, settings=spec.settings, gold=str(folder / "gold.jsonl"), bootstrap=100,
                  predictions=str(Path(spec.out_dir) / "predictions.jsonl"), out=str(folder / "score.json"))
    )  # fmt: skip


def likelihoods_of(rows: Rows) -> list[list[float]]:
    return [row["log_likelihoods"] if "log_likelihoods" in row else [row["log_likelihood"]] for row in rows]


@pytest.mark.parametrize("model", ["gpt2", "llama"])
@pytest.mark.parametrize("name", CASES)
def test_likelihoods_and_metrics_are_those_of_lm_eval(name, model, ready, reference):
    spec = ready(name, model)
    rows, _report = predictions_of(spec)
    theirs = reference[model][name]
    for row, own, responses in zip(data_of(CASES[name]), likelihoods_of(rows), theirs["responses"], strict=True):
        expected = [_likelihood(response) for response in responses]
        if spec.task == "minimal-pairs" and row["bad"] < row["good"]:
            expected.reverse()
        assert own == pytest.approx(expected, abs=1e-4, rel=1e-6)
    found = scored(spec)["metrics"]
    exact = CASES[name].task != "language-modeling"
    for metric, named in CASES[name].metrics.items():
        tolerance = 1e-9 if exact or metric == "greedy_match" else 1e-6
        assert found[metric]["value"] == pytest.approx(theirs["metrics"][named], rel=tolerance, abs=tolerance)
    assert len({round(value, 2) for values in likelihoods_of(rows) for value in values}) > len(rows) // 2


@pytest.mark.parametrize("model", ["gpt2", "llama"])
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_what_lm_eval_has_written(name, model, ready, reference):
    spec = ready(name, model)
    rows, _report = predictions_of(spec)
    theirs = reference[model][name]
    assert [row["text"] for row in rows] == [text for ((text,),) in theirs["responses"]]
    found = scored(spec)["metrics"]["exact_match"]["value"]
    assert found == pytest.approx(theirs["metrics"]["exact_match"], abs=1e-9)
    assert len({row["text"] for row in rows}) > 2, "a model with one answer would prove nothing"


def _likelihood(response: Any) -> float:
    """lm-eval hands back [(likelihood, greedy)], of running text [likelihood]."""
    (found,) = response
    return float(found[0] if isinstance(found, list) else found)


@pytest.mark.parametrize("name", ["hellaswag", "poems"])
def test_neither_batches_nor_threads_change_an_answer(name, ready):
    spec = ready(name)
    rows, first = predictions_of(spec)
    for other in (replace(spec, token_budget=1), replace(spec, token_budget=100_000), replace(spec, threads=2)):
        again, report = predictions_of(other)
        assert np.concatenate(likelihoods_of(again)) == pytest.approx(np.concatenate(likelihoods_of(rows)), abs=2e-5)
        assert report["prediction_digest"] == first["prediction_digest"]
