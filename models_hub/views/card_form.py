"""The metadata of a card in a form; a first card with its text, for what has none."""

from dataclasses import dataclass
from typing import Any

from django.forms import BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from models_hub import browsing, card_fields, cards, comparing, drafted_cards, language_codes, rendering
from models_hub.browsing import EntryNotFound
from models_hub.card_editing import edit_card
from models_hub.card_fields import Metric, Values
from models_hub.card_forms import LIBRARIES, METRICS, SIZES, CardForm, MetricForm, MetricRows, rows_of
from models_hub.changes import PutFile
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.searching import naming
from models_hub.task_names import TASKS
from models_hub.views import committing
from models_hub.views.pages import repo_page, respond
from portal.errors import Conflict, DomainError, status_of

CARD = "README.md"
MAX_NAMES = 10
METRICS_PREFIX = "metrics"
MORE_ROWS = 3


class FieldChanged(Conflict):
    """Somebody changed the same field since the form was opened."""


@dataclass(frozen=True)
class Version:
    """A card at one commit; `text` is None where there is none."""

    text: str | None
    values: Values
    metrics: list[Metric]


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def card_form(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Change fields of the card; what the form does not know stays as it is."""
    targets = committing.targets(request.user, repo, DEFAULT_BRANCH)
    head = browsing.resolve_revision(repo, DEFAULT_BRANCH)
    now = _version(repo, head)
    has_card = now.text is not None
    initial = _first_values(repo, now) | {
        "seen": head.oid,
        "text": drafted_cards.body(repo),
        "title": _("Update the card") if has_card else _("Add a card"),
    }
    sent = request.POST if request.method == "POST" else None
    form = CardForm(sent, initial=initial, targets=targets, repo=repo, current=now.values, has_card=has_card)
    rows = _rows(request, now.metrics) if repo.is_model else None
    status, preview, made = 200, None, ""
    if request.method == "POST" and "more" not in request.POST:
        try:
            if form.is_valid() and (rows is None or rows.is_valid()):
                made = _edited(repo, head, now, form, rows_of(rows, now.metrics) if rows is not None else now.metrics)
                if "preview" not in request.POST:
                    return redirect(_publish(request, repo, head, form, made) or repo.path)
                preview = [comparing.of_text(CARD, now.text or "", made)]
            else:
                status = 400
        except FieldChanged as error:
            form.add_error(None, error.message)
            status = status_of(error)
            form.see(head.oid)
        except DomainError as error:
            form.add_error(None, error.message)
            status = status_of(error)
    return respond(
        request,
        repo,
        "models_hub/cards/form.html",
        tab="card",
        status=status,
        form=form,
        rows=rows,
        has_card=has_card,
        preview=preview,
        rendered=rendering.markdown_html(made, repo=repo, revision=DEFAULT_BRANCH) if made and not has_card else "",
        known=_known(),
        counted=_counted(repo),
    )


def _rows(request: HttpRequest, metrics: list[Metric]) -> "BaseFormSet[MetricForm]":
    """Return the rows of numbers; some more than were sent where the reader asks for them."""
    sent = request.POST.copy() if request.method == "POST" else None
    total = f"{METRICS_PREFIX}-TOTAL_FORMS"
    if sent is not None and "more" in sent and sent.get(total, "").isdecimal():
        sent[total] = str(min(int(str(sent[total])[:4]) + MORE_ROWS, MetricRows.max_num))
    return MetricRows(sent, prefix=METRICS_PREFIX, initial=[row._asdict() for row in metrics])


@never_cache
@require_safe
def repo_names(request: HttpRequest, kind: str) -> HttpResponse:
    """Names of repositories that hold what was typed, as options for an input."""
    words = request.GET.get("search", "").replace("\x00", "").strip()[:200]
    found = (
        naming.narrowed(Repo.objects.visible_to(request.user).filter(kind=kind), words).latest()
        if words
        else Repo.objects.none()
    )
    return render(request, "models_hub/cards/_names.html", {"repos": found[:MAX_NAMES]})


def _version(repo: Repo, commit: Commit) -> Version:
    try:
        entry = browsing.find(repo, commit, CARD)
    except EntryNotFound:
        return Version(None, card_fields.values_of(repo.kind, {}), [])
    text = browsing.read(repo, entry, entry.size).decode("utf-8", "replace")
    metadata = cards.read_metadata(text)
    return Version(text, card_fields.values_of(repo.kind, metadata), card_fields.metrics_of(metadata))


def _first_values(repo: Repo, now: Version) -> Values:
    """Return what the form begins with: the card, and for a first card what the files told."""
    if now.text is not None:
        return now.values
    told: Values = {"pipeline_tag": repo.task, "library_name": repo.library}
    bases = repo.config.get("peft", {}).get("base_model_name_or_path")
    told |= {"base_model": [bases]} if bases else {}
    return now.values | {name: value for name, value in told.items() if value and name in now.values}


def _edited(repo: Repo, head: Commit, now: Version, form: CardForm, rows: list[Metric]) -> str:
    """Return the card as the form wants it; a field that others changed meanwhile must be seen first."""
    seen = _seen(repo, head, now, str(form.cleaned_data["seen"]))
    wanted = form.values()
    touched = {name for name in wanted if wanted[name] != seen.values.get(name)}
    theirs = [name for name in touched if now.values.get(name) not in (seen.values.get(name), wanted[name])]
    rows_touched = [row.told for row in rows] != [row.told for row in seen.metrics]
    if theirs or (rows_touched and now.metrics != seen.metrics):
        labels = [str(form[name].label) for name in theirs] or [_("Metrics")]
        raise FieldChanged(
            _(
                "Somebody else changed this since you opened it: %(fields)s. Nothing is saved yet; look at the current "
                "card, then save again to replace it."
            )
            % {"fields": ", ".join(labels)}
        )
    changes = card_fields.changes(repo.kind, now.values, now.values | {name: wanted[name] for name in touched})
    if rows_touched:
        metadata = cards.read_metadata(now.text or "")
        task = wanted.get("pipeline_tag") or repo.task
        changes["model-index"] = card_fields.with_metrics(metadata, rows, name=repo.name, task=task)
    text = now.text if now.text is not None else str(form.cleaned_data["text"]).replace("\r\n", "\n").strip() + "\n"
    return edit_card(text, changes)


def _seen(repo: Repo, head: Commit, now: Version, oid: str) -> Version:
    """Return the card that the writer opened."""
    if oid == head.oid:
        return now
    commit = Commit.objects.filter(repo=repo, oid=oid).first()
    return _version(repo, commit) if commit else now


def _publish(request: HttpRequest, repo: Repo, head: Commit, form: CardForm, text: str) -> str:
    changes = [PutFile(CARD, text.encode())]
    return committing.commit(
        repo, by=request.user, revision=DEFAULT_BRANCH, form=form, changes=changes, parent=head.oid
    )


def _known() -> dict[str, list[tuple[str, str]]]:
    """Return the values that inputs offer, by the name of their list."""
    found: dict[str, Any] = {
        "tasks": [(code, str(task.label)) for code, task in TASKS.items()],
        "languages": language_codes.choices(get_language() or "en"),
        "libraries": [(name, "") for name in LIBRARIES],
        "metrics": [(name, "") for name in METRICS],
        "sizes": [(name, "") for name in SIZES],
    }
    return found


def _counted(repo: Repo) -> list[tuple[str, str]]:
    """Return what nobody need type, since it is counted."""
    rows = (
        (_("Parameters"), _figure(repo.parameters)),
        (_("Context length"), _figure(repo.context_length)),
        (_("Vocabulary"), _figure(repo.vocabulary)),
        (_("Architecture"), repo.architecture),
        (_("Number format"), ", ".join(repo.precisions)),
    )
    return [(name, value) for name, value in rows if value]


def _figure(number: int | None) -> str:
    return f"{number:,}" if number else ""
