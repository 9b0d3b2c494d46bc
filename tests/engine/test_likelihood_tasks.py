"""Tasks of likelihood: how rows are read and asked, what is refused, and beginnings that are read once."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.builders import edit_json, write_jsonl
from tests.engine.causal_models import END, build_gpt2, build_llama
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.progress import Progress
from worker.engine.records import Record
from worker.engine.rows import prepare
from worker.engine.scoring import score
from worker.engine.tasks import find
from worker.engine.tasks.prompting import shots

Rows = list[dict[str, Any]]
QUESTIONS = [
    {"question": f"Which of these numbers, all of them small ones, is the next one after {n} and before {n + 2}?",
     "choices": [f"It is {n}.", f"It is {n + 1}, as all know.", f"{n + 2}"], "answer": 1,
     "subject": "odd" if n % 2 else "even"}
    for n in range(20)
]  # fmt: skip


def read(task_name: str, row: dict[str, Any], settings: dict[str, Any] | None = None, **fields: str):
    task = find(task_name)
    return task.read(Record(row, 1, task.columns(fields)), task.settings({} if settings is None else settings))


def scored(tmp_path: Path, task: str, gold: Rows, predictions: Rows) -> dict[str, Any]:
    gold, predictions = ([{"id": str(n), **row} for n, row in enumerate(rows)] for rows in (gold, predictions))
    paths = {name: str(write_jsonl(tmp_path / f"{name}.jsonl", rows))
             for name, rows in (("gold", gold), ("predictions", predictions))}  # fmt: skip
    return score(ScoreSpec(task=task, out=str(tmp_path / "score.json"), bootstrap=100, **paths))


# How rows are read


def test_a_prompt_takes_columns_and_lettered_choices():
    settings = {"prompt": "{subject}: {input} ({year})\n{choices}\nAnswer:", "answers": "letters"}
    row = {"question": "What?", "choices": ["a", "b"], "answer": "B", "subject": "art", "year": 1999}
    question, gold = read("multiple-choice", row, settings)
    assert question["prompt"] == "art: What? (1999)\nA. a\nB. b\nAnswer:"
    assert question["choices"] == gold["choices"] == ["A", "B"]
    assert gold["answer"] == 1
    assert "answer" not in question


@pytest.mark.parametrize(("value", "right"), [(1, 1), ("1", 1), ("B", 1), ("blue", 1), (" red ", 0)])
def test_the_right_answer_is_a_position_a_letter_or_a_text(value, right):
    _question, gold = read("multiple-choice", {"question": "?", "choices": ["red", "blue"], "answer": value})
    assert gold["answer"] == right


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"answer": 2}, 'field "answer" is .2., which is none of the 2 choices'),
        ({"answer": "green"}, "none of the 2 choices"),
        ({"answer": True}, "none of the 2 choices"),
        ({"choices": ["B", "A"], "answer": "A"}, "may mean several choices"),
        ({"choices": ["red"]}, 'field "choices" must be a list of 2 to 26 texts'),
        ({"choices": ["red", ""]}, 'field "choices" must be text'),
        ({"question": " "}, 'field "question" must be text'),
        ({"subject": "x" * 300}, 'field "subject" must have at most 200'),
    ],
)
def test_a_bad_row_names_its_line_and_column(row, says):
    whole = {"question": "?", "choices": ["red", "blue"], "answer": 0} | row
    with pytest.raises(EngineError, match=f"line 1: .*{says}") as caught:
        read("multiple-choice", whole)
    assert caught.value.code == "bad_data"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"prompt": "no column"}, "must name a column"),
        ({"prompt": "{question} {answer}"}, "must not show the column of the answer"),
        ({"answers": "letters"}, "must show {choices}"),
        ({"choices": ["yes"]}, "2 to 26 texts"),
        ({"few_shot": 99}, "0 to 32"),
    ],
)
def test_settings_that_cannot_be_asked_are_refused(given, says):
    with pytest.raises(EngineError, match=says) as caught:
        read("multiple-choice", {"question": "?", "choices": ["red", "blue"], "answer": 0}, given)
    assert caught.value.code == "bad_spec"


def test_the_model_does_not_learn_which_sentence_is_the_good_one():
    for good, bad in (("a b", "b a"), ("b a", "a b")):
        question, gold = read("minimal-pairs", {"good": good, "bad": bad})
        assert question == {"sentences": ["a b", "b a"]}
        assert question["sentences"][gold["good"]] == good


def test_examples_are_of_the_same_subject_and_the_same_for_each_of_its_questions():
    examples = [{"text": f"{group}{n}", "group": group} for n in range(9) for group in "xy"]
    drawn = shots(examples, 4, 7, "x")
    assert len(set(drawn)) == 4
    assert all(text.startswith("x") for text in drawn)
    assert drawn == shots(examples, 4, 7, "x") != shots(examples, 4, 8, "x")
    assert shots(examples, 18, 7, "z") == [row["text"] for row in examples]
    with pytest.raises(EngineError, match="asks for 19 examples"):
        shots(examples, 19, 7, "x")


# What is made of answers


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"log_likelihoods": [-1.0]}, "must have 2 log_likelihoods"),
        ({"log_likelihoods": [-1.0, 0.5]}, "a number of at most 0"),
        ({"log_likelihoods": [-1.0, "x"]}, "a number of at most 0"),
        ({"extra": 1}, "exactly id and log_likelihoods"),
    ],
)
def test_improper_likelihoods_are_refused(tmp_path, change, says):
    gold = [{"answer": 0, "choices": ["a", "b"], "longest": 0}]
    with pytest.raises(EngineError, match=f"row 1 .*{says}") as caught:
        scored(tmp_path, "multiple-choice", gold, [{"log_likelihoods": [-1.0, -2.0]} | change])
    assert caught.value.code == "bad_predictions"


def test_the_three_rules_for_choices_and_their_floors(tmp_path):
    # By character the long answer wins, by bytes the Chinese one: 6 bytes for 2 characters.
    gold = [
        {"answer": 0, "choices": ["ab", "abcdefgh"], "longest": 1},
        {"answer": 1, "choices": ["abcd", "猫狗"], "longest": 0},
    ]
    found = scored(tmp_path, "multiple-choice", gold,
                   [{"log_likelihoods": [-4.0, -8.0]}, {"log_likelihoods": [-6.0, -7.0]}])  # fmt: skip
    assert {name: metric["value"] for name, metric in found["metrics"].items()} == {
        "acc": 0.5, "acc_norm": 0.0, "acc_bytes": 0.5
    }  # fmt: skip
    floors = {name: floor["metrics"]["acc"] for name, floor in found["floors"].items()}
    assert floors == {"chance": 0.5, "longest": 0.0, "position": 0.5}


def test_equally_likely_sentences_are_no_hit_and_phenomena_are_counted_apart(tmp_path):
    gold = [{"good": 0, "group": "a"}, {"good": 1, "group": "b"}, {"good": 1, "group": "b"}]
    answers = [{"log_likelihoods": likely} for likely in ([-1.0, -1.0], [-2.0, -1.0], [-1.0, -2.0])]
    found = scored(tmp_path, "minimal-pairs", gold, answers)
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(1 / 3)
    groups = [(row["group"], row["n"], row["value"]) for row in found["details"]["by_group"]]
    assert groups == [("a", 1, 0.0), ("b", 2, 0.5)]


def test_bits_a_byte_are_those_computed_by_hand(tmp_path):
    gold = [{"text": "猫 cat", "words": 2}, {"text": "aaaa", "words": 1}]
    answers = [
        {"log_likelihood": -7 * np.log(2), "tokens": 3, "greedy": True, "lossless": False},
        {"log_likelihood": -15 * np.log(2), "tokens": 2, "greedy": False, "lossless": True},
    ]
    found = scored(tmp_path, "language-modeling", gold, answers)
    expected = {"bits_per_byte": 2.0, "byte_perplexity": 4.0, "word_perplexity": 2 ** (22 / 3), "greedy_match": 0.5}
    assert {name: metric["value"] for name, metric in found["metrics"].items()} == pytest.approx(expected, abs=1e-9)
    assert found["details"]["tokens"] == {"tokens": 5, "bytes": 11, "bytes_per_token": 2.2, "lossy_rows": 1}
    counts = np.array([5, 1, 1, 1, 1, 1, 1]) / 11  # a five times; c, t, the space and the bytes of 猫 once each
    entropy = -(counts * np.log2(counts)).sum()
    assert found["floors"]["frequencies"]["metrics"]["bits_per_byte"] == pytest.approx(entropy)


# What is asked of a model


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    import torch

    torch.set_num_threads(1)
    texts = [str(row["question"]) for row in QUESTIONS]
    builders = {"gpt2": build_gpt2, "llama": build_llama}
    return {name: build(tmp_path_factory.mktemp(name), texts) for name, build in builders.items()}


@pytest.fixture
def asked(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., EvaluateSpec]:
    """Prepare rows for a copy of a small model that a test may spoil."""
    from worker.engine.answering import measuring

    monkeypatch.setattr(measuring, "LATENCY_SAMPLES", 2)
    monkeypatch.setattr(measuring, "LATENCY_WARM_UP", 1)

    def make(task: str = "multiple-choice", rows: Rows = QUESTIONS, model: str = "llama", **settings: Any):
        files = {"test": str(write_jsonl(tmp_path / "test.jsonl", rows))}
        paths = {part: str(tmp_path / f"{part}.jsonl") for part in ("inputs", "gold")}
        prepare(PrepareSpec(task=task, files=files, settings=settings, **paths))
        folder = Path(shutil.copytree(folders[model], tmp_path / "model"))
        return EvaluateSpec(task=task, model_dir=str(folder), inputs=paths["inputs"], settings=settings,
                            out_dir=str(tmp_path / "out"), device="cpu")  # fmt: skip

    return make


def answers_of(spec: EvaluateSpec) -> tuple[Rows, dict[str, Any]]:
    from worker.engine.evaluating import evaluate

    report = evaluate(spec, Progress(StringIO()))
    lines = (Path(spec.out_dir) / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines], report


@pytest.mark.engine
def test_a_beginning_that_choices_share_is_read_once(asked):
    spec = asked()
    _rows, report = answers_of(spec)
    assert report["tokens_read"] < 0.8 * report["tokens"]
    assert report["chat_template"] == "not applied"


@pytest.mark.engine
def test_choices_by_letter_are_read_off_one_text(asked):
    spec = asked(prompt="{question}\n{choices}\nAnswer:", answers="letters")
    _rows, report = answers_of(spec)
    assert report["tokens_read"] * 3 == report["tokens"]


@pytest.mark.engine
def test_an_encoder_is_refused_under_whatever_name(asked):
    spec = asked("minimal-pairs", [{"good": "a b", "bad": "b a"}])
    edit_json(Path(spec.model_dir) / "config.json", architectures=["BertLMHeadModel"], model_type="bert")
    with pytest.raises(EngineError, match="predicts the next token of running text: gemma, ") as caught:
        answers_of(spec)
    assert caught.value.code == "unsupported_architecture"


@pytest.mark.engine
def test_a_model_that_overflows_is_told(asked):
    import torch
    from transformers import AutoModelForCausalLM

    spec = asked()
    model = AutoModelForCausalLM.from_pretrained(spec.model_dir)
    with torch.no_grad():
        model.lm_head.weight[0, 0] = float("nan")
    model.save_pretrained(spec.model_dir)
    with pytest.raises(EngineError, match="NaN") as caught:
        answers_of(spec)
    assert caught.value.code == "non_finite_scores"


@pytest.mark.engine
def test_a_tokenizer_without_a_first_token_is_told(asked):
    spec = asked("minimal-pairs", [{"good": "a b", "bad": "b a"}])
    edit_json(Path(spec.model_dir) / "tokenizer_config.json", bos_token=None, eos_token=None)
    edit_json(Path(spec.model_dir) / "config.json", bos_token_id=100_000, eos_token_id=100_000)
    with pytest.raises(EngineError, match="No token begins a text") as caught:
        answers_of(spec)
    assert caught.value.code == "tokenizer_mismatch"


@pytest.mark.engine
def test_text_that_the_tokens_do_not_hold_is_counted(asked):
    spec = asked("language-modeling", [{"text": "plain words"}, {"text": "Upper Words"}], model="gpt2")
    path = Path(spec.model_dir) / "tokenizer.json"
    edit_json(path, normalizer={"type": "Lowercase"})
    rows, _report = answers_of(spec)
    assert [row["lossless"] for row in rows] == [True, False]


@pytest.mark.engine
def test_texts_begin_and_end_as_transformers_lets_them(asked):
    from transformers import AutoTokenizer

    from worker.engine.folder import ModelFolder
    from worker.engine.tokenizing import load_tokenizer

    spec = asked()
    for said in ({}, {"add_bos_token": False}, {"add_bos_token": True, "add_eos_token": True}):
        edit_json(Path(spec.model_dir) / "tokenizer_config.json", **said)
        own, theirs = (
            load_tokenizer(ModelFolder(spec.model_dir), "llama"),
            AutoTokenizer.from_pretrained(spec.model_dir),
        )
        assert own.encode("a small word") == theirs.encode("a small word")
        assert (own.bos, own.eos) == (theirs.bos_token_id, theirs.eos_token_id)


@pytest.mark.engine
def test_a_longer_context_than_the_model_reads_is_cut_from_the_left(asked):
    spec = asked()
    whole, report = answers_of(spec)
    assert report["truncated_rows"] == 0
    cut, report = answers_of(replace(spec, max_length=32))
    assert report["truncated_rows"] == 20
    assert cut != whole


@pytest.mark.engine
def test_a_text_that_begins_as_texts_begin_does_not_do_so_twice(asked):
    from worker.engine.continuations import tokenised
    from worker.engine.load import load_model
    from worker.engine.tasks.likelihoods import CAUSAL_HEADS, Asked

    model = load_model(asked().model_dir, heads=CAUSAL_HEADS, device="cpu")
    plain, begun = tokenised(model, [Asked(" b", "a"), Asked(" b", f"{END}a")], 100)
    assert plain.rows == begun.rows
