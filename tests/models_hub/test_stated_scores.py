"""Scores that a repository states of itself, read from whatever its authors wrote there."""

import pytest
import yaml

from models_hub import browsing, stated_scores
from models_hub.stated_scores import of_card, of_file

ENTRY = {
    "dataset": {"id": "cais/hle", "task_id": "default", "revision": "5503434ddd753f426f4b38109466949a1217c2bb"},
    "value": 20.9,
    "date": "2025-01-15",
    "source": {"url": "https://example.org/logs", "name": "Eval traces", "user": "somebody"},
    "notes": "no-tools",
}


def test_an_entry_of_the_hub_s_format_is_read():
    score = of_file(".eval_results/hle.yaml", [ENTRY])[0]
    assert (score.dataset, score.task, score.value, score.date) == ("cais/hle", "default", 20.9, "2025-01-15")
    assert (score.source, score.source_name, score.notes) == ("https://example.org/logs", "Eval traces", "no-tools")


def test_a_model_index_is_read_metric_by_metric():
    dataset = {"name": "Mood", "type": "alice/mood", "config": "default", "split": "test"}
    metrics = [{"type": "accuracy", "value": 0.9}, {"type": "f1", "name": "F1", "value": "83.1 %"}]
    card = {"model-index": [{"name": "x", "results": [{"dataset": dataset, "metrics": metrics}]}]}
    found = [(score.dataset, score.task, score.metric, score.value) for score in of_card(card)]
    assert found == [
        ("alice/mood", "default · test", "accuracy", 0.9),
        ("alice/mood", "default · test", "F1", 83.1),
    ]


@pytest.mark.parametrize(
    "value", [None, True, [], {}, "nan", float("inf"), "a lot", "1" * 400, [[ENTRY]]], ids=lambda value: str(value)[:9]
)
def test_what_is_no_number_is_no_score(value):
    assert of_file("x.yaml", [ENTRY | {"value": value}]) == []


@pytest.mark.parametrize(
    "content", [None, "text", 5, {}, [1], [{}], [{"dataset": "x", "value": 1}], [ENTRY | {"dataset": []}]]
)
def test_other_shapes_state_nothing(content):
    assert of_file("x.yaml", content) == []
    assert of_card({"model-index": content}) == []


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "https://a b", "ftp://x", 7, "http://" + "x" * 600]
)
def test_only_addresses_of_the_web_are_led_to(address):
    assert of_file("x.yaml", [ENTRY | {"source": {"url": address}}])[0].source == ""


def test_more_than_anybody_reads_is_left_out():
    assert len(of_file("x.yaml", [ENTRY] * 5000)) == stated_scores.MAX_SCORES


def test_files_are_read_once_for_each_commit_and_bad_ones_are_passed_over(
    alice, make_repo, django_assert_max_num_queries
):
    files = {
        ".eval_results/good.yaml": yaml.safe_dump([ENTRY]),
        ".eval_results/bad.yaml": "- [",
        ".eval_results/bomb.yaml": "a: &a [x]\nb: [*a, *a]\n",
        ".eval_results/large.yaml": "- x\n" * 6000,
        ".eval_results/notes.txt": "no",
    }
    model = make_repo(alice, files=files)
    commit = browsing.resolve_revision(model, "main")
    first = stated_scores.at(model, commit, with_files=True)
    assert [score.place for score in first] == [".eval_results/good.yaml"]
    with django_assert_max_num_queries(1):  # the cache is a table
        assert stated_scores.at(model, commit, with_files=True) == first
    assert stated_scores.at(model, commit, with_files=False) == []
