"""Look and search for those who run the site. What may be changed is changed by the verbs of the domain."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy, ngettext

from portal.authentication import require_user
from portal.errors import Conflict
from portal.models import AccessToken, Event, Job, Membership, Namespace, OAuthApp, Organization, User, WorkerNode

# The admin's own sign-in page has no rate limit; allauth's has.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class LookOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Rows to look at. A row changed by hand would skip the rules and the events."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _may_act(request: HttpRequest, permission: str) -> bool:
    return require_user(request).has_perm(f"portal.{permission}")


@admin.register(User)
class UserAdmin(LookOnly):
    list_display = ("username", "email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "is_demo")
    search_fields = ("username", "email", "first_name")
    exclude = ("password",)
    ordering = ("-id",)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Organization)
class OrganizationAdmin(LookOnly):
    list_display = ("name", "title", "created_at")
    search_fields = ("name", "title")
    inlines = (MembershipInline,)


@admin.register(Namespace)
class NamespaceAdmin(LookOnly):
    list_display = ("name", "user", "organization")
    list_select_related = ("user", "organization")
    search_fields = ("lower",)


@admin.register(AccessToken)
class AccessTokenAdmin(LookOnly):
    """Tokens without their digests: nothing here helps to use one."""

    list_display = ("name", "user", "role", "hint", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("role",)
    list_select_related = ("user",)
    search_fields = ("user__username", "name", "hint")
    fields = ("user", "name", "role", "hint", "created_at", "expires_at", "last_used_at", "revoked_at")
    actions = ("revoke_tokens",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return _may_act(request, "change_accesstoken")

    @admin.action(description=gettext_lazy("Revoke the selected tokens"), permissions=["revoke"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        for token in queryset:
            token.revoke()
        self.message_user(request, gettext("The tokens are revoked."), messages.SUCCESS)


@admin.register(OAuthApp)
class OAuthAppAdmin(LookOnly):
    """Registered programs, without the digests of their secrets."""

    list_display = ("name", "owner", "client_id", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "client_id", "owner__username")
    fields = ("name", "owner", "client_id", "homepage", "redirect_uris", "created_at")


@admin.register(Job)
class JobAdmin(LookOnly):
    list_display = ("id", "kind", "title", "state", "queue", "owner", "attempt", "worker", "created_at")
    list_filter = ("state", "kind", "queue")
    list_select_related = ("owner",)
    search_fields = ("title", "owner__username", "reason_code")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("cancel_jobs",)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return _may_act(request, "change_job")

    @admin.action(description=gettext_lazy("Cancel the selected jobs"), permissions=["cancel"])
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        by, over = require_user(request), 0
        for job in queryset:
            try:
                job.cancel(by=by)
            except Conflict:
                over += 1
        if over:
            text = ngettext("%(n)d job was over already.", "%(n)d jobs were over already.", over) % {"n": over}
            self.message_user(request, text, messages.WARNING)


@admin.register(Event)
class EventAdmin(LookOnly):
    list_display = ("id", "kind", "subject", "actor", "created_at", "delivered_at")
    list_select_related = ("actor",)
    search_fields = ("kind", "subject", "actor__username")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(WorkerNode)
class WorkerNodeAdmin(LookOnly):
    list_display = ("name", "queues", "slots", "seen_at")
    search_fields = ("name",)
