"""Texts that models write and words for gaps, from eval.yaml to the page of the result: the engine's stand-in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from leaderboard import benchmarks, cataloguing, definitions, submitting, written
from leaderboard.catalogue.entries import entries
from leaderboard.definition_values import DefinitionRefused
from leaderboard.models import Evaluation
from leaderboard.not_evaluable import NotEvaluable
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import model_files as classifier_files
from tests.worker.performing import perform

MakeRepo = Callable[..., Repo]
EVAL_YAML = "version: 1\nname: Ink\ntask: {task}\nsplit: {{path: test.jsonl}}\nbootstrap: 200\n{more}"
GPT2 = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}
BERT = {"architectures": ["BertForMaskedLM"], "model_type": "bert"}
SHOTS = 'prompt: "Q: {question}\\nA:"\nuntil: ["\\n"]\nfew_shot: 1\nfiles: {train: {path: train.jsonl}}\n'

has_jobs = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def scratch(settings, tmp_path: Path) -> None:
    settings.FAKE_ENGINE = True
    settings.SCRATCH_DIR = str(tmp_path / "scratch")


def lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def model(config: dict) -> dict[str, bytes | str]:
    return classifier_files() | {"config.json": json.dumps(config)}


@pytest.fixture
def shown(make_repo: MakeRepo, alice: User, client: Client) -> Callable[..., tuple[Evaluation, str]]:
    """Evaluate a model on rows; returns the evaluation and its page."""

    def run(task: str, rows: list[dict], config: dict, more: str = "", **files: str) -> tuple[Evaluation, str]:
        contents = {"eval.yaml": EVAL_YAML.format(task=task, more=more), "test.jsonl": lines(rows)}
        contents |= {f"{name}.jsonl": text for name, text in files.items()}
        benchmark, _new = benchmarks.register(make_repo(alice, "ink", kind="dataset", files=contents), by=alice)
        evaluation, _new = submitting.submit(make_repo(alice, "pen", files=model(config)), benchmark, by=alice)
        assert evaluation.job is not None
        perform(evaluation.job.pk)
        evaluation.refresh_from_db()
        assert evaluation.is_finished, evaluation.job and evaluation.job.reason_text
        return evaluation, client.get(evaluation.get_absolute_url()).text

    return run


def part(page: str, name: str) -> str:
    return page.split(f'id="{name}"')[1].split("</section>")[0]


@has_jobs
def test_answers_stand_under_what_was_asked(shown, client: Client) -> None:
    rows = [{"question": f"How many are {n} and 1?", "answer": n + 1} for n in range(20)]
    evaluation, page = shown("text-generation", rows, GPT2, SHOTS + "primary: number_match\n", train=lines(rows[:2]))
    assert "chrf" not in evaluation.metrics
    assert evaluation.floors["majority"]["metrics"]["number_match"] == 0.05
    writing = part(page, "writing")
    assert "1.0 tokens on average" in writing
    assert "Cut off" in writing
    assert "nfkc|ignore_case" in writing
    examples = part(page, "examples")
    assert "Q: How many are 0 and 1?\nA:" in examples
    assert "What it wrote" in examples
    assert "The same number" in part(page, "metrics")
    definition = client.get(evaluation.benchmark.get_absolute_url()).text
    assert "Most tokens of an answer" in definition


@has_jobs
def test_translations_show_the_signature_of_their_score(shown) -> None:
    rows = [{"source": f"word {n} of many", "target": f"word {n} of many"} for n in range(20)]
    evaluation, page = shown("translation", rows, {"architectures": ["MarianMTModel"], "model_type": "marian"})
    assert "tok:13a|smooth:exp" in part(page, "writing")
    assert "BLEU" in part(page, "metrics")
    assert evaluation.floors["copy"]["metrics"]["bleu"] == pytest.approx(1)


@has_jobs
def test_summaries_are_compared_with_the_first_sentences(shown) -> None:
    rows = [{"text": f"Rain fell. Then {n} came. Then none.", "summary": "Rain fell."} for n in range(20)]
    config = {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5"}
    evaluation, page = shown("summarization", rows, config, 'source_prompt: "summarize: {input}"\n')
    assert evaluation.floors["lead_1"]["metrics"]["rougeL"] == pytest.approx(1)
    assert evaluation.floors["lead_3"]["metrics"]["rougeL"] < 1
    assert "tokens:words|stemmed:no" in part(page, "writing")


@has_jobs
def test_gaps_show_the_place_of_the_right_word(shown) -> None:
    rows = [{"text": f"red <gap> {n} blue", "answer": ["red", "Red"] if n % 2 else "green"} for n in range(20)]
    evaluation, page = shown("fill-mask", rows, BERT, "mask: <gap>\n")
    assert evaluation.metrics["acc_at_5"]["value"] == 0.5
    assert "not among them" in part(page, "ranks")
    examples = part(page, "examples")
    assert "red &lt;gap&gt; 0 blue" in examples
    assert "Its likeliest words" in examples


def test_what_a_reader_could_not_see_is_shown_as_a_sign() -> None:
    assert written.seen("a\x00b\u202ec\nd\x1b[0m") == "a␀b\ufffdc\nd␛[0m"
    assert len(written.seen("x" * 5000)) == 600


@pytest.mark.parametrize(
    ("task", "config", "says"),
    [
        ("text-generation", {"architectures": ["BertLMHeadModel"], "model_type": "bert"}, "type bert"),
        ("translation", {"architectures": ["BertForMaskedLM"], "model_type": "bert"}, "one that ends in ForCausalLM"),
        (
            "summarization",
            {"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper"},
            "type whisper",
        ),
        ("fill-mask", GPT2, "one that ends in ForMaskedLM"),
    ],
)
def test_other_models_are_refused_by_the_gate(
    make_repo: MakeRepo, alice: User, task: str, config: dict, says: str
) -> None:
    contents = {"eval.yaml": EVAL_YAML.format(task=task, more=""), "test.jsonl": "{}\n"}
    benchmark, _new = benchmarks.register(make_repo(alice, "ink", kind="dataset", files=contents), by=alice)
    with pytest.raises(NotEvaluable, match=says):
        submitting.submit(make_repo(alice, "pen", files=model(config)), benchmark, by=alice)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("until: stop", "until.*a list of at most 16 texts"),
        ('until: [""]', "until.*a list of at most 16 texts"),
        ("max_new_tokens: 2000", "max_new_tokens.*1 to 1024"),
        ("source_prompt: none", "source_prompt.*column in braces"),
        ("bleu_tokenization: ja-mecab", "bleu_tokenization.*13a, intl, zh, char"),
        ("target_language: Chinese", "target_language.*two or three small letters"),
    ],
)
def test_a_definition_that_cannot_be_asked_names_the_key(line: str, says: str) -> None:
    with pytest.raises(DefinitionRefused, match=says):
        definitions.parse(EVAL_YAML.format(task="translation", more=f"{line}\n"))


@pytest.mark.parametrize(
    ("name", "primary"),
    [
        ("gsm8k", "number_match"), ("mgsm-zh", "number_match"), ("svamp", "number_match"), ("nq-open", "exact_match"),
        ("tatoeba-en-zh", "bleu"), ("flores200-zh-en", "bleu"), ("xsum", "rougeL"), ("cnn-dailymail", "rougeL"),
    ],
)  # fmt: skip
def test_well_known_sets_can_be_made(name: str, primary: str) -> None:
    from worker.engine.tasks import find

    entry = entries()[name]
    task = cataloguing.task_of(entry)
    assert task == entry.task
    made = definitions.parse(cataloguing.definition_of(entry, task))
    assert made.primary_metric == primary
    assert made.settings.items() >= dict(entry.settings).items()
    find(task).settings(made.settings)
