"""Answers found in passages: the spans that transformers' own rule finds, scored by the rules of SQuAD and CMRC."""

import json
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.builders import edit_json, write_jsonl
from tests.engine.real_data import rows_of
from tests.engine.test_spans import cmrc_reference, squad_reference
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.progress import Progress
from worker.engine.records import Record
from worker.engine.rows import prepare
from worker.engine.scoring import score
from worker.engine.tasks.question_answering import QuestionAnswering

engine = pytest.mark.engine
TASK = QuestionAnswering()
LONGEST = 128
SETS: dict[str, tuple[int, dict[str, Any]]] = {
    "open/xquad_en": (20, {"rules": "squad"}),
    "open/cmrc2018": (12, {"rules": "cmrc", "max_answer_length": 50}),
}


class Chain:
    """Real questions, and a random model that reads passages: most of them are too long for it."""

    def __init__(self, name: str, folder: Path) -> None:
        import torch
        from transformers import BertConfig, BertForQuestionAnswering

        from worker.engine.wordpiece import train_wordpiece

        rows, self.settings = SETS[name]
        self.rows = rows_of(name, rows)
        self.folder = folder
        self.model = folder / "model"
        texts = (text for row in self.rows for text in (row["context"], row["question"]))
        tokenizer = train_wordpiece(texts, vocab_size=1200, max_length=LONGEST)
        tokenizer.save_pretrained(self.model)
        torch.manual_seed(5)
        config = BertConfig(
            vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=LONGEST, initializer_range=0.4,
        )  # fmt: skip
        BertForQuestionAnswering(config).save_pretrained(self.model)
        prepare(
            PrepareSpec(
                task="question-answering",
                files={"test": str(write_jsonl(folder / "test.jsonl", self.rows))},
                settings=self.settings,
                inputs=str(folder / "inputs.jsonl"),
                gold=str(folder / "gold.jsonl"),
            )
        )

        self.report: dict[str, Any] = {}
        self.answers = self.evaluate()

    def evaluate(self, **changes: Any) -> list[dict[str, Any]]:
        from worker.engine.answering import measuring
        from worker.engine.evaluating import evaluate

        spec = EvaluateSpec(
            task="question-answering",
            model_dir=str(self.model),
            inputs=str(self.folder / "inputs.jsonl"),
            out_dir=str(self.folder / "out"),
            settings=self.settings,
            device="cpu",
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(measuring, "LATENCY_SAMPLES", 2)
            patch.setattr(measuring, "LATENCY_WARM_UP", 1)
            report = evaluate(replace(spec, **changes), Progress(StringIO()))
        self.report = self.report or report
        lines = (self.folder / "out" / "predictions.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module", params=SETS)
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain(request.param, tmp_path_factory.mktemp("reading"))


@cache
def loaded(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    return AutoTokenizer.from_pretrained(folder), AutoModelForQuestionAnswering.from_pretrained(folder).eval()


def reference(folder: Path, question: str, context: str, *, longest: int, no_answer: bool = False) -> str:
    """The rule of transformers' example for SQuAD: every window, every span, and the least score of silence."""
    import torch

    tokenizer, model = loaded(folder)
    asked = tokenizer(question, add_special_tokens=False).input_ids
    encoded = tokenizer(
        question, context, truncation="only_second", max_length=LONGEST, return_overflowing_tokens=True,
        stride=min(128, (LONGEST - 3 - len(asked)) // 2), return_offsets_mapping=True, padding=True,
        return_tensors="pt",
    )  # fmt: skip
    offsets = encoded.pop("offset_mapping").tolist()
    encoded.pop("overflow_to_sample_mapping")
    with torch.inference_mode():
        said = model(**encoded)
    best, silence, text = -np.inf, np.inf, ""
    for window in range(len(offsets)):
        start, end = said.start_logits[window].tolist(), said.end_logits[window].tolist()
        inside = [place for place, sequence in enumerate(encoded.sequence_ids(window)) if sequence == 1]
        silence = min(silence, start[0] + end[0])
        for first in inside:
            for last in range(first, min(first + longest, inside[-1] + 1)):
                if start[first] + end[last] > best:
                    best = start[first] + end[last]
                    text = context[offsets[window][first][0] : offsets[window][last][1]]
    return "" if no_answer and silence > best else text


@engine
def test_answers_are_those_of_the_reference_program_over_all_windows(chain: Chain) -> None:
    answers = chain.answers
    assert chain.report["windows"] > len(chain.rows), "passages that fit would prove little"
    longest = chain.settings.get("max_answer_length", 30)
    for row, answer in list(zip(chain.rows, answers, strict=True))[:12]:
        assert answer["text"] == reference(chain.model, row["question"], row["context"], longest=longest)
        assert row["context"].startswith(answer["text"], answer["start"])
    assert len({answer["text"] for answer in answers}) > 5, "a model with one answer would prove nothing"


@engine
def test_answers_of_short_passages_are_those_of_transformers(chain: Chain, tmp_path: Path) -> None:
    import torch
    from transformers.pipelines.document_question_answering import select_starts_ends

    rows = [{"question": row["question"][:20], "context": row["context"][:60], "id": row["id"]} for row in chain.rows]
    answers = chain.evaluate(inputs=str(write_jsonl(tmp_path / "short.jsonl", rows)))
    tokenizer, model = loaded(chain.model)
    for row, answer in zip(rows[:25], answers, strict=False):
        encoded = tokenizer(row["question"], row["context"], return_offsets_mapping=True, return_tensors="pt")
        offsets = encoded.pop("offset_mapping")[0].tolist()
        with torch.inference_mode():
            said = model(**encoded)
        outside = np.array([[sequence != 1 for sequence in encoded.sequence_ids(0)]]).astype(int)
        starts, ends, _scores, _silence = select_starts_ends(
            said.start_logits.numpy(), said.end_logits.numpy(), outside, encoded.attention_mask.numpy(),
            max_answer_len=chain.settings.get("max_answer_length", 30),
        )  # fmt: skip
        assert answer["text"] == row["context"][offsets[starts[0]][0] : offsets[ends[0]][1]]


@engine
def test_the_score_of_a_model_is_that_of_the_published_rule(chain: Chain) -> None:
    answers = [dict(answer) for answer in chain.answers]
    # A random model hits nothing: some of its answers are put right, wholly or in part.
    for number, (row, answer) in enumerate(zip(chain.rows, answers, strict=True)):
        right = row["answers"][0]["text"]
        answer["text"], answer["start"] = [(right, 0), (right[: len(right) // 2 + 1], 1)][number % 2]
        if number % 3 == 0:
            answer["text"], answer["start"] = "", None
    write_jsonl(chain.folder / "answers.jsonl", answers)
    found = score(
        ScoreSpec(
            task="question-answering",
            gold=str(chain.folder / "gold.jsonl"),
            predictions=str(chain.folder / "answers.jsonl"),
            out=str(chain.folder / "score.json"),
            items=str(chain.folder / "items.json"),
            settings=chain.settings,
            bootstrap=100,
        )
    )
    rule = squad_reference if chain.settings["rules"] == "squad" else cmrc_reference
    golds = [[answer["text"] for answer in row["answers"]] for row in chain.rows]
    expected = np.array([rule(gold, answer["text"]) for gold, answer in zip(golds, answers, strict=True)])
    assert found["metrics"]["exact_match"]["value"] == pytest.approx(expected[:, 0].mean(), abs=1e-9)
    assert found["metrics"]["f1"]["value"] == pytest.approx(expected[:, 1].mean(), abs=1e-9)
    assert 0.1 < expected[:, 0].mean() < expected[:, 1].mean() < 0.9
    assert found["metrics"]["f1"]["method"] == "cluster_robust", "questions about one passage hang together"
    items = json.loads((chain.folder / "items.json").read_text())
    assert len(set(items["clusters"])) == len({row["context"] for row in chain.rows})
    assert sum(part["n"] for part in found["details"]["questions"]) <= len(chain.rows)


@engine
def test_batches_and_threads_change_no_answer(chain: Chain) -> None:
    assert chain.evaluate(token_budget=300, threads=2) == chain.answers


@engine
def test_silence_is_an_answer_where_the_benchmark_says_so(chain: Chain) -> None:
    longest = chain.settings.get("max_answer_length", 30)
    answers = chain.evaluate(settings=chain.settings | {"no_answer": True})
    for row, answer in list(zip(chain.rows, answers, strict=True))[:8]:
        expected = reference(chain.model, row["question"], row["context"], longest=longest, no_answer=True)
        assert answer["text"] == expected
    assert all(answer["text"] for answer in chain.answers), "where there is always one, one is given"


def test_windows_of_a_tokenizer_of_bytes_are_those_of_transformers() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    from worker.engine.tokenizing import LoadedTokenizer
    from worker.engine.windows import windows_of

    rows = rows_of("open/xquad_en", 8)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>"]
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator((row["context"] for row in rows), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    pairs = [(row["question"], row["context"]) for row in rows]
    windows = list(windows_of(LoadedTokenizer(tokenizer, None), pairs, max_length=80, vocab_size=600, filler=1))
    theirs = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>")
    for number, (question, context) in enumerate(pairs):
        own = [window for window in windows if window.question == number]
        asked = len(theirs(question, add_special_tokens=False).input_ids)
        expected = theirs(
            question, context, truncation="only_second", max_length=80, return_overflowing_tokens=True,
            stride=(76 - asked) // 2,
        )  # fmt: skip
        assert [window.tokens.ids for window in own] == expected.input_ids
        for window in own:
            said = tokenizer.decode(window.tokens.ids[window.first : window.first + len(window.piece.starts)])
            assert said.strip() == context[window.piece.starts[0] : window.piece.ends[-1]].strip()


@engine
def test_a_model_of_another_kind_is_refused_and_told_what_is_needed(chain: Chain, model: Path) -> None:
    with pytest.raises(EngineError, match="this task needs BertForQuestionAnswering") as caught:
        chain.evaluate(model_dir=str(model))
    assert caught.value.code == "unsupported_architecture"
    edit_json(model / "config.json", architectures=["BertForQuestionAnswering"], id2label=None, num_labels=3)
    with pytest.raises(EngineError) as caught:
        chain.evaluate(model_dir=str(model))
    assert caught.value.code in ("weights_incomplete", "label_mismatch")


@engine
def test_too_few_positions_are_told(chain: Chain) -> None:
    edit_json(chain.model / "tokenizer_config.json", model_max_length=6)
    with pytest.raises(EngineError, match="no room for a question and a passage"):
        chain.evaluate()
    edit_json(chain.model / "tokenizer_config.json", model_max_length=LONGEST)


def read(**values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    settings = TASK.settings({"no_answer": values.pop("no_answer", False)})
    row = {"question": "Who?", "context": "Ada came."} | values
    return TASK.read(Record(row, 3, TASK.columns({})), settings)


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["Ada", "Ada came"], "answer_start": [0, 0]},
        ["Ada", "Ada", "Ada came"],
        [{"text": "Ada", "answer_start": 0}, {"text": "Ada came", "start": 0}],
        '["Ada", "Ada came"]',
    ],
)
def test_answers_come_as_in_squad_as_texts_or_as_json_in_a_cell(answers: object) -> None:
    question, gold = read(answers=answers)
    assert question == {"question": "Who?", "context": "Ada came."}
    assert gold["answers"] == ["Ada", "Ada came"]


def test_a_cell_may_hold_one_answer_as_it_is() -> None:
    assert read(answers="[citation needed")[1]["answers"] == ["[citation needed"]


@pytest.mark.parametrize("answers", [[], {"text": [], "answer_start": []}, ""])
def test_no_answer_is_an_error_unless_the_benchmark_has_such_questions(answers: object) -> None:
    with pytest.raises(EngineError, match=r"line 3: .* has no answer; .*no_answer: true"):
        read(answers=answers)
    assert read(answers=answers, no_answer=True)[1]["answers"] == []


@pytest.mark.parametrize("answers", [3, None, [3], [" "], {"texts": []}, ["x" * 3000], [{"answer_start": 1}]])
def test_what_is_no_answer_is_refused_with_its_line(answers: object) -> None:
    with pytest.raises(EngineError, match='line 3: its field "answers" must') as caught:
        read(answers=answers)
    assert caught.value.code == "bad_data"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": 3}, "a text"),
        ({"text": "x" * 2001}, "a text"),
        ({"text": "\ud800"}, "a text"),
        ({"start": None}, "the place"),
        ({"start": -1}, "the place"),
        ({"text": "", "start": 0}, "the place"),
        ({"extra": 1}, "exactly id, text and start"),
    ],
)
def test_improper_answers_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(EngineError, match=says) as caught:
        TASK.check({"text": "Ada", "start": 0} | change, {}, TASK.settings({}))
    assert caught.value.code == "bad_predictions"


def test_questions_with_and_without_answer_and_long_ones_are_scored_apart() -> None:
    golds = [{"answers": ["x" * (n % 4 + 1)] if n % 2 else [], "passage": str(n % 10)} for n in range(100)]
    answers = [{"text": "x" if n % 3 else "", "start": 0} for n in range(100)]
    parts = TASK.measure(golds, answers, TASK.settings({"no_answer": True})).details["questions"]
    assert [(part["by"], part["n"]) for part in parts] == [
        ("answered", 50), ("unanswerable", 50), ("length", 25), ("length", 25),
    ]  # fmt: skip
    silent = parts[1]["exact_match"]
    assert silent["value"] == pytest.approx(17 / 50)
    assert silent["low"] < silent["value"] < silent["high"]
    assert (parts[2]["low"], parts[3]["low"]) == (2, 4)
