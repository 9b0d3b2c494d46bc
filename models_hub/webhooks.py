"""Webhooks: who is told of what, and how that goes. What is told is built when it is sent, for the eyes of then."""

import re
from collections.abc import Callable, Iterable, Mapping

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from models_hub.checking import is_text
from models_hub.models import Webhook, WebhookDelivery, WebhookTarget
from models_hub.models.webhooks import DOMAINS, TARGETS
from portal import outbound
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Event, Job, Organization, User
from portal.outbound import Answer, Unreachable
from portal.permissions import can_administer
from portal.sealing import seal, unseal

JOB_KIND = "deliver_webhook"
ATTEMPTS = 5
MAX_WEBHOOKS = 20
MAX_TARGETS = 100
MAX_SECRET = 300
ENOUGH_FAILURES = 15  # in a row, each after all its attempts
State = WebhookDelivery.State

# Reasons are stored in English and translated where they are shown.
TOO_MANY_FAILURES = gettext_noop("Switched off, because many deliveries in a row failed.")
HANDED_ON = gettext_noop("Switched off, because it came with another account. Look at its address first.")
SECRET_LOST = gettext_noop("The secret cannot be read any more: the portal’s own secret has changed. Set it again.")
REFUSED_BY_RECEIVER = gettext_noop("The receiver did not take it.")
PING = "webhook.pinged"  # the kind of the event; it is of the webhook itself


class WebhookNotFound(NotFound):
    """The person has no such webhook."""

    code = "webhook_not_found"


def find(owner: User, number: str) -> Webhook:
    """Return a webhook of one's own by its id on the wire."""
    pk = int(number, 16) if re.fullmatch(r"[0-9a-f]{24}", number) else 0
    found = owner.webhooks.within(owner).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise WebhookNotFound(_("You have no such webhook."))
    return found


def find_for(user: User, pk: int) -> Webhook:
    """Return a webhook that the person looks after: one's own, or one of an organization that one administers."""
    rows = Webhook.objects.within(user).select_related("owner", "organization__namespace")
    found = rows.filter(pk=pk).first()
    if found is None or not _looks_after(user, found):
        raise WebhookNotFound(_("You have no such webhook."))
    return found


def _require_within(webhook: Webhook, by: User | None) -> None:
    """Raise NotAllowed, in the transaction that lets it watch, for what a limited token was not given.

    A webhook tells of all that its owner sees.
    """
    if by is not None and not Webhook.objects.within(by).filter(pk=webhook.pk).exists():
        raise NotAllowed(_("This access token was given certain repositories: let the webhook watch these alone."))


def _looks_after(user: User, webhook: Webhook) -> bool:
    if webhook.organization is None:
        return webhook.owner_id == user.pk
    return can_administer(user, webhook.organization.namespace)


def create(
    *,
    by: User,
    url: str,
    watched: Iterable[tuple[str, str]],
    domains: Iterable[str],
    secret: str = "",
    site: str = "",
    organization: Organization | None = None,
) -> Webhook:
    """Tell `url` of what happens to those watched, from now on; in the name of an organization if one is given."""
    if organization is not None and not can_administer(by, organization.namespace):
        raise NotAllowed(_("Only an admin of this organization may do that."))
    whose = by.webhooks if organization is None else organization.webhooks
    if whose.count() >= MAX_WEBHOOKS:
        raise InvalidInput(_("You may have at most %(max)d webhooks: delete one first.") % {"max": MAX_WEBHOOKS})
    targets = _checked_targets(watched)
    values = {"url": _checked_url(url), "domains": _checked_domains(domains), "sealed_secret": _sealed(secret)}
    with transaction.atomic():
        owner = by if organization is None else None
        webhook = Webhook.objects.create(owner=owner, organization=organization, site=site, **values)
        _watch(webhook, targets)
        _require_within(webhook, by)
        Event.record("webhook.created", subject=f"webhook:{webhook.pk}", by=by)
    return webhook


def change(
    webhook: Webhook,
    *,
    url: str | None = None,
    watched: Iterable[tuple[str, str]] | None = None,
    domains: Iterable[str] | None = None,
    secret: str | None = None,
    by: User | None = None,
) -> None:
    """Change what is given; the rest stays, the secret included."""
    targets = None if watched is None else _checked_targets(watched)
    webhook.url = webhook.url if url is None else _checked_url(url)
    webhook.domains = webhook.domains if domains is None else _checked_domains(domains)
    webhook.sealed_secret = webhook.sealed_secret if secret is None else _sealed(secret)
    with transaction.atomic():
        webhook.save(update_fields=["url", "domains", "sealed_secret"])
        if targets is not None:
            webhook.targets.all().delete()
            _watch(webhook, targets)
            _require_within(webhook, by)
        Event.record("webhook.changed", subject=f"webhook:{webhook.pk}", by=by or webhook.owner)


def switch(webhook: Webhook, *, on: bool, by: User | None = None) -> None:
    """Switch a webhook on, which forgets its failures, or off."""
    webhook.disabled, webhook.disabled_reason, webhook.failures = not on, "", 0
    with transaction.atomic():
        webhook.save(update_fields=["disabled", "disabled_reason", "failures"])
        kind = "webhook.enabled" if on else "webhook.disabled"
        Event.record(kind, subject=f"webhook:{webhook.pk}", by=by or webhook.owner)


def delete(webhook: Webhook, *, by: User | None = None) -> None:
    """Delete a webhook with the record of its deliveries."""
    with transaction.atomic():
        Event.record("webhook.deleted", subject=f"webhook:{webhook.pk}", by=by or webhook.owner)
        webhook.delete()


