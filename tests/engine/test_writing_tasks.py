"""Texts of a model's own words on real rows: asked, written and scored as transformers and the references do."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import sacrebleu
from rouge_score import rouge_scorer

from tests.engine.builders import write_jsonl
from tests.engine.causal_models import build_gpt2
from tests.engine.real_data import rows_of
from tests.engine.test_writing import save_writer
from worker.engine.contracts import EngineError, EvaluateSpec, PrepareSpec, ScoreSpec
from worker.engine.progress import Progress
from worker.engine.rows import prepare
from worker.engine.scoring import score
from worker.engine.tasks import find

pytestmark = pytest.mark.usefixtures("hurried")
ROWS = 6
GSM8K = {"prompt": "Question: {input}\nAnswer:", "until": ["\n", "Question:"], "max_new_tokens": 12, "few_shot": 2}
NEWS = "Rain fell. Rivers rose over the plain! Was it the worst year? Nobody knew."


class Run:
    """One benchmark from rows to a score."""

    def __init__(
        self, folder: Path, task: str, rows: list[dict[str, Any]], settings: dict[str, Any], train: Any = None
    ) -> None:
        self.folder, self.task, self.settings = folder, task, settings
        self.places = {name: str(folder / f"{name}.jsonl") for name in ("inputs", "gold", "context")}
        files = {"test": str(write_jsonl(folder / "test.jsonl", rows))}
        if train:
            files["train"] = str(write_jsonl(folder / "train.jsonl", train))
        places = self.places if train else {**self.places, "context": None}
        prepare(PrepareSpec(task=task, files=files, settings=settings, **places))
        self.context = places["context"]

    def answer(self, model: Path, **spec: Any) -> list[dict[str, Any]]:
        from worker.engine.evaluating import evaluate

        out = self.folder / "out"
        evaluate(
            EvaluateSpec(task=self.task, model_dir=str(model), inputs=self.places["inputs"], out_dir=str(out),
                         settings=self.settings, context=self.context, device="cpu", **spec),
            Progress(StringIO()),
        )  # fmt: skip
        return self.read(out / "predictions.jsonl")

    def give(self, texts: list[str]) -> None:
        (self.folder / "out").mkdir(exist_ok=True)
        rows = ({"id": row["id"], "text": text, "tokens": 1, "stopped": "end"}
                for row, text in zip(self.read(Path(self.places["gold"])), texts, strict=True))  # fmt: skip
        write_jsonl(self.folder / "out" / "predictions.jsonl", rows)

    def score(self, primary: str | None = None) -> dict[str, Any]:
        return score(
            ScoreSpec(task=self.task, settings=self.settings, gold=self.places["gold"], primary=primary, bootstrap=200,
                      predictions=str(self.folder / "out" / "predictions.jsonl"), out=str(self.folder / "score.json"))
        )  # fmt: skip

    @staticmethod
    def read(path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [row["question"] for name in ("open/gsm8k", "open/mgsm_zh") for row in rows_of(name, 60)]
    return build_gpt2(tmp_path_factory.mktemp("gpt2"), texts, positions=200)


@pytest.fixture
def sums(tmp_path: Path) -> Run:
    rows = rows_of("open/gsm8k", ROWS + 3)
    return Run(tmp_path, "text-generation", rows[:ROWS], GSM8K, train=rows[ROWS:])


@pytest.mark.engine
def test_the_texts_are_those_that_transformers_generates(sums, gpt2):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(gpt2).eval(), AutoTokenizer.from_pretrained(gpt2)
    examples = [row["text"] for row in Run.read(Path(sums.places["context"]))]
    answers = sums.answer(gpt2)
    for question, answer in zip(Run.read(Path(sums.places["inputs"])), answers, strict=True):
        prompt = prompt_of(question, examples)
        ids = tokenizer(prompt, return_tensors="pt").input_ids[:, -(200 - 12) :]
        with torch.inference_mode():
            written = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False,
                                     pad_token_id=0, eos_token_id=0)  # fmt: skip
        text = tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)
        assert answer["text"] == text.split("\n")[0].split("Question:")[0]
    assert len({answer["text"] for answer in answers}) > 2, "a model with one answer would prove nothing"


def prompt_of(question: dict[str, Any], examples: list[str]) -> str:
    task = find("text-generation")
    settings = task.settings(GSM8K)
    [prompt] = task.prompts([question], [{"text": text} for text in examples], settings, 0)
    assert prompt.endswith(question["prompt"])
    assert prompt.count("\n\nQuestion:") == GSM8K["few_shot"]
    return prompt


@pytest.mark.engine
def test_neither_batches_nor_threads_change_an_answer(sums, gpt2):
    first = sums.answer(gpt2, token_budget=100_000)
    assert sums.answer(gpt2, token_budget=1) == first
    assert sums.answer(gpt2, token_budget=500, threads=2) == first


@pytest.mark.engine
def test_an_answer_that_finds_no_room_is_refused_with_what_is_needed(tmp_path, gpt2):
    run = Run(tmp_path, "text-generation", rows_of("open/mgsm_zh", 2), {"max_new_tokens": 200})
    with pytest.raises(EngineError, match="needs a model with a longer context") as caught:
        run.answer(gpt2)
    assert caught.value.code == "unsupported_architecture"


@pytest.mark.engine
def test_an_encoder_is_refused(tmp_path, bert_folder):
    run = Run(tmp_path, "text-generation", rows_of("open/mgsm_zh", 2), {})
    with pytest.raises(EngineError) as caught:
        run.answer(bert_folder)
    assert caught.value.code == "unsupported_architecture"


@pytest.mark.engine
def test_a_model_with_an_encoder_reads_the_text_and_not_the_prompt(tmp_path):
    import torch

    (tmp_path / "model").mkdir()
    model = save_writer("t5", tmp_path / "model")
    texts = (" ".join(f"w{(row * 7 + word) % 60}" for word in range(4 + row)) for row in range(6))
    rows = [{"source": text, "target": "w9"} for text in texts]
    settings = {"prompt": "w50 {input} w51", "max_new_tokens": 8, "until": []}
    run = Run(tmp_path, "translation", rows, settings)
    for row, answer in zip(rows, run.answer(tmp_path / "model"), strict=True):
        ids = torch.tensor([[int(word[1:]) for word in row["source"].split()]])
        with torch.inference_mode():
            written = model.generate(ids, max_new_tokens=8, do_sample=False, num_beams=1, decoder_start_token_id=0,
                                     eos_token_id=1)[0].tolist()  # fmt: skip
        assert answer["text"] == " ".join(f"w{token}" for token in written[1:] if token != 1)


def test_sums_are_right_by_their_number(tmp_path):
    rows = rows_of("open/gsm8k", 40)
    run = Run(tmp_path, "text-generation", rows, {**GSM8K, "few_shot": 0})
    run.give([f"So it is {row['final']}.00, I think" if n % 3 else "42,000.5" for n, row in enumerate(rows)])
    found = run.score("number_match")
    assert found["primary"]["value"] == pytest.approx(sum(bool(n % 3) for n in range(40)) / 40, abs=1e-12)
    assert "chrf" not in found["metrics"]
    finals = [row["final"] for row in rows]
    assert found["floors"]["majority"]["metrics"]["number_match"] == max(map(finals.count, finals)) / 40


def test_words_are_right_as_they_are_read(tmp_path):
    rows = [{"question": "Where?", "answer": ["Paris", "the city of Paris"]}, {"question": "Who?", "answer": "我"}]
    run = Run(tmp_path, "text-generation", rows, {})
    run.give([" paris. ", "你"])
    found = run.score()
    assert found["metrics"]["exact_match"]["value"] == 0.5
    assert "number_match" not in found["metrics"]
    assert found["details"]["writing"]["empty"] == 0
    with pytest.raises(EngineError, match="number_match has no meaning"):
        run.score("number_match")


@pytest.fixture
def translations(tmp_path: Path) -> Run:
    return Run(tmp_path, "translation", rows_of("open/tatoeba_en_zh", 60), {"bleu_tokenization": "zh"})


def test_translations_are_scored_as_sacrebleu_does(translations):
    rows = rows_of("open/tatoeba_en_zh", 60)
    texts = [row["target"][: 3 + n % 5] + "了" for n, row in enumerate(rows)]
    translations.give(texts)
    found = translations.score()
    golds = [[row["target"] for row in rows]]
    bleu = sacrebleu.corpus_bleu(texts, golds, tokenize="zh")
    assert found["metrics"]["bleu"]["value"] == pytest.approx(bleu.score / 100, abs=1e-9)
    chrf = sacrebleu.corpus_chrf(texts, golds, word_order=2)
    assert found["metrics"]["chrf"]["value"] == pytest.approx(chrf.score / 100, abs=1e-9)
    assert "tok:zh" in found["details"]["signatures"]["bleu"]
    copied = sacrebleu.corpus_chrf([row["source"] for row in rows], golds, word_order=2)
    assert found["floors"]["copy"]["metrics"]["chrf"] == pytest.approx(copied.score / 100, abs=1e-9)


def test_summaries_are_scored_as_rouge_score_does(tmp_path):
    passages = [row["context"] for row in rows_of("open/xquad_en", 30)]
    rows = [{"text": text, "summary": text.split(". ")[0]} for text in passages]
    run = Run(tmp_path, "summarization", rows, {})
    texts = [text[40:200] for text in passages]
    run.give(texts)
    found = run.score()
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
    for name in ("rouge1", "rouge2", "rougeL"):
        pairs = zip(rows, texts, strict=True)
        values = [scorer.score(row["summary"], text.strip())[name].fmeasure for row, text in pairs]
        assert found["metrics"][name]["value"] == pytest.approx(sum(values) / len(values), abs=1e-9)
    assert found["floors"]["lead_1"]["metrics"]["rougeL"] > found["floors"]["lead_3"]["metrics"]["rougeL"] > 0.3


def test_chinese_summaries_are_counted_by_characters(tmp_path):
    poems = [row["text"] for row in rows_of("open/song_ci_poems", 10)]
    rows = [{"text": "".join(poem.split()), "summary": poem[:12]} for poem in poems]
    run = Run(tmp_path, "summarization", rows, {"rouge_tokenization": "zh"})
    run.give([row["summary"] for row in rows])
    assert run.score()["metrics"]["rougeL"]["value"] == 1


def test_the_lead_is_the_first_sentences():
    task = find("summarization")
    from worker.engine.records import Record

    lead = task.beside(Record({"text": NEWS}, 1, {"input": "text"}))["lead"]
    assert lead == ["Rain fell.", "Rivers rose over the plain!", "Was it the worst year?"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": "x" * 1000 * 20}, "text of at most"),
        ({"text": None}, "text of at most"),
        ({"tokens": 13}, "0 to 12 tokens"),
        ({"tokens": True}, "0 to 12 tokens"),
        ({"stopped": "never"}, "stopped at one of"),
        ({"more": 1}, "exactly id, text, tokens and stopped"),
    ],
)
def test_improper_texts_are_refused(change, says):
    task = find("text-generation")
    value = {"text": "a", "tokens": 1, "stopped": "end", **change}
    with pytest.raises(EngineError, match=says) as caught:
        task.check(value, {}, task.settings(GSM8K))
    assert caught.value.code == "bad_predictions"


def test_half_a_surrogate_pair_is_no_text():
    task = find("text-generation")
    with pytest.raises(EngineError):
        task.check({"text": "\ud800", "tokens": 1, "stopped": "end"}, {}, task.settings(GSM8K))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"prompt": "Hello"}, "must name a column"),
        ({"until": [""]}, "1 to 64 characters"),
        ({"max_new_tokens": 5000}, "1 to 1024"),
        ({"few_shot": 99}, "0 to 32"),
    ],
)
def test_settings_that_cannot_be_are_refused(given, says):
    with pytest.raises(EngineError, match=says):
        find("text-generation").settings(given)


def test_examples_need_a_file():
    task = find("text-generation")
    with pytest.raises(EngineError, match="few_shot needs a file"):
        task.prompts([{"prompt": "a"}], [], task.settings(GSM8K), 0)


def test_a_row_without_an_answer_is_named(tmp_path):
    with pytest.raises(EngineError, match='line 2: its field "target" must be text'):
        Run(tmp_path, "translation", [{"source": "a", "target": "b"}, {"source": "a", "target": ""}], {})
