"""What is declared and measured of a model's training and a benchmark's rows, and where it is shown."""

import json

import pytest
from django.utils import timezone

from leaderboard import benchmarks, contamination, overlapping, suites
from leaderboard.catalogue.entries import entries
from leaderboard.models import Benchmark, Contamination, Evaluation, Overlap
from models_hub import gating, moving, publishing, trash
from models_hub.changes import PutFile
from models_hub.models import Repo
from portal.errors import NotAllowed
from portal.models import Event, Job
from tests.evaluating import EVAL_YAML, make_benchmark, make_evaluation, model_files
from tests.leaderboard.scored import record, renew, score, scores
from tests.worker.performing import perform
from worker.consumers import CONSUMERS

LONG = "the quick brown fox jumps over the lazy dog while nobody in the whole village looks {n}"


@pytest.fixture(autouse=True)
def tables(settings, tmp_path):
    settings.DATA_DIR = str(tmp_path / "data")


@pytest.fixture
def mood(alice, make_repo) -> Benchmark:
    return make_benchmark(make_repo, alice)


def made(make_repo, owner, name: str, card: str, *numbers: float) -> Repo:
    return make_repo(owner, name, files=model_files(*numbers) | {"README.md": f"---\n{card}\n---\n# A model\n"})


def level(model: Repo, benchmark: Benchmark, user) -> str:
    return contamination.report_on(model, benchmark, user).level


def test_the_levels_of_what_cards_declare(alice, bob, charlie, make_repo, mood):
    silent = made(make_repo, bob, "silent", "license: mit")
    other = made(make_repo, bob, "other", "datasets: [somebody/else]")
    declared = made(make_repo, bob, "declared", "datasets: [Alice/Mood]")
    child = made(make_repo, charlie, "child", "base_model: bob/declared")
    grandchild = made(make_repo, charlie, "grandchild", "base_model: charlie/child\ndatasets: somebody/else")
    found = [level(model, mood, charlie) for model in (silent, other, declared, child, grandchild)]
    assert found == ["unknown", "not_found", "declared", "inherited", "inherited"]
    assert contamination.report_on(grandchild, mood, charlie).findings[0].parent == "bob/declared"


def test_a_former_name_and_a_published_name_are_names_of_the_set(alice, bob, make_repo, mood):
    moving.move_repo(mood.dataset, by=alice, namespace="alice", name="feelings")
    assert level(made(make_repo, bob, "old", "datasets: alice/mood"), mood, bob) == "declared"
    entry = next(entry for entry in entries().values() if entry.sources[0].hub and ":" not in entry.title)
    named = EVAL_YAML.replace("name: Mood", f"name: {entry.title}")
    copy = make_benchmark(make_repo, alice, "copy", definition=named)
    hub = entry.sources[0].hub.lower()
    assert {hub, hub.rpartition("/")[2], "alice/copy"} <= contamination.names_of(copy)


def test_a_circle_of_parents_ends(bob, make_repo, mood):
    one = made(make_repo, bob, "one", "base_model: bob/two")
    made(make_repo, bob, "two", "base_model: bob/one\ndatasets: alice/mood")
    assert level(one, mood, bob) == "inherited"


def test_what_a_hidden_parent_declares_is_told_to_its_owner_alone(bob, charlie, make_repo, mood):
    parent = made(make_repo, bob, "secret", "datasets: alice/mood")
    child = made(make_repo, charlie, "child", "base_model: bob/secret")
    publishing.set_private(parent, by=bob, private=True)
    assert (level(child, mood, bob), level(child, mood, charlie)) == ("inherited", "unknown")
    evaluation = score(child, mood, charlie, 0.9)
    contamination.note([evaluation])
    evaluation.refresh_from_db()
    assert evaluation.contamination == Contamination.UNKNOWN


# Measured


def training_set(make_repo, owner, name: str, *texts: str, **options) -> Repo:
    rows = "".join(json.dumps({"text": text, "label": "x"}) + "\n" for text in texts)
    return make_repo(owner, name, kind="dataset", files={"train.jsonl": rows}, **options)


