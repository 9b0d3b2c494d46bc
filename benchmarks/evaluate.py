"""`python -m benchmarks.evaluate`: examples in a second of the engine and of what people would use instead.

One model and the same rows for all, in one run: a classifier against `transformers.pipeline`, one text at a time and in
batches, and a language model against lm-eval alone, where that is installed. Each contestant runs in a process of its
own, in turn, several times; what counts is the time of answering, without loading, and the answers must be the same.
The share of the machine is that of the multiplications of matrices which it was seen to do in the same number format.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from worker.engine.environment import prepare_process
from worker.engine.provenance import cores, cpu_name, is_busy, load_average

Rows = list[dict[str, Any]]
ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "open"
VOCABULARY, MAX_LENGTH, WARM_UP = 8000, 256, 10
PIPELINE_BATCH = 32
PROMPT = "Question: {question}\nAnswer:"
MATRIX = {"cpu": 1024, "cuda": 8192}


def main() -> None:
    """Compare all contestants, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with rotten_tomatoes and arc_easy")
    parser.add_argument("--rows", type=int, default=1066, help="rows of the classifier, at most")
    parser.add_argument("--choices", type=int, default=300, help="questions of the language model, at most")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument(
        "--precision", choices=("", "float32", "bfloat16", "float16"), default="",
        help="the number format of the engine, where it is another than that of all",
    )  # fmt: skip
    parser.add_argument("--budget", type=int, default=2048, help="tokens of a batch")
    parser.add_argument(
        "--batch", type=int, default=PIPELINE_BATCH, help="texts of a batch of the pipeline, half as many of lm-eval"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1, help="times that each process answers; the middle one counts")
    parser.add_argument("--together", action="store_true", help="all in one process, where starting takes the longest")
    parser.add_argument("--skip", nargs="*", default=[], choices=CONTESTANTS)
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    prepare_process(options.threads)
    if options.contestant:
        _say(CONTESTANTS[options.contestant](options.folder, options))
        return
    before = load_average()
    with tempfile.TemporaryDirectory() as folder:
        _compare(Path(folder), options)
    busy = is_busy(before, load_average(), threads=options.threads, cores=cores())
    print(f"load {before} before and {load_average()} after{': others were at work too' if busy else ''}")


def _compare(folder: Path, options: argparse.Namespace) -> None:
    apart = f", the engine in {options.precision}" if options.precision else ""
    print(f"{device_name(options.device)}, {options.threads} threads, {options.dtype}{apart}")
    print(f"{options.layers} layers of {options.hidden}, batches of {options.batch} for the others")
    build(folder, options)
    peak = statistics.median(_run("matrices", folder, options)["flops"] for _ in range(options.repeats))
    print(f"multiplication of matrices: {peak / 1e9:.0f} GFLOP/s\n")
    rival = ["lm-eval"] if find_spec("lm_eval") else []
    for names in (["pipeline, one at a time", "pipeline, batches", "engine"], [*rival, "engine, choices"]):
        if names[-1] not in options.skip:
            _table([name for name in names if name not in options.skip], folder, options, peak)


def _table(names: list[str], folder: Path, options: argparse.Namespace, peak: float) -> None:
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(options.repeats):
        for name in names:  # in turn, so that a busy minute hits all alike
            runs[name].append(_run(name, folder, options))
    own = runs[names[-1]]
    rate = statistics.median(run["rows"] / run["seconds"] for run in own)
    for name, found in runs.items():
        rates = sorted(run["rows"] / run["seconds"] for run in found)
        median = statistics.median(rates)
        same = sum(a == b for a, b in zip(found[0]["answers"], own[0]["answers"], strict=True)) / own[0]["rows"]
        ratio = f"{rate / median:5.2f}x" if found is not own else " " * 6
        print(f"{name:24} {median:9.1f} examples/s ({rates[0]:.0f}-{rates[-1]:.0f})  {ratio}  same answers {same:.2%}")
    if all("flops" in run for run in own):
        share = statistics.median(run["flops"] / run["seconds"] for run in own) / peak
        print(f"share of the peak        {share:9.1%}\n")


