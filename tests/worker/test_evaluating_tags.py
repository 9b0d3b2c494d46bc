"""Sentences with entities, from eval.yaml to the page of the result."""

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
name: Places and people
task: token-classification
split: {path: test.jsonl}
labels: [O, B-PER, I-PER, B-LOC, I-LOC]
bootstrap: 100
"""
ROWS = "".join(
    json.dumps({"id": str(number), "tokens": ["Ada", "Byron", "lives", "in", f"Ulm{number}"], "tags": tags}) + "\n"
    for number, tags in enumerate([["B-PER", "I-PER", "O", "O", "B-LOC"], [1, 2, 0, 0, 3]] * 10)
)


def tagger(**changes: object) -> dict[str, bytes | str]:
    files = model_files()
    config = json.loads(files["config.json"]) | {"architectures": ["BertForTokenClassification"]} | changes
    return files | {"config.json": json.dumps(config)}


def test_a_tagger_gets_a_page_with_its_types_and_marked_sentences(
    make_repo: MakeRepo, alice: User, client: Client, settings: object, tmp_path: Path
) -> None:
    settings.FAKE_ENGINE, settings.SCRATCH_DIR = True, str(tmp_path / "scratch")  # type: ignore[attr-defined]
    dataset = make_repo(alice, "names", kind="dataset", files={"eval.yaml": EVAL_YAML, "test.jsonl": ROWS})
    benchmark, _is_new = benchmarks.register(dataset, by=alice)
    assert benchmark.fields == {"input": "tokens", "target": "tags"}
    # A problem_type is of classifiers of texts; taggers are not asked for one.
    model = make_repo(alice, "tagger", files=tagger(problem_type="single_label_classification"))
    evaluation, _is_new = submitting.submit(model, benchmark, by=alice)
    assert evaluation.job is not None
    perform(evaluation.job.pk)
    evaluation.refresh_from_db()
    assert evaluation.job is not None
    assert evaluation.is_finished, evaluation.job.reason_text
    assert [row["support"] for row in evaluation.details["per_type"]] == [20, 20]
    page = client.get(evaluation.get_absolute_url()).text
    table = page.split('id="classes"')[1].split("</section>")[0]
    for piece in ("By type of entity", "PER", "LOC", "20"):
        assert piece in table
    marked = page.split('id="examples"')[1].split("</section>")[0]
    assert 'class="mark mark-missed"' in marked
    assert "Ulm0" in marked
    assert "F1 of entities" in page


def test_a_classifier_of_texts_is_refused_by_the_gate(make_repo: MakeRepo, alice: User) -> None:
    dataset = make_repo(alice, "names", kind="dataset", files={"eval.yaml": EVAL_YAML, "test.jsonl": ROWS})
    benchmark, _is_new = benchmarks.register(dataset, by=alice)
    with pytest.raises(NotEvaluable, match="one that ends in ForTokenClassification"):
        submitting.submit(make_repo(alice, "classifier", files=model_files()), benchmark, by=alice)


@pytest.mark.parametrize("labels", ["[PER, LOC]", "[O, PER]", "[O, B-]"])
def test_labels_that_are_no_tags_are_refused_when_it_is_registered(labels: str) -> None:
    with pytest.raises(DefinitionRefused, match="tags of IOB2"):
        definitions.parse(EVAL_YAML.replace("[O, B-PER, I-PER, B-LOC, I-LOC]", labels))
