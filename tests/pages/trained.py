"""Runs and a search of alice's, with curves and results, for the pages that show them."""

from typing import Any

CURVE = [
    {"seq": n, "kind": "step", "step": n + 1, "steps": 6, "epoch": (n + 1) / 2, "loss": 1 / (n + 1), "lr": 1e-4,
     "grad_norm": 1.5, "examples_per_second": 400.0, "padding": 0.02, "rss_mb": 512, "left": 5 - n}
    for n in range(6)
]  # fmt: skip
LOOK = {"seq": 6, "kind": "dev", "step": 6, "loss": 0.4, "metrics": {"accuracy": 0.9, "f1_macro": 0.88}, "best": True}
NOTE = {"seq": 7, "kind": "note", "text": "The head of the model is new."}
REPORT = {
    "rows": {"train": 80, "dev": 10, "test": 10},
    "labels": {"train": {"negative": 40, "positive": 40}, "dev": {"negative": 5, "positive": 5}},
    "findings": [
        {"code": "leaks", "severity": "warning", "count": 3, "part": "test", "lines": [3, 9]},
        {"code": "duplicates", "severity": "info", "count": 2, "lines": [5]},
    ],
}
MEASURED = {"value": 0.9, "low": 0.85, "high": 0.95}
SCORE = {"n": 10, "primary": {"name": "f1_macro", **MEASURED}, "metrics": {"accuracy": MEASURED, "f1_macro": MEASURED}}
PAIRED = {"name": "f1_macro", "n": 10, "difference": 0.1, "low": 0.02, "high": 0.18, "p": 0.01, "test": "mcnemar_exact"}
TEACHER = {"model": "alice/waiting", "temperature": 4.0}
LABELLED = {
    "rows": 900, "confidence": 0.9,
    "rounds": [
        {"round": n, "taken": 300 * n, "labels": {"negative": 100 * n, "positive": 200 * n}, "metric": "f1_macro",
         "dev": 0.8 + n / 50}
        for n in (1, 2)
    ],
}  # fmt: skip
LINE = {
    "name": "before", "score": {"name": "f1_macro", **MEASURED}, "p50_ms": 2.5, "p90_ms": 3.1,
    "examples_per_second": 800.0, "memory_bytes": 10**8, "weights_bytes": 10**7, "bytes": 10**7, "busy": False,
    "loads_in": ["transformers"],
}  # fmt: skip


def train(alice: Any, waiting: Any) -> dict[str, str]:
    """Return the numbers of a finished run, a waiting one, a conversion, and a search with its first trials."""
    from django.utils import timezone

    from models_hub.adapting import asking, converting, explaining, following, studies, wishes
    from models_hub.models import Run, Study

    now = timezone.now()
    asked: dict[str, Any] = {
        "task": "text-classification", "base": "alice/waiting", "data": "alice/mood",
        "files": {"train": "data/test.jsonl"}, "target": "alice/tuned",
    }  # fmt: skip
    done = asking.ask(wishes.read({**asked, "recipe": {"lr": 0.001, "method": "lora"}, "teacher": TEACHER}), by=alice)
    following.keep(done, [*CURVE, LOOK, NOTE])
    Run.objects.filter(pk=done.pk).update(
        data_report=REPORT,
        summary={"pseudo": LABELLED},
        scores={"after": SCORE, "before": SCORE, "paired": PAIRED},
        value=0.88,
        result=waiting,
        result_commit=waiting.head,
        finished_at=now,
    )
    going = asking.ask(wishes.read({**asked, "title": "A long title " * 8}), by=alice)
    following.keep(going, CURVE[:3])
    smaller = converting.ask(
        converting.read({**asked, "method": "quantize", "precisions": ["int8"], "target": "alice/small"}), by=alice
    )
    table = [LINE, {**LINE, "name": "int8", "lost": 0.02, "agreement": 0.98, "passed": False, "busy": True}]
    Run.objects.filter(pk=smaller.pk).update(summary={"table": table, "notes": ["No VNNI."]}, finished_at=now)
    space = {
        "lr": {"type": "float", "low": 1e-5, "high": 1e-3, "log": True},
        "batch_size": {"type": "choice", "choices": [8, 16]},
    }
    study = studies.ask(wishes.read({**asked, "target": "alice/best"}), space, {"trials": 4}, by=alice)
    for number, (rate, size) in enumerate(((1e-4, 8), (5e-4, 16), (9e-4, 8)), start=1):
        params = {"lr": rate, "batch_size": size}
        Run.objects.create(
            owner=alice, title=f"Trial {number}", study=study, number=number, target="alice/best", value=0.7 + rate,
            task="text-classification", options={"params": params}, finished_at=now, is_pruned=number == 1,
        )  # fmt: skip
    Study.objects.filter(pk=study.pk).update(importances={"lr": 0.8, "batch_size": 0.2})
    explained = explaining.ask(waiting, {"text": "good and fine"}, by=alice)
    return {
        **_queues(alice),
        "explained": str(explained.pk),
        "run": str(done.pk), "going": str(going.pk), "smaller": str(smaller.pk),
        "study": str(study.pk),
    }  # fmt: skip


def _queues(alice: Any) -> dict[str, str]:
    """Return the numbers of queues of rows to label: of labels, of tags, and one that a worker has not filled yet."""
    from django.utils import timezone

    from models_hub.adapting import annotating, queues
    from models_hub.adapting.queues import QueueWish
    from models_hub.models import Annotation, AnnotationQueue, AnnotationRow
    from portal.models import User

    asked: dict[str, Any] = {"data": "alice/mood", "path": "data/test.jsonl"}
    labels = ["negative", "positive", "neither of the two, or both at the same time"]
    moods = queues.ask(
        QueueWish(task="text-classification", labels=labels, people=["bob"], base="alice/waiting", **asked), by=alice
    )
    names = queues.ask(
        QueueWish(task="token-classification", labels=["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], **asked), by=alice
    )
    empty = queues.ask(QueueWish(task="multi-label-classification", labels=labels, **asked), by=alice)
    texts = [
        "A film like a long evening: slow, warm, and hard to leave.",
        "Good.",
        "\u4e0d\u597d\u4e5f\u4e0d\u574f\u3002 " * 12,
    ]
    for position, text in enumerate([*texts, *texts]):
        AnnotationRow.objects.create(
            queue=moods, position=position, line=position + 1, question={"text": text}, doubt=0.9,
            needed=2 if position == 1 else 1, guess={"value": "positive", "scores": {"negative": 0.4, "positive": 0.6}},
        )  # fmt: skip
    words = [
        "Ann",
        "Lee",
        "moved",
        "from",
        "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
        "to",
        "Rome",
        ".",
    ]
    for position in range(2):
        AnnotationRow.objects.create(queue=names, position=position, line=1, question={"tokens": words})
    filled = AnnotationQueue.objects.filter(pk__in=(moods.pk, names.pk))
    filled.update(filled_at=timezone.now(), report={"open": 60, "near": 4})
    bob = User.objects.get(username="bob")
    for position, value in ((0, "positive"), (1, "negative")):
        annotating.answer(moods, position, value, by=alice)
    Annotation.objects.create(queue=moods, row=moods.rows.get(position=1), by=bob, value={"value": labels[2]})
    annotating.settle(moods.rows.get(position=1))
    AnnotationQueue.objects.filter(pk=moods.pk).update(written={"written": 1, "commit": moods.data_commit, "gone": 1})
    return {"queue": str(moods.pk), "names_queue": str(names.pk), "empty_queue": str(empty.pk)}
