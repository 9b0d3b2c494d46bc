"""Scores in the repository: written on request or by a standing order, read back, and told from what authors state."""

import pytest
import yaml
from django.contrib.auth.models import AnonymousUser

from leaderboard import results_files, stated
from leaderboard.models import Evaluation, ResultsOrder
from models_hub import browsing, gating, publishing
from models_hub.changes import PutFile
from models_hub.models import PullRequest, Repo
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Event
from tests.evaluating import make_benchmark, make_evaluation, safetensors
from tests.leaderboard.scored import record, scores
from worker.consumers import CONSUMERS

PATH = ".eval_results/alice--mood.yaml"
HOST = "https://models.example"


@pytest.fixture
def finished(alice, bob, make_repo) -> Evaluation:
    """Bob's model, scored on a benchmark of alice."""
    return record(make_evaluation(make_repo, bob, make_benchmark(make_repo, alice)), scores(0.9))


def text_of(repo: Repo, path: str = PATH, revision: str = "main") -> str:
    commit = browsing.resolve_revision(repo, revision)
    return browsing.read(repo, browsing.find(repo, commit, path), 100_000).decode()


def test_the_file_is_what_clients_of_the_hub_read(finished, bob):
    written = results_files.write(finished, by=bob, endpoint=HOST)
    assert written.is_new
    hub = pytest.importorskip("huggingface_hub")
    entry = hub.parse_eval_result_entries(yaml.safe_load(text_of(finished.model)))[0]
    assert (entry.dataset_id, entry.task_id, entry.value) == ("alice/mood", "default", 0.9)
    assert entry.dataset_revision == finished.benchmark.commit_oid
    assert entry.source_url == f"{HOST}{finished.get_absolute_url()}"
    assert finished.commit_oid in (entry.notes or "")
    assert written.commit.author == bob


def test_clients_of_the_hub_find_it_with_the_model(client, finished, bob):
    results_files.write(finished, by=bob, endpoint=HOST)
    hub = pytest.importorskip("huggingface_hub")
    told = client.get("/api/models/bob/bert?expand=evalResults").json()["evalResults"]
    entry = hub.parse_eval_result_entries(told)[0]
    assert (entry.dataset_id, entry.task_id, entry.value) == ("alice/mood", "default", 0.9)
    assert (entry.dataset_revision, entry.source_url) == (
        finished.benchmark.commit_oid,
        f"{HOST}{finished.get_absolute_url()}",
    )
    gating.set_gate(finished.model, by=bob, gate="manual")
    assert client.get("/api/models/bob/bert?expand=evalResults").json()["evalResults"] is None


def test_writing_twice_writes_once_and_makes_no_score_older(finished, bob):
    first = results_files.write(finished, by=bob, endpoint=HOST)
    finished.model.refresh_from_db()
    again = results_files.write(finished, by=bob, endpoint=HOST)
    assert (again.is_new, again.commit.oid) == (False, first.commit.oid)
    assert not Evaluation.objects.latest().get(pk=finished.pk).is_outdated


def test_nobody_else_may_commit_but_anybody_may_propose(finished, charlie):
    with pytest.raises(NotAllowed):
        results_files.write(finished, by=charlie, endpoint=HOST)
    written = results_files.write(finished, by=charlie, endpoint=HOST, as_pull_request=True)
    assert written.pull == PullRequest.objects.get(repo=finished.model)
    assert "alice/mood" in text_of(finished.model, revision="refs/pr/1")
    with pytest.raises(browsing.EntryNotFound):
        text_of(finished.model)


def test_the_buttons_are_for_those_who_may(as_user, client, bob, charlie, finished):
    address = finished.get_absolute_url()
    for person, commits, proposes in ((bob, True, True), (charlie, False, True), (None, False, False)):
        page = as_user(person).get(address).text
        assert ("Commit to main" in page, "Open a pull request" in page) == (commits, proposes)
    answer = as_user(bob).post(f"{address}/results-file", {"how": "commit"}, headers={"host": "models.example"})
    assert answer.headers["Location"] == f"/bob/bert/blob/main/{PATH}"
    assert f"http://models.example{address}" in text_of(finished.model)
    answer = as_user(charlie).post(f"{address}/results-file", {"how": "commit"})
    assert answer.headers["Location"] == f"{address}#results-file"
    assert client.post(f"{address}/results-file", {"how": "commit"}).status_code in {302, 401}


