"""Anybody can run a portal's evaluation again, and is told what differs or what is in the way."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.engine.builders import LABELS, run_engine, toy_rows, write_jsonl
from worker.engine import reproduce as reproducing
from worker.engine.contracts import ENGINE_VERSION, EngineError
from worker.engine.download import Portal
from worker.engine.recipe import parse_recipe

COMMIT = "a" * 40


class Stage:
    """A portal as far as `reproduce` sees it: some addresses, and what was asked of them."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.private: set[str] = set()
        self.asked: list[tuple[str, str | None]] = []
        stage = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = self.headers.get("Authorization")
                stage.asked.append((self.path, token))
                if self.path in stage.moved:
                    self.send_response(302)
                    self.send_header("Location", stage.moved[self.path])
                    self.end_headers()
                    return
                hidden = self.path in stage.private and token != "Bearer hf_secret"
                found = None if hidden else stage.pages.get(self.path)
                self.send_response(404 if found is None else 200)
                self.end_headers()
                self.wfile.write(found or b"")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def stage() -> Iterator[Stage]:
    found = Stage()
    yield found
    found.close()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def recipe_for(files: dict[str, bytes], data: bytes) -> dict[str, object]:
    return {
        "endpoint": "http://elsewhere.example",
        "model": {"repo": "alice/bert", "commit": COMMIT, "files": {name: sha256(raw) for name, raw in files.items()}},
        "dataset": {"repo": "alice/reviews", "commit": COMMIT, "path": "data/test.jsonl", "sha256": sha256(data)},
        "spec": {
            "task": "text-classification",
            "settings": {"labels": LABELS},
            "device": "cpu",
            "threads": 1,
            "seed": 3,
        },
        "fields": {"input": "text", "target": "label"},
        "robustness": {"rows": 20, "seed": 3},
        "score": {"bootstrap": 200, "seed": 1, "primary": "f1_macro"},
        "expected": {"primary": {"name": "f1_macro", "value": 0.5}, "metrics": {}, "prediction_digest": None},
        "engine_version": ENGINE_VERSION,
        "something_newer": True,
    }


def publish(stage: Stage, files: dict[str, bytes], data: bytes, recipe: dict[str, object]) -> str:
    for name, raw in files.items():
        stage.pages[f"/alice/bert/resolve/{COMMIT}/{name}"] = raw
    stage.pages[f"/datasets/alice/reviews/resolve/{COMMIT}/data/test.jsonl"] = data
    stage.pages["/api/v1/evaluations/12"] = json.dumps({"id": 12, "recipe": recipe}).encode()
    return f"{stage.url}/api/v1/evaluations/12"


@pytest.fixture
def published(stage: Stage, bert_folder: Path, tmp_path: Path) -> Callable[..., str]:
    """Publish the random BERT with a recipe whose expectations a test may change."""

    def run(**expected: object) -> str:
        names = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
        files = {name: (bert_folder / name).read_bytes() for name in names}
        data = write_jsonl(tmp_path / "test.jsonl", toy_rows(30)).read_bytes()
        recipe = recipe_for(files, data)
        recipe["expected"] = {**recipe["expected"], **expected}  # type: ignore[dict-item]
        return publish(stage, files, data, recipe)

    return run


@pytest.mark.engine
def test_the_same_evaluation_agrees_and_another_number_does_not(published, tmp_path, monkeypatch, capsys):
    work = tmp_path / "work"
    first = reproduce(published(), "--workdir", str(work))
    assert first.returncode == 4, first.stderr
    assert "NOT reproduced, these differ: primary (f1_macro)" in first.stdout
    score = json.loads((work / "score.json").read_text())
    primary = {name: score["primary"][name] for name in ("name", "value", "low", "high")}
    again = score["details"]["robustness"]["digest"]
    assert again != score["prediction_digest"]
    expected = {"primary": primary, "metrics": score["metrics"], "prediction_digest": score["prediction_digest"],
                "robustness_digest": again}  # fmt: skip

    # From here on in this process, whose environment must stay as it is: importing torch again takes seconds.
    monkeypatch.setattr(reproducing, "prepare_process", lambda threads: None)
    assert reproducing.main([published(**expected)]) == 0
    again = capsys.readouterr().out
    assert "The evaluation is reproduced." in again
    assert "answers: the same on every text" in again
    assert "answers to changed texts: the same on every text" in again
    assert "log_loss" in again

    score["metrics"]["mcc"]["low"] += 1e-6
    assert reproducing.main([published(**expected | {"metrics": score["metrics"]})]) == 4
    assert "these differ: mcc low" in capsys.readouterr().out


