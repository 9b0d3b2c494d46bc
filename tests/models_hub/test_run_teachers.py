"""Runs that learn from a teacher: what is refused at once, and where the teacher is named and where it is not."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from models_hub.adapting import asking, card_writing, seeing, wishes
from models_hub.adapting.pinning import pinned_commits
from models_hub.models import Repo, Run
from portal.errors import InvalidInput, NotAllowed, NotFound
from portal.models import Job, User
from tests.evaluating import model_files
from tests.models_hub.test_run_faces import ADDRESS, filled, post
from tests.tuning import ask, make_base, make_data, wish

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
TEACHER = {"model": "alice/large"}
SIZES = {"model_type": "bert", "hidden": 16, "heads": 2}


@pytest.fixture(autouse=True)
def repos(make_repo: MakeRepo, alice: User) -> tuple[Repo, Repo]:
    make_data(make_repo, alice)
    return make_base(make_repo, alice), make_base(make_repo, alice, "large")


def changed(**changes: Any) -> dict[str, bytes | str]:
    files = model_files()
    return files | {"config.json": json.dumps({**json.loads(files["config.json"]), **changes})}


def test_a_run_keeps_its_teacher_at_a_commit_and_lets_its_worker_read_it(alice: User, repos: tuple[Repo, Repo]) -> None:
    base, teacher = repos
    run = ask(alice, teacher={**TEACHER, "temperature": 4.0, "alpha": 0.5})
    assert [(aid.role, aid.repo, aid.commit) for aid in run.aids.all()] == [("teacher", teacher, teacher.head)]
    assert run.options["teacher"] == {"temperature": 4.0}  # what is usual is not said
    assert run.settings == {"labels": ["negative", "positive"]}  # in the order of the teacher
    assert run.job is not None
    assert {base.pk, teacher.pk} < set(run.job.spec["reads"])
    assert pinned_commits(teacher.pk) == {teacher.head}
    again = asking.wish_of(run)
    assert again.teacher == {"model": "alice/large", "revision": teacher.head, "temperature": 4.0}
    assert wishes.read(again.as_json()).teacher == again.teacher


def test_a_student_of_some_layers_begins_from_its_teacher(alice: User, repos: tuple[Repo, Repo]) -> None:
    run = ask(alice, base="", teacher={**TEACHER, "keep_layers": 2})
    assert (run.base, run.options["teacher"]) == (repos[1], {"keep_layers": 2})


def test_the_result_of_a_run_may_teach(alice: User, bob: User, repos: tuple[Repo, Repo]) -> None:
    first = ask(alice)
    with pytest.raises(InvalidInput, match="no result"):
        ask(alice, teacher={"run": first.pk})
    Run.objects.filter(pk=first.pk).update(result=repos[1], result_commit=repos[1].head)
    run = ask(alice, base="", architecture=SIZES, teacher={"run": first.pk})
    assert asking.wish_of(run).teacher["model"] == "alice/large"
    with pytest.raises(NotFound):
        ask(bob, target="bob/tuned", teacher={"run": 10**6})


UNTEACHABLE: list[tuple[Any, str]] = [
    ({"teacher": {}, "base": ""}, "model to begin from"),
    ({"teacher": {"temperature": 2.0}}, "Name the teacher"),
    ({"teacher": {**TEACHER, "run": 3}}, "Name the teacher"),
    ({"teacher": {**TEACHER, "volume": 3}}, "temperature"),
    ({"teacher": {**TEACHER, "temperature": 0.5}}, "temperature"),
    ({"teacher": {"model": "large"}}, "owner/name"),
    ({"teacher": {**TEACHER, "keep_layers": 1}}, "begins from the teacher"),
    ({"teacher": TEACHER, "task": "text-regression", "recipe": {}}, "no classes"),
    ({"teacher": TEACHER, "recipe": {"mixup": 0.2}}, "mixup"),
    ({"teacher": TEACHER, "recipe": {"method": "prompt"}}, "Invented tokens"),
    ({"teacher": TEACHER, "labels": ["positive", "negative"]}, "in their order"),
    ({"teacher": TEACHER, "base": "", "architecture": {**SIZES, "model_type": "roberta"}}, "same type"),
]


def test_what_no_teacher_could_teach_is_refused(alice: User) -> None:
    for changes, named in UNTEACHABLE:
        with pytest.raises(InvalidInput) as refused:
            ask(alice, **changes)
        assert named in refused.value.message
    assert not Job.objects.exists()


UNFIT: list[tuple[Any, str]] = [
    (changed(architectures=["BertForMaskedLM"]), "has not learned"),
    (changed(problem_type="multi_label_classification"), "has not learned"),
    (changed(id2label=None), "names no labels"),
    (model_files() | {"tokenizer.json": '{"model": {"type": "BPE"}}'}, "same tokenizer"),
    ({"README.md": "# Words alone\n"}, "no config.json"),
]


def test_a_model_that_cannot_teach_this_run_is_refused_with_the_reason(make_repo: MakeRepo, alice: User) -> None:
    for number, (files, named) in enumerate(UNFIT):
        make_repo(alice, f"other-{number}", files=files)
        with pytest.raises(InvalidInput, match=named):
            ask(alice, teacher={"model": f"alice/other-{number}"})


def test_a_hidden_teacher_is_none_and_a_gated_one_is_not_asked(
    alice: User, bob: User, repos: tuple[Repo, Repo]
) -> None:
    Repo.objects.filter(pk=repos[1].pk).update(gated="manual")
    with pytest.raises(NotAllowed):
        ask(bob, target="bob/tuned", teacher=TEACHER)
    Repo.objects.filter(pk=repos[1].pk).update(private=True)
    with pytest.raises(NotFound):
        ask(bob, target="bob/tuned", teacher=TEACHER)


def test_the_card_and_the_page_name_the_teacher_unless_it_is_private(
    make_repo: MakeRepo, alice: User, bob: User, as_user: Any, repos: tuple[Repo, Repo]
) -> None:
    run = ask(alice, teacher={**TEACHER, "temperature": 3.0})
    result = make_repo(alice, "tuned")
    Run.objects.filter(pk=run.pk).update(result=result, result_commit=result.head, finished_at="2026-01-01T00:00:00Z")
    card = card_writing.card(run)
    assert "base_model:\n- alice/bert\n- alice/large\n" in card
    assert "distilled" in card
    assert f"`alice/large` @ `{repos[1].head}`" in card
    assert as_user(bob).get(f"/api/v1/runs/{run.pk}").json()["aids"] == {"teacher": "alice/large"}
    assert "alice/large" in as_user(bob).get(f"/runs/{run.pk}").text
    Repo.objects.filter(pk=repos[1].pk).update(private=True)
    assert "alice/large" not in card_writing.card(run)
    assert b"alice/large" not in card_writing.records(run)["recipe.json"]
    assert as_user(bob).get(f"/api/v1/runs/{run.pk}").json()["aids"] == {"teacher": None}
    assert "alice/large" not in as_user(bob).get(f"/runs/{run.pk}").text
    assert repos[1].pk not in seeing.seen([run], bob)


def test_a_teacher_is_named_in_the_form_and_through_the_api(alice: User, as_user: Any) -> None:
    client = as_user(alice)
    sent = filled(client.get(ADDRESS).context["form"])
    wanted = {"teacher": "alice/large@main", "teacher.temperature": "3", "method": "full"}
    made = client.post(ADDRESS, {**sent, **wanted})
    assert made.status_code == 302, made.context["form"].errors
    run = Run.objects.get()
    assert run.options["teacher"] == {"temperature": 3.0}
    like = client.get(f"/runs/new?like={run.pk}")
    assert like.context["form"].fields["teacher"].initial.startswith("alice/large@")
    body = {("dataset" if key == "data" else key): value for key, value in wish(teacher=TEACHER).items()}
    answer = post(client, "/api/v1/runs", body)
    assert answer.status_code == 201, answer.content
    assert answer.json()["wish"]["teacher"]["model"] == "alice/large"


def test_an_attack_has_options_of_its_own_in_the_form(alice: User, as_user: Any) -> None:
    client = as_user(alice)
    sent = filled(client.get(ADDRESS).context["form"])
    wanted = {"option_harden": "pgd", "harden.pgd.epsilon": "0.4", "harden.pgd.steps": "2", "method": "full"}
    made = client.post(ADDRESS, {**sent, **wanted})
    assert made.status_code == 302, made.context["form"].errors
    run = Run.objects.get()
    assert run.recipe["harden_options"] == {"epsilon": 0.4, "steps": 2}
    page = client.get(f"/runs/{run.pk}").text
    assert "PGD · Epsilon" in page
    form = client.get(f"/runs/new?like={run.pk}").context["form"]
    assert form.fields["harden.pgd.epsilon"].initial == 0.4
    refused = client.post(ADDRESS, {**sent, **wanted, "harden.pgd.steps": "99"})
    assert refused.status_code == 400


def test_options_that_an_attack_does_not_have_are_refused(alice: User) -> None:
    for harden, options in (
        ("none", {"epsilon": 0.1}),
        ("rdrop", {"epsilon": 0.1}),
        ("fgm", {"epsilon": 9.0}),
        ("worst_of_k", {"count": 0}),
    ):
        with pytest.raises(InvalidInput):
            ask(alice, recipe={"harden": harden, "harden_options": options})


def test_an_attack_on_whole_texts_is_not_for_tagged_words(alice: User, as_user: Any) -> None:
    form = as_user(alice).get("/runs/new?task=token-classification&base=&dataset=alice/moods").context["form"]
    assert "fgm" in dict(form.fields["option_harden"].choices)
    assert "worst_of_k" not in dict(form.fields["option_harden"].choices)
    assert "harden.worst_of_k.count" not in form.fields
    assert wishes.read_recipe({"harden": "worst_of_k"}, "text-classification")["harden"] == "worst_of_k"
    with pytest.raises(InvalidInput, match="worst_of_k"):
        wishes.read_recipe({"harden": "worst_of_k"}, "token-classification")


def test_runs_with_other_teachers_differ_in_words(alice: User, as_user: Any) -> None:
    runs = [ask(alice), ask(alice, teacher={**TEACHER, "temperature": 3.0})]
    page = as_user(alice).get(f"/runs/compare?run={runs[0].pk}&run={runs[1].pk}").text
    assert "Teacher · Temperature" in page