def announce(
    event: Event, *, scope: str, action: str, kind: str, name: str, may_see: Callable[[Webhook], bool]
) -> None:
    """Put an event on its way to everybody who watches `name` and may see it; a second call changes nothing.

    Whoever may not gets no delivery at all: one that is not sent would tell that there is something.
    """
    domain = scope.partition(".")[0]
    watching = Webhook.objects.watching(owner=name.partition("/")[0], kind=kind, name=name).in_use()
    for webhook in watching.select_related("owner", "organization"):
        if domain in webhook.domains and may_see(webhook):
            delivery, created = WebhookDelivery.objects.get_or_create(
                webhook=webhook, event=event, is_repeat=False, defaults={"scope": scope, "action": action}
            )
            if created:
                _enqueue(delivery)


def ping(webhook: Webhook, *, by: User) -> WebhookDelivery:
    """Send something that tells of nothing, so that its owner sees whether it arrives. Raises Conflict when off."""
    if webhook.disabled:
        raise Conflict(_("The webhook is switched off: switch it on first."))
    with transaction.atomic():
        event = Event.record(PING, subject=f"webhook:{webhook.pk}", by=by)
        delivery = WebhookDelivery.objects.create(webhook=webhook, event=event, scope="webhook", action="ping")
        _enqueue(delivery)
    return delivery


def repeat(delivery: WebhookDelivery, *, by: User) -> WebhookDelivery:
    """Send an event again, as it looks now."""
    with transaction.atomic():
        again = WebhookDelivery.objects.create(
            webhook_id=delivery.webhook_id,
            event_id=delivery.event_id,
            scope=delivery.scope,
            action=delivery.action,
            is_repeat=True,
        )
        _enqueue(again)
        Event.record("webhook.redelivered", subject=f"webhook:{delivery.webhook_id}", by=by)
    return again


def call(webhook: Webhook, body: bytes) -> Answer:
    """Send a body to a webhook's address; raises Unreachable with what the owner should know."""
    secret = unseal(webhook.sealed_secret)
    if secret is None:
        raise Unreachable(SECRET_LOST)
    headers = {"Content-Type": "application/json", "User-Agent": "small-models-portal-webhooks/1"}
    if secret:
        headers["X-Webhook-Secret"] = secret
    return outbound.send("POST", webhook.url, headers=headers, body=body)


def note(
    delivery: WebhookDelivery, *, state: str, body: str = "", answer: Answer | None = None, reason: str = ""
) -> None:
    """Write down how an attempt went; a row of failures switches the webhook off."""
    delivery.state, delivery.body, delivery.reason = state, body, reason[:300]
    delivery.status = answer.status if answer else None
    delivery.answer = _shown(answer.body) if answer else ""
    delivery.attempts += state != State.DROPPED
    delivery.finished_at = None if state == State.WAITING else timezone.now()
    with transaction.atomic():
        delivery.save()
        rows = Webhook.objects.filter(pk=delivery.webhook_id)
        if state == State.DELIVERED:
            rows.filter(failures__gt=0).update(failures=0)
        elif state == State.FAILED:
            rows.update(failures=F("failures") + 1)
            worn_out = rows.filter(failures__gte=ENOUGH_FAILURES, disabled=False)
            if worn_out.update(disabled=True, disabled_reason=TOO_MANY_FAILURES):
                Event.record("webhook.worn_out", subject=f"webhook:{delivery.webhook_id}", by=None)


def forget_old_deliveries() -> int:
    """Remove the record of deliveries that nobody will look at any more."""
    return WebhookDelivery.objects.expired().delete()[0]


def _enqueue(delivery: WebhookDelivery) -> None:
    Job.enqueue(
        JOB_KIND,
        spec={"delivery": delivery.pk},
        owner=None,  # it has a page of its own, among the deliveries of its webhook
        title=f"{delivery.scope} {delivery.action}",
        queue="light",
        idempotency_key=f"{JOB_KIND}:{delivery.pk}",
        max_attempts=ATTEMPTS,
    )


def _watch(webhook: Webhook, targets: Mapping[tuple[str, str], str]) -> None:
    WebhookTarget.objects.bulk_create(
        WebhookTarget(webhook=webhook, type=kind, name=name, lower=lower) for (kind, lower), name in targets.items()
    )


def _checked_url(url: str) -> str:
    if len(url) > 1000:
        raise InvalidInput(_("The address is too long."))
    try:
        outbound.check(url)
    except Unreachable as error:
        raise InvalidInput(_(error.message)) from error
    return url


def _checked_domains(domains: Iterable[str]) -> list[str]:
    found = sorted(set(domains))
    if not found or not set(found) <= set(DOMAINS):
        raise InvalidInput(_("“domains” must name one or more of: %(names)s.") % {"names": ", ".join(DOMAINS)})
    return found


def _checked_targets(watched: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return what is watched by type and lower-case name. It need not exist: it may come later."""
    found = {(kind, name.lower()): name for kind, name in watched}
    if not found or len(found) > MAX_TARGETS:
        raise InvalidInput(_("Watch at least one and at most %(max)d names.") % {"max": MAX_TARGETS})
    for kind, name in found:
        if kind not in TARGETS or not name or len(name) > 200 or not is_text(name):
            raise InvalidInput(_("“type” must be one of: %(names)s.") % {"names": ", ".join(TARGETS)})
    return found


def _sealed(secret: str) -> str:
    if len(secret) > MAX_SECRET or not (secret.isascii() and secret.isprintable()):
        raise InvalidInput(
            _("The secret may have at most %(max)d characters, all of them printable ASCII.") % {"max": MAX_SECRET}
        )
    return seal(secret)


def _shown(body: bytes) -> str:
    """Return the beginning of an answer as text."""
    text = body[:4000].decode("utf-8", "replace")
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")[:1000]
