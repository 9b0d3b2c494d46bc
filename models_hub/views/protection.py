"""The rules that protect branches and tags: listed, added, changed and removed, each with the names that it matches."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from models_hub import protecting, publishing
from models_hub.models import RefRule, Repo
from models_hub.rule_forms import RuleForm
from models_hub.views.pages import repo_page, respond
from portal.errors import DomainError, status_of


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, repo: Repo) -> HttpResponse:
    """All rules of a repository, and a form for one more."""
    return _page(request, repo, RefRule(repo=repo))


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, repo: Repo, rule_id: int) -> HttpResponse:
    """Change one rule."""
    publishing.require_manager(request.user, repo)
    return _page(request, repo, protecting.find(repo, rule_id))


@repo_page
@require_POST
def removal(request: HttpRequest, repo: Repo, rule_id: int) -> HttpResponse:
    """Remove a rule."""
    publishing.require_manager(request.user, repo)
    found = protecting.find(repo, rule_id)
    protecting.remove_rule(found, by=request.user)
    messages.success(request, _("The rule for %(pattern)s is removed.") % {"pattern": found.pattern})
    return redirect(f"{repo.path}/settings/branches")


def _page(request: HttpRequest, repo: Repo, edited: RefRule) -> HttpResponse:
    publishing.require_manager(request.user, repo)
    form = RuleForm(request.POST if request.method == "POST" else None, instance=edited)
    status, preview = 200, None
    if request.method == "POST":
        status = 400
        if form.is_valid():
            if "preview" in request.POST:
                status, preview = 200, protecting.matching(repo, [form.instance])[0]
            else:
                try:
                    protecting.save_rule(form.instance, by=request.user, people=form.cleaned_data["people"])
                except DomainError as error:
                    form.add_error("pattern", error.message)
                    status = status_of(error)
                else:
                    messages.success(request, _("The rule is saved."))
                    return redirect(f"{repo.path}/settings/branches")
    others = RefRule.objects.none() if edited.pk else repo.ref_rules.prefetch_related("people")
    return respond(
        request,
        repo,
        "models_hub/repos/rules.html",
        tab="settings",
        status=status,
        form=form,
        rules=protecting.matching(repo, others),
        edited=edited,
        preview=preview,
    )
