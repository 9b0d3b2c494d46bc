"""JSON that somebody sends takes many times its length in memory: who sends too many values is refused at each door."""

import io
import json
import struct

import pytest
from django.test import Client

from models_hub import bundle_format
from models_hub.bundle_format import BundleRefused, Manifest
from models_hub.checking import FileRefused
from models_hub.headers import safetensors
from portal import bounded_json
from portal.bounded_json import TooManyValues
from tests.models_hub.wire import Wire

BOMB = b'{"name": "x", "key": "header", "value": [' + b"[]," * 150_000 + b"0]}"


@pytest.mark.parametrize("value", [[], {}, 0, "a", {"": 0}], ids=repr)
def test_values_of_all_kinds_count(value):
    few = json.dumps([value] * 30).encode()
    assert bounded_json.loads(few, values=100) == [value] * 30
    with pytest.raises(TooManyValues):
        bounded_json.loads(json.dumps([value] * 200).encode(), values=100)


@pytest.mark.parametrize("text", [",,,,[[[[{{{{" * 50, '"' * 300, "\\" * 301, '\\",' * 200, "\n[", "é，[" * 100])
def test_what_stands_in_texts_does_not(text):
    value = {text: [text, text]}
    for ascii_only in (True, False):
        assert bounded_json.loads(json.dumps(value, ensure_ascii=ascii_only).encode(), values=10) == value


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 500_000, b'"' + b"\\" * 500_001, b'["a' + b"," * 500_000])
def test_a_text_that_never_ends_is_no_json(data):
    with pytest.raises(json.JSONDecodeError):
        bounded_json.loads(data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
def test_other_encodings_hide_nothing(encoding):
    with pytest.raises(ValueError, match="not UTF-8"):
        bounded_json.loads(json.dumps({"a": 1}).encode(encoding))


def test_every_door_for_programs_refuses_it(alice, make_repo, token_of, client: Client):
    make_repo(alice)
    token = token_of(alice)
    wire = Wire(token)
    assert wire.post("/api/repos/create", BOMB).status_code == 400
    committed = wire.post("/api/models/alice/bert/commit/main", BOMB, content_type="application/x-ndjson")
    assert committed.status_code == 400
    assert wire.post("/alice/bert.git/info/lfs/objects/batch", BOMB).status_code == 400
    headers = {"authorization": f"Bearer {token}"}
    sent = client.post("/api/v1/evaluations", BOMB, content_type="application/json", headers=headers)
    assert sent.status_code == 400
    assert "values" in sent.json()["error"]


def test_so_do_the_readers_of_what_files_begin_with(monkeypatch):
    monkeypatch.setattr(bundle_format, "MAX_VALUES", 1000)
    with pytest.raises(BundleRefused):
        Manifest.decoded(BOMB)
    monkeypatch.setattr(safetensors, "MAX_VALUES", 1000)
    file = io.BytesIO(struct.pack("<Q", len(BOMB)) + BOMB)
    with pytest.raises(FileRefused, match="not valid JSON"):
        safetensors.read_safetensors_header(file, 8 + len(BOMB), "w.safetensors")
