"""Look and search. Repositories change by commits and by their own settings pages, never by hand."""

from django.contrib import admin

from models_hub.models import Blob, Commit, Ref, Repo
from portal.admin import LookOnly


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
