"""The program that people run in a shell, against the API in this process."""

import importlib.util
import io
import sys
import urllib.error
from pathlib import Path
from types import ModuleType

import pytest
from django.test import Client

from leaderboard import suites
from leaderboard.models import Evaluation
from tests.evaluating import make_benchmark, model_files
from tests.leaderboard.scored import record, score, scores

PATH = Path(__file__).parents[2] / "static" / "sdk" / "scores.py"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scores_program", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def open_here(request, data, timeout):
    """Answer a request as urlopen does, by the portal of the tests."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.header_items()}
    kind = headers.pop("HTTP_CONTENT_TYPE", "application/json")
    path = request.full_url.removeprefix("http://portal")
    answer = Client().generic(request.get_method(), path, data or b"", content_type=kind, **headers)
    body = io.BytesIO(answer.content)
    if answer.status_code >= 400:
        raise urllib.error.HTTPError(request.full_url, answer.status_code, "", None, body)
    return body


@pytest.fixture
def run(program, alice, token_of):
    token = token_of(alice, role="write")

    def act(*arguments: str, token: str = token) -> int:
        return program.main(arguments, {"PORTAL": "http://portal", "HF_TOKEN": token}, open_here)

    return act


@pytest.fixture
def mood(alice, morgan, make_repo):
    benchmark = make_benchmark(make_repo, alice)
    suites.create_suite(by=morgan, slug="moods", title="Moods", benchmarks=[(benchmark, 1.0)])
    return benchmark


def test_models_are_submitted_to_a_board_and_their_status_is_told(run, capsys, alice, make_repo, mood):
    make_repo(alice, "one", files=model_files(1.0))
    assert run("submit", "alice/one", "--board", "moods") == 0
    assert run("status", "--state", "waiting") == 0
    told = capsys.readouterr()
    assert told.out.count("alice/one  Mood v1    queued") == 2
    assert "evaluations in 24 hours are left" in told.err
    record(Evaluation.objects.get(), scores(0.9))
    assert run("submit", "alice/one", "--benchmark", str(mood.pk), "--wait") == 0
    assert "0.9000 [0.8500, 0.9500]" in capsys.readouterr().out


def test_what_is_refused_ends_in_a_code_of_its_own(run, capsys, alice, make_repo, mood):
    make_repo(alice, "bare", files={"README.md": "# Nothing"})
    assert run("submit", "alice/bare", "--board", "moods") == 1
    assert run("submit", "alice/bare") == 2
    assert run("nonsense") == 2
    assert run("status", token="") == 3
    assert run("submit", "alice/unknown", "--board", "moods") == 4
    assert "config.json is missing" in capsys.readouterr().out


def test_boards_and_the_finder_are_read(run, capsys, alice, make_repo, mood):
    score(make_repo(alice, "one", files=model_files(1.0)), mood, alice, 0.9)
    assert run("board") == 0
    assert run("--json", "board", "moods") == 0
    assert run("find", "text-classification", "--memory", "50") == 0
    assert run("find", "text-classification", "--device", "browser") == 1
    told = capsys.readouterr()
    assert "moods  Moods" in told.out
    assert "alice/one\n  The only one that fits" in told.out
    assert "device shuts out 1" in told.err


def test_a_portal_that_does_not_answer_has_its_own_code(program, capsys):
    def refuse(request, data, timeout):
        raise OSError("connection refused")

    assert program.main(["board"], {}, refuse) == 5
    assert "http://localhost:8000 does not answer" in capsys.readouterr().err


def test_it_needs_only_the_standard_library():
    lines = [line for line in PATH.read_text().splitlines() if line.startswith(("import ", "from "))]
    names = {line.split()[1].split(".")[0] for line in lines}
    assert names <= set(sys.stdlib_module_names)
