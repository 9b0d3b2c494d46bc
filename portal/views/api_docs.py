"""The REST API for readers: its description as a page, and as OpenAPI for programs."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import yaml
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from portal.context import site


class Field(NamedTuple):
    """One value that is sent or answered."""

    name: str
    type: str
    is_required: bool
    text: str


class Operation(NamedTuple):
    """One thing that can be asked."""

    key: str
    method: str
    path: str
    text: str
    parameters: list[Field]
    body: list[Field]
    answer: str
    status: str
    sample: str


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """Return the API as OpenAPI 3.1; it is the same for everybody and as long as this process runs."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@require_safe
@cache_control(max_age=300)
def openapi(request: HttpRequest) -> HttpResponse:
    """The description for programs, with this portal as its server."""
    found = description() | {"servers": [{"url": _address(request)}]}
    return HttpResponse(yaml.safe_dump(_plain(found), sort_keys=False, allow_unicode=True), "application/yaml")


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The description for readers."""
    address = _address(request)
    groups: dict[str, list[Operation]] = {}
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(address, path, method, operation))
    return render(request, "portal/api_reference.html", {"groups": sorted(groups.items()), "address": address})


def _address(request: HttpRequest) -> str:
    found = site(request)["site_address"]
    return str(found()) if callable(found) else ""


def _operation(address: str, path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    status = next(code for code in operation["responses"] if code < "300")
    content = operation["responses"][status].get("content", {})
    sent = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    body = _fields(sent) if sent else []
    return Operation(
        key=operation["operationId"],
        method=method.upper(),
        path=path,
        text=operation.get("description", ""),
        parameters=[_parameter(one) for one in operation.get("parameters", [])],
        body=body,
        answer=_type(next(iter(content.values()))["schema"]) if content else "",
        status=status,
        sample=_sample(address, path, method.upper(), body),
    )


def _parameter(one: Mapping[str, Any]) -> Field:
    return Field(one["name"], _type(one["schema"]), bool(one.get("required")), one.get("description", ""))


def _fields(schema: Mapping[str, Any]) -> list[Field]:
    found = _resolved(schema)
    required = found.get("required", [])
    return [
        Field(name, _type(one), name in required, one.get("description", ""))
        for name, one in found.get("properties", {}).items()
    ]


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = description()["components"]["schemas"].get(name, schema)
    return found


def _type(schema: Mapping[str, Any]) -> str:
    """Return the type of a value in few words."""
    if "$ref" in schema:
        found = _resolved(schema)
        return " | ".join(map(str, found["enum"])) if "enum" in found else str(schema["$ref"].rpartition("/")[2])
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return " | ".join(_type(one) for one in schema[key])
    if schema.get("type") == "array":
        return f"[{_type(schema['items'])}]"
    if "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema["enum"])
    kinds = schema.get("type", "object")
    return " | ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _sample(address: str, path: str, method: str, body: list[Field]) -> str:
    """Return a command that asks it, to be filled in."""
    lines = [f'curl -H "Authorization: Bearer $TOKEN" "{address}{path}"']
    if method != "GET":
        lines.insert(1, f"-X {method}")
    if body:
        needed = [field for field in body if field.is_required] or body[:1]
        values = {field.name: "…" if field.type == "string" else field.type for field in needed}
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d '{json.dumps(values, ensure_ascii=False)}'")
    return " \\\n  ".join(lines)


def _plain(value: Any) -> Any:
    """Return what YAML can write: no lazy texts, no types of the framework."""
    return json.loads(json.dumps(value, default=str))
