"""Repositories as wholes: create, delete, settings, rights, the card check."""

from typing import Any

from django.db import transaction
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import gating, moving, permissions, publishing, staging, trash
from models_hub.browsing import RepoNotFound
from models_hub.hf_api.calls import Call, text
from models_hub.models import Repo
from portal.errors import InvalidInput, NotFound

MAX_CARD_JSON_BYTES = 4 * 1024 * 1024
NO_METADATA = "empty or missing yaml metadata in repo card"
# What clients send along for a Space that is to run.
OF_RUNNING = ("hardware", "secrets", "sleepTimeSeconds", "storageTier", "template", "variables", "volumes")


def create(call: Call) -> HttpResponseBase:
    user, body = call.writer(), call.json()
    refuse_unkept(body)
    namespace, name = _full_name(body, default=user.username)
    repo = publishing.create_repo(
        by=user,
        namespace=namespace,
        kind=text(body.get("type"), "type", default="model"),
        name=name,
        private=wants_private(body) or False,
        sdk=text(body.get("sdk"), "sdk", default=""),
    )
    return JsonResponse({"url": f"{call.origin}{repo.path}", "name": repo.full_name, "id": repo.full_name})


def delete(call: Call) -> HttpResponseBase:
    user, body = call.writer(), call.json()
    namespace, name = _full_name(body, default=user.username)
    trash.delete(call.repo(_kind(body), namespace, name), by=user)
    return JsonResponse({})


def settings(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    repo, body = call.repo(kind, namespace, name), call.json()
    user = publishing.require_manager(call.writer(), repo)
    gate, private = _wanted_gate(body), wants_private(body)
    with transaction.atomic():
        if gate is not None:
            gating.set_gate(repo, by=user, gate=gate)
        if private is not None:
            publishing.set_private(repo, by=user, private=private)
    return JsonResponse({"private": repo.private, "gated": repo.gated or False})


def move(call: Call) -> HttpResponseBase:
    user, body = call.writer(), call.json()
    kind = _kind(body)
    (namespace, name), (to_namespace, to_name) = (_both_names(body, field) for field in ("fromRepo", "toRepo"))
    moved = moving.move_repo(call.repo(kind, namespace, name), by=user, namespace=to_namespace, name=to_name)
    return JsonResponse({"url": f"{call.origin}{moved.path}", "name": moved.full_name, "id": moved.full_name})


def may_read(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    permissions.require_download(call.user, call.repo(kind, namespace, name))
    return JsonResponse({})


def may_write(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    call.writable_repo(kind, namespace, name)
    return JsonResponse({})


def missing(call: Call, **_arguments: str) -> HttpResponseBase:
    raise RepoNotFound(_("Repository not found"))


def validate_yaml(call: Call) -> HttpResponseBase:
    """Say what is wrong with a card before it is committed; always JSON, for clients parse it whatever the status."""
    content = text(call.json(MAX_CARD_JSON_BYTES).get("content"), "content")
    try:
        metadata = staging.read_card(content.encode("utf-8", "surrogatepass"))
    except InvalidInput as error:
        shown = [{"message": error.message}]
        return JsonResponse({"errors": shown, "warnings": [], "error": error.message}, status=400)
    return JsonResponse({"errors": [], "warnings": [] if metadata else [{"message": NO_METADATA}]})


def refuse_unkept(body: dict[str, Any]) -> None:
    """Say so where somebody counts on a group’s rights, a region’s laws or a secret, which nothing here would keep."""
    if body.get("resourceGroupId") is not None:
        raise NotFound(_("This portal has no resource groups."))
    if body.get("region") is not None:
        raise InvalidInput(_("This portal keeps everything in one place: leave “region” out."))
    if field := next((field for field in OF_RUNNING if body.get(field)), None):
        raise InvalidInput(
            _("This portal does not run Spaces, so that nothing would come of “%(field)s”: leave it out.")
            % {"field": field},
            code="not_hosted",
        )


def _kind(body: dict[str, Any]) -> str:
    kind = text(body.get("type"), "type", default="model")
    if kind not in Repo.Kind.values:
        raise InvalidInput(_("A repository is of type “model”, “dataset” or “space”."))
    return kind


def _full_name(body: dict[str, Any], *, default: str) -> tuple[str, str]:
    """Return namespace and name; the name alone may hold both."""
    name = text(body.get("name"), "name")
    owner, slash, rest = name.partition("/")
    if slash and not body.get("organization"):
        return owner, rest
    return text(body.get("organization"), "organization", default=default) or default, name


def _both_names(body: dict[str, Any], field: str) -> tuple[str, str]:
    namespace, slash, name = text(body.get(field), field).partition("/")
    if not slash:
        raise InvalidInput(_("“%(field)s” must be a full name: namespace/name.") % {"field": field})
    return namespace, name


def _wanted_gate(body: dict[str, Any]) -> str | None:
    """Read who may download: “auto”, “manual” or false; None when nothing is said of it."""
    gate = body.get("gated")
    if gate is None or gate is False:
        return None if gate is None else ""
    if not isinstance(gate, str) or gate not in {"auto", "manual"}:
        raise InvalidInput(_("“gated” must be “auto”, “manual” or false."))
    return gate


def wants_private(body: dict[str, Any]) -> bool | None:
    """Read the wish for visibility in its new and old form; None when there is none."""
    visibility = body.get("visibility")
    if isinstance(visibility, str) and visibility in {"private", "public"}:
        return visibility == "private"
    if visibility is not None:
        raise InvalidInput(_("“visibility” must be “public” or “private”."))
    private = body.get("private")
    if private is not None and not isinstance(private, bool):
        raise InvalidInput(_("“private” must be true or false."))
    return private
