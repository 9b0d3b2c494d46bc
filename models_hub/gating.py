"""Gated repositories: everybody sees them, and downloads are for those who asked and were let in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from models_hub import describing, permissions
from models_hub.checking import is_text
from models_hub.models import AccessRequest, Repo
from models_hub.publishing import require_manager, require_writer
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, SignInRequired
from portal.models import Asker, Event, Namespace, User

Status = AccessRequest.Status
MAX_FIELDS = 20
MAX_OPTIONS = 300
MAX_ANSWER = 1000
MAX_REASON = 200
MAX_TEXT = 2000


@dataclass(frozen=True)
class Field:
    """One question that the card asks of who wants access, under `extra_gated_fields`."""

    name: str
    kind: str  # text, checkbox, date_picker, country or select
    options: tuple[str, ...] = ()


def set_gate(repo: Repo, *, by: Asker, gate: str) -> None:
    """Let everybody download (""), whoever asks ("auto"), or whom a writer accepts ("manual")."""
    user = require_manager(by, repo)
    if (found := permissions.restriction_of(repo)) and found.level >= found.Level.GATE:
        raise NotAllowed(_("Moderators have set who may download this repository."))
    if gate not in Repo.Gate.values:
        raise InvalidInput(_("“gated” must be “auto”, “manual” or false."))
    with transaction.atomic():
        if Repo.objects.filter(pk=repo.pk).exclude(gated=gate).update(gated=gate):
            Event.record("repo.gate_changed", subject=f"repo:{repo.pk}", by=user, gated=gate)
    repo.gated = gate


def fields_of(repo: Repo) -> list[Field]:
    """Return what the card of the repository asks of who wants access."""
    return [_field(name[:200], value) for name, value in describing.questions_of(repo.card)[:MAX_FIELDS]]


def in_order(repo: Repo, rows: Sequence[AccessRequest]) -> Sequence[AccessRequest]:
    """Put the answers of these requests into the order of the questions, which databases do not keep."""
    places = {field.name: place for place, field in enumerate(fields_of(repo))}
    for row in rows:
        row.fields = dict(sorted(row.fields.items(), key=lambda answer: places.get(answer[0], len(places))))
    return rows


def texts_of(repo: Repo) -> dict[str, str]:
    """Return the words of the card for the box that asks for access: heading, prompt, description, button."""
    names = ("heading", "prompt", "description", "button_content")
    declared = {name: repo.card.get(f"extra_gated_{name}") for name in names}
    return {name: value[:MAX_TEXT] if isinstance(value, str) else "" for name, value in declared.items()}


def ask(repo: Repo, *, by: Asker, answers: Mapping[str, Any]) -> AccessRequest:
    """Ask for access; asking again returns the request that is there. The owner hears of the asker's e-mail address."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to ask for access."))
    require_gated(repo)
    known = AccessRequest.objects.filter(repo=repo, user=by).first()
    if known is not None:
        return _not_rejected(known)
    given = {field.name: _answer(field, answers.get(field.name)) for field in fields_of(repo)}
    status = Status.ACCEPTED if repo.gated == Repo.Gate.AUTO else Status.PENDING
    try:
        with transaction.atomic():
            made = AccessRequest.objects.create(repo=repo, user=by, status=status, fields=given)
            Event.record("repo.access_requested", subject=f"repo:{repo.pk}", by=by, status=status)
    except IntegrityError:  # sent twice at the same moment
        return _not_rejected(AccessRequest.objects.get(repo=repo, user=by))
    return made


def request_of(user: Asker, repo: Repo) -> AccessRequest | None:
    """Return what the user asked for, None when the user has not asked."""
    return AccessRequest.objects.filter(repo=repo, user_id=user.pk).first() if user.is_authenticated else None


def find(repo: Repo, *, by: Asker, username: str | None = None, request_id: str | None = None) -> AccessRequest:
    """Return a request by its asker's name or its id; raises NotFound."""
    require_writer(by, repo)
    require_gated(repo)
    rows = AccessRequest.objects.filter(repo=repo).select_related("user")
    if request_id is not None:
        number = int(request_id, 16) if _is_id(request_id) else 0
        row = rows.filter(pk=number).first()
    else:
        row = rows.filter(user__namespace__in=Namespace.objects.named(username or "")).first()
    if row is None:
        raise NotFound(_("There is no such access request for this repository."))
    return row


