"""The REST API for readers: its description as a page, and as OpenAPI for programs."""

import json
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import yaml
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from portal.config import env
from portal.context import site

# In English, and as the code is: a test holds it to what the API says of itself.
WRITTEN = env.BASE_DIR / "docs" / "openapi.yaml"


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
def _described() -> bytes:
    """Return what is written, in JSON and compressed: reading YAML takes long, and what is read eleven megabytes."""
    found = yaml.load(WRITTEN.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    return zlib.compress(json.dumps(found).encode())


@require_safe
@cache_control(max_age=300)
def openapi(request: HttpRequest) -> HttpResponse:
    """The description for programs as `make openapi` wrote it, with this portal as its server."""
    server = json.dumps(_address(request))
    return HttpResponse(f"{WRITTEN.read_text(encoding='utf-8')}servers:\n- url: {server}\n", "application/yaml")


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """The description for readers."""
    address = _address(request)
    described = json.loads(zlib.decompress(_described()))
    types = _Types(described["components"]["schemas"])
    groups: dict[str, list[Operation]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(types, address, path, method, operation))
    return render(request, "portal/api_reference.html", {"groups": sorted(groups.items()), "address": address})


def _address(request: HttpRequest) -> str:
    found = site(request)["site_address"]
    return str(found()) if callable(found) else ""


def _operation(types: "_Types", address: str, path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    status = next(code for code in operation["responses"] if code < "300")
    content = operation["responses"][status].get("content", {})
    sent = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    body = types.fields(sent) if sent else []
    return Operation(
        key=operation["operationId"],
        method=method.upper(),
        path=path,
        text=operation.get("description", ""),
        parameters=[types.parameter(one) for one in operation.get("parameters", [])],
        body=body,
        answer=types.told(next(iter(content.values()))["schema"]) if content else "",
        status=status,
        sample=_sample(address, path, method.upper(), body),
    )


class _Types:
    """What values are, told by the schemas that have names."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self._schemas = schemas

    def parameter(self, one: Mapping[str, Any]) -> Field:
        return Field(one["name"], self.told(one["schema"]), bool(one.get("required")), one.get("description", ""))

    def fields(self, schema: Mapping[str, Any]) -> list[Field]:
        found = self._resolved(schema)
        required = found.get("required", [])
        return [
            Field(name, self.told(one), name in required, one.get("description", ""))
            for name, one in found.get("properties", {}).items()
        ]

    def told(self, schema: Mapping[str, Any]) -> str:
        """Return the type of a value in few words."""
        if "$ref" in schema:
            found = self._resolved(schema)
            return " | ".join(map(str, found["enum"])) if "enum" in found else str(schema["$ref"].rpartition("/")[2])
        for key in ("oneOf", "anyOf", "allOf"):
            if key in schema:
                return " | ".join(self.told(one) for one in schema[key])
        if schema.get("type") == "array":
            return f"[{self.told(schema['items'])}]"
        if "enum" in schema:
            return " | ".join(json.dumps(one) for one in schema["enum"])
        kinds = schema.get("type", "object")
        return " | ".join(kinds) if isinstance(kinds, list) else str(kinds)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)


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