def long_benchmark(make_repo, owner, name: str = "long", *, definition: str = EVAL_YAML, extra: str = "") -> Benchmark:
    """A benchmark of twenty rows that are long enough, and some training rows of its own."""
    benchmark = make_benchmark(make_repo, owner, name, definition=definition)
    rows = "".join(
        json.dumps({"id": str(n), "text": LONG.format(n=f"row{n} " * 14), "label": "positive"}) + "\n"
        for n in range(20)
    )
    files = [PutFile("data/test.jsonl", rows.encode())]
    if extra:
        files.append(PutFile("data/train.jsonl", extra.encode()))
    files.append(PutFile("eval.yaml", definition.replace("version: 1", "version: 2").encode()))
    publishing.commit(repo=benchmark.dataset, by=owner, title="x", changes=files)
    return benchmarks.register(benchmark.dataset, by=owner)[0]


def measured(benchmark: Benchmark, dataset: Repo, by) -> Overlap:
    overlap = overlapping.request(benchmark, dataset, by=by)
    assert overlap.job is not None
    perform(overlap.job.pk)
    overlap.refresh_from_db()
    assert overlap.finished_at, Job.objects.get(pk=overlap.job_id).reason_text
    return overlap


@pytest.mark.django_db(transaction=True)
def test_rows_in_training_data_are_counted_and_flag_the_scores(client, alice, bob, make_repo):
    benchmark = long_benchmark(make_repo, alice)
    train = training_set(make_repo, bob, "crawl", *(LONG.format(n=f"row{n} " * 14) for n in (3, 5)), "something else")
    model = made(make_repo, bob, "trained", "datasets: bob/crawl")
    evaluation = score(model, benchmark, bob, 0.9)
    for consume in CONSUMERS["evaluation.completed"]:
        consume(Event.objects.get(kind="evaluation.completed"))
    evaluation.refresh_from_db()
    assert evaluation.contamination == Contamination.NOT_FOUND
    overlap = measured(benchmark, train, bob)
    assert (overlap.tested, overlap.shared, overlap.rows) == (20, 2, 3)
    evaluation.refresh_from_db()
    assert evaluation.contamination == Contamination.MEASURED
    page = client.get(evaluation.get_absolute_url()).text
    assert "2 of 20 test rows share" in page
    assert "2 of 20 rows" in client.get(benchmark.get_absolute_url()).text
    assert client.get(f"/api/v1/evaluations/{evaluation.pk}").json()["contamination"] == "measured"


@pytest.mark.parametrize("remove", [trash.delete, publishing.delete_repo])
def test_the_flag_goes_with_the_set_that_was_compared(bob, make_repo, mood, remove):
    train = training_set(make_repo, bob, "crawl", "x")
    evaluation = score(made(make_repo, bob, "trained", "datasets: bob/crawl"), mood, bob, 0.9)
    counts = {"tested": 20, "shared": 2, "rows": 3, "finished_at": timezone.now()}
    Overlap.objects.create(benchmark=mood, dataset=train, commit_oid=train.head, **counts)
    contamination.note_benchmark(mood)
    evaluation.refresh_from_db()
    assert evaluation.contamination == Contamination.MEASURED
    remove(train, by=bob)
    for consume in CONSUMERS["repo.deleted"]:
        consume(Event.objects.get(kind="repo.deleted"))
    evaluation.refresh_from_db()
    assert evaluation.contamination == Contamination.NOT_FOUND


@pytest.mark.django_db(transaction=True)
def test_of_the_benchmark_s_own_data_set_the_other_files_are_compared(alice, make_repo):
    extra = (
        json.dumps({"text": LONG.format(n="row7 " * 14)})
        + "\n"
        + json.dumps({"text": "a row of its own kind here"})
        + "\n"
    )
    benchmark = long_benchmark(make_repo, alice, extra=extra)
    overlap = measured(benchmark, benchmark.dataset, alice)
    assert (overlap.tested, overlap.shared, overlap.rows) == (20, 1, 2)


def test_the_same_comparison_is_made_once(alice, bob, make_repo, mood):
    train = training_set(make_repo, bob, "crawl", "x")
    first = overlapping.request(mood, train, by=bob)
    assert overlapping.request(mood, train, by=alice) == first
    assert Job.objects.filter(kind="measure_overlap").count() == 1


