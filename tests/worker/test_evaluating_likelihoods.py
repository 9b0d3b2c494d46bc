"""Choices, pairs of sentences and running text, from eval.yaml and the catalogue to the page of the result."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from leaderboard import benchmarks, cataloguing, definitions, submitting
from leaderboard.catalogue.entries import entries
from leaderboard.definition_values import DefinitionRefused
from leaderboard.models import Benchmark, Evaluation
from leaderboard.not_evaluable import NotEvaluable
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import model_files
from tests.worker.performing import perform

pytestmark = pytest.mark.django_db(transaction=True)
MakeRepo = Callable[..., Repo]
CHOICES = """\
version: 1
name: Sums
task: multiple-choice
split: {path: test.jsonl}
files: {train: {path: train.jsonl}}
prompt: "Sum: {question}\\n{choices}\\nAnswer:"
answers: letters
few_shot: 1
bootstrap: 100
"""
PAIRS = "version: 1\nname: Order\ntask: minimal-pairs\nsplit: {path: test.jsonl}\nbootstrap: 100\n"
TEXTS = """\
version: 1
name: Verses
task: language-modeling
split: {path: test.jsonl}
fields: {input: text, group: poet}
metrics: [bits_per_byte, word_perplexity]
bootstrap: 100
"""


def lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps({"id": str(number), **row}) + "\n" for number, row in enumerate(rows))


SUMS = lines([
    {"question": f"{n}+1", "choices": [str(n), str(n + 1), str(n + 2)], "answer": 1, "subject": ["even", "odd"][n % 2]}
    for n in range(12)
])  # fmt: skip
ORDERS = lines([
    {"good": f"The cat number {n} sleeps.", "bad": f"The cat number {n} sleep.", "phenomenon": ["verb", "noun"][n % 2]}
    for n in range(12)
])  # fmt: skip
VERSES = lines([{"text": f"Shall I compare thee to day {n}?", "poet": ["Ann", "Bea"][n % 2]} for n in range(12)])


def decoder(**changes: object) -> dict[str, bytes | str]:
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"} | changes
    return model_files() | {"config.json": json.dumps(config)}


@pytest.fixture
def registered(make_repo: MakeRepo, alice: User) -> Callable[[str, str], Benchmark]:
    def register(definition: str, rows: str) -> Benchmark:
        files = {"eval.yaml": definition, "test.jsonl": rows, "train.jsonl": rows}
        return benchmarks.register(make_repo(alice, "rows", kind="dataset", files=files), by=alice)[0]

    return register


@pytest.fixture
def page_of(
    make_repo: MakeRepo, alice: User, client: Client, settings: object, tmp_path: Path
) -> Callable[[Benchmark], tuple[Evaluation, str]]:
    """Evaluate a decoder on a benchmark and return the result and its page."""
    settings.FAKE_ENGINE, settings.SCRATCH_DIR = True, str(tmp_path / "scratch")  # type: ignore[attr-defined]

    def evaluate(benchmark: Benchmark) -> tuple[Evaluation, str]:
        evaluation, _is_new = submitting.submit(make_repo(alice, "decoder", files=decoder()), benchmark, by=alice)
        assert evaluation.job is not None
        perform(evaluation.job.pk)
        evaluation.refresh_from_db()
        assert evaluation.job is not None
        assert evaluation.is_finished, evaluation.job.reason_text
        return evaluation, client.get(evaluation.get_absolute_url()).text

    return evaluate


def part(page: str, name: str) -> str:
    return page.split(f'id="{name}"')[1].split("</section>")[0]


def test_choices_get_a_page_with_subjects_and_the_questions_that_were_missed(registered, page_of, client):
    benchmark = registered(CHOICES, SUMS)
    evaluation, page = page_of(benchmark)
    assert evaluation.metrics["acc"]["value"] == evaluation.metrics["acc_norm"]["value"]
    assert set(evaluation.floors) == {"chance", "longest", "position"}
    assert all(piece in part(page, "groups") for piece in ("even", "odd", "Accuracy"))
    wrong = part(page, "examples")
    assert all(piece in wrong for piece in ("right", "given", "Lead of the wrong answer", "+1"))
    definition = client.get(benchmark.get_absolute_url()).text
    assert all(piece in definition for piece in ("Sum: {question}", "Examples before a question", "letters"))


def test_pairs_get_a_page_with_phenomena_and_the_pairs_that_were_missed(registered, page_of):
    evaluation, page = page_of(registered(PAIRS, ORDERS))
    assert [row["group"] for row in evaluation.details["by_group"]] == ["noun", "verb"]
    assert all(piece in part(page, "groups") for piece in ("verb", "noun", "6"))
    wrong = part(page, "examples")
    rows = [json.loads(line) for line in ORDERS.splitlines()]
    missed = sum(row["good"] in wrong for row in rows)
    assert missed == round(12 * (1 - evaluation.value))


def test_running_text_gets_a_page_with_its_tokens_and_the_hardest_rows(registered, page_of):
    evaluation, page = page_of(registered(TEXTS, VERSES))
    assert evaluation.value == pytest.approx(4, abs=2)
    assert all(piece in page for piece in ("Bits per byte", "lower is better", "What it found hardest"))
    assert all(piece in part(page, "tokens") for piece in ("Bytes per token", "1.00"))
    assert all(piece in part(page, "groups") for piece in ("Ann", "Bea"))
    assert "Shall I compare" in part(page, "examples")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"architectures": ["BertLMHeadModel"], "model_type": "bert"}, "of type bert.*predicts the next token"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "one that ends in ForCausalLM / LMHeadModel"),
    ],
)
def test_other_models_are_refused_by_the_gate(config, says, registered, make_repo, alice):
    benchmark = registered(PAIRS, ORDERS)
    with pytest.raises(NotEvaluable, match=says):
        submitting.submit(make_repo(alice, "other", files=decoder(**config)), benchmark, by=alice)


@pytest.mark.parametrize(
    ("given", "instead", "says"),
    [
        ("{question}\\n{choices}", "no column", "prompt.*column in braces"),
        ("\\n{choices}", "", "prompt.*must show {choices}"),
        ("files: {train: {path: train.jsonl}}\n", "", "few_shot.*name a data file “train”"),
        ("few_shot: 1", "few_shot: 99", "few_shot.*0 to 32"),
        ("answers: letters", "answers: [a]", "answers.*one of: texts, letters"),
        ("few_shot: 1", "before_answer: 3", "before_answer.*may be spaces"),
        ("few_shot: 1", "choices: [one]", "choices.*2 to 26 texts"),
    ],
)
def test_a_definition_that_cannot_be_asked_names_the_key(given, instead, says):
    assert given in CHOICES
    with pytest.raises(DefinitionRefused, match=says):
        definitions.parse(CHOICES.replace(given, instead))


@pytest.mark.parametrize(
    ("name", "fields", "primary"),
    [
        ("mmlu", {"input": "question", "choices": "choices", "target": "answer", "group": "subject"}, "acc"),
        ("hellaswag", {"input": "question", "choices": "choices", "target": "answer"}, "acc_norm"),
        ("truthfulqa-mc1", {"input": "question", "choices": "choices", "target": "answer"}, "acc"),
        ("sling", {"good": "good", "bad": "bad", "group": "phenomenon"}, "accuracy"),
        ("lambada", {"input": "text", "context": "context"}, "greedy_match"),
        ("wikitext2", {"input": "text"}, "bits_per_byte"),
    ],
)
def test_well_known_sets_can_be_made(name, fields, primary):
    entry = entries()[name]
    task = cataloguing.task_of(entry)
    assert task == entry.task
    made = definitions.parse(cataloguing.definition_of(entry, task))
    assert (made.fields, made.primary_metric) == (fields, primary)
    assert made.settings.items() >= dict(entry.settings).items()
