"""The administration: which site it is, who may open it, and how rows are looked at there."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import ForeignKey, Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from portal.models import User

COUNTED = 10_000  # a list of millions says no more than that it is longer


class AdministrationSite(UnfoldAdminSite):  # type: ignore[misc]  # untyped
    """For staff with a second factor. Signing in is allauth's: the admin's own page has no rate limit."""

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Leave out what other packages register: there it could be changed by hand, and shows what opens accounts."""
        if admin_class is not None and issubclass(admin_class, ModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return is_staff(request) and has_factor(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if is_staff(request) and not has_factor(request):
            messages.warning(request, _("The administration asks for a second factor. Set one up first."))
            return redirect("mfa_index")
        answer: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return answer


def is_staff(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.is_staff


def has_factor(request: HttpRequest) -> bool:
    """Whether the person has a second factor, or none is asked for; looked up once in a request."""
    if not settings.ADMIN_SECOND_FACTOR:
        return True
    if not hasattr(request, "admin_factor"):
        request.admin_factor = isinstance(request.user, User) and request.user.has_second_factor  # type: ignore[attr-defined]
    return bool(request.admin_factor)  # type: ignore[attr-defined]


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than COUNTED: to count millions of rows takes seconds."""

    @cached_property
    def count(self) -> int:
        return int(self.object_list[:COUNTED].count())  # type: ignore[attr-defined]


class LookOnly(ModelAdmin):  # type: ignore[misc]  # untyped
    """Rows to look at. A row changed by hand would skip the rules and the events; ledgers are never changed at all."""

    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator
    compressed_fields = True
    list_filter_submit = True

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        names = str(model._meta.verbose_name_plural)
        if names.endswith("ys"):  # Django’s English; a name in each Meta would be a migration of each
            model._meta.verbose_name_plural = f"{names.removesuffix('ys')}ies"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestFirst


class NewestFirst(ChangeList):
    """A list in the order of its keys, whatever order the model has for other pages."""

    def _get_default_ordering(self) -> Sequence[Any]:
        return tuple(self.model_admin.ordering or ("-pk",))


def look(
    model: type[Model],
    *shown: str,
    search: Sequence[str] = (),
    filters: Sequence[Any] = (),
    related: Sequence[str] = (),
    hidden: Sequence[str] = (),
) -> None:
    """Let rows be looked at: the columns of their list, by what it is searched and narrowed, and what is never shown.

    What the columns name is loaded with the rows; `related` adds what naming those takes.
    """
    foreign = [name for name in shown if isinstance(_field(model, name), ForeignKey)]
    attributes = {
        "list_display": shown, "search_fields": tuple(search), "list_filter": tuple(filters),
        "list_select_related": tuple(dict.fromkeys([*foreign, *related])) or False, "exclude": tuple(hidden),
    }  # fmt: skip
    admin.site.register(model, type(f"{model.__name__}Admin", (LookOnly,), attributes))


def _field(model: type[Model], name: str) -> object:
    return next((field for field in model._meta.get_fields() if field.name == name), None)
