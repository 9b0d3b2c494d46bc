"""Runs whose rows other models write otherwise: which ones are named, and what is refused at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from models_hub.adapting import asking, wishes
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


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({**FILL, "helpers": {}}, "augment_fill needs a model"),
        ({**BACK, "helpers": {"there": {"model": "alice/en-zh"}}}, "“back”"),
        ({**FILL, "recipe": {}}, "is asked nothing"),
        ({**FILL, "helpers": {"words": {"model": "alice/bert"}}}, "does not fill gaps"),
        ({**FILL, "helpers": {"words": {"model": "filler"}}}, "owner/name"),
        ({**FILL, "helpers": {"words": {"name": "alice/filler"}}}, "words"),
        ({**FILL, "helpers": {"muse": {"model": "alice/filler"}}}, "may name"),
        ({**BACK, "helpers": {"there": {"model": "alice/bert"}, "back": {"model": "alice/zh-en"}}}, "translate"),
    ],
)
def test_what_could_not_help_is_refused(alice: User, changes: dict[str, Any], named: str) -> None:
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
    assert "augment_back needs a model" in refused.text
