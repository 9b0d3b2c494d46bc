"""One delivery to one webhook: built for the eyes of its owner as they are now, sent, and written down."""

import json

from django.utils.translation import gettext_noop

from models_hub import webhooks
from models_hub.models import WebhookDelivery
from portal.outbound import AddressRefused, Unreachable
from worker import webhook_payloads
from worker.attempts import Attempt, JobFailed, TryAgain

NOT_VISIBLE = gettext_noop("It was not sent: you may not see this repository any more.")
SWITCHED_OFF = gettext_noop("It was not sent: the webhook is switched off.")
FAILED = gettext_noop("The webhook could not be delivered; its owner sees why.")
State = WebhookDelivery.State


def run(attempt: Attempt) -> None:
    """Deliver, or raise TryAgain as long as attempts are left."""
    rows = WebhookDelivery.objects.select_related("webhook__owner", "webhook__organization", "event")
    delivery = rows.filter(pk=attempt.job.spec["delivery"], state=State.WAITING).first()
    if delivery is None:  # its webhook is deleted, or an attempt that lost its lease has delivered it
        attempt.job.finish({})
        return
    reason = _why_not(delivery)
    told = None if reason else webhook_payloads.build(delivery)
    if told is None:
        webhooks.note(delivery, state=State.DROPPED, reason=reason or NOT_VISIBLE)
        attempt.job.finish({})
        return
    _send(attempt, delivery, json.dumps(told, ensure_ascii=False))


def _send(attempt: Attempt, delivery: WebhookDelivery, body: str) -> None:
    attempt.check()
    job, answer = attempt.job, None
    try:
        answer = webhooks.call(delivery.webhook, body.encode())
    except AddressRefused as error:
        webhooks.note(delivery, state=State.FAILED, body=body, reason=error.message)
        raise JobFailed(FAILED, code="address_refused") from error
    except Unreachable as error:
        reason = error.message
    else:
        if 200 <= answer.status < 300:
            webhooks.note(delivery, state=State.DELIVERED, body=body, answer=answer)
            job.finish({})
            return
        reason = webhooks.REFUSED_BY_RECEIVER
    is_last = job.attempt >= job.max_attempts
    webhooks.note(delivery, state=State.FAILED if is_last else State.WAITING, body=body, answer=answer, reason=reason)
    raise TryAgain(FAILED, code="not_delivered")


def _why_not(delivery: WebhookDelivery) -> str:
    webhook = delivery.webhook
    is_gone = webhook.owner is not None and not webhook.owner.is_active
    return SWITCHED_OFF if webhook.disabled or is_gone else ""
