"""Look and search for those who run the site. What may be changed is changed by the verbs of the domain."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.admin import TabularInline

from portal.administration import LookOnly, look
from portal.authentication import require_user
from portal.errors import Conflict
from portal.models import (
    AccessToken,
    Appeal,
    AuditEntry,
    Award,
    BadgeClaim,
    BadgeEvidence,
    BadgeGrant,
    Case,
    Decision,
    Domain,
    Event,
    Invitation,
    Job,
    Letter,
    LogEntry,
    Membership,
    Mentorship,
    Namespace,
    Notice,
    OAuthApp,
    Organization,
    Placing,
    Report,
    ReputationLine,
    Restraint,
    Season,
    Term,
    Trust,
    TrustChange,
    User,
    WatchedWord,
    WorkerNode,
)


def _may_act(request: HttpRequest, permission: str) -> bool:
    return require_user(request).has_perm(f"portal.{permission}")


@admin.register(User)
class UserAdmin(LookOnly):
    list_display = ("username", "email", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "is_demo")
    search_fields = ("username", "email", "first_name")
    exclude = ("password",)
    ordering = ("-id",)


class MembershipInline(TabularInline):  # type: ignore[misc]  # untyped
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


@admin.register(WorkerNode)
class WorkerNodeAdmin(LookOnly):
    list_display = ("name", "queues", "slots", "seen_at")
    search_fields = ("name",)


look(EmailAddress, "email", "user", "verified", "primary", search=("email", "user__username"), filters=("verified",))
look(Invitation, "organization", "user", "email", "role", "invited_by", "created_at", "ended_at",
     search=("email", "user__username", "organization__name"), filters=("role",), hidden=("digest",))  # fmt: skip
look(Domain, "name", "organization", "verified_at", "checked_at", search=("name", "organization__name"))
look(AuditEntry, "created_at", "kind", "account", "actor", "subject", "address",
     search=("account__username", "kind", "subject", "address"), filters=("created_at",))  # fmt: skip
look(Letter, "created_at", "user", "subject", "state", "attempts", "why", "ended_at",
     search=("user__username", "address", "subject"), filters=("state", "is_digest"))  # fmt: skip

# Moderation: decided on its own pages, and its log is a chain that nothing may change.
look(LogEntry, "seq", "at", "actor_name", "action", "target", "reason", search=("actor_name", "action", "target"),
     filters=("at",))  # fmt: skip
look(Case, "id", "about", "kind", "status", "author", "score", "claimed_by", "opened_at", "due_at",
     search=("about", "title", "author__username"), filters=("status", "kind", "hidden_by_machine"))  # fmt: skip
look(Report, "id", "case", "reporter", "reason", "weight", "verdict", "created_at",
     search=("case__about", "reporter__username"), filters=("verdict", "reason", "is_machine"))  # fmt: skip
look(Decision, "id", "about", "action", "reason", "by", "person", "created_at", "undone_at",
     search=("about", "by__username", "person__username"), filters=("action", "reason", "by_machine"))  # fmt: skip
look(Notice, "id", "decision", "person", "created_at", "read_at", search=("person__username", "decision__about"))
look(Appeal, "id", "notice", "status", "decided_by", "created_at", "decided_at",
     search=("notice__person__username",), filters=("status", "is_counter_notice"),
     related=("notice__decision", "notice__person"))  # fmt: skip
look(Restraint, "person", "kind", "until", "lifted_at", "created_at", search=("person__username",), filters=("kind",))
look(WatchedWord, "word", "action", "value", "created_by", "created_at", search=("word",), filters=("action",))

# Trust, reputation, badges and seasons: computed from what rows prove.
look(Trust, "user", "level", "checked_at", search=("user__username",), filters=("level",))
look(TrustChange, "user", "before", "after", "created_at", search=("user__username",), filters=("after",))
look(Term, "user", "since", "until", "appointed_by", "reason", "ended_at", search=("user__username",))
look(ReputationLine, "id", "user", "track", "kind", "key", "giver", "points", "weight", "at",
     search=("user__username", "giver__username", "key"), filters=("track", "kind"))  # fmt: skip
look(BadgeEvidence, "user", "badge", "key", "amount", "at", "settles_at", "counted_at", "void_at",
     search=("user__username", "badge", "key"))  # fmt: skip
look(BadgeGrant, "user", "badge", "tier", "evidence", "granted_at", "revoked_at",
     search=("user__username", "badge", "evidence"), filters=("tier",))  # fmt: skip
look(BadgeClaim, "user", "badge", "key", "state", "decided_by", "created_at",
     search=("user__username", "badge", "key"), filters=("state",))  # fmt: skip
look(Mentorship, "mentor", "mentee", "mentee_level", "agreed_at", "ended_at",
     search=("mentor__username", "mentee__username"))  # fmt: skip
look(Season, "slug", "starts_at", "ends_at", "closed_at", search=("slug",))
look(Placing, "season", "kind", "board", "rank", "user", "key", "struck_at",
     search=("user__username", "board", "key"), filters=("kind",))  # fmt: skip
look(Award, "season", "kind", "user", "key", "given_by", "created_at",
     search=("user__username", "key"), filters=("kind",))  # fmt: skip
