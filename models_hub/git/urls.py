"""Addresses of LFS. git-lfs makes them of the repository's address by adding `.git/info/lfs`."""

from django.urls import URLPattern, path

from models_hub.git import lfs


def _routes(prefix: str, kind: str) -> list[URLPattern]:
    base, extra = f"{prefix}<str:namespace>/<str:name>.git/info/lfs", {"kind": kind}
    return [
        path(f"{base}/objects/batch", lfs.batch, extra, name=f"{kind}_lfs_batch"),
        path(f"{base}/objects/verify", lfs.verify, extra, name=f"{kind}_lfs_verify"),
        path(f"{base}/objects/<str:oid>", lfs.content, extra, name=f"{kind}_lfs_content"),
        path(f"{base}/objects/<str:oid>/parts", lfs.parts, extra, name=f"{kind}_lfs_parts"),
        path(f"{base}/objects/<str:oid>/parts/<int:number>", lfs.part, extra, name=f"{kind}_lfs_part"),
        path(f"{base}/locks", lfs.locks, extra, name=f"{kind}_lfs_locks"),
        path(f"{base}/locks/<path:rest>", lfs.locks, extra, name=f"{kind}_lfs_lock"),
    ]


urlpatterns = [*_routes("datasets/", "dataset"), *_routes("spaces/", "space"), *_routes("", "model")]
