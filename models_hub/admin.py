"""Look and search. Repositories change by commits and by their own settings pages, never by hand."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from models_hub import quotas
from models_hub.models import Blob, Commit, DamagedContent, QuotaAccount, QuotaEntry, Ref, Repo, UpkeepRun
from portal.admin import LookOnly
from portal.authentication import require_user
from portal.templatetags.ui import bytesize


@admin.register(Repo)
class RepoAdmin(LookOnly):
    list_display = ("id", "full_name", "kind", "private", "task", "license", "parameters", "size", "updated_at")
    list_select_related = ("namespace",)
    list_filter = ("kind", "private", "task")
    search_fields = ("namespace__lower", "lower")


@admin.register(Commit)
class CommitAdmin(LookOnly):
    list_display = ("oid", "repo", "title", "author_name", "authored_at")
    list_select_related = ("repo__namespace",)
    search_fields = ("oid", "title", "author_name")


@admin.register(Ref)
class RefAdmin(LookOnly):
    list_display = ("name", "repo", "oid", "updated_at")
    list_select_related = ("repo__namespace",)
    search_fields = ("name", "repo__lower")


@admin.register(Blob)
class BlobAdmin(LookOnly):
    list_display = ("sha256", "size", "in_pieces", "created_at")
    search_fields = ("sha256",)


@admin.register(QuotaAccount)
class QuotaAccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """How much each owner holds; here its limit is set."""

    list_display = ("namespace", "used_now", "limit_shown", "is_limit_its_own")
    list_select_related = ("namespace",)
    search_fields = ("namespace__lower",)
    ordering = ("-used",)
    autocomplete_fields = ("namespace",)
    fields = ("namespace", "limit", "used_now")
    readonly_fields = ("used_now",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("used_now", "namespace") if obj else ("used_now",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: QuotaAccount, form: Any, change: bool) -> None:
        with transaction.atomic():
            account = quotas.hold_owner(obj.namespace_id)
            account.set_limit(obj.limit, by=require_user(request))
        obj.pk, obj.used = account.pk, account.used

    @admin.display(description=_("used"), ordering="used")
    def used_now(self, account: QuotaAccount) -> str:
        return bytesize(account.used)

    @admin.display(description=_("limit"))
    def limit_shown(self, account: QuotaAccount) -> str:
        return bytesize(account.limit_now)

    @admin.display(description=_("limit of its own"), boolean=True)
    def is_limit_its_own(self, account: QuotaAccount) -> bool:
        return account.limit is not None


@admin.register(QuotaEntry)
class QuotaEntryAdmin(LookOnly):
    list_display = ("id", "account", "reason", "bytes", "repo_id", "created_at")
    list_filter = ("reason",)
    list_select_related = ("account__namespace",)
    search_fields = ("account__namespace__lower",)
    ordering = ("-id",)
    fields = ("account", "reason", "bytes", "repo_id", "created_at")
    show_full_result_count = False


@admin.register(UpkeepRun)
class UpkeepRunAdmin(LookOnly):
    """What the collections freed and the scrubs read."""

    list_display = ("id", "kind", "started_at", "finished_at", "freed", "found_damaged")
    list_filter = ("kind",)
    ordering = ("-id",)

    @admin.display(description=_("freed on disk"))
    def freed(self, run: UpkeepRun) -> str:
        return bytesize(run.figures.get("file_bytes"))

    @admin.display(description=_("damaged"))
    def found_damaged(self, run: UpkeepRun) -> str:
        return str(run.figures.get("damaged", ""))


@admin.register(DamagedContent)
class DamagedContentAdmin(LookOnly):
    """Content that no longer has its digest: it is not served until somebody sends it again."""

    list_display = ("key", "size", "found_at", "healed_at")
    list_filter = (("healed_at", admin.EmptyFieldListFilter),)
    search_fields = ("key",)
    ordering = ("-id",)
