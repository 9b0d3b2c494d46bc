"""All wrong answers of a public test: page by page, filtered, and as a table; nothing of a withheld one."""

import csv
import io
import json
import re
from typing import Any

import pytest

from leaderboard import leafing, recording
from leaderboard.leafing import Place, Wanted
from leaderboard.models import Benchmark, Evaluation
from leaderboard.sheets import cell
from models_hub import job_contents
from tests.evaluating import EVAL_YAML, make_benchmark, make_evaluation
from tests.leaderboard.scored import REPORT, claimed, scores

# The rows are four texts in turn, five times: good, bad, fine, poor; those in the odd places are negative.
IDS = [f"{index}-{turn}" for turn in range(5) for index in range(4)]
CSV = "text,label\n" + "".join(
    f'"a text\nof {number} lines, ""quoted""",{("positive", "negative")[number % 2]}\n' for number in range(20)
)


def answered(evaluation: Evaluation, sure: float = 0.75) -> Evaluation:
    """All answers are “positive”, so that ten of twenty are wrong; each a little surer than the one before."""
    rows = [
        {"id": identity, "label": "positive", "scores": {"negative": 0.2, "positive": round(sure + place / 100, 2)}}
        for place, identity in enumerate(IDS)
    ]
    right = [1.0, 0.0] * 10
    recording.record(
        evaluation,
        job=claimed(evaluation),
        scores=scores(0.5),
        report=dict(REPORT),
        provenance={"model": {"files": {}}, "dataset": {}},
        predictions=job_contents.keep(["".join(json.dumps(row) + "\n" for row in rows).encode()]),
        items=job_contents.keep([json.dumps({"ids": IDS, "metrics": {"accuracy": right}}).encode()]),
    )
    evaluation.refresh_from_db()
    return evaluation


@pytest.fixture
def evaluation(alice, make_repo) -> Evaluation:
    return answered(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice)))


def hidden(alice, make_repo) -> Evaluation:
    definition = EVAL_YAML.replace("test_is_public: true", "test_is_public: false")
    return answered(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice, "held", definition=definition)))


def leaf_through(evaluation: Evaluation, **wanted: Any) -> list[str]:
    found, place = [], Place()
    while place:
        page = leafing.leaf(evaluation, place, Wanted(**wanted))
        found += [mistake.text for mistake in page.mistakes]
        place = page.next and Place.of(str(page.next))
    return found


def test_pages_follow_each_other_and_none_is_left_out_or_comes_twice(evaluation, monkeypatch):
    monkeypatch.setattr("leaderboard.mistakes.SHOWN", 3)
    assert leaf_through(evaluation) == [f"{word} {turn}" for turn in range(5) for word in ("bad", "poor")]


def test_a_stretch_ends_where_its_bytes_do_and_the_next_one_goes_on(evaluation, monkeypatch):
    monkeypatch.setattr(leafing, "MAX_BYTES", 100)  # some rows of either file
    assert len(leaf_through(evaluation)) == 10


def test_records_of_csv_may_go_over_lines_and_stretches(alice, make_repo, monkeypatch):
    monkeypatch.setattr(leafing, "MAX_BYTES", 100)
    definition = EVAL_YAML.replace("test.jsonl", "test.csv")
    monkeypatch.setattr("tests.evaluating.dataset_files", lambda _text: {"eval.yaml": definition, "data/test.csv": CSV})
    evaluation = answered(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice)))
    assert leaf_through(evaluation) == [f'a text\nof {number} lines, "quoted"' for number in range(1, 20, 2)]


def test_filters_are_by_label_confidence_and_words(client, evaluation):
    def texts(**query: object) -> str:
        return client.get(f"{evaluation.get_absolute_url()}/examples", query).text.split('id="examples"')[1]

    assert "bad 0" in texts(right="negative", given="positive")
    assert "Nothing here fits" in texts(right="positive")
    assert "poor 4" in texts(least=94)
    assert "bad 0" not in texts(least=94)
    assert "bad 0" in texts(most="77")
    found = texts(q="POOR")
    assert "poor 2" in found
    assert "bad 2" not in found


