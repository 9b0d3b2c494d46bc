"""Addresses of the hub's pages. A model's begins with two names, a data set's with `datasets/` before them."""

from django.urls import URLPattern, path

from models_hub.models import Repo
from models_hub.views import cards, collections, editing, files, lists, repos, tokens, uploads, versions
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
        path(f"{base}/commits/<path:place>", versions.commits, extra, name=f"{kind}_commits"),
        path(f"{base}/commit/<slug:oid>", versions.commit, extra, name=f"{kind}_commit"),
        path(f"{base}/upload/<path:place>", uploads.upload, extra, name=f"{kind}_upload"),
        path(f"{base}/new/<path:place>", editing.new, extra, name=f"{kind}_new_file"),
        path(f"{base}/edit/<path:place>", editing.edit, extra, name=f"{kind}_edit"),
        path(f"{base}/removal/<path:place>", editing.removal, extra, name=f"{kind}_removal"),
        path(f"{base}/collections", collections.of_repo, extra, name=f"{kind}_collections"),
        path(f"{base}/settings", repos.settings, extra, name=f"{kind}_settings"),
        path(f"{base}/settings/visibility", repos.visibility, extra, name=f"{kind}_visibility"),
        path(f"{base}/settings/deletion", repos.deletion, extra, name=f"{kind}_deletion"),
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
    path("settings/tokens/fine-grained", tokens.fine_grained, name="settings_fine_grained_token"),
    path("new/model", repos.new, {"kind": Repo.Kind.MODEL}, name="new_model"),
    path("new/dataset", repos.new, {"kind": Repo.Kind.DATASET}, name="new_dataset"),
    path("new/space", repos.new, {"kind": Repo.Kind.SPACE}, name="new_space"),
    *_pages("datasets/", Repo.Kind.DATASET),
    *_pages("spaces/", Repo.Kind.SPACE),
    *_pages("", Repo.Kind.MODEL),
]
