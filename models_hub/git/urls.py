"""Addresses of git and LFS: both add to the repository's own, git-lfs with `.git` in front of `info/lfs`."""

from django.urls import URLPattern, path

from models_hub.git import lfs, locks, smart


def _routes(prefix: str, kind: str) -> list[URLPattern]:
    extra = {"kind": kind}
    repo = f"{prefix}<str:namespace>/<str:name>"  # with `.git` at its end or without
    base = f"{repo}.git/info/lfs"
    return [
        path(f"{repo}/info/refs", smart.info_refs, extra, name=f"{kind}_git_refs"),
        path(f"{repo}/git-upload-pack", smart.upload_pack, extra, name=f"{kind}_git_fetch"),
        path(f"{repo}/git-receive-pack", smart.receive_pack, extra, name=f"{kind}_git_push"),
        path(f"{base}/objects/batch", lfs.batch, extra, name=f"{kind}_lfs_batch"),
        path(f"{base}/objects/verify", lfs.verify, extra, name=f"{kind}_lfs_verify"),
        path(f"{base}/objects/<str:oid>", lfs.content, extra, name=f"{kind}_lfs_content"),
        path(f"{base}/objects/<str:oid>/parts", lfs.parts, extra, name=f"{kind}_lfs_parts"),
        path(f"{base}/objects/<str:oid>/parts/<int:number>", lfs.part, extra, name=f"{kind}_lfs_part"),
        path(f"{base}/locks", locks.locks, extra, name=f"{kind}_lfs_locks"),
        path(f"{base}/locks/verify", locks.verify, extra, name=f"{kind}_lfs_locks_verify"),
        path(f"{base}/locks/<int:number>/unlock", locks.unlock, extra, name=f"{kind}_lfs_unlock"),
    ]


urlpatterns = [*_routes("datasets/", "dataset"), *_routes("spaces/", "space"), *_routes("", "model")]