def test_a_score_of_older_weights_or_of_a_hidden_benchmark_is_not_written(finished, alice, bob):
    publishing.set_private(finished.benchmark.dataset, by=alice, private=True)
    with pytest.raises(InvalidInput, match="private"):
        results_files.write(finished, by=bob, endpoint=HOST)
    publishing.set_private(finished.benchmark.dataset, by=alice, private=False)
    publishing.commit(repo=finished.model, by=bob, title="x", changes=[PutFile("model.safetensors", safetensors(9))])
    with pytest.raises(Conflict, match="older"):
        results_files.write(Evaluation.objects.latest().get(pk=finished.pk), by=bob, endpoint=HOST)


# By a standing order


def tell(evaluation: Evaluation) -> None:
    """Let the consumers hear of the score, twice as the relay may."""
    event = Event.objects.get(kind="evaluation.completed", subject=f"evaluation:{evaluation.pk}")
    for _time in range(2):
        for consume in CONSUMERS[event.kind]:
            consume(event)


def test_without_an_order_nothing_is_written(finished):
    tell(finished)
    assert finished.model.head == Repo.objects.get(pk=finished.model_id).head


def test_an_order_writes_each_new_score_once(as_user, bob, finished):
    browser = as_user(bob)
    assert "Write new results" in browser.get("/bob/bert/evaluations").text
    browser.post("/bob/bert/results-order", {"keep": "1"})
    tell(finished)
    assert "alice/mood" in text_of(finished.model)
    assert Event.objects.filter(kind="repo.committed", subject=f"repo:{finished.model_id}").count() == 3
    assert "in the name of bob" in browser.get("/bob/bert/evaluations").text
    browser.post("/bob/bert/results-order", {"keep": "0"})
    assert not ResultsOrder.objects.exists()


def test_what_an_order_may_not_write_is_told_to_the_writers(as_user, alice, bob, finished):
    results_files.keep_written(finished.model, by=bob, wanted=True)
    publishing.set_private(finished.benchmark.dataset, by=alice, private=True)
    tell(finished)
    assert "could not be written: The benchmark is private" in as_user(bob).get("/bob/bert/evaluations").text


def test_only_writers_give_an_order(as_user, bob, charlie, finished):
    with pytest.raises(NotAllowed):
        results_files.keep_written(finished.model, by=charlie, wanted=True)
    assert as_user(charlie).post("/bob/bert/results-order", {"keep": "1"}).status_code == 403
    assert "Write new results" not in as_user(charlie).get("/bob/bert/evaluations").text


# Beside what authors state

CARD = """\
---
license: mit
model-index:
- name: bert
  results:
  - dataset: {name: Mood, type: alice/mood, split: test}
    task: {type: text-classification}
    metrics:
    - {type: f1, value: 0.99}
---
# A model
"""


def test_stated_scores_stand_beside_measured_ones_and_are_marked(client, bob, finished):
    publishing.commit(repo=finished.model, by=bob, title="x", changes=[PutFile("README.md", CARD.encode())])
    page = client.get("/bob/bert/evaluations").text
    table = page.split('id="stated"')[1].split("</section>")[0]
    for piece in ("self-reported", "0.99", "alice/mood", finished.get_absolute_url(), "90.0"):
        assert piece in table
    assert "1 self-reported score" in client.get("/bob/bert/evaluations/summary").text
    assert "0.99" not in client.get(finished.benchmark.get_absolute_url()).text


def test_what_the_portal_wrote_itself_is_not_called_self_reported_unless_it_was_changed(bob, finished):
    results_files.write(finished, by=bob, endpoint=HOST)
    finished.model.refresh_from_db()
    assert stated.of(finished.model, bob) == []
    changed = text_of(finished.model).replace("value: 0.9", "value: 0.95")
    publishing.commit(repo=finished.model, by=bob, title="x", changes=[PutFile(PATH, changed.encode())])
    finished.model.refresh_from_db()
    assert [row.score.value for row in stated.of(finished.model, bob)] == [0.95]


def test_files_behind_a_gate_state_nothing_to_those_outside(bob, charlie, finished):
    change = PutFile(".eval_results/x.yaml", b"- {dataset: {id: a/b, task_id: c}, value: 1}")
    publishing.commit(repo=finished.model, by=bob, title="x", changes=[change])
    finished.model.refresh_from_db()
    gating.set_gate(finished.model, by=bob, gate="manual")
    assert len(stated.of(finished.model, bob)) == 1
    assert stated.of(finished.model, charlie) == stated.of(finished.model, AnonymousUser()) == []


def test_a_stated_name_of_a_hidden_data_set_is_only_a_name(bob, charlie, alice, finished):
    publishing.commit(repo=finished.model, by=bob, title="x", changes=[PutFile("README.md", CARD.encode())])
    publishing.set_private(finished.benchmark.dataset, by=alice, private=True)
    finished.model.refresh_from_db()
    row = stated.of(finished.model, charlie)[0]
    assert (row.dataset, row.measured) == (None, None)
