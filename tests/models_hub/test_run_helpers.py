"""Runs that other models write rows for, and that label rows themselves: what is named, and what is refused at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from models_hub.adapting import asking, reports, wishes
from models_hub.models import Repo, Run
from portal.errors import InvalidInput, NotFound
from portal.models import User
from tests.evaluating import model_files
from tests.models_hub.test_run_faces import ADDRESS, filled
from tests.tuning import ask, make_base, make_data

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
FILL = {"recipe": {"augment_fill": 0.3}, "helpers": {"words": {"model": "alice/filler"}}}
BACK = {
    "recipe": {"augment_back": True},
    "helpers": {"there": {"model": "alice/en-zh"}, "back": {"model": "alice/zh-en"}},
}


def typed(kind: str, head: str) -> dict[str, bytes | str]:
    files = model_files()
    config = {**json.loads(files["config.json"]), "model_type": kind, "architectures": [head]}
    return files | {"config.json": json.dumps(config)}


@pytest.fixture(autouse=True)
def repos(make_repo: MakeRepo, alice: User) -> dict[str, Repo]:
    make_data(make_repo, alice)
    marian = typed("marian", "MarianMTModel")
    return {
        "base": make_base(make_repo, alice),
        "words": make_repo(alice, "filler", files=typed("bert", "BertForMaskedLM")),
        "there": make_repo(alice, "en-zh", files=marian),
        "back": make_repo(alice, "zh-en", files=marian),
    }


def test_a_run_names_the_models_and_says_so_again(alice: User, repos: dict[str, Repo]) -> None:
    run = ask(alice, **BACK)
    assert {aid.role: aid.repo for aid in run.aids.all()} == {"there": repos["there"], "back": repos["back"]}
    assert run.job is not None
    assert {repos["there"].pk, repos["back"].pk} < set(run.job.spec["reads"])
    again = asking.wish_of(run)
    assert again.helpers["back"] == {"model": "alice/zh-en", "revision": repos["back"].head}
    assert wishes.read(again.as_json()).helpers == again.helpers


UNFIT: list[tuple[Any, str]] = [
    ({**FILL, "helpers": {}}, "(augment_fill) needs a model"),
    ({**BACK, "helpers": {"there": {"model": "alice/en-zh"}}}, "(helpers.back)"),
    ({**FILL, "recipe": {}}, "is asked nothing"),
    ({**FILL, "helpers": {"words": {"model": "alice/bert"}}}, "does not fill gaps"),
    ({**FILL, "helpers": {"words": {"model": "filler"}}}, "owner/name"),
    ({**FILL, "helpers": {"words": {"name": "alice/filler"}}}, "words"),
    ({**FILL, "helpers": {"muse": {"model": "alice/filler"}}}, "may name"),
    ({**BACK, "helpers": {"there": {"model": "alice/bert"}, "back": {"model": "alice/zh-en"}}}, "translate"),
]


def test_what_could_not_help_is_refused(alice: User) -> None:
    for changes, named in UNFIT:
        with pytest.raises(InvalidInput) as refused:
            ask(alice, **changes)
        assert named in refused.value.message


def test_a_helper_that_one_may_not_see_is_not_there(alice: User, bob: User, repos: dict[str, Repo]) -> None:
    Repo.objects.filter(pk=repos["words"].pk).update(private=True)
    with pytest.raises(NotFound):
        ask(bob, target="bob/tuned", **FILL)


def test_the_form_asks_for_them_where_rows_are_written_otherwise(alice: User, as_user: Any) -> None:
    client = as_user(alice)
    sent = filled(client.get(ADDRESS).context["form"])
    wanted = {
        "option_augment_fill": "0.3",
        "helper_words": "alice/filler",
        "helper_back": "left/over",
        "method": "full",
    }
    made = client.post(ADDRESS, {**sent, **wanted})
    assert made.status_code == 302, made.context["form"].errors
    run = Run.objects.get()
    assert asking.wish_of(run).helpers["words"]["model"] == "alice/filler"
    like = client.get(f"/runs/new?like={run.pk}").context["form"]
    assert like.fields["helper_words"].initial.startswith("alice/filler@")
    refused = client.post(ADDRESS, {**sent, "option_augment_back": "on", "method": "full"})
    assert refused.status_code == 400
    assert "needs a model" in refused.context["form"].errors["helper_there"][0]
    assert 'href="#id_helper_there"' in refused.text, "what is wrong leads to its field"


def test_rows_without_labels_are_a_file_at_a_commit(make_repo: MakeRepo, alice: User) -> None:
    more = make_repo(alice, "more", kind="dataset", files={"rows.jsonl": '{"text": "hm"}\n'})
    named = {"dataset": "alice/more", "file": "rows.jsonl"}
    run = ask(alice, recipe={"pseudo_rounds": 1}, unlabelled=named)
    assert [(aid.role, aid.repo, aid.commit, aid.path) for aid in run.aids.all()] == [
        ("unlabelled", more, more.head, "rows.jsonl")
    ]
    again = asking.wish_of(run)
    assert again.unlabelled == {**named, "revision": more.head}
    assert wishes.read(again.as_json()).unlabelled == again.unlabelled


UNREADABLE: list[tuple[Any, str]] = [
    ({"recipe": {"pseudo_rounds": 1}}, "needs rows without labels"),
    ({"unlabelled": {"dataset": "alice/moods", "file": "train.jsonl"}}, "say how many rounds"),
    ({"recipe": {"pseudo_rounds": 1}, "unlabelled": {"dataset": "alice/moods", "file": "no.jsonl"}}, "no.jsonl"),
    ({"recipe": {"pseudo_rounds": 9}}, "pseudo_rounds"),
    ({"recipe": {"pseudo_rounds": 1}, "unlabelled": {"file": "train.jsonl"}}, "owner/name"),
    ({"unlabelled": {"colour": "red"}}, "may have"),
]


def test_rows_without_labels_that_cannot_be_read_are_refused(alice: User) -> None:
    for changes, named in UNREADABLE:
        with pytest.raises(InvalidInput) as refused:
            ask(alice, **changes)
        assert named in refused.value.message


def test_the_form_takes_them_from_the_same_data_set_or_another(alice: User, as_user: Any, make_repo: MakeRepo) -> None:
    make_repo(alice, "more", kind="dataset", files={"rows.csv": "text\nhm\n"})
    client = as_user(alice)
    sent = filled(client.get(ADDRESS).context["form"]) | {"option_pseudo_rounds": "2", "method": "full"}
    for data, path in (("alice/more", "rows.csv"), ("", "train.jsonl")):
        made = client.post(ADDRESS, {**sent, "unlabelled_data": data, "unlabelled_file": path})
        assert made.status_code == 302, made.context["form"].errors
        aid = Run.objects.latest("pk").aids.get()
        assert aid.repo is not None
        assert (aid.repo.full_name, aid.path) == (data or "alice/moods", path)


def test_the_page_counts_what_each_round_labelled(alice: User, as_user: Any) -> None:
    run = ask(alice)
    rounds = [{"round": 1, "taken": 7, "labels": {"positive": 7, "odd": "x"}, "metric": "f1_macro", "dev": 0.5}, 3]
    said = {"pseudo": {"rows": 9, "confidence": 0.9, "rounds": rounds}}
    Run.objects.filter(pk=run.pk).update(summary=reports.summary(said), finished_at="2026-01-01T00:00:00Z")
    page = as_user(alice).get(f"/runs/{run.pk}").text
    assert "Of 9 rows without labels" in page
    assert "F1, macro 0.5" in page
