"""`Idempotency-Key`: a request that is sent again after a lost answer does its work once.

The row with the answer is written in the same transaction as the work, so that there is no moment at which one of
them exists without the other. A request that was refused leaves nothing and may be sent again with its key.
"""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import JSONField, Value
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from portal.errors import Conflict, InvalidInput
from portal.models import IdempotentAnswer, User
from portal.reach import reach_of

HEADER = "Idempotency-Key"
MAX_KEY = 200
Handler = Callable[..., Response]


class KeyReused(Conflict):
    """The key came with another request before."""

    code = "idempotency_key_reused"


def once(handler: Handler) -> Handler:
    """Let a method of a view be repeated safely by whoever sends the header with it."""

    @wraps(handler)
    def handle(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None or not isinstance(request.user, User):
            return handler(view, request, *args, **kwargs)
        if not key or len(key) > MAX_KEY or not (key.isascii() and key.isprintable()):
            raise InvalidInput(
                _("The header %(name)s must have 1 to %(max)d plain characters.") % {"name": HEADER, "max": MAX_KEY}
            )
        digest = _digest(request)
        if known := _find(request.user, key):
            return _again(known, digest)
        try:
            with transaction.atomic():
                # The row comes first: another request with the key waits here until this one has ended.
                IdempotentAnswer.objects.outdated().filter(user=request.user, key=key).delete()
                row = IdempotentAnswer.objects.create(user=request.user, key=key, request_sha256=digest)
                response = handler(view, request, *args, **kwargs)
                row.status = response.status_code
                row.body = _kept(response)
                row.save(update_fields=["status", "body"])
        except IntegrityError:
            if known := _find(request.user, key):
                return _again(known, digest)
            raise
        return response

    handle.is_repeatable = True  # type: ignore[attr-defined]
    return handle


def _kept(response: Response) -> Any:
    """Return an answer’s body for the row. Of an answer without one it is JSON’s null, never that of the database."""
    rendered = JSONRenderer().render(response.data)
    return json.loads(rendered) if rendered else Value(None, JSONField())


def _find(user: User, key: str) -> IdempotentAnswer | None:
    return IdempotentAnswer.objects.kept().filter(user=user, key=key).first()


def _again(known: IdempotentAnswer, digest: str) -> Response:
    if known.request_sha256 != digest:
        raise KeyReused(_("This %(name)s came with another request before; choose a new one.") % {"name": HEADER})
    return Response(known.body, status=known.status, headers={"Idempotency-Replayed": "true"})


def _digest(request: Request) -> str:
    """Return what tells a request from others; a limited token is given no answer that another one was given."""
    sent = json.dumps(request.data, sort_keys=True, default=_plain)
    sender = f"{request.auth.pk}\n" if reach_of(request.user) is not None and request.auth else ""
    return hashlib.sha256(f"{sender}{request.method} {request.get_full_path()}\n{sent}".encode()).hexdigest()


def _plain(value: object) -> str:
    """Return what stands for a value that JSON does not know: of a file its name and the digest of its bytes."""
    if not isinstance(value, UploadedFile):
        return str(value)
    sha256 = hashlib.sha256()
    for chunk in value.chunks():
        sha256.update(chunk)
    value.seek(0)
    return f"{value.name} {sha256.hexdigest()}"
