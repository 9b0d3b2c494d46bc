"""Look and search. Repositories change by commits and by their own settings pages, never by hand."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from models_hub import quotas
from models_hub.models import (
    AccessRequest,
    Blob,
    BlockedDigest,
    Collection,
    Commit,
    DamagedContent,
    Deletion,
    Import,
    Mirror,
    PullRequest,
    QuotaAccount,
    QuotaEntry,
    Ref,
    Release,
    Repo,
    Restriction,
    UpkeepRun,
    Webhook,
    WebhookDelivery,
)
from portal.administration import LookOnly, look
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
class QuotaAccountAdmin(ModelAdmin):  # type: ignore[misc]  # untyped
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


@admin.register(UpkeepRun)
class UpkeepRunAdmin(LookOnly):
    """What the collections freed and the scrubs read."""

    list_display = ("id", "kind", "started_at", "finished_at", "freed", "let_go", "found_damaged")
    list_filter = ("kind",)
    ordering = ("-id",)

    @admin.display(description=_("freed on disk"))
    def freed(self, run: UpkeepRun) -> str:
        return bytesize(run.figures.get("file_bytes"))

    @admin.display(description=_("of mirrors let go"))
    def let_go(self, run: UpkeepRun) -> str:
        return bytesize(run.figures.get("mirrored_bytes"))

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


REPO = ("repo__namespace",)
look(PullRequest, "id", "repo", "number", "author", "base", "status", "created_at",
     search=("repo__lower", "author__username"), filters=("status",), related=REPO)  # fmt: skip
look(Release, "tag", "repo", "title", "author", "created_at", search=("repo__lower", "title"), related=REPO)
look(Collection, "id", "title", "namespace", "private", "upvotes", "created_by", "updated_at",
     search=("title", "namespace__lower"), filters=("private",))  # fmt: skip
look(AccessRequest, "repo", "user", "status", "granted_by", "created_at", search=("repo__lower", "user__username"),
     filters=("status",), related=REPO)  # fmt: skip
look(Mirror, "repo", "upstream", "checked_at", "synced_at", "gone_at", search=("repo__lower",), related=REPO)
look(Import, "repo", "upstream", "source", "requested_by", "finished_at",
     search=("repo__lower", "source"), related=REPO)  # fmt: skip
look(Deletion, "repo", "by", "at", "was_private", search=("repo__lower", "by__username"), related=REPO)
look(Restriction, "repo", "level", "reason", "since",
     search=("repo__lower",), filters=("level", "reason"), related=REPO)  # fmt: skip
look(BlockedDigest, "sha256", "git_oid", "reason", "created_at", search=("sha256", "git_oid"), filters=("reason",))
look(Webhook, "id", "url", "owner", "organization", "disabled", "failures", "created_at",
     search=("url", "owner__username", "organization__name"), filters=("disabled",),
     hidden=("sealed_secret",))  # fmt: skip
look(WebhookDelivery, "id", "webhook", "scope", "action", "state", "attempts", "status", "created_at",
     search=("webhook__url",), filters=("state",), hidden=("body", "answer"), related=("webhook",))  # fmt: skip
