"""What an article is: its language, whose translation it is, and who found that translation good."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forum.article_forms import ArticleForm
from forum.learning import articles
from portal.authentication import require_user
from portal.errors import DomainError, InvalidInput, status_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def article(request: HttpRequest, pk: int) -> HttpResponse:
    """Show it, and let its author change it."""
    found, status = articles.find(pk, request.user), 200
    original = articles.beside(found.topic, request.user).original
    form = ArticleForm(
        request.POST or None, initial={"language": found.language, "original": original.path if original else ""}
    )
    if request.method == "POST":
        require_user(request)
        status = 400
        if form.is_valid():
            try:
                articles.describe(found, by=request.user, **form.cleaned_data)
            except DomainError as error:
                key = error.data.get("key") if isinstance(error, InvalidInput) else None
                form.add_error(str(key) if key else None, error.message)
                status = status_of(error)
            else:
                messages.success(request, _("Saved."))
                return redirect(found.topic.path)
    context = {
        "article": found,
        "topic": found.topic,
        "beside": articles.beside(found.topic, request.user),
        "form": form,
        "may_describe": articles.may_describe(found, request.user),
        "may_take_back": articles.may_take_back(found, request.user),
        "refusal": articles.refusal_to_accept(found, request.user),
    }
    return render(request, "forum/learn/article.html", context, status=status)


@require_POST
def acceptance(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a translation is good."""
    require_user(request)
    found = articles.find(pk, request.user)
    if not request.POST.get("sure"):
        raise InvalidInput(_("Say that you compared the texts."))
    articles.accept(found, by=request.user)
    messages.success(request, _("Thank you. The translation counts as accepted now."))
    return redirect(found.topic.path)


@require_POST
def acceptance_removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Take that back."""
    require_user(request)
    found = articles.find(pk, request.user)
    articles.take_back(found, by=request.user)
    return redirect(f"/learn/articles/{pk}")