def test_of_values_the_worst_of_many_rows_are_shown_or_every_row(evaluation, monkeypatch):
    rows = "".join(json.dumps({"id": name, "text": f"row {name}", "label": 0.5}) + "\n" for name in IDS)
    monkeypatch.setattr(leafing, "_file_of", lambda _benchmark: (len(rows), lambda at, size: rows.encode()[at:][:size]))
    answers = "".join(json.dumps({"id": name, "value": 0.5 + at / 100}) + "\n" for at, name in enumerate(IDS, start=1))
    evaluation.predictions = job_contents.keep([answers.encode()])
    evaluation.benchmark.task, evaluation.benchmark.labels = Benchmark.Task.REGRESSION, []
    assert leaf_through(evaluation)[:2] == ["row 3-4", "row 2-4"]
    assert len(leaf_through(evaluation)) == 12
    assert sorted(leaf_through(evaluation, each=True)) == sorted(f"row {name}" for name in IDS)


def test_rows_of_tags_are_filtered_by_their_types_and_by_words_however_they_are_written():
    tags = ["O", "B-LOC", "I-LOC", "B-PER"]
    benchmark = Benchmark(task="token-classification", labels=tags, fields={"input": "words", "target": "tags"})
    row, answer = {"words": ["北", "京"], "tags": ["B-LOC", "I-LOC"]}, {"tags": ["O", "B-PER"]}
    assert leafing.labels_of(benchmark) == ["LOC", "PER"]
    for wanted, fits in ((Wanted(right="LOC", given="PER", text="北京"), True), (Wanted(given="LOC"), False)):
        assert wanted.fits(benchmark, row, answer) is fits


def test_a_place_that_was_made_up_is_the_beginning():
    for text in ("", "1-2-3", "1-2-3.x", f"{Place(3, 4, 5)}x"):
        assert Place.of(text) == Place()
    assert Place.of(str(Place(3, 4, 5))) == Place(3, 4, 5)


@pytest.mark.parametrize("address", ["/evaluations/{}/examples", "/api/v1/evaluations/{}/rows.csv"])
def test_rows_of_a_withheld_test_are_shown_to_nobody(as_user, alice, charlie, morgan, make_repo, address):
    evaluation = hidden(alice, make_repo)
    for person in (None, charlie, alice, morgan):
        answer = as_user(person).get(address.format(evaluation.pk))
        assert answer.status_code == 403
        assert not re.search(r"\b(bad|poor) \d", answer.text)


def test_a_private_model_is_404(as_user, charlie, evaluation):
    evaluation.model.private = True
    evaluation.model.save()
    for address in ("/evaluations/{}/examples", "/api/v1/evaluations/{}/rows.jsonl"):
        assert as_user(charlie).get(address.format(evaluation.pk)).status_code == 404


def test_rows_as_csv_say_what_was_answered_how_sure_and_whether_right(client, evaluation):
    answer = client.get(f"/api/v1/evaluations/{evaluation.pk}/rows.csv")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert len(rows) == 20
    first = {"id": "0-0", "prediction": "positive", "confidence": "0.75", "is_right": "1", "accuracy": "1.0"}
    assert rows[0] == first
    assert rows[1]["is_right"] == "0"


def test_rows_as_json_lines_say_the_same(client, evaluation):
    lines = client.get(f"/api/v1/evaluations/{evaluation.pk}/rows.jsonl").getvalue().decode().splitlines()
    assert json.loads(lines[1]) == {
        "id": "1-0", "prediction": "positive", "confidence": 0.76, "is_right": False, "accuracy": 0.0
    }  # fmt: skip


def test_what_a_spreadsheet_would_take_for_a_formula_is_text():
    assert cell("=1+1") == "'=1+1"
    assert cell(-0.5) == -0.5


def test_a_cell_of_the_confusion_matrix_leads_to_its_examples(client, evaluation):
    evaluation.confusion = {"labels": ["negative", "positive"], "rows": [[0, 10], [0, 10]]}
    evaluation.save()
    page = client.get(evaluation.get_absolute_url()).text
    assert f"/evaluations/{evaluation.pk}/examples?right=negative&amp;given=positive" in page
    assert "right=positive&amp;given=positive" not in page