def test_nobody_guesses_withheld_rows_by_choosing_what_they_are_compared_with(as_user, alice, bob, make_repo):
    held = make_benchmark(make_repo, alice, "held", definition=EVAL_YAML.replace("is_public: true", "is_public: false"))
    train = training_set(make_repo, bob, "guesses", "bad 0")
    with pytest.raises(NotAllowed, match="withheld"):
        overlapping.request(held, train, by=bob)
    evaluation = record(make_evaluation(make_repo, bob, held), scores(0.9))
    Repo.objects.filter(pk=evaluation.model_id).update(card={"datasets": ["bob/guesses"]})
    assert overlapping.request_of_card(Evaluation.objects.get(pk=evaluation.pk)) == 0
    address = f"{held.get_absolute_url()}/overlaps"
    as_user(bob).post(address, {"dataset": "bob/guesses"})
    assert not Overlap.objects.exists()
    as_user(alice).post(address, {"dataset": "bob/guesses"})
    assert Overlap.objects.count() == 1


def test_what_one_may_not_download_one_may_not_compare(as_user, bob, charlie, make_repo, mood):
    train = training_set(make_repo, bob, "crawl", "x")
    gating.set_gate(train, by=bob, gate="manual")
    with pytest.raises(NotAllowed):
        overlapping.request(mood, train, by=charlie)
    publishing.set_private(train, by=bob, private=True)
    as_user(charlie).post(f"{mood.get_absolute_url()}/overlaps", {"dataset": "bob/crawl"})
    assert not Overlap.objects.exists()


# Shown


def test_boards_and_results_mark_what_is_declared_and_rank_it_all_the_same(client, bob, morgan, make_repo, mood):
    evaluation = score(made(make_repo, bob, "declared", "datasets: alice/mood"), mood, bob, 0.9)
    contamination.note([evaluation])
    suites.create_suite(by=morgan, slug="all", title="All", benchmarks=[(mood, 1.0)])
    renew()
    for place in (mood.get_absolute_url(), "/leaderboard/all"):
        assert f"{evaluation.get_absolute_url()}#contamination" in client.get(place).text
    cell = client.get("/api/v1/leaderboard/all").json()["rows"][0]["results"][0]
    assert cell["contamination"] == "declared"


def test_another_card_changes_what_is_shown_of_it_and_of_its_children(bob, make_repo, mood):
    parent = made(make_repo, bob, "parent", "license: mit", 1.0)
    child = made(make_repo, bob, "child", "base_model: bob/parent", 2.0)
    of_both = [score(model, mood, bob, 0.9) for model in (parent, child)]
    card = b"---\ndatasets: alice/mood\n---\n# A model\n"
    publishing.commit(repo=parent, by=bob, title="x", changes=[PutFile("README.md", card)])
    CONSUMERS["repo.committed"][1](Event.objects.filter(kind="repo.committed").latest("id"))
    for evaluation in of_both:
        evaluation.refresh_from_db()
    assert [evaluation.contamination for evaluation in of_both] == ["declared", "inherited"]


def test_the_wording_claims_no_more_than_is_known(client, bob, make_repo, mood):
    declared = score(made(make_repo, bob, "declared", "datasets: alice/mood", 1.0), mood, bob, 0.9)
    silent = score(made(make_repo, bob, "silent", "license: mit", 2.0), mood, bob, 0.9)
    assert "Whether the test part was used, it does not say." in client.get(declared.get_absolute_url()).text
    assert "That is no sign of either." in client.get(silent.get_absolute_url()).text


def test_the_api_asks_lists_and_filters(as_user, client, bob, charlie, make_repo, mood):
    training_set(make_repo, bob, "crawl", "x")
    address = f"/api/v1/benchmarks/{mood.pk}/overlaps"
    asked = as_user(charlie).post(address, {"dataset": "bob/crawl"}, content_type="application/json")
    assert asked.status_code == 201, asked.text
    assert [(row["dataset"], row["shared"]) for row in client.get(address).json()] == [("bob/crawl", None)]
    assert client.post(address, {"dataset": "bob/crawl"}, content_type="application/json").status_code == 401
    evaluation = score(made(make_repo, bob, "declared", "datasets: alice/mood"), mood, bob, 0.9)
    contamination.note([evaluation])
    for level_asked, found in (("declared", 1), ("measured", 0)):
        answer = client.get(f"/api/v1/evaluations?contamination={level_asked}").json()
        assert len(answer["results"]) == found
