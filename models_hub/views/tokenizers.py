"""A page to try the tokenizer of a model: text to tokens, ids to text, beside the tokenizer of another model."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from models_hub import browsing, permissions, tokenizing
from models_hub.addressing import split_place
from models_hub.browsing import Entry, EntryNotFound, RepoNotFound, RevisionNotFound
from models_hub.models import DEFAULT_BRANCH, Repo
from models_hub.permissions import GatedRepo
from models_hub.tokenizing import NAME, Split, TokenizerFailed
from models_hub.views.pages import repo_page, respond

SAMPLE = "Small language models fit in your pocket. 小语言模型，放进口袋里。🚀"


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def playground(request: HttpRequest, repo: Repo, place: str = f"{DEFAULT_BRANCH}/{NAME}") -> HttpResponse:
    """What is asked may come in the address, as a link, or in the body, where it may be long. Nothing is changed."""
    revision, path = split_place(repo, place)
    permissions.require_download(request.user, repo)
    commit = browsing.resolve_revision(repo, revision)
    entry = browsing.find(repo, commit, path or NAME)
    if entry.is_folder or entry.name != NAME:
        raise Http404
    asked = request.POST if request.method == "POST" else request.GET
    return respond(
        request,
        repo,
        "models_hub/viewers/tokenizer.html",
        tab="files",
        revision=revision,
        path=entry.path,
        max_text=tokenizing.MAX_TEXT,
        **_shown(request, repo, entry, asked),
    )


def _shown(request: HttpRequest, repo: Repo, entry: Entry, asked: QueryDict) -> dict[str, Any]:
    ids, other = asked.get("ids", "").strip()[:60_000], asked.get("other", "").strip()[:200]
    text = asked.get("text", SAMPLE).replace("\r\n", "\n")[: tokenizing.MAX_TEXT]
    with_special = "special" in asked or "text" not in asked
    about: dict[str, Any] = {"text": text, "ids": ids, "other": other, "with_special": with_special}
    if ids:
        return {**about, "sides": [_side(repo.full_name, lambda: tokenizing.join(repo, entry, tokenizing.ids_of(ids)))]}
    sides = [_side(repo.full_name, lambda: tokenizing.split(repo, entry, text, with_special=with_special))]
    if other:
        sides.append(_side(other, lambda: _split_by(request, other, text, with_special=with_special)))
    return {**about, "sides": sides}


def _side(name: str, ask: Any) -> dict[str, Any]:
    """Return what one tokenizer made of it, or why it made nothing."""
    try:
        return {"name": name, "split": ask()}
    except TokenizerFailed as error:
        return {"name": name, "problem": error.message}


def _split_by(request: HttpRequest, name: str, text: str, *, with_special: bool) -> Split:
    """Split by the tokenizer of another model, which the reader must be allowed to download."""
    missing = TokenizerFailed(_("No model of this name with a tokenizer.json is open to you."))
    namespace, _slash, rest = name.strip("/").partition("/")
    try:
        repo = browsing.visible_repo(request.user, kind=Repo.Kind.MODEL, namespace=namespace, name=rest)
        permissions.require_download(request.user, repo)
        entry = browsing.find(repo, browsing.resolve_revision(repo, DEFAULT_BRANCH), NAME)
    except (RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo) as error:
        raise missing from error
    return tokenizing.split(repo, entry, text, with_special=with_special)
