"""Addresses of the hub's pages. A model's begins with two names, a data set's with `datasets/` before them."""

from django.urls import URLPattern, path

from models_hub.models import Repo
from models_hub.views import (
    access,
    archives,
    arrivals,
    branches,
    cards,
    collections,
    comparisons,
    data,
    editing,
    files,
    likes,
    lists,
    repos,
    restoration,
    storage,
    tokens,
    trash,
    uploads,
    versions,
    webhooks,
)
from portal import path_converters  # noqa: F401  (registers "account")

REPO = "<account:namespace>/<account:name>"
COLLECTION = "collections/<account:owner>/<slug:slug>"


def _pages(prefix: str, kind: str) -> list[URLPattern]:
    """Return the pages of one repository."""
    base, extra = f"{prefix}{REPO}", {"kind": kind}
    return [
        path(base, cards.card, extra, name=f"{kind}"),
        path(f"{base}/tree/<path:place>", files.folder, extra, name=f"{kind}_tree"),
        path(f"{base}/blob/<path:place>", files.file, extra, name=f"{kind}_blob"),
        path(f"{base}/table/<path:place>", data.file_table, extra, name=f"{kind}_table"),
        path(f"{base}/commits/<path:place>", versions.commits, extra, name=f"{kind}_commits"),
        path(f"{base}/commit/<slug:oid>", versions.commit, extra, name=f"{kind}_commit"),
        path(f"{base}/archive/<path:place>", archives.archive, extra, name=f"{kind}_archive"),
        path(f"{base}/restoration/<path:place>", restoration.restoration, extra, name=f"{kind}_restoration"),
        path(f"{base}/compare", comparisons.choose, extra, name=f"{kind}_compare_choice"),
        path(f"{base}/compare/<path:revisions>", comparisons.compare, extra, name=f"{kind}_compare"),
        path(f"{base}/tensor-comparison/<path:revisions>", comparisons.tensors, extra, name=f"{kind}_tensors"),
        path(f"{base}/branches", branches.branches, extra, name=f"{kind}_branches"),
        path(f"{base}/branches/<path:branch>/deletion", branches.deletion, extra, name=f"{kind}_branch_deletion"),
        path(f"{base}/tags", branches.tags, extra, name=f"{kind}_tags"),
        path(f"{base}/tags/<path:tag>/deletion", branches.tag_deletion, extra, name=f"{kind}_tag_deletion"),
        path(f"{base}/upload/<path:place>", uploads.upload, extra, name=f"{kind}_upload"),
        path(f"{base}/new/<path:place>", editing.new, extra, name=f"{kind}_new_file"),
        path(f"{base}/edit/<path:place>", editing.edit, extra, name=f"{kind}_edit"),
        path(f"{base}/move/<path:place>", editing.move, extra, name=f"{kind}_move_file"),
        path(f"{base}/removal/<path:place>", editing.removal, extra, name=f"{kind}_removal"),
        path(f"{base}/collections", collections.of_repo, extra, name=f"{kind}_collections"),
        path(f"{base}/bundle", arrivals.bundle, extra, name=f"{kind}_bundle"),
        path(f"{base}/mirror/comparison", arrivals.comparison, extra, name=f"{kind}_comparison"),
        path(f"{base}/like", likes.like, extra, name=f"{kind}_like"),
        path(f"{base}/access", access.ask, extra, name=f"{kind}_ask_access"),
        path(f"{base}/settings/access", access.requests, extra, name=f"{kind}_access"),
        path(f"{base}/settings/access/decision", access.decision, extra, name=f"{kind}_access_decision"),
        path(f"{base}/settings/access/grant", access.grant, extra, name=f"{kind}_access_grant"),
        path(f"{base}/settings/gate", repos.gate, extra, name=f"{kind}_gate"),
        path(f"{base}/settings/name", repos.move, extra, name=f"{kind}_move"),
        path(f"{base}/settings", repos.settings, extra, name=f"{kind}_settings"),
        path(f"{base}/settings/visibility", repos.visibility, extra, name=f"{kind}_visibility"),
        path(f"{base}/settings/deletion", repos.deletion, extra, name=f"{kind}_deletion"),
        path(f"{base}/storage", storage.of_repo, extra, name=f"{kind}_storage"),
        path(f"{base}/storage/reclamation", storage.reclamation, extra, name=f"{kind}_reclamation"),
    ]


urlpatterns = [
    path("models", lists.repos, {"kind": Repo.Kind.MODEL}, name="models"),
    path("datasets", lists.repos, {"kind": Repo.Kind.DATASET}, name="datasets"),
    path("spaces", lists.repos, {"kind": Repo.Kind.SPACE}, name="spaces"),
    path("models/latest", lists.latest, name="models_latest"),
    path("fragments/repos", lists.of_author, name="repos_of_author"),
    path("fragments/collections", collections.of_owner, name="collections_of_owner"),
    path("collections", collections.listed, name="collections"),
    path("collections/new", collections.new, name="collection_new"),
    path(COLLECTION, collections.show, name="collection"),
    path(f"{COLLECTION}/details", collections.change, name="collection_change"),
    path(f"{COLLECTION}/deletion", collections.deletion, name="collection_deletion"),
    path(f"{COLLECTION}/vote", collections.vote, name="collection_vote"),
    path(f"{COLLECTION}/items", collections.addition, name="collection_addition"),
    path(f"{COLLECTION}/items/<slug:item_id>", collections.item, name="collection_item"),
    path(f"{COLLECTION}/items/<slug:item_id>/removal", collections.removal, name="collection_removal"),
    path("settings/webhooks", webhooks.webhooks, name="settings_webhooks"),
    path("settings/webhooks/<int:webhook_id>", webhooks.webhook, name="settings_webhook"),
    path("settings/webhooks/<int:webhook_id>/switch", webhooks.switch, name="webhook_switch"),
    path("settings/webhooks/<int:webhook_id>/removal", webhooks.removal, name="webhook_removal"),
    path(
        "settings/webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/repetition",
        webhooks.repetition,
        name="webhook_repetition",
    ),
    path("settings/tokens/fine-grained", tokens.fine_grained, name="settings_fine_grained_token"),
    path("new/import", arrivals.new_import, name="new_import"),
    path("new/bundle", arrivals.new_bundle, name="new_bundle"),
    path("settings/deleted", trash.mine, name="settings_deleted"),
    path("organizations/<account:name>/deleted", trash.of_organization, name="organization_deleted"),
    path("deleted/<account:owner>/<int:deletion_id>/restoration", trash.restoration, name="repo_restoration"),
    path("deleted/<account:owner>/<int:deletion_id>/erasure", trash.erasure, name="repo_erasure"),
    path("settings/storage", storage.mine, name="settings_storage"),
    path("organizations/<account:name>/storage", storage.of_organization, name="organization_storage"),
    path("new/model", repos.new, {"kind": Repo.Kind.MODEL}, name="new_model"),
    path("new/dataset", repos.new, {"kind": Repo.Kind.DATASET}, name="new_dataset"),
    path("new/space", repos.new, {"kind": Repo.Kind.SPACE}, name="new_space"),
    path(f"datasets/{REPO}/data/<path:place>", data.data, {"kind": Repo.Kind.DATASET}, name="dataset_data"),
    *_pages("datasets/", Repo.Kind.DATASET),
    *_pages("spaces/", Repo.Kind.SPACE),
    *_pages("", Repo.Kind.MODEL),
]
