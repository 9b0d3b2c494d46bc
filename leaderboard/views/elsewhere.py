"""Results of other boards: those of one model, how they come and go, and those beside one board."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leaderboard import elsewhere, permissions
from leaderboard.board_views import View
from leaderboard.elsewhere import Found
from leaderboard.elsewhere_forms import BesideForm, FileForm, ResultForm
from leaderboard.models import ImportedResult, Suite
from models_hub.models import Repo
from models_hub.views.pages import repo_page, respond
from portal.authentication import require_user
from portal.errors import DomainError, status_of

PAGE = 50


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def of_model(request: HttpRequest, repo: Repo) -> HttpResponse:
    """Results that other boards publish of a model; its writers add some by hand, as a file or from the card."""
    how = request.POST.get("how", "") if request.method == "POST" else ""
    by_hand = ResultForm(request.POST if how == "hand" else None)
    by_file = FileForm(*((request.POST, request.FILES) if how == "file" else ()))
    status = 200
    if request.method == "POST":
        form = {"hand": by_hand, "file": by_file}.get(how) or BesideForm(request.POST)
        status = 400
        if form.is_valid():
            try:
                results = _sent(form, repo)
                kept = elsewhere.enter(repo, results, by=require_user(request), suite=form.cleaned_data["suite"])
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
                if how not in ("hand", "file"):
                    raise
            else:
                messages.success(request, elsewhere.said_of(kept))
                return redirect(f"{repo.path}/elsewhere")
    may_import = permissions.can_import(request.user, repo)
    return respond(
        request,
        repo,
        "leaderboard/elsewhere/model.html",
        tab="evaluations",
        status=status,
        results=_of_model(request, repo),
        may_import=may_import,
        by_hand=by_hand,
        by_file=by_file,
        from_card=BesideForm(auto_id="id_card_%s"),
        in_card=elsewhere.in_card(repo) if may_import else [],
    )


@require_POST
def removal(request: HttpRequest, result_id: int) -> HttpResponse:
    """Take one result away."""
    rows = ImportedResult.objects.visible_to(request.user).select_related("model__namespace")
    result = get_object_or_404(rows, pk=result_id)
    elsewhere.remove(result, by=require_user(request))
    return redirect(f"{result.model.path}/elsewhere")


@never_cache
@require_safe
def beside_board(request: HttpRequest, slug: str) -> HttpResponse:
    """Results of other boards that were put beside this one, the newest first."""
    suite = get_object_or_404(Suite.objects.current(), slug=slug)
    rows = ImportedResult.objects.public().filter(suite__slug=suite.slug).select_related("model__namespace")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-id")[: PAGE + 1])
    context = {
        "suite": suite,
        "view": View(),
        "results": found[:PAGE],
        "next": found[PAGE - 1].pk if len(found) > PAGE else None,
    }
    return render(request, "leaderboard/elsewhere/board.html", context)


def _sent(form: BesideForm, repo: Repo) -> list[Found]:
    if isinstance(form, FileForm):
        file = form.cleaned_data["file"]
        return elsewhere.read_file(file.name, file.read(elsewhere.MAX_FILE_BYTES + 1))
    return [elsewhere.found_of(form.cleaned_data)] if isinstance(form, ResultForm) else elsewhere.in_card(repo)


def _of_model(request: HttpRequest, repo: Repo) -> list[ImportedResult]:
    rows = ImportedResult.objects.visible_to(request.user).filter(model=repo).select_related("suite", "entered_by")
    return list(rows.order_by("board", "task", "id")[: elsewhere.MAX_ROWS])
