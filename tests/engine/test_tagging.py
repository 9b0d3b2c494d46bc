"""Tagging words: the same tags as transformers gives word by word, scored by strict IOB2."""

import json
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from tests.engine.builders import edit_json, toy_rows, write_jsonl
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.progress import Progress
from worker.engine.rows import read_questions
from worker.engine.tasks.token_classification import TokenClassification

pytestmark = pytest.mark.engine
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


@pytest.fixture
def model(bert_folder: Path, tmp_path: Path) -> Path:
    import torch
    from transformers import BertConfig, BertForTokenClassification

    folder = Path(shutil.copytree(bert_folder, tmp_path / "model"))
    torch.manual_seed(3)
    config = BertConfig.from_pretrained(folder)
    config.id2label = dict(enumerate(TAGS))
    config.label2id = {tag: index for index, tag in enumerate(TAGS)}
    BertForTokenClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def spec(model: Path, tmp_path: Path) -> EvaluateSpec:
    rows = [{"id": str(n), "tokens": row["text"].split()} for n, row in enumerate(toy_rows(40))]
    return EvaluateSpec(
        task="token-classification",
        model_dir=str(model),
        inputs=str(write_jsonl(tmp_path / "inputs.jsonl", rows)),
        out_dir=str(tmp_path / "out"),
        settings={"labels": TAGS},
        device="cpu",
    )


def tags_of(spec: EvaluateSpec) -> list[list[str]]:
    from worker.engine.answering.tagger import answer

    task = TokenClassification()
    questions = read_questions(Path(spec.inputs))
    answers = answer(task, spec, task.settings(spec.settings), questions, Progress(StringIO()))
    assert answers.report["latency"]["samples"] == 100
    return [row["tags"] for row in answers.predictions]


def test_the_tags_are_those_of_transformers(spec):
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    model = AutoModelForTokenClassification.from_pretrained(spec.model_dir).eval()
    tokenizer = AutoTokenizer.from_pretrained(spec.model_dir)
    expected = []
    for line in Path(spec.inputs).read_text().splitlines():
        words = json.loads(line)["tokens"]
        encoded = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        with torch.inference_mode():
            best = model(**encoded).logits[0].argmax(-1).tolist()
        word_ids = encoded.word_ids()
        expected.append([TAGS[best[word_ids.index(word)]] for word in range(len(words))])
    assert tags_of(spec) == expected
    assert len({tag for row in expected for tag in row}) > 1, "a model with one answer would prove nothing"


def test_tags_do_not_depend_on_the_batch_size(spec):
    assert tags_of(replace(spec, token_budget=1)) == tags_of(replace(spec, token_budget=100_000))


def test_words_that_are_cut_off_are_outside(spec):
    long = tags_of(replace(spec, max_length=8))
    lengths = [len(json.loads(line)["tokens"]) for line in Path(spec.inputs).read_text().splitlines()]
    assert [len(row) for row in long] == lengths
    assert all(row[6:] == ["O"] * len(row[6:]) for row in long)


def test_a_model_with_other_tags_is_told_which_are_missing(spec, model):
    edit_json(model / "config.json", id2label={str(n): tag for n, tag in enumerate(["O", "B-X", "I-X", "B-Y", "I-Y"])})
    with pytest.raises(EngineError) as caught:
        tags_of(spec)
    assert caught.value.code == "label_mismatch"


def test_a_line_with_too_few_tags_is_named(tmp_path):
    data = write_jsonl(tmp_path / "test.jsonl", [{"tokens": ["Bo", "in", "Ulm"], "tags": ["B-PER", "O"]}])
    task = TokenClassification()
    from worker.engine.records import Record

    record = Record(json.loads(data.read_text()), 1, task.columns({}))
    with pytest.raises(EngineError, match='line 1: its field "tags" has 2 tags for 3 words'):
        task.read(record, task.settings({"labels": TAGS}))


def test_the_score_is_that_of_seqeval():
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.scheme import IOB2

    random = np.random.RandomState(5)
    rows = [[[TAGS[k] for k in random.randint(0, 5, size=9)] for _sentence in range(80)] for _side in range(2)]
    task = TokenClassification()
    settings = task.settings({"labels": TAGS})
    measured = task.measure([{"tags": row} for row in rows[0]], [{"tags": row} for row in rows[1]], settings)
    options = {"mode": "strict", "scheme": IOB2, "zero_division": 0}
    for name, reference in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        assert measured.corpus[f"{name}_entities"].value() == pytest.approx(reference(*rows, **options), abs=1e-12)


def test_labels_must_be_tags_of_iob2():
    for labels in (["O", "PER"], ["B-PER", "I-PER"], ["O", "B-"]):
        with pytest.raises(EngineError):
            TokenClassification().settings({"labels": labels})


def test_doubt_gives_the_same_tags_and_how_sure_each_is(spec):
    from worker.engine.tuning.picking.doubting import doubt

    doubt(spec, Progress(StringIO()))
    lines = (Path(spec.out_dir) / "predictions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["tags"] for row in rows] == tags_of(spec)
    for row in rows:
        assert len(row["margin"]) == len(row["entropy"]) == len(row["tags"])
        assert all(0 <= number <= 1 for number in (*row["margin"], *row["entropy"]))
    assert max(max(row["margin"]) for row in rows) > 0.5  # random numbers are sure of nothing
