"""/api/v1: benchmarks, suites, evaluations, boards."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from leaderboard import submitting, suites
from leaderboard.models import Benchmark, Evaluation
from models_hub.models import Repo
from portal.models import User
from tests.evaluating import EVAL_YAML, dataset_files, make_benchmark, model_files
from tests.leaderboard.scored import score

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
AsUser = Callable[[User | None], Client]


@pytest.fixture
def benchmark(make_repo: MakeRepo, alice: User) -> Benchmark:
    return make_benchmark(make_repo, alice)


@pytest.fixture
def model(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, files=model_files())


@pytest.fixture
def secret(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, "secret", files=model_files(5.0), private=True)


def post(client: Client, path: str, **body: object):
    return client.post(f"/api/v1/{path}", body, content_type="application/json")


class TestBenchmarks:
    def test_a_writer_registers_and_everybody_reads(self, as_user: AsUser, make_repo: MakeRepo, alice: User) -> None:
        make_repo(alice, "mood", kind="dataset", files=dataset_files())
        made = post(as_user(alice), "benchmarks", dataset="alice/mood")
        assert made.status_code == 201
        assert post(as_user(alice), "benchmarks", dataset="alice/mood").status_code == 200
        read = as_user(None).get(f"/api/v1/benchmarks/{made.json()['id']}").json()
        assert (read["dataset"], read["primary"], read["split"]["path"]) == (
            "alice/mood",
            "f1_macro",
            "data/test.jsonl",
        )
        listed = as_user(None).get("/api/v1/benchmarks?dataset=alice/mood").json()["results"]
        assert [entry["id"] for entry in listed] == [read["id"]]

    def test_a_refusal_names_the_key(self, as_user: AsUser, make_repo: MakeRepo, alice: User) -> None:
        broken = dataset_files(EVAL_YAML.replace("f1_macro", "wit"))
        make_repo(alice, "mood", kind="dataset", files=broken)
        answer = post(as_user(alice), "benchmarks", dataset="alice/mood")
        assert (answer.status_code, answer.json()["code"], answer.json()["key"]) == (400, "bad_definition", "primary")

    def test_missing_fields_are_named(self, as_user: AsUser, alice: User) -> None:
        answer = post(as_user(alice), "benchmarks")
        assert answer.status_code == 400
        assert set(answer.json()["fields"]) == {"dataset"}

    def test_readers_register_nothing(self, as_user: AsUser, benchmark: Benchmark, charlie: User) -> None:
        assert post(as_user(charlie), "benchmarks", dataset="alice/mood").status_code == 403
        assert post(as_user(None), "benchmarks", dataset="alice/mood").status_code == 401

    def test_a_private_benchmark_is_not_there(
        self, as_user: AsUser, make_repo: MakeRepo, alice: User, charlie: User
    ) -> None:
        hidden = make_benchmark(make_repo, alice, "hidden", private=True)
        for client in (as_user(charlie), as_user(None)):
            assert client.get(f"/api/v1/benchmarks/{hidden.pk}").status_code == 404
            assert client.get("/api/v1/benchmarks").json()["results"] == []
            assert client.get("/api/v1/benchmarks?dataset=alice/hidden").status_code == 404
        assert post(as_user(charlie), "benchmarks", dataset="alice/hidden").status_code == 404


class TestSuites:
    def test_staff_make_a_suite_and_everybody_reads(self, as_user: AsUser, benchmark: Benchmark, morgan: User) -> None:
        body = {"slug": "small", "title": "Small", "benchmarks": [{"id": benchmark.pk, "weight": 2}]}
        assert post(as_user(morgan), "suites", **body).status_code == 201
        read = as_user(None).get("/api/v1/suites/small").json()
        assert read["benchmarks"] == [{"id": benchmark.pk, "name": "Mood", "weight": 2.0}]
        again = post(as_user(morgan), "suites", **body)
        assert (again.status_code, again.json()["code"]) == (409, "conflict")

    def test_others_propose_one(self, as_user: AsUser, benchmark: Benchmark, alice: User) -> None:
        body = {"slug": "small", "title": "Small", "benchmarks": [{"id": benchmark.pk}]}
        assert post(as_user(alice), "suites", **body).json()["state"] == "proposed"
        assert as_user(None).get("/api/v1/suites/small").status_code == 404
        assert post(as_user(None), "suites", **body).status_code == 401

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"slug": "a b"}, 400),
            ({"title": ""}, 400),
            ({"benchmarks": []}, 400),
            ({"benchmarks": [{"id": 1, "weight": 0}]}, 400),
            ({"benchmarks": [{"id": 987654}]}, 404),
            ({"benchmarks": "x"}, 400),
        ],
    )
    def test_a_bad_suite_is_refused(
        self, as_user: AsUser, benchmark: Benchmark, morgan: User, change: dict[str, object], status: int
    ) -> None:
        if change.get("benchmarks") == [{"id": 1, "weight": 0}]:
            change = {"benchmarks": [{"id": benchmark.pk, "weight": 0}]}
        body = {"slug": "small", "title": "Small", "benchmarks": [{"id": benchmark.pk}]} | change
        assert post(as_user(morgan), "suites", **body).status_code == status

    def test_a_private_benchmark_is_no_part_of_a_board(
        self, as_user: AsUser, make_repo: MakeRepo, morgan: User
    ) -> None:
        hidden = make_benchmark(make_repo, morgan, "hidden", private=True)
        body = {"slug": "small", "title": "Small", "benchmarks": [{"id": hidden.pk}]}
        assert post(as_user(morgan), "suites", **body).status_code == 400

    def test_a_board_is_read_by_everybody(
        self, as_user: AsUser, benchmark: Benchmark, model: Repo, secret: Repo, alice: User, morgan: User
    ) -> None:
        suites.create_suite(by=morgan, slug="small", title="Small", benchmarks=[(benchmark, 1.0)])
        score(model, benchmark, alice, 0.8)
        score(secret, benchmark, alice, 0.9)
        for client in (as_user(None), as_user(alice)):
            answer = client.get("/api/v1/leaderboard/small")
            assert [row["model"] for row in answer.json()["rows"]] == ["alice/bert"]
            assert "secret" not in answer.content.decode()
        assert as_user(None).get("/api/v1/leaderboard/none").status_code == 404


class TestEvaluations:
    def test_a_request_is_answered_with_its_job(
        self, as_user: AsUser, benchmark: Benchmark, model: Repo, charlie: User
    ) -> None:
        made = post(as_user(charlie), "evaluations", model="alice/bert", benchmark=benchmark.pk)
        assert made.status_code == 201
        answer = made.json()
        assert answer["url"] == f"/evaluations/{answer['id']}"
        assert answer["job"]["state"] == "queued"
        assert "no worker serves" in answer["job"]["explanation"]
        again = post(as_user(charlie), "evaluations", model="alice/bert", benchmark=benchmark.pk)
        assert (again.status_code, again.json()["id"]) == (200, answer["id"])

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"model": "alice/none"}, 404, "repo_not_found"),
            ({"model": "nonsense"}, 404, "repo_not_found"),
            ({"model": "alice/mood"}, 400, "not_a_model"),
            ({"model": "alice/empty"}, 400, "missing_config"),
            ({"benchmark": 987654}, 404, "benchmark_not_found"),
            ({"benchmark": 10**30}, 400, "invalid"),
            ({"benchmark": "x"}, 400, "invalid"),
            ({"revision": "nowhere"}, 404, "revision_not_found"),
        ],
    )
    def test_a_bad_request_says_what_to_mend(
        self,
        as_user: AsUser,
        make_repo: MakeRepo,
        benchmark: Benchmark,
        model: Repo,
        alice: User,
        body: dict[str, object],
        status: int,
        code: str,
    ) -> None:
        make_repo(alice, "empty")
        answer = post(as_user(alice), "evaluations", **({"model": "alice/bert", "benchmark": benchmark.pk} | body))
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    def test_a_read_token_asks_for_nothing(
        self, client: Client, benchmark: Benchmark, model: Repo, alice: User, token_of: Callable[..., str]
    ) -> None:
        body = {"model": "alice/bert", "benchmark": benchmark.pk}
        for role, status in (("read", 403), ("write", 201)):
            headers = {"Authorization": f"Bearer {token_of(alice, role)}"}
            answer = client.post("/api/v1/evaluations", body, content_type="application/json", headers=headers)
            assert answer.status_code == status
        assert client.post("/api/v1/evaluations", body, content_type="application/json").status_code == 401

    def test_a_private_model_is_not_there_for_strangers(
        self, as_user: AsUser, benchmark: Benchmark, secret: Repo, alice: User, charlie: User
    ) -> None:
        evaluation = score(secret, benchmark, alice, 0.8)
        for client in (as_user(charlie), as_user(None)):
            for path in ("", "/predictions"):
                hidden = client.get(f"/api/v1/evaluations/{evaluation.pk}{path}")
                missing = client.get(f"/api/v1/evaluations/987654321{path}")
                assert (hidden.status_code, hidden.json()) == (404, missing.json())
            assert client.get("/api/v1/evaluations").json()["results"] == []
            assert client.get("/api/v1/evaluations?model=alice/secret").status_code == 404
        answer = post(as_user(charlie), "evaluations", model="alice/secret", benchmark=benchmark.pk)
        assert answer.status_code == 404
        assert as_user(alice).get(f"/api/v1/evaluations/{evaluation.pk}").status_code == 200

    def test_a_finished_evaluation_tells_all_and_how_to_get_it_again(
        self, as_user: AsUser, benchmark: Benchmark, model: Repo, alice: User
    ) -> None:
        evaluation = score(model, benchmark, alice, 0.8)
        answer = as_user(None).get(f"/api/v1/evaluations/{evaluation.pk}").json()
        assert answer["primary"]["value"] == 0.8
        assert answer["confusion"]["rows"] == [[10, 0], [0, 10]]
        assert answer["recipe"]["endpoint"] == "http://testserver"
        assert answer["recipe"]["dataset"]["path"] == "data/test.jsonl"
        assert answer["predictions"]["sha256"] == evaluation.predictions_sha256

    def test_an_unfinished_one_has_no_numbers(
        self, as_user: AsUser, benchmark: Benchmark, model: Repo, alice: User
    ) -> None:
        evaluation, _is_new = submitting.submit(model, benchmark, by=alice)
        answer = as_user(None).get(f"/api/v1/evaluations/{evaluation.pk}").json()
        assert answer["primary"] is None
        assert "recipe" not in answer
        missing = as_user(None).get(f"/api/v1/evaluations/{evaluation.pk}/predictions")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_finished")

    def test_the_answers_to_each_example_are_downloaded(
        self, as_user: AsUser, benchmark: Benchmark, model: Repo, alice: User
    ) -> None:
        evaluation = score(model, benchmark, alice, 0.8)
        answer = as_user(None).get(f"/api/v1/evaluations/{evaluation.pk}/predictions")
        assert b"".join(answer.streaming_content).count(b"\n") == 20
        assert "attachment" in answer["Content-Disposition"]
        Repo.objects.filter(pk=model.pk).update(private=True)
        assert as_user(None).get(f"/api/v1/evaluations/{evaluation.pk}/predictions").status_code == 404

    def test_the_list_is_narrowed_down_and_goes_on(
        self, as_user: AsUser, make_repo: MakeRepo, benchmark: Benchmark, model: Repo, alice: User
    ) -> None:
        other = make_repo(alice, "other", files=model_files(9.0))
        mine, theirs = score(model, benchmark, alice, 0.8), score(other, benchmark, alice, 0.7)
        client = as_user(None)
        page = client.get("/api/v1/evaluations?limit=1").json()
        rest = client.get(page["next"]).json()
        assert [entry["id"] for entry in page["results"] + rest["results"]] == [theirs.pk, mine.pk]
        narrowed = client.get("/api/v1/evaluations?model=alice/bert").json()["results"]
        assert [entry["id"] for entry in narrowed] == [mine.pk]
        assert client.get("/api/v1/evaluations?benchmark=x").status_code == 400
        assert client.get("/api/v1/evaluations?benchmark=987654").json()["results"] == []

    def test_the_list_costs_the_same_for_one_and_for_many(
        self,
        as_user: AsUser,
        make_repo: MakeRepo,
        benchmark: Benchmark,
        alice: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(8):
            made = make_repo(alice, f"bert{number}", files=model_files(float(number)))
            if number % 2:
                score(made, benchmark, alice, 0.8)
            else:
                submitting.submit(made, benchmark, by=alice)
        assert Evaluation.objects.count() == 8
        client = as_user(None)
        with django_assert_max_num_queries(4):
            client.get("/api/v1/evaluations")

    def test_scores_are_changed_by_nobody(
        self, as_user: AsUser, benchmark: Benchmark, model: Repo, alice: User, morgan: User
    ) -> None:
        evaluation = score(model, benchmark, alice, 0.8)
        for client in (as_user(alice), as_user(morgan)):
            for method in (client.put, client.patch, client.delete, client.post):
                assert method(f"/api/v1/evaluations/{evaluation.pk}").status_code == 405
