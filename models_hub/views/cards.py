"""The first page of a repository: its card, its facts, and how to use it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from models_hub import (
    browsing,
    cards,
    completeness,
    facts,
    first_publish,
    permissions,
    releasing,
    rendering,
    snippets,
    tokenizing,
)
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.views.pages import gate_of, repo_page, respond
from portal import ssh_addresses
from portal.context import site

CARD = "README.md"
HIDDEN = ".gitattributes"
ONNX = "onnx"


@repo_page
@require_safe
def card(request: HttpRequest, repo: Repo) -> HttpResponse:
    commit = browsing.resolve_revision(repo, DEFAULT_BRANCH)
    entries = browsing.list_folder(repo, commit)
    text = _card_text(repo, entries)
    _metadata, body = cards.split_card(text)
    names = [entry.path for entry in entries if not entry.is_folder and entry.path != HIDDEN]
    return respond(
        request,
        repo,
        "models_hub/repos/card.html",
        tab="card",
        commit=commit,
        is_empty=not names,
        card=rendering.document(text, repo=repo, revision=DEFAULT_BRANCH) if body.strip() else None,
        has_tokenizer=tokenizing.NAME in names,
        publishing=[] if names else first_publish.ways(repo, site=_site_address(request), ssh=_ssh_address(request)),
        checklist=completeness.checklist(repo, body, names) if permissions.can_write(request.user, repo) else None,
        snippets=snippets.snippets(
            repo,
            site=_site_address(request),
            files=[*names, *_exported(repo, commit, entries)],
            ssh=_ssh_address(request),
        ),
        facts=facts.facts_of(repo, request.user),
        release=releasing.latest(repo),
        gate=gate_of(request, repo),
    )


def _card_text(repo: Repo, entries: list[browsing.Entry]) -> str:
    entry = next((entry for entry in entries if entry.path == CARD and not entry.is_folder), None)
    return browsing.read(repo, entry, entry.size).decode("utf-8", "replace") if entry else ""


def _exported(repo: Repo, commit: Commit, entries: list[browsing.Entry]) -> list[str]:
    """Return the files of the folder in which exports for other runtimes lie by custom, [] where there is none."""
    if not any(entry.path == ONNX and entry.is_folder for entry in entries):
        return []
    return list(browsing.items_below(repo, commit, ONNX))


def _site_address(request: HttpRequest) -> str:
    address = site(request)["site_address"]
    return str(address()) if callable(address) else ""


def _ssh_address(request: HttpRequest) -> str:
    return ssh_addresses.address(request.get_host())