def decide(request: AccessRequest, *, by: Asker, status: str, reason: str = "") -> None:
    """Accept or reject a request, or put it back among the pending; raises NotFound when that is where it is."""
    user = require_writer(by, request.repo)
    require_gated(request.repo)
    if status not in Status.values:
        raise InvalidInput(_("“status” must be “accepted”, “rejected” or “pending”."))
    if reason and (status != Status.REJECTED or len(reason) > MAX_REASON or not is_text(reason)):
        raise InvalidInput(
            _("A reason belongs to a rejection and has at most %(max)d characters.") % {"max": MAX_REASON}
        )
    with transaction.atomic():
        found = AccessRequest.objects.filter(pk=request.pk).exclude(status=status)
        if not found.update(status=status, rejection_reason=reason):
            raise NotFound(_("The access request is %(status)s already.") % {"status": Status(status).label})
        Event.record(
            f"repo.access_{status}", subject=f"repo:{request.repo_id}", by=user, user=request.user_id, reason=reason
        )
    request.status, request.rejection_reason = status, reason


def grant(repo: Repo, *, by: Asker, username: str) -> AccessRequest:
    """Let somebody in who has not asked, or was not accepted before; raises InvalidInput when already in."""
    user = require_writer(by, repo)
    require_gated(repo)
    person = User.objects.filter(namespace__in=Namespace.objects.named(username), is_active=True).first()
    if person is None:
        raise NotFound(_("There is nobody with this user name."))
    if permissions.can_download(person, repo):
        raise InvalidInput(_("%(name)s has access to this repository already.") % {"name": person.username})
    with transaction.atomic():
        made, _created = AccessRequest.objects.update_or_create(
            repo=repo,
            user=person,
            defaults={"status": Status.ACCEPTED, "rejection_reason": ""},
            create_defaults={"status": Status.ACCEPTED, "granted_by": user},
        )
        Event.record("repo.access_granted", subject=f"repo:{repo.pk}", by=user, user=person.pk)
    return made


def require_gated(repo: Repo) -> None:
    """Raise InvalidInput when the repository is open to all."""
    if not repo.gated:
        raise InvalidInput(_("This repository is not gated: everybody who sees it may download it."))


def _not_rejected(request: AccessRequest) -> AccessRequest:
    if request.status == Status.REJECTED:
        raise Conflict(_("Your request for access was rejected.") + f" {request.rejection_reason}".rstrip())
    return request


def _field(name: str, declared: Any) -> Field:
    if isinstance(declared, dict) and declared.get("type") == "select":
        options = declared.get("options")
        texts = [_option(option) for option in options][:MAX_OPTIONS] if isinstance(options, list) else []
        return Field(name, "select", tuple(texts))
    kind = declared if isinstance(declared, str) else ""
    return Field(name, kind if kind in {"checkbox", "date_picker", "country"} else "text")


def _option(declared: Any) -> str:
    value = declared.get("value", declared.get("label", "")) if isinstance(declared, dict) else declared
    return str(value)[:200]


def _answer(field: Field, given: Any) -> str | bool:
    """Return the answer to one question; all of them must be answered, and a box must be ticked."""
    if field.kind == "checkbox":
        if str(given).lower() not in {"true", "on", "1"}:
            raise InvalidInput(_("“%(name)s” must be ticked.") % {"name": field.name})
        return True
    text = given.strip() if isinstance(given, str) else ""
    if not text or len(text) > MAX_ANSWER or not is_text(text):
        raise InvalidInput(_("Answer “%(name)s”.") % {"name": field.name})
    if field.kind == "select" and text not in field.options:
        raise InvalidInput(_("Choose one of the answers to “%(name)s”.") % {"name": field.name})
    return text


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 24 and all(digit in "0123456789abcdef" for digit in text) and int(text, 16) < 2**63
