"""Routing on the path as it was sent: `refs%2Fpr%2F1` is one segment, which WSGI's decoded path no longer shows."""

import re
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.http import HttpRequest
from django.urls import ResolverMatch, get_resolver, register_converter
from django.urls.converters import StringConverter

ROUTES = "portal.config.hub_wire"
_REFERENCES = re.compile(r"/refs/(pr/\d+|convert/[\w.-]+)")


class Segment:
    """One segment of the path, decoded once."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return unquote(value, errors="surrogateescape")

    def to_url(self, value: str) -> str:
        return quote(value, safe="")


class Tail(Segment):
    """The rest of the path, whose slashes may or may not be encoded."""

    regex = ".+"


class Kind(StringConverter):
    """`models`, `datasets` or `spaces`, given to views as the repository's kind."""

    regex = "models|datasets|spaces"

    def to_python(self, value: str) -> str:
        return value.removesuffix("s")

    def to_url(self, value: str) -> str:
        return f"{value}s"


class RepoWord(StringConverter):
    """What follows a repository's name in the API, where the name may be one word of a client that has no owner."""

    regex = "revision|tree|commits|preupload|commit|paths-info|xet-read-token|xet-write-token|branch|tag"


register_converter(Segment, "segment")
register_converter(Tail, "tail")
register_converter(Kind, "kind")
register_converter(RepoWord, "word")


def match(request: HttpRequest) -> ResolverMatch:
    """Return the route of the request's raw path; raises Resolver404."""
    return get_resolver(ROUTES).resolve(raw_path(request))


def raw_path(request: HttpRequest) -> str:
    """Return the path as it stood in the request line, percent-encoded, without query.

    gunicorn gives it as RAW_URI. Other servers do not; there, only references of the Hub are put together again,
    and a branch name with a slash must be reached by its commit id.
    """
    environ: dict[str, Any] = request.META
    if raw := environ.get("RAW_URI"):
        path = raw.split("?", 1)[0] if raw.startswith("/") else urlsplit(raw).path
        return str(path).removeprefix(environ.get("SCRIPT_NAME", ""))
    return _REFERENCES.sub(lambda found: "/refs%2F" + found[1].replace("/", "%2F"), quote(request.path_info, safe="/"))
