"""`python -m benchmarks.finetune`: examples in a second while training, of the engine and of what people use instead.

One model, the same rows, the same number of updates and the same rate for all, in one run. The textbook loop tokenises
each row when it is asked for, pads it to 128 tokens and reads the loss after each step; the trainer of transformers
pads batches to their longest row, and groups rows by length. What counts is the time from the texts to the last step,
without loading. The accuracy of each on the test rows stands beside it with its interval: a faster loop that learns
less would be no gain.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.evaluate import device_name, flops_of, matrices
from worker.engine.environment import prepare_process
from worker.engine.provenance import cores, is_busy, load_average
from worker.engine.statistics import intervals

Rows = list[dict[str, Any]]
ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "open"
LABELS = ["negative", "positive"]
VOCABULARY, PADDED, ASKED, WARM_UP, CLIP = 8000, 128, 16, 0.1, 1.0
AIMS = {"textbook": 5.0, "trainer": 1.6, "trainer, by length": 1.1}


def main() -> None:
    """Compare all contestants, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with rotten_tomatoes; texts are made up without"
    )
    parser.add_argument("--rows", type=int, default=6400, help="training rows, at most")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--base", type=Path, help="folder of a BERT without a head to begin from, not random numbers")
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--together", action="store_true", help="all in one process, where starting takes the longest")
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    prepare_process(options.threads)
    if options.contestant:
        print(f"\n{json.dumps(CONTESTANTS[options.contestant](options.folder, options))}")
        return
    before = load_average()
    with tempfile.TemporaryDirectory() as folder:
        _compare(Path(folder), options)
    busy = is_busy(before, load_average(), threads=options.threads, cores=cores())
    print(f"load {before} before and {load_average()} after{': others were at work too' if busy else ''}")


def _compare(folder: Path, options: argparse.Namespace) -> None:
    print(f"{device_name(options.device)}, {options.threads} threads, {options.precision}")
    rows = build(folder, options)
    size = f"{options.layers} layers of {options.hidden}"
    print(f"{rows} rows, {options.epochs} epochs of batches of {options.batch}, {size}\n")
    peak = matrices(folder, argparse.Namespace(**vars(options), dtype=options.precision))["flops"]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    for _ in range(options.repeats):
        for name in CONTESTANTS:  # in turn, so that a busy minute hits all alike
            runs[name].append(_run(name, folder, options))
    rates = {name: [run["rows"] / run["seconds"] for run in found] for name, found in runs.items()}
    own = statistics.median(rates["engine"])
    for name, found in runs.items():
        median = statistics.median(rates[name])
        right = intervals.proportion(np.array(found[0]["right"], dtype=np.float64), None)
        aim = f"{own / median:5.2f}x (aim {AIMS[name]}x)" if name in AIMS else " " * 16
        print(
            f"{name:20} {median:8.1f} examples/s ({min(rates[name]):.0f}-{max(rates[name]):.0f}) {aim:16} "
            f"{found[0]['updates']} updates, accuracy {right.value:.1%} [{right.low:.1%}, {right.high:.1%}]"
        )
    lengths = _lengths(folder)
    # Back through a model is twice the work of the way there.
    share = 3 * flops_of(lengths, options.layers, options.hidden) / rows * own / peak
    print(f"the engine: {own * sum(lengths) / rows:.0f} tokens/s, {share:.1%} of {peak / 1e9:.0f} GFLOP/s\n")


def _lengths(folder: Path) -> list[int]:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder / "base")
    found = tokenizer([text for text, _label in _rows(folder, "train")], truncation=True, max_length=PADDED)
    return [len(ids) for ids in found["input_ids"]]


