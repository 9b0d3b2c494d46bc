"""Private means invisible: to a stranger each page of a repository, found by its route, is as if nothing were there."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from leaderboard import suites
from leaderboard.models import Evaluation
from leaderboard.views import urls as leaderboard_urls
from models_hub import publishing
from models_hub.views import urls as hub_urls
from portal.models import User
from tests.evaluating import dataset_files, make_benchmark, model_files
from tests.leaderboard.scored import score

ROUTES = [*hub_urls.urlpatterns, *leaderboard_urls.urlpatterns]
OF_A_REPO = [route for route in ROUTES if "namespace" in route.pattern.regex.groupindex]
OTHERS = [route for route in ROUTES if route not in OF_A_REPO]
KINDS = {"model": "secret-model", "dataset": "secret-data", "space": "secret-space"}


def address(route, name: str) -> str:
    words = {"namespace": "alice", "name": name, "place": "main/README.md", "oid": "main", "revisions": "main...main"}
    words |= {"branch": "main", "tag": "v1", "key": "0" * 32, "slug": "all"}
    # All else is the number of a row.
    return reverse(route.name, kwargs={group: words.get(group, "1") for group in route.pattern.regex.groupindex})


@pytest.fixture
def secrets(alice, morgan, make_repo) -> dict[str, Evaluation]:
    """A private model scored on a public benchmark, and a public model scored on a private one; one board of both."""
    cache.clear()
    hidden_model = make_repo(alice, "secret-model", files=model_files(1.0) | card("secret-model"), private=True)
    open_model = make_repo(alice, "bert", files=model_files(2.0))
    hidden = make_benchmark(make_repo, alice, "secret-data", definition=definition("Secret benchmark"))
    public = make_benchmark(make_repo, alice, "mood")
    suites.create_suite(by=morgan, slug="all", title="All", benchmarks=[(public, 1.0), (hidden, 1.0)])
    publishing.set_private(hidden.dataset, by=alice, private=True)
    publishing.create_repo(by=alice, namespace="alice", kind="space", name="secret-space", private=True, sdk="static")
    return {
        "model": score(hidden_model, public, alice, 0.7777),
        "dataset": score(open_model, hidden, alice, 0.7777),
    }


def card(word: str) -> dict[str, bytes | str]:
    return {"README.md": f"---\nlicense: {word}-licence\nlibrary_name: {word}-library\n---\n# {word}\n"}


def definition(name: str) -> str:
    return str(dataset_files()["eval.yaml"]).replace("name: Mood", f"name: {name}")


@pytest.fixture(params=["stranger", "anonymous", "staff"])
def outsider(request, charlie, morgan) -> User | None:
    return {"stranger": charlie, "anonymous": None, "staff": morgan}[request.param]


def test_a_private_repository_looks_like_one_that_does_not_exist(as_user, secrets, charlie):
    """As a stranger sees the pages; other askers, methods and the wire are asked of a repository without scores."""
    send = as_user(charlie).get
    for route in OF_A_REPO:
        names = (KINDS[route.default_args["kind"]], "not-there")
        hidden, missing = (send(address(route, name)) for name in names)
        assert (hidden.status_code, missing.status_code) in {(404, 404), (405, 405)}, route.name
        assert without_names(hidden.text) == without_names(missing.text), route.name


def without_names(page: str) -> str:
    """The page without the name that was asked for, and without the tokens that differ from answer to answer."""
    for name in (*KINDS.values(), "not-there"):
        page = page.replace(name, "")
    return "\n".join(line for line in page.splitlines() if "csrf" not in line.lower())


def test_the_routes_were_really_found():
    assert {"model", "dataset_tree", "model_deletion", "model_evaluations", "dataset_benchmarks"} <= {
        route.name for route in OF_A_REPO
    }


@pytest.mark.parametrize("which", ["model", "dataset"])
def test_an_evaluation_of_something_private_is_404(as_user, outsider, secrets, which):
    page = as_user(outsider).get(secrets[which].get_absolute_url())
    assert page.status_code == 404
    fragment = as_user(outsider).get(secrets[which].get_absolute_url(), headers={"HX-Request": "true"})
    assert fragment.status_code == 404


def test_a_benchmark_of_a_private_data_set_is_404(as_user, outsider, secrets):
    assert as_user(outsider).get(secrets["dataset"].benchmark.get_absolute_url()).status_code == 404


def test_no_list_board_or_fragment_tells_of_what_is_private(as_user, outsider, secrets):
    public = secrets["model"].benchmark
    places = [
        "/models?search=secret", "/models?license=secret-model-licence", "/datasets?search=secret",
        "/fragments/repos?author=alice", "/leaderboard", "/leaderboard/all", public.get_absolute_url(),
        "/leaderboard/all/charts", "/leaderboard/all/charts?chart=history", "/compare?model=alice/bert",
        "/alice/bert/evaluations", "/alice/bert/evaluations/summary", "/datasets/alice/mood/benchmarks",
    ]  # fmt: skip
    places += [reverse(route.name) for route in OTHERS if not route.pattern.regex.groupindex]
    browser = as_user(outsider)
    for place in places:
        answer = browser.get(place, follow=True)
        if answer.redirect_chain and "/accounts/login" in answer.redirect_chain[-1][0]:
            continue
        asked_for = answer.text.replace("“secret”", "").replace("“secret-model-licence”", "")
        for word in ("secret-model", "secret-data", "Secret benchmark", "77.8", "secret-model-library"):
            assert word not in asked_for.replace('value="secret', "").replace("secret-model-licence", ""), place


def test_alice_sees_her_own(as_user, alice, secrets):
    browser = as_user(alice)
    for place in ("/alice/secret-model", "/datasets/alice/secret-data", "/alice/secret-model/evaluations/summary"):
        assert browser.get(place).status_code == 200
    for evaluation in secrets.values():
        assert "77.8" in browser.get(evaluation.get_absolute_url()).text
