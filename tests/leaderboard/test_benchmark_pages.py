"""Pages of benchmarks, and the step that makes one of a data set."""

import pytest

from leaderboard import definitions
from leaderboard.detecting import minimum_detectable_difference
from leaderboard.models import Benchmark
from models_hub import publishing
from models_hub.changes import PutFile
from tests.evaluating import EVAL_YAML, dataset_files, make_benchmark, model_files
from tests.leaderboard.scored import score


@pytest.fixture
def mood(alice, make_repo):
    return make_benchmark(make_repo, alice)


def test_the_definition_is_told_in_full(client, mood):
    page = client.get(mood.get_absolute_url()).text
    for piece in ("Is it good or bad?", "/datasets/alice/mood", "data/test.jsonl", "cc0-1.0", "negative", "positive",
                  "F1, macro", "64 tokens", mood.data_sha256, mood.commit_oid[:7]):  # fmt: skip
        assert piece in page


def test_results_are_listed_best_first_with_the_floor_and_what_can_be_told_apart(client, alice, make_repo, mood):
    for name, value in (("worse", 0.6), ("better", 0.9)):
        score(make_repo(alice, name, files=model_files(value)), mood, alice, value)
    page = client.get(mood.get_absolute_url()).text
    assert page.index("better") < page.index("worse")
    assert "85.0…95.0" in page
    assert "the line marks the floor, 50.0" in page
    assert f"{100 * minimum_detectable_difference(20, 0.9):.1f}" in page


def test_the_detectable_difference_agrees_with_known_numbers():
    # 80 % power, accuracy 0.5, correlation 0.5: 10.9 points for 164 examples, 4.4 for 1000, 3.1 for 2000.
    for n, points in ((164, 10.9), (1000, 4.4), (2000, 3.1)):
        assert 100 * minimum_detectable_difference(n, 0.5) == pytest.approx(points, abs=0.06)
    assert minimum_detectable_difference(100, 1.0) > 0


def test_without_results_the_page_says_how_to_get_one(client, mood):
    page = client.get(mood.get_absolute_url()).text
    assert "/models?task=text-classification" in page
    assert 'id="difference"' not in page


def test_results_cost_the_same_however_many_there_are(client, alice, make_repo, mood, django_assert_num_queries):
    score(make_repo(alice, "one", files=model_files(1)), mood, alice, 0.9)
    with django_assert_num_queries(5):
        client.get(mood.get_absolute_url())
    for number in range(4):
        score(make_repo(alice, f"m{number}", files=model_files(number)), mood, alice, 0.5 + number / 10)
    with django_assert_num_queries(5):
        client.get(mood.get_absolute_url())


def test_older_versions_stay_reachable_and_the_list_has_the_newest(client, alice, mood):
    newer = EVAL_YAML.replace("version: 1", "version: 2").replace("max_length: 64", "max_length: 32")
    publishing.commit(repo=mood.dataset, by=alice, title="x", changes=[PutFile("eval.yaml", newer.encode())])
    from_form(client, alice, mood.dataset)
    second = Benchmark.objects.get(version=2)
    assert f'href="{second.get_absolute_url()}"' in client.get(mood.get_absolute_url()).text
    page = client.get("/benchmarks").text
    assert second.get_absolute_url() in page
    assert f'"{mood.get_absolute_url()}"' not in page


def from_form(client, person, dataset):
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.post(f"{dataset.path}/benchmarks", follow=True)


def test_the_owner_registers_a_data_set_with_an_eval_yaml(as_user, alice, make_repo):
    make_repo(alice, "mood", kind="dataset", files=dataset_files())
    browser = as_user(alice)
    assert "Register as benchmark" in browser.get("/datasets/alice/mood/benchmarks").text
    answer = browser.post("/datasets/alice/mood/benchmarks")
    made = Benchmark.objects.get()
    assert answer.headers["Location"] == made.get_absolute_url()
    assert made.get_absolute_url() in browser.get("/datasets/alice/mood/benchmarks").text


def test_without_an_eval_yaml_the_owner_learns_how_to_write_one(as_user, alice, make_repo):
    make_repo(alice, "mood", kind="dataset")
    page = as_user(alice).get("/datasets/alice/mood/benchmarks").text
    assert "new/main?path=eval.yaml" in page
    assert "<form" not in page


def test_the_first_eval_yaml_is_there_to_be_filled_in(as_user, alice, make_repo):
    make_repo(alice, "mood", kind="dataset", files={"a.csv": "text,label\n", "data/test: 1.jsonl": "{}\n"})
    form = as_user(alice).get("/datasets/alice/mood/new/main?path=eval.yaml").context["form"]
    definition = definitions.parse(form["content"].value())
    assert (definition.name, definition.split_path) == ("mood", "data/test: 1.jsonl")
    assert form["title"].value() == "Add eval.yaml"


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (EVAL_YAML.replace("primary: f1_macro", "primary: nonsense"), "primary"),
        (EVAL_YAML.replace("data/test.jsonl", "data/none.jsonl"), "data/none.jsonl"),
        ("version: [", "malformed"),
    ],
)
def test_a_refused_definition_says_what_to_mend(as_user, alice, make_repo, definition, message):
    make_repo(alice, "mood", kind="dataset", files=dataset_files(definition))
    answer = as_user(alice).post("/datasets/alice/mood/benchmarks", follow=True)
    assert message in answer.text
    assert not Benchmark.objects.exists()


def test_strangers_see_benchmarks_but_may_not_register(as_user, client, alice, charlie, make_repo):
    make_repo(alice, "mood", kind="dataset", files=dataset_files())
    assert "<form" not in as_user(charlie).get("/datasets/alice/mood/benchmarks").text
    assert as_user(charlie).post("/datasets/alice/mood/benchmarks").status_code == 403
    assert client.post("/datasets/alice/mood/benchmarks").headers["Location"].startswith("/accounts/login/")
    assert not Benchmark.objects.exists()


def test_an_unknown_benchmark_is_404(client, db):
    assert client.get("/benchmarks/999").status_code == 404


def test_without_benchmarks_the_list_says_how_one_comes_about(client, db):
    assert "eval.yaml" in client.get("/benchmarks").text
