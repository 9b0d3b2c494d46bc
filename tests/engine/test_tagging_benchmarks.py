"""Real sentences from data to score: what a tagger reaches is what seqeval says of the same tags, strictly."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import write_jsonl
from tests.engine.real_data import rows_of
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.progress import Progress
from worker.engine.rows import prepare
from worker.engine.scoring import score

pytestmark = pytest.mark.engine
SETS = {"open/wnut17": 120, "open/weibo_ner": 70}


class Chain:
    """A benchmark of real sentences, and a random tagger that knows its tags."""

    def __init__(self, name: str, folder: Path) -> None:
        import torch
        from transformers import BertConfig, BertForTokenClassification

        from worker.engine.wordpiece import train_wordpiece

        self.rows = rows_of(name, SETS[name])
        self.tags = sorted({tag for row in rows_of(name) for tag in row["tags"]})
        self.folder = folder
        tokenizer = train_wordpiece((" ".join(row["tokens"]) for row in self.rows), vocab_size=400, max_length=256)
        tokenizer.save_pretrained(folder / "model")
        torch.manual_seed(11)
        config = BertConfig(
            vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=256, initializer_range=0.5,
            id2label=dict(enumerate(self.tags)), label2id={tag: index for index, tag in enumerate(self.tags)},
        )  # fmt: skip
        BertForTokenClassification(config).save_pretrained(folder / "model")

    def prepare(self) -> None:
        prepare(
            PrepareSpec(
                task="token-classification",
                files={"test": str(write_jsonl(self.folder / "test.jsonl", self.rows))},
                settings={"labels": self.tags},
                inputs=str(self.folder / "inputs.jsonl"),
                gold=str(self.folder / "gold.jsonl"),
            )
        )

    def evaluate(self, **changes: Any) -> list[list[str]]:
        from worker.engine.answering import measuring
        from worker.engine.evaluating import evaluate

        spec = EvaluateSpec(
            task="token-classification",
            model_dir=str(self.folder / "model"),
            inputs=str(self.folder / "inputs.jsonl"),
            out_dir=str(self.folder / "out"),
            settings={"labels": self.tags},
            device="cpu",
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(measuring, "LATENCY_SAMPLES", 2)
            patch.setattr(measuring, "LATENCY_WARM_UP", 1)
            evaluate(replace(spec, **changes), Progress(StringIO()))
        lines = (self.folder / "out" / "predictions.jsonl").read_text().splitlines()
        return [json.loads(line)["tags"] for line in lines]

    def score(self) -> dict[str, Any]:
        return score(
            ScoreSpec(
                task="token-classification",
                gold=str(self.folder / "gold.jsonl"),
                predictions=str(self.folder / "out" / "predictions.jsonl"),
                out=str(self.folder / "score.json"),
                settings={"labels": self.tags},
                bootstrap=100,
            )
        )


@pytest.fixture(scope="module", params=SETS)
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    made = Chain(request.param, tmp_path_factory.mktemp("tagging"))
    made.prepare()
    return made


def test_the_score_of_a_model_is_that_of_seqeval(chain: Chain) -> None:
    from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
    from seqeval.scheme import IOB2

    answers, gold = chain.evaluate(), [row["tags"] for row in chain.rows]
    found = chain.score()
    strict: dict[str, Any] = {"mode": "strict", "scheme": IOB2, "zero_division": 0}
    expected = {
        "f1_entities": f1_score(gold, answers, **strict),
        "precision_entities": precision_score(gold, answers, **strict),
        "recall_entities": recall_score(gold, answers, **strict),
    }
    assert {name: found["metrics"][name]["value"] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert expected["f1_entities"] > 0, "a model without a hit would prove little"
    report = classification_report(gold, answers, output_dict=True, **strict)
    per_type = {row["type"]: (row["precision"], row["recall"], row["f1"]) for row in found["details"]["per_type"]}
    for name, numbers in per_type.items():
        theirs = report.get(name, {"precision": 0, "recall": 0, "f1-score": 0})
        assert numbers == pytest.approx((theirs["precision"], theirs["recall"], theirs["f1-score"]), abs=1e-9)
    f1_types = sum(numbers[2] for numbers in per_type.values()) / len(per_type)
    assert found["metrics"]["f1_types"]["value"] == pytest.approx(f1_types, abs=1e-9)
    exact = [entities(one) == entities(other) for one, other in zip(gold, answers, strict=True)]
    assert found["metrics"]["sentence_accuracy"]["value"] == pytest.approx(sum(exact) / len(exact), abs=1e-9)


def entities(tags: list[str]) -> set[tuple[Any, ...]]:
    from seqeval.scheme import IOB2, Entities

    return {entity.to_tuple()[1:] for entity in Entities([tags], scheme=IOB2).entities[0]}


def test_batches_and_threads_change_no_tag(chain: Chain) -> None:
    answers = chain.evaluate(token_budget=4096)
    assert chain.evaluate(token_budget=200, threads=2) == answers


def test_a_classifier_of_texts_is_refused_and_told_what_is_needed(model: Path, inputs: Path, tmp_path: Path) -> None:
    from worker.engine.evaluating import evaluate

    spec = EvaluateSpec(
        task="token-classification", model_dir=str(model), inputs=str(inputs), out_dir=str(tmp_path / "out"),
        settings={"labels": ["O", "B-PER", "I-PER"]}, device="cpu",
    )  # fmt: skip
    with pytest.raises(EngineError, match="this task needs BertForTokenClassification") as caught:
        evaluate(spec, Progress(StringIO()))
    assert caught.value.code == "unsupported_architecture"