def _run(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    if options.together:
        return CONTESTANTS[name](folder, options)
    own = ("contestant", "folder", "together")
    arguments = [f"--{key}={value}" for key, value in vars(options).items() if key not in own]
    command = [sys.executable, "-m", "benchmarks.finetune", f"--contestant={name}", f"--folder={folder}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def build(folder: Path, options: argparse.Namespace) -> int:
    """Write the rows and the model that all begin from, and return the number of training rows."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    from worker.engine.wordpiece import train_wordpiece

    train, test = read(options.data, "train", options.rows), read(options.data, "test", 2000)
    for name, rows in (("train", train), ("test", test)):
        lines = (
            {"id": str(n), "question": {"text": row["text"]}, "gold": {"label": row["label"]}}
            for n, row in enumerate(rows)
        )
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    torch.manual_seed(0)
    labels: dict[str, Any] = {
        "id2label": dict(enumerate(LABELS)),
        "label2id": {label: number for number, label in enumerate(LABELS)},
    }
    if options.base:
        model: Any = BertForSequenceClassification.from_pretrained(options.base, **labels)
        model.save_pretrained(folder / "base")
        AutoTokenizer.from_pretrained(options.base).save_pretrained(folder / "base")
        options.layers, options.hidden = model.config.num_hidden_layers, model.config.hidden_size
        return len(train)
    tokenizer = train_wordpiece((row["text"] for row in train), vocab_size=VOCABULARY, max_length=PADDED)
    tokenizer.save_pretrained(folder / "base")
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=options.hidden, num_hidden_layers=options.layers,
        num_attention_heads=max(1, options.hidden // 64), intermediate_size=4 * options.hidden,
        max_position_embeddings=PADDED, **labels,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder / "base")
    return len(train)


def read(data: Path, part: str, most: int) -> Rows:
    """Return rows of the shared data, or made up ones of like length."""
    path = data / "rotten_tomatoes" / f"{part}.jsonl"
    if path.exists():
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        # Published sorted by label: every n-th keeps both.
        return rows[:: max(1, len(rows) // most)][:most]
    words = {"negative": "dull flat tired", "positive": "bright fresh warm"}
    return [
        {
            "label": (label := LABELS[n % 2]),
            "text": f"the film is {words[label].split()[n % 3]} " + "and so on " * (n * 7 % 15),
        }
        for n in range(most)
    ]


def engine(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """This engine, by the spec that a page would write."""
    from worker.engine.progress import Progress
    from worker.engine.tuning.contracts import FinetuneSpec, Recipe
    from worker.engine.tuning.training import finetune

    recipe = Recipe(
        epochs=options.epochs, batch_size=options.batch, lr=options.lr, warmup=WARM_UP, clip_norm=CLIP,
        precision=options.precision,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as out:
        spec = FinetuneSpec(
            task="text-classification", train=str(folder / "train.jsonl"), out_dir=out, model_dir=str(folder / "base"),
            settings={"labels": LABELS}, recipe=recipe, seed=1, threads=options.threads, device=options.device,
        )  # fmt: skip
        summary = finetune(spec, Progress(StringIO()))
        log = [json.loads(line) for line in (Path(out) / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        # From the texts on, as for the others: tokens are made before the first step.
        began, ended = (
            next(line["seconds"] for line in log if line.get("phase") == phase) for phase in ("tokenising", "saving")
        )
        right = _right(Path(out) / "model", folder)
    return {"seconds": ended - began, "rows": summary["examples"], "updates": summary["steps"], "right": right}


def textbook(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The loop of tutorials: each row padded to 128 tokens when it is asked for, the loss read after each step."""
    import torch
    from torch.utils.data import DataLoader, Dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder / "base")
    rows = _rows(folder, "train")

    class Texts(Dataset[Any]):
        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, number: int) -> Any:
            text, label = rows[number]
            item = tokenizer(text, padding="max_length", truncation=True, max_length=PADDED, return_tensors="pt")
            return {**{name: value[0] for name, value in item.items()}, "labels": torch.tensor(label)}

    model = AutoModelForSequenceClassification.from_pretrained(folder / "base").to(options.device)
    loader = DataLoader(Texts(), batch_size=options.batch, shuffle=True)
    mixed = options.precision != "float32"
    steps = options.epochs * len(loader)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, weight_decay=0.01)
    warm_up = round(WARM_UP * steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, (steps - step) / (steps - warm_up)) if warm_up else 1.0
    )
    model.train()
    total, start = 0.0, time.perf_counter()
    for _epoch in range(options.epochs):
        for batch in loader:
            with torch.autocast(options.device, dtype=torch.bfloat16, enabled=mixed):
                loss = model(**{name: tensor.to(options.device) for name, tensor in batch.items()}).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            total += loss.item()
    seconds = time.perf_counter() - start
    model.save_pretrained(folder / "textbook")
    tokenizer.save_pretrained(folder / "textbook")
    right = _right(folder / "textbook", folder)
    return {"seconds": seconds, "rows": options.epochs * len(rows), "updates": steps, "right": right}


def trainer(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The trainer of transformers, batches padded to their longest row."""
    return _trainer(folder, options, "random")


def by_length(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The same with rows of like length together."""
    return _trainer(folder, options, "group_by_length")


def _trainer(folder: Path, options: argparse.Namespace, sampling: str) -> dict[str, Any]:
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder / "base")
    model = AutoModelForSequenceClassification.from_pretrained(folder / "base")
    rows = _rows(folder, "train")
    start = time.perf_counter()
    found = tokenizer([text for text, _label in rows], truncation=True, max_length=PADDED)
    items = [{**{name: found[name][n] for name in found}, "labels": label} for n, (_text, label) in enumerate(rows)]
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            output_dir=out, per_device_train_batch_size=options.batch, num_train_epochs=options.epochs,
            learning_rate=options.lr, weight_decay=0.01, warmup_steps=WARM_UP, max_grad_norm=CLIP,
            train_sampling_strategy=sampling, save_strategy="no", disable_tqdm=True, seed=1,
            use_cpu=options.device == "cpu", bf16=options.precision == "bfloat16",
        )  # fmt: skip
        whole = Trainer(model, arguments, DataCollatorWithPadding(tokenizer), items)
        whole.train()
    seconds = time.perf_counter() - start
    place = folder / f"trainer-{sampling}"
    model.save_pretrained(place)
    tokenizer.save_pretrained(place)
    updates = int(whole.state.global_step)
    return {"seconds": seconds, "rows": options.epochs * len(rows), "updates": updates, "right": _right(place, folder)}


def _rows(folder: Path, part: str) -> list[tuple[str, int]]:
    lines = (json.loads(line) for line in (folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines())
    return [(line["question"]["text"], LABELS.index(line["gold"]["label"])) for line in lines]


def _right(model_dir: Path, folder: Path) -> list[bool]:
    """Return which test rows a model gets right, asked in the same way for all."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(model_dir)
    model = AutoModelForSequenceClassification.from_pretrained(model_dir).eval()
    rows, found = _rows(folder, "test"), []
    with torch.inference_mode():
        for start in range(0, len(rows), ASKED):
            batch = rows[start : start + ASKED]
            inputs = tokenizer(
                [text for text, _ in batch], padding=True, truncation=True, max_length=PADDED, return_tensors="pt"
            )
            winners = model(**inputs).logits.argmax(dim=1).tolist()
            found += [winner == label for winner, (_text, label) in zip(winners, batch, strict=True)]
    return found


CONTESTANTS = {"textbook": textbook, "trainer": trainer, "trainer, by length": by_length, "engine": engine}


if __name__ == "__main__":
    main()
