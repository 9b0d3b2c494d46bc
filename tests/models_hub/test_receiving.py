"""Many send large content at once: while a body comes, its thread asks the database nothing and holds none of it."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest

from models_hub.models import Repo
from portal import database
from portal.models import User
from tests.models_hub.wire import LARGE, Wire
from tests.models_hub.xet_client import MadeXorb
from tests.models_hub.xet_sender import Sender


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note in order what happens: a question, a read of the body, the connection let go."""
    happened: list[str] = []
    read = HttpRequest.read

    def noted_read(request: HttpRequest, *args: int) -> bytes:
        happened.append("read")
        return read(request, *args)

    def noted_question(execute: Callable[..., Any], *args: Any) -> Any:
        happened.append("asked")
        return execute(*args)

    monkeypatch.setattr(HttpRequest, "read", noted_read)
    monkeypatch.setattr(database, "let_go", lambda: happened.append("let go"))
    with connection.execute_wrapper(noted_question):
        yield happened


def while_it_came(happened: list[str]) -> set[str]:
    """Return what happened between letting go and the end of the body; also that the body came after it."""
    start = happened.index("let go")
    assert "read" not in happened[:start]
    end = max(place for place, what in enumerate(happened) if what == "read")
    return set(happened[start + 1 : end])


def test_a_xorb(alice: User, make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender(make_repo(alice), alice)
    with recorded(monkeypatch) as happened:
        assert sender.xorb(MadeXorb((b"a" * 1000, b"b" * 1000))).status_code == 200
    assert while_it_came(happened) == {"read"}


def test_a_content_of_lfs(
    alice: User, make_repo: Callable[..., Repo], token_of: Callable[[User], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_repo(alice)
    wanted = {"oid": hashlib.sha256(LARGE).hexdigest(), "size": len(LARGE)}
    question = {"operation": "upload", "transfers": ["basic"], "objects": [wanted]}
    (told,) = Wire(token_of(alice)).post("/alice/bert.git/info/lfs/objects/batch", question).json()["objects"]
    path = (
        told["actions"]["upload"]["href"].removeprefix("http://portal.example").removeprefix("https://portal.example")
    )
    with recorded(monkeypatch) as happened:
        assert Wire().call("PUT", path, LARGE, content_type="application/octet-stream").status_code == 200
    assert while_it_came(happened) == {"read"}
