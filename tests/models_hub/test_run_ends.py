"""How runs end when something happened meanwhile, and what of a hostile child's words is kept."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from models_hub import browsing, collecting, job_contents, publishing, quotas
from models_hub.adapting import asking, card_writing, curves, ending, following, reports, seeing, studies, wishes
from models_hub.adapting.ending import Made
from models_hub.changes import PutFile
from models_hub.models import Blob, Repo, Run, Study
from models_hub.quotas import StorageFull
from portal.errors import Conflict, NotAllowed, NotFound
from portal.models import Job, LeaseLost, User
from tests.tuning import ask, make_base, make_data, wish
from worker.relay import deliver_events

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
FILES = [Made("README.md", b"# Tuned\n"), Made("config.json", b"{}\n")]


@pytest.fixture(autouse=True)
def repos(make_repo: MakeRepo, alice: User) -> tuple[Repo, Repo]:
    return make_base(make_repo, alice), make_data(make_repo, alice)


def claimed(run: Run) -> Job:
    job = Job.claim(run.job_id or 0, worker="near", lease=timedelta(minutes=1))
    assert job is not None
    return job


def packed() -> Blob:
    return Blob.objects.create(sha256="ab" * 32, size=10, pointer_oid="cd" * 20)


def again(run: Run) -> Run:
    return Run.objects.select_related("job", "owner").get(pk=run.pk)


def test_nothing_is_half_written_where_there_is_no_room(alice: User) -> None:
    run = ask(alice)
    job = claimed(run)
    account = quotas.hold_owner(alice.namespace.pk)
    type(account).objects.filter(pk=account.pk).update(limit=1)
    with pytest.raises(StorageFull):
        ending.finish(run, job=job, files=FILES, found={"summary": {"steps": 1}})
    assert not Repo.objects.filter(name="tuned").exists()
    assert (again(run).is_finished, again(run).summary) == (False, {})


def test_a_model_that_found_no_room_is_published_when_there_is_some_and_not_trained_again(alice: User) -> None:
    run = ask(alice)
    ending.keep(run, job=claimed(run), packed=packed(), found={"summary": {"steps": 1}}, error=StorageFull("Full."))
    failed = again(run)
    assert failed.job is not None
    assert (failed.job.state, failed.job.reason_code) == ("failed", StorageFull("").code)
    second = asking.ask_again(failed, by=alice)
    assert second.job is not None
    assert (second.job.kind, second.job.needs) == ("publish_run", {"store": True})


def test_a_worker_that_lost_its_lease_ends_nothing(alice: User) -> None:
    run = ask(alice)
    job = claimed(run)
    Job.objects.filter(pk=job.pk).update(fence=job.fence + 1)
    with pytest.raises(LeaseLost):
        ending.finish(run, job=job, files=FILES, found={})
    ending.keep(run, job=job, packed=packed(), found={"summary": {"steps": 1}}, error=StorageFull("Full."))
    assert not Repo.objects.filter(name="tuned").exists()
    assert (again(run).is_finished, again(run).checkpoint, again(run).summary) == (False, None, {})


def test_a_checkpoint_that_was_replaced_goes_with_the_next_collection_and_one_in_use_stays(alice: User) -> None:
    run = ask(alice)
    used, replaced = packed(), Blob.objects.create(sha256="12" * 32, size=10, pointer_oid="34" * 20)
    Run.objects.filter(pk=run.pk).update(checkpoint=used)
    for blob in (used, replaced):
        job_contents.let_go(blob.pk)
    collecting.collect()
    assert list(Blob.objects.filter(pk__in=(used.pk, replaced.pk))) == [used]


def test_an_owner_whose_account_was_closed_meanwhile_gets_no_result(alice: User) -> None:
    run = ask(alice)
    job = claimed(run)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(NotAllowed):
        ending.finish(run, job=job, files=FILES, found={})


def test_a_run_that_was_deleted_meanwhile_ends_readably(alice: User) -> None:
    run = ask(alice)
    job = claimed(run)
    Run.objects.filter(pk=run.pk).delete()
    with pytest.raises(NotFound):
        ending.finish(run, job=job, files=FILES, found={})


def test_a_name_that_was_taken_meanwhile_gets_a_pull_request(alice: User, make_repo: MakeRepo) -> None:
    run = ask(alice)
    job = claimed(run)
    taken = make_repo(alice, "tuned", files={"config.json": "{}"})
    row = ending.finish(run, job=job, files=FILES, found={})
    assert (row.result, row.result_pull) == (taken, 1)


def study_of(alice: User) -> Study:
    space = {"lr": {"type": "float", "low": 1e-5, "high": 1e-1, "log": True}}
    return studies.ask(wishes.read(wish(target="alice/best")), space, {"trials": 4, "parallel": 2}, by=alice)


def test_a_search_that_cannot_choose_its_next_trials_stops_and_says_why(alice: User) -> None:
    study = study_of(alice)
    deliver_events()
    job = Job.claim(Job.objects.get(kind="search").pk, worker="near", lease=timedelta(minutes=1))
    assert job is not None
    job.fail(code="worker_error", reason="The worker failed.")
    deliver_events()
    study.refresh_from_db()
    assert (study.state, study.reason) == ("stopped", "The worker failed.")


def test_nothing_more_is_tried_for_an_owner_whose_account_was_closed(alice: User) -> None:
    study = study_of(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(NotAllowed):
        studies.add_trials(study, [{"lr": 0.001}])


def test_a_best_trial_whose_publication_failed_is_the_best_still(alice: User) -> None:
    study = study_of(alice)
    [run] = studies.add_trials(study, [{"lr": 0.001}])
    ending.set_aside(run, job=claimed(run), packed=packed(), found={"summary": {"steps": 1}, "value": 0.9})
    job = ending.publish_trial(run)
    assert studies.best_of(study) == run
    Job.objects.filter(pk=job.pk).update(state="failed")
    assert ending.publish_trial(run).pk != job.pk


def hostile() -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for _level in range(500):
        deep = {"deep": deep}
    few = {"deep": deep, "long": "x" * 10**6, "nul": "a\x00b\ud800", "huge": 10**400}
    return few | {"many": [[0] * 9000] * 9000}


def test_what_a_child_says_is_cut_in_depth_number_and_length() -> None:
    kept = reports.bounded(hostile())
    assert str(kept).count("deep") <= reports.MAX_DEPTH
    assert sum(len(part) for part in kept["many"] if part) <= reports.MAX_VALUES
    assert len(kept["long"]) == reports.MAX_TEXT
    assert kept["nul"] == "ab?"
    assert kept["huge"] is None


LIES = {
    "table": [{"name": ["x"], "score": "good", "p50_ms": "fast", "loads_in": 3, "lost": {}, "passed": 1}, "row"],
    "files": {"onnx/model.onnx": {"bytes": "many", "check": {"max_abs_difference": "none"}, "rows": []}, "b": 1},
    "notes": {"a": 1},
    "refused": ["x"],
}


@pytest.mark.parametrize("part", ["table", "files"])
def test_a_page_is_drawn_of_a_child_that_lies(alice: User, as_user: Any, part: str) -> None:
    run = ask(alice)
    summary = reports.summary({name: LIES[name] for name in (part, "notes", "refused")})
    found = reports.scores({"after": {"metrics": [1], "primary": 3, "n": "x"}, "paired": {"low": "x"}})
    report = reports.data_report({"rows": 1, "labels": {"train": [1]}, "findings": {"a": 1}})
    Run.objects.filter(pk=run.pk).update(kind="export", summary=summary, scores=found, data_report=report)
    assert as_user(alice).get(run.get_absolute_url()).status_code == 200
    card_writing.card(again(run))


def test_numbers_that_no_program_can_hold_are_left_out_of_curves(alice: User) -> None:
    run = ask(alice)
    records = [
        {"seq": 0, "kind": "step", "step": 10**400, "loss": 1e300, "lr": 0.1},
        {"seq": 1, "kind": "step", "step": -5, "steps": 2.5, "loss": 1.0},
        *({"seq": 2 + n, "kind": "dev", "step": n, "metrics": {f"m{n}{k}": 1.0 for k in range(20)}} for n in range(9)),
    ]
    following.keep(run, records)
    points = following.after(run, 0)
    assert [set(point) - {"seq", "kind"} for point in points[:2]] == [{"lr"}, {"loss"}]
    assert len(curves.of(points)["dev"]) == following.MAX_METRICS
    curves.tensorboard(points, started=run.created_at)


def test_who_sees_the_result_reads_nothing_of_private_data(alice: User, bob: User, repos: tuple[Repo, Repo]) -> None:
    _base, data = repos
    run = ask(alice)
    Run.objects.filter(pk=run.pk).update(data_report={"labels": {"train": {"secret": 3}}})
    job = claimed(run)
    ending.finish(run, job=job, files=FILES, found={})
    ending.publish(again(run))
    assert seeing.find(run.pk, bob).data_report
    Repo.objects.filter(pk=data.pk).update(private=True)
    shown = seeing.find(run.pk, bob)
    assert (shown.title, shown.files, shown.data_report) == ("alice/tuned", {}, {})
    assert "moods" in seeing.find(run.pk, alice).title


def test_a_pull_request_to_a_public_model_names_nothing_private(alice: User, repos: tuple[Repo, Repo]) -> None:
    _base, data = repos
    run = ask(alice, target="alice/bert", title="of moods")
    texts = [card_writing.card(again(run)), card_writing.records(again(run))["recipe.json"].decode()]
    assert all("alice/moods" in text for text in texts)
    Repo.objects.filter(pk=data.pk).update(private=True)
    texts = [card_writing.card(again(run)), card_writing.records(again(run))["recipe.json"].decode()]
    assert not any("moods" in text or "train.jsonl" in text for text in texts)


def made_of_private_data(alice: User, repos: tuple[Repo, Repo]) -> Run:
    """Return a run whose private result names private data."""
    Repo.objects.filter(pk=repos[1].pk).update(private=True)
    run = ask(alice, target="alice/named")
    adapter = Made("adapter/adapter_config.json", b'{"base_model_name_or_path": "alice/base", "r": 8}')
    files = [Made("README.md", card_writing.card(run).encode()), Made("config.json", b"{}\n"), adapter]
    files += [Made(f"training/{name}", content) for name, content in card_writing.records(run).items()]
    ending.finish(run, job=claimed(run), files=files, found={"summary": {"steps": 1}})
    return Run.objects.select_related("base", "data", "result", "owner").get(pk=run.pk)


def test_a_result_is_shown_without_the_names_of_what_others_cannot_see(alice: User, repos: tuple[Repo, Repo]) -> None:
    run = made_of_private_data(alice, repos)
    assert run.result is not None
    named, old = repos[1].full_name.encode(), run.result_commit
    assert any(named in content for content in texts_of(run.result, old).values())
    ending.publish(run, with_names=False)
    result = Repo.objects.get(pk=run.result.pk)
    texts = texts_of(result, again(run).result_commit)
    assert (result.private, result.head) == (False, again(run).result_commit)
    assert not any(named in content for content in texts.values())
    assert b"private data" in texts["README.md"]
    assert b"alice/base" in texts["adapter/adapter_config.json"]  # everybody sees that
    assert texts["config.json"] == b"{}\n"
    with pytest.raises(NotFound):
        browsing.resolve_revision(result, old)


def test_names_stay_and_nothing_is_shown_where_a_result_was_changed_since(
    alice: User, repos: tuple[Repo, Repo]
) -> None:
    run = made_of_private_data(alice, repos)
    assert run.result is not None
    publishing.commit(repo=run.result, by=alice, changes=[PutFile("README.md", b"# Mine\n")], title="Say it better")
    with pytest.raises(Conflict, match="changed since"):
        ending.publish(run, with_names=False)
    assert Repo.objects.get(pk=run.result.pk).private


def texts_of(repo: Repo, revision: str) -> dict[str, bytes]:
    commit = browsing.resolve_revision(repo, revision)
    entries = [entry for entry in browsing.list_folder(repo, commit, recursive=True) if not entry.is_folder]
    return {entry.path: browsing.read(repo, entry, 1 << 20) for entry in entries}
