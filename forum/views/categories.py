"""Categories and those who keep order in them, for staff."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum import founding
from forum.compose_forms import CategoryForm, StewardForm
from forum.models import Category, Steward
from portal.authentication import require_user
from portal.errors import NotFound


@never_cache
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """All categories in their order."""
    founding.require_staff(require_user(request))
    rooms = Category.objects.prefetch_related("stewards__user")
    return render(request, "forum/compose/categories.html", {"rooms": rooms})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Found a category."""
    founding.require_staff(require_user(request))
    return _form(request, Category(position=Category.objects.count() + 1))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change a category and its rules."""
    founding.require_staff(require_user(request))
    return _form(request, get_object_or_404(Category, slug=slug))


def _form(request: HttpRequest, room: Category) -> HttpResponse:
    slug, status = room.slug, 200
    form = CategoryForm(request.POST or None, instance=room)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            founding.keep(form.instance, by=request.user)
            messages.success(request, _("The category is saved."))
            return redirect("forum_category_edit", slug=form.instance.slug)
    stewards = room.stewards.select_related("user", "appointed_by").order_by("until") if room.pk else []
    context = {"form": form, "room": room, "slug": slug, "stewards": stewards, "steward_form": StewardForm()}
    return render(request, "forum/compose/category.html", context, status=status)


@require_POST
def archiving(request: HttpRequest, slug: str) -> HttpResponse:
    """Close a category, or open it again."""
    room = get_object_or_404(Category, slug=slug)
    founding.archive(room, by=require_user(request), archived=room.archived_at is None)
    return redirect("forum_category_edit", slug=slug)


@require_POST
def stewards(request: HttpRequest, slug: str) -> HttpResponse:
    """Appoint somebody who keeps order in a category."""
    room, form = get_object_or_404(Category, slug=slug), StewardForm(request.POST)
    founding.require_staff(require_user(request))
    if form.is_valid():
        given = form.cleaned_data
        try:
            founding.appoint(room, by=request.user, name=given["name"], months=int(given["months"]))
        except NotFound as error:
            messages.error(request, error.message)
    return redirect("forum_category_edit", slug=slug)


@require_POST
def steward_removal(request: HttpRequest, slug: str, steward: int) -> HttpResponse:
    """End the term of somebody who keeps order."""
    founding.dismiss(get_object_or_404(Steward, pk=steward, category__slug=slug), by=require_user(request))
    return redirect("forum_category_edit", slug=slug)
