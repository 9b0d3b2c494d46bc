"""Questions about passages, from eval.yaml to the page of the result."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from leaderboard import benchmarks, definitions, submitting
from leaderboard.definition_values import DefinitionRefused
from leaderboard.not_evaluable import NotEvaluable
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import model_files
from tests.worker.performing import perform

pytestmark = pytest.mark.django_db(transaction=True)
MakeRepo = Callable[..., Repo]
EVAL_YAML = """\
version: 1
name: Whereabouts
task: question-answering
split: {path: test.jsonl}
no_answer: true
bootstrap: 100
"""
CONTEXT = "Ada Byron lived in London with her mother, and worked on the engine with Charles Babbage."
ANSWERS = [{"text": ["in London"], "answer_start": [16]}, {"text": [], "answer_start": []}] * 20
ROWS = "".join(
    json.dumps({"id": str(n), "question": f"Where did she live, {n}?", "context": CONTEXT, "answers": answers}) + "\n"
    for n, answers in enumerate(ANSWERS)
)


def reader(**changes: object) -> dict[str, bytes | str]:
    files = model_files()
    config = json.loads(files["config.json"]) | {"architectures": ["BertForQuestionAnswering"]} | changes
    return files | {"config.json": json.dumps(config)}


def test_a_reader_gets_a_page_with_its_kinds_of_questions_and_marked_passages(
    make_repo: MakeRepo, alice: User, client: Client, settings: object, tmp_path: Path
) -> None:
    settings.FAKE_ENGINE, settings.SCRATCH_DIR = True, str(tmp_path / "scratch")  # type: ignore[attr-defined]
    dataset = make_repo(alice, "places", kind="dataset", files={"eval.yaml": EVAL_YAML, "test.jsonl": ROWS})
    benchmark, _is_new = benchmarks.register(dataset, by=alice)
    assert benchmark.settings == {"rules": "squad", "no_answer": True, "max_answer_length": 30}
    evaluation, _is_new = submitting.submit(make_repo(alice, "reader", files=reader()), benchmark, by=alice)
    assert evaluation.job is not None
    perform(evaluation.job.pk)
    evaluation.refresh_from_db()
    assert evaluation.job is not None
    assert evaluation.is_finished, evaluation.job.reason_text
    assert [part["n"] for part in evaluation.details["questions"]] == [20, 20, 20]
    page = client.get(evaluation.get_absolute_url()).text
    table = page.split('id="questions"')[1].split("</section>")[0]
    for piece in ("answerable", "not answerable", "answer of 9 characters", "20"):
        assert piece in table
    marked = page.split('id="examples"')[1].split("</section>")[0]
    for piece in ("Where did she live", 'class="mark mark-missed"', "in London", "no answer"):
        assert piece in marked
    assert "Longest answer, tokens" in client.get(benchmark.get_absolute_url()).text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"architectures": ["BertForMaskedLM"]}, "one that ends in ForQuestionAnswering"),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, "2 outputs, trained with num_labels=2"),
    ],
)
def test_other_models_are_refused_by_the_gate(
    make_repo: MakeRepo, alice: User, changes: dict[str, object], says: str
) -> None:
    dataset = make_repo(alice, "places", kind="dataset", files={"eval.yaml": EVAL_YAML, "test.jsonl": ROWS})
    benchmark, _is_new = benchmarks.register(dataset, by=alice)
    with pytest.raises(NotEvaluable, match=says):
        submitting.submit(make_repo(alice, "other", files=reader(**changes)), benchmark, by=alice)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("rules: bleu", "“rules” must be one of: squad, cmrc"),
        ("no_answer: 1", "“no_answer” must be true or false"),
        ("max_answer_length: 0", "“max_answer_length” must be a whole number from 1 to 512"),
    ],
)
def test_settings_are_checked_when_it_is_registered(line: str, says: str) -> None:
    with pytest.raises(DefinitionRefused, match=says):
        definitions.parse(EVAL_YAML.replace("no_answer: true", line))
