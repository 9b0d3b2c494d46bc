"""A client for tests of the wire: sends paths as they are, as gunicorn hands them on, with a token if there is one."""

import base64
import json
from typing import Any

from django.http.response import HttpResponseBase
from django.test import Client

LARGE = b"\x00large" * 100


class Wire:
    """Calls as a program makes them: bearer token, no cookies."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.client = Client(raise_request_exception=True)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponseBase:
        data = body if isinstance(body, bytes | str) else json.dumps(body) if body is not None else ""
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        content_type = headers.pop("content_type", "application/json")
        return self.client.generic(
            method, path, data, content_type, headers=headers, RAW_URI=path, HTTP_HOST="portal.example"
        )

    def get(self, path: str, **headers: str) -> HttpResponseBase:
        return self.call("GET", path, **headers)

    def head(self, path: str, **headers: str) -> HttpResponseBase:
        return self.call("HEAD", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponseBase:
        return self.call("POST", path, body, **headers)

    def commit(self, repo: str, *rows: dict[str, Any], revision: str = "main", **header: Any) -> HttpResponseBase:
        first = {"key": "header", "value": {"summary": "change", "description": "", **header}}
        lines = "".join(json.dumps(row) + "\n" for row in (first, *rows))
        return self.post(f"/api/{repo}/commit/{revision}", lines, content_type="application/x-ndjson")


def file_row(path: str, content: bytes) -> dict[str, Any]:
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return {"key": "file", "value": value}


def large_row(path: str, oid: str, size: int | None = None) -> dict[str, Any]:
    value = {"path": path, "algo": "sha256", "oid": oid} | ({} if size is None else {"size": size})
    return {"key": "lfsFile", "value": value}


def body_of(response: HttpResponseBase) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content