def _run(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    if options.together:
        return CONTESTANTS[name](folder, options)
    own = ("contestant", "folder", "skip", "together")
    arguments = [f"--{key}={value}" for key, value in vars(options).items() if key not in own]
    command = [sys.executable, "-m", "benchmarks.evaluate", f"--contestant={name}", f"--folder={folder}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def device_name(device: str) -> str:
    """Return what the answers are computed on."""
    if device == "cpu":
        return f"{cpu_name()}, {cores()} cores"
    import torch

    return torch.cuda.get_device_name()


def _say(found: dict[str, Any]) -> None:
    print(f"\n{json.dumps(found)}")


def build(folder: Path, options: argparse.Namespace) -> None:
    """Write both models, with random weights that give differing answers, and the rows."""
    texts = read(options.data / "rotten_tomatoes", options.rows)
    questions = read(options.data / "arc_easy", options.choices)
    for name, rows in (("texts", texts), ("questions", questions)):
        raw = "".join(json.dumps(row) + "\n" for row in rows)
        # In a folder named by its content: lm-eval keeps data sets by path and time.
        place = folder / name / hashlib.sha256(raw.encode()).hexdigest()
        place.mkdir(parents=True)
        (place / "test.jsonl").write_text(raw, encoding="utf-8")
    _build_classifier(folder / "classifier", [row["text"] for row in texts], options)
    _build_decoder(folder / "decoder", [str(value) for row in questions for value in row.values()], options)


def read(folder: Path, most: int) -> Rows:
    """Return rows of a set of the shared data, those of other parts behind those for tests."""
    parts = (folder / f"{part}.jsonl" for part in ("test", "train", "dev"))
    lines = [line for part in parts if part.exists() for line in part.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line) for line in lines[:most]]


def _build_classifier(folder: Path, texts: list[str], options: argparse.Namespace) -> None:
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    from worker.engine.wordpiece import train_wordpiece

    tokenizer = train_wordpiece(texts, vocab_size=VOCABULARY, max_length=MAX_LENGTH)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=options.hidden, num_hidden_layers=options.layers,
        num_attention_heads=max(1, options.hidden // 64), intermediate_size=4 * options.hidden,
        max_position_embeddings=MAX_LENGTH, initializer_range=0.2, id2label={0: "negative", 1: "positive"},
        label2id={"negative": 0, "positive": 1},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)


def _build_decoder(folder: Path, texts: list[str], options: argparse.Namespace) -> None:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    end = "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=4000, special_tokens=[end], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    whole: Any = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=end, eos_token=end)  # type: ignore[no-untyped-call]
    whole.save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_embd=options.hidden, n_layer=options.layers,
        n_head=max(1, options.hidden // 64), n_positions=MAX_LENGTH, bos_token_id=0, eos_token_id=0,
        initializer_range=0.1,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)


def data(folder: Path, name: str) -> Path:
    """Return the file of rows that `build` wrote."""
    return next((folder / name).glob("*/test.jsonl"))


def one_at_a_time(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The pipeline as its documentation begins: one call a text; once, as it takes so long."""
    once = argparse.Namespace(**{**vars(options), "rounds": 1})
    return _pipeline(folder, once, lambda pipe, texts: [pipe(text, truncation=True)[0] for text in texts])


def in_batches(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The pipeline with all texts at once and a size of batches."""
    return _pipeline(folder, options, lambda pipe, texts: pipe(texts, batch_size=options.batch, truncation=True))


def _pipeline(folder: Path, options: argparse.Namespace, ask: Callable[[Any, list[str]], Rows]) -> dict[str, Any]:
    import torch
    from transformers import pipeline

    torch.set_num_threads(options.threads)
    texts = [json.loads(line)["text"] for line in data(folder, "texts").read_text(encoding="utf-8").splitlines()]
    dtype = getattr(torch, options.dtype)
    pipe = pipeline("text-classification", model=str(folder / "classifier"), device=options.device, dtype=dtype)
    ask(pipe, texts[:WARM_UP])
    times = []
    for _ in range(options.rounds):
        start = time.perf_counter()
        answers = ask(pipe, texts)
        times.append(time.perf_counter() - start)
    labels = [row["label"] for row in answers]
    return {"seconds": statistics.median(times), "rows": len(texts), "answers": labels}


def engine(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """This engine on the same texts."""
    settings = {"labels": ["negative", "positive"]}
    found = _engine(folder, options, "text-classification", "texts", "classifier", settings)
    return {**found, "flops": _flops(folder, options), "answers": [row["label"] for row in found["answers"]]}


def engine_choices(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """This engine on the same questions with choices."""
    found = _engine(folder, options, "multiple-choice", "questions", "decoder", {"prompt": PROMPT})
    answers = [_best(row["log_likelihoods"]) for row in found["answers"]]
    return {**found, "answers": answers}


def _engine(
    folder: Path, options: argparse.Namespace, task: str, rows: str, model: str, settings: dict[str, Any]
) -> dict[str, Any]:
    from worker.engine.contracts import EvaluateSpec, PrepareSpec
    from worker.engine.evaluating import evaluate
    from worker.engine.progress import Progress
    from worker.engine.rows import prepare

    with tempfile.TemporaryDirectory() as place:
        inputs, gold, out, few = (
            str(Path(place) / name) for name in ("inputs.jsonl", "gold.jsonl", "out", "few.jsonl")
        )
        files = {"test": str(data(folder, rows))}
        prepare(PrepareSpec(task=task, files=files, settings=settings, inputs=inputs, gold=gold))
        spec = EvaluateSpec(
            task=task, model_dir=str(folder / model), inputs=inputs, out_dir=out, settings=settings,
            threads=options.threads, device=options.device, dtype=options.precision or options.dtype,
            token_budget=options.budget,
        )  # fmt: skip
        lines = Path(inputs).read_text(encoding="utf-8").splitlines(keepends=True)
        Path(few).write_text("".join(lines[:WARM_UP]), encoding="utf-8")
        evaluate(replace(spec, inputs=few), Progress(StringIO()))
        reports = [evaluate(spec, Progress(StringIO())) for _ in range(options.rounds)]
        lines = (Path(out) / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "seconds": statistics.median(report["predict_seconds"] for report in reports),
        "rows": reports[0]["rows"],
        "answers": [json.loads(line) for line in lines],
    }


def _flops(folder: Path, options: argparse.Namespace) -> float:
    """Return the multiplications and additions of the classifier over the tokens of the texts, without padding."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "classifier")
    texts = [json.loads(line)["text"] for line in data(folder, "texts").read_text(encoding="utf-8").splitlines()]
    lengths = [len(ids) for ids in tokenizer(texts, truncation=True, max_length=MAX_LENGTH)["input_ids"]]
    # Of the last layer the engine computes two of the twelve parts for all tokens, and the rest for one.
    saved = flops_of(lengths, 1, options.hidden) - flops_of([1] * len(lengths), 1, options.hidden)
    return flops_of(lengths, options.layers, options.hidden) - saved * 10 / 12


def flops_of(lengths: Sequence[int], layers: int, hidden: int) -> float:
    """Return the multiplications and additions of an encoder for texts of these lengths, once through."""
    # Of a token in a layer: four matrices of attention, two of four times the width; and it looks at all others twice.
    weights = 2 * (4 * hidden * hidden + 2 * hidden * 4 * hidden)
    return float(layers * sum(length * (weights + 4 * length * hidden) for length in lengths))


def lm_eval(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What lm-eval needs for its requests alone, without reading the data and making its report."""
    os.environ |= {"HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "home"), "DISABLE_MULTIPROC": "1"}
    import torch
    from lm_eval import simple_evaluate  # type: ignore[import-untyped]
    from lm_eval.models.huggingface import HFLM  # type: ignore[import-untyped]
    from lm_eval.tasks import TaskManager  # type: ignore[import-untyped]

    torch.set_num_threads(options.threads)
    spent: list[float] = []

    class Timed(HFLM):  # type: ignore[misc]  # comes untyped
        def loglikelihood(self, requests: Any, **more: Any) -> Any:
            start = time.perf_counter()
            try:
                return super().loglikelihood(requests, **more)
            finally:
                spent.append(time.perf_counter() - start)

    model = Timed(
        pretrained=str(folder / "decoder"), device=options.device, dtype=options.dtype, batch_size=options.batch // 2,
        max_length=MAX_LENGTH,
    )  # fmt: skip
    task = {
        "task": "choices", "dataset_path": "json", "test_split": "test", "output_type": "multiple_choice",
        "dataset_kwargs": {"data_files": {"test": str(data(folder, "questions"))}},
        "doc_to_text": PROMPT.replace("{question}", "{{question}}"), "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer", "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": 1.0},
    }  # fmt: skip
    with torch.inference_mode():
        model._model_call(torch.ones((WARM_UP, MAX_LENGTH), dtype=torch.long, device=options.device))
    for _ in range(options.rounds):
        found = simple_evaluate(
            model=model, tasks=[task], task_manager=TaskManager(include_defaults=False), bootstrap_iters=0
        )
    answers = [_best([float(choice[0][0]) for choice in row["resps"]]) for row in found["samples"]["choices"]]
    return {"seconds": statistics.median(spent), "rows": len(answers), "answers": answers}


def _best(numbers: list[float]) -> int:
    return max(range(len(numbers)), key=numbers.__getitem__)


def matrices(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """How many operations a second square matrices are multiplied with: the best of a second's tries of either way."""
    import torch

    from worker.engine.answering.linear_layers import is_known

    torch.set_num_threads(options.threads)
    size, dtype = MATRIX[options.device], getattr(torch, options.dtype)
    first, second = (torch.rand(size, size, device=options.device).to(dtype) for _ in range(2))

    has_onednn = options.device == "cpu" and is_known()
    ways: list[Callable[[Any, Any], Any]] = [torch.mm, *([partial(_with_onednn, torch)] if has_onednn else [])]

    def multiply(way: Callable[[Any, Any], Any]) -> float:
        start = time.perf_counter()
        way(first, second)
        if options.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    times = []
    with torch.inference_mode():
        for way in ways:
            for _ in range(WARM_UP):
                multiply(way)
            deadline = time.perf_counter() + 1
            times.append(multiply(way))
            while time.perf_counter() < deadline:
                times.append(multiply(way))
    return {"flops": 2.0 * size**3 / min(times)}


def _with_onednn(torch: Any, first: Any, second: Any) -> Any:
    return torch.ops.mkldnn._linear_pointwise(first, second, None, "none", [], "")


CONTESTANTS: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "pipeline, one at a time": one_at_a_time,
    "pipeline, batches": in_batches,
    "engine": engine,
    "lm-eval": lm_eval,
    "engine, choices": engine_choices,
    "matrices": matrices,
}


if __name__ == "__main__":
    main()
