"""A caller whose every answer is held against what the API says of itself."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from portal.models import AccessToken, User


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    """The description of the API, as OpenAPI 3.1."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


def operation_of(path: str, method: str) -> Mapping[str, Any]:
    """The description of what was asked: of the templates that the path fits, the most exact one."""
    fitting = [template for template in described()["paths"] if _fits(template, path)]
    assert fitting, f"{path} is not described"
    template = min(fitting, key=lambda one: (path.count("/") - one.count("/"), one.count("{")))
    operation: Mapping[str, Any] = described()["paths"][template][method.lower()]
    return operation


def _fits(template: str, path: str) -> bool:
    known, given = template.split("/"), path.split("/")
    tail = known[-1].startswith("{") and len(given) > len(known)  # a path with slashes
    same_length = len(known) == len(given) or tail
    return same_length and all(k == g or k.startswith("{") for k, g in zip(known, given, strict=False))


class Caller:
    """Calls with a token of somebody, or as nobody; fails the test when an answer is not as described."""

    def __init__(self, user: User | None, **options: Any) -> None:
        self._client = Client()
        self._headers: dict[str, str] = {}
        if user is not None:
            self._headers["authorization"] = f"Bearer {AccessToken.issue(user=user, name='api', role='write')[1]}"
        self._headers |= options.get("headers", {})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._client.generic(
            method,
            f"/api/v1/{path}",
            data=b"" if body is None else _json(body),
            content_type="application/json",
            headers=self._headers | sent,
        )
        self._check(method, f"/api/v1/{path}".partition("?")[0], answer)
        return answer

    def _check(self, method: str, path: str, answer: Any) -> None:
        if answer.status_code == 307:
            return
        responses = operation_of(path, method)["responses"]
        assert str(answer.status_code) in responses, f"{answer.status_code} is not described: {answer.content!r}"
        if answer.status_code == 204:
            return
        [body] = responses[str(answer.status_code)]["content"].values()
        whole = {**body["schema"], "components": described()["components"]}
        jsonschema.Draft202012Validator(whole).validate(answer.json())


def _json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()


@pytest.fixture
def api(db: None) -> Callable[..., Caller]:
    return Caller
