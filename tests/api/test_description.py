"""openapi.yaml is what the API is, and what the API promises in general."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import URLResolver, get_resolver

from tests.api.conftest import described

WRITTEN = Path(__file__).parents[2] / "docs" / "openapi.yaml"


def test_the_committed_description_is_current(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    assert made.read_text() == WRITTEN.read_text(), "run `make openapi` and look at the difference"


def test_every_operation_says_what_it_does() -> None:
    silent = [
        f"{method} {path}"
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
        if not operation.get("description")
    ]
    assert not silent


def test_every_creation_may_be_repeated_safely() -> None:
    """A POST either bears a key, or what it does changes nothing the second time."""
    idempotent = {"/api/v1/jobs/{job_id}/cancellation", "/api/v1/uploads/{key}/commit"}
    bare = [
        path
        for path, methods in described()["paths"].items()
        if "post" in methods
        and path not in idempotent
        and not any(one["name"] == "Idempotency-Key" for one in methods["post"].get("parameters", []))
    ]
    assert not bare


def test_every_error_has_the_one_form() -> None:
    refs = {
        response["content"]["application/json"]["schema"]["$ref"]
        for operation in _operations()
        for status, response in operation["responses"].items()
        if status >= "400" and status != "429"
    }
    assert refs == {"#/components/schemas/Error"}


def test_every_operation_says_how_long_to_wait_after_too_many_requests() -> None:
    answer = {"$ref": "#/components/responses/TooManyRequests"}
    assert all(operation["responses"]["429"] == answer for operation in _operations())
    refused = described()["components"]["responses"]["TooManyRequests"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} == set(refused["headers"])
    assert refused["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


def _operations() -> list[dict[str, Any]]:
    return [operation for methods in described()["paths"].values() for operation in methods.values()]


def test_every_address_is_described() -> None:
    known = {path.replace("{", "<").replace("}", ">") for path in described()["paths"]}
    missing = [route for route in _routes() if route not in known]
    assert not missing


def _routes() -> list[str]:
    import re

    found: list[str] = []

    def walk(resolver: URLResolver, prefix: str) -> None:
        for one in resolver.url_patterns:
            route = prefix + str(one.pattern)
            if isinstance(one, URLResolver):
                walk(one, route)
            elif route.startswith("api/v1/"):
                found.append(re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", f"/{route}"))

    walk(get_resolver(), "")
    # What only workers ask, what only a program for bundles asks, and the description itself.
    return [one for one in found if "/content/" not in one and "/bundles/" not in one and "openapi" not in one]


@pytest.mark.parametrize("path", ["models", "datasets", "spaces", "collections", "jobs", "suites"])
def test_unknown_names_are_answered_in_json(client, db: None, path: str) -> None:
    answer = client.get(f"/api/v1/{path}/nobody/nothing/at/all/of/this")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/json"