def reproduce(*arguments: str):
    return run_engine("worker.engine", "reproduce", *arguments)


def test_files_that_are_not_those_evaluated_are_refused_and_not_kept(stage, tmp_path):
    recipe = recipe_for({"config.json": b"right"}, b"data")
    url = publish(stage, {"config.json": b"wrong"}, b"data", recipe)
    process = reproduce(url, "--workdir", str(tmp_path / "work"))
    assert process.returncode == 3
    assert "is not the file that was evaluated" in process.stderr
    assert list((tmp_path / "work" / "model").iterdir()) == []


def test_what_is_missing_or_private_says_so(stage):
    process = reproduce(f"{stage.url}/api/v1/evaluations/99")
    assert process.returncode == 3
    assert "answers 404" in process.stderr
    assert "--token" in process.stderr


def test_a_portal_that_is_not_there_says_so(stage):
    url = stage.url
    stage.server.server_close()
    process = reproduce(f"{url}/api/v1/evaluations/1")
    assert process.returncode == 3
    assert "cannot be reached" in process.stderr


@pytest.mark.parametrize("page", [b"<html>", b'{"id": 1}', b"[]"])
def test_an_answer_without_a_recipe_says_so(stage, page):
    stage.pages["/api/v1/evaluations/1"] = page
    process = reproduce(f"{stage.url}/api/v1/evaluations/1")
    assert process.returncode == 3
    assert "download_failed" in process.stderr


def test_the_token_opens_what_is_private_and_goes_nowhere_else(stage, tmp_path):
    other = Stage()
    try:
        other.pages["/stored"] = stage.pages["/moved/resolve/c/b"] = b"content"
        stage.moved = {"/x/resolve/c/a": f"{other.url}/stored", "/x/resolve/c/b": "/moved/resolve/c/b"}
        stage.private = {"/moved/resolve/c/b"}
        portal = Portal(stage.url, "hf_secret")
        for name in ("a", "b"):
            portal.fetch("x", "c", name, sha256(b"content"), tmp_path / name)
        assert other.asked == [("/stored", None)]
        assert {token for _, token in stage.asked} == {"Bearer hf_secret"}
    finally:
        other.close()


def test_a_file_that_is_there_already_is_not_fetched_again(stage, tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    Portal(stage.url).fetch("x", "c", "a", sha256(b"content"), tmp_path / "a")
    assert stage.asked == []


@pytest.mark.parametrize(
    ("part", "change", "says"),
    [
        ("model", {"files": {"../../.bashrc": "0" * 64}}, "outside the repository"),
        ("model", {"files": {"/etc/passwd": "0" * 64}}, "outside the repository"),
        ("model", {"files": {"config.json": "abc"}}, "64 hexadecimal"),
        ("model", {"commit": "main"}, "40 hexadecimal"),
        ("dataset", {"path": "a/../../b"}, "outside the repository"),
        ("spec", {"model_dir": "/etc"}, "without paths"),
        ("score", {"bootstrap": "many"}, "recipe.score.bootstrap must be int"),
    ],
)
def test_a_recipe_cannot_reach_out_of_its_folder(part, change, says):
    recipe = recipe_for({}, b"")
    recipe[part] = {**recipe[part], **change}  # type: ignore[dict-item]
    with pytest.raises(EngineError, match=says) as caught:
        parse_recipe({"recipe": recipe})
    assert caught.value.code == "bad_spec"


def test_only_web_addresses_are_asked():
    with pytest.raises(EngineError, match="not an http address"):
        Portal("file:///etc/passwd")
