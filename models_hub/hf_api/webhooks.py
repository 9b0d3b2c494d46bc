"""Webhooks on the wire. A secret comes back only in the answer to whoever has just set it."""

from typing import Any

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import webhooks
from models_hub.hf_api.calls import Call, text
from models_hub.models import Webhook
from models_hub.models.webhooks import DOMAINS
from portal.errors import InvalidInput

PERMISSION = "webhooks"


def listed(call: Call) -> HttpResponseBase:
    owner = call.person(PERMISSION)
    rows = owner.webhooks.within(owner).prefetch_related("targets").order_by("id")
    return JsonResponse([_shown(row) for row in rows], safe=False)


def create(call: Call) -> HttpResponseBase:
    owner, body = call.actor(PERMISSION), call.json()
    _refuse_job(body)
    secret = _secret(body) or ""
    made = webhooks.create(
        by=owner,
        url=text(body.get("url"), "url"),
        watched=_watched(body.get("watched")),
        domains=_domains(body["domains"]) if body.get("domains") is not None else DOMAINS,
        secret=secret,
        site=call.origin,
    )
    return _one(made, secret)


def show(call: Call, webhook: str) -> HttpResponseBase:
    return _one(webhooks.find(call.person(PERMISSION), webhook))


def change(call: Call, webhook: str) -> HttpResponseBase:
    owner, body = call.actor(PERMISSION), call.json()
    found = webhooks.find(owner, webhook)
    _refuse_job(body)
    secret = _secret(body)
    webhooks.change(
        found,
        by=owner,
        url=None if body.get("url") is None else text(body["url"], "url"),
        # The client sends an empty list for what it was not told to change.
        watched=_watched(body["watched"]) if body.get("watched") else None,
        domains=_domains(body["domains"]) if body.get("domains") else None,
        secret=secret,
    )
    return _one(found, secret)


def enable(call: Call, webhook: str) -> HttpResponseBase:
    return _switch(call, webhook, on=True)


def disable(call: Call, webhook: str) -> HttpResponseBase:
    return _switch(call, webhook, on=False)


def delete(call: Call, webhook: str) -> HttpResponseBase:
    webhooks.delete(webhooks.find(call.actor(PERMISSION), webhook))
    return JsonResponse({"success": True})


def _switch(call: Call, webhook: str, *, on: bool) -> HttpResponseBase:
    found = webhooks.find(call.actor(PERMISSION), webhook)
    webhooks.switch(found, on=on)
    return _one(found)


def _one(webhook: Webhook, secret: str | None = None) -> HttpResponseBase:
    return JsonResponse({"webhook": _shown(webhook, secret)})


def _shown(webhook: Webhook, secret: str | None = None) -> dict[str, Any]:
    return {
        "id": webhook.public_id,
        "url": webhook.url,
        "job": None,
        "watched": [{"type": target.type, "name": target.name} for target in webhook.targets.all()],
        "domains": [name for name in DOMAINS if name in webhook.domains],
        "secret": secret or None,
        "disabled": webhook.disabled,
    }


def _watched(value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise InvalidInput(_("“watched” must be a list of objects with “type” and “name”."))
    return [(text(one.get("type"), "type"), text(one.get("name"), "name")) for one in value]


def _domains(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidInput(_("“domains” must name one or more of: %(names)s.") % {"names": ", ".join(DOMAINS)})
    return value


def _secret(body: dict[str, Any]) -> str | None:
    return None if body.get("secret") is None else text(body["secret"], "secret")


def _refuse_job(body: dict[str, Any]) -> None:
    """On the Hub a webhook may start a compute job; here there are none to start."""
    if body.get("jobSourceId") is not None or body.get("job_id") is not None:
        raise InvalidInput(_("A webhook of this portal calls an address; it cannot start a job."))
