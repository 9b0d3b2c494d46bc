"""Exports and smaller models as they are asked for: what the engine offers, and what needs rows."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from models_hub.adapting import converting
from models_hub.models import Repo
from portal.errors import InvalidInput
from portal.models import User
from tests.tuning import make_base, make_data
from worker.engine.tuning.compressing.contracts import Compressed
from worker.engine.tuning.exporting.contracts import OFFERED, USUAL

MakeRepo = Callable[..., Repo]
STATIC = {"base": "alice/bert", "target": "alice/small", "format": "onnx", "precisions": ["int8_static"]}
ROWS = {"task": "text-classification", "data": "alice/moods", "files": {"train": "train.jsonl"}}


def test_what_is_offered_is_what_the_engine_writes() -> None:
    assert converting.PRECISIONS == OFFERED
    assert converting.USUAL == USUAL
    assert get_args(Compressed) == converting.QUANTIZED


@pytest.mark.django_db
def test_activations_are_measured_on_rows_or_not_at_all(make_repo: MakeRepo, alice: User) -> None:
    make_base(make_repo, alice)
    make_data(make_repo, alice)
    with pytest.raises(InvalidInput, match="name a data set"):
        converting.ask(converting.read(STATIC), by=alice)
    run = converting.ask(converting.read({**STATIC, **ROWS}), by=alice)
    assert run.options["precisions"] == ["int8_static"]


@pytest.mark.django_db
def test_the_form_offers_what_needs_rows_where_there_are_some(make_repo: MakeRepo, alice: User, as_user: Any) -> None:
    make_base(make_repo, alice)
    make_data(make_repo, alice)
    client = as_user(alice)
    address = "/runs/conversions/new?base=alice/bert"
    assert "int8_static" not in client.get(address).text
    assert "int8_static" in client.get(f"{address}&dataset=alice/moods&task=text-classification").text
