"""The large files of a repository over all its versions: listed, removed for good, copied to another repository."""

from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import browsing, copying, naming, permissions, purging, sharding
from models_hub.hf_api.calls import Call, text
from models_hub.hf_api.shapes import page, paged, timestamp
from models_hub.models import DEFAULT_BRANCH, RepoBlob
from models_hub.models.refs import HEADS
from portal.errors import InvalidInput, TooLarge

PAGE = 1000
MAX_FILES = 1000


def listed(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """One row for each content, with a name under which it is, or was, in the repository."""
    repo = call.writable_repo(kind, namespace, name)
    rows, cursor = paged(call, RepoBlob.objects.filter(repo=repo).select_related("blob"), PAGE)
    names = naming.names_of(repo, {row.blob.pointer_oid for row in rows})
    shown = []
    for row in rows:
        path, is_in_head = names.get(row.blob.pointer_oid, ("", False))
        shown.append(
            {
                "fileOid": row.blob.sha256,
                "oid": row.blob.sha256,
                "filename": path,
                "pushedAt": timestamp(row.created_at),
                "ref": HEADS + DEFAULT_BRANCH if is_in_head else None,
                "size": row.blob.size,
            }
        )
    return page(call, shown, cursor=cursor)


def delete(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    repo, deletions = call.writable_repo(kind, namespace, name), call.json().get("deletions")
    deletions = deletions if isinstance(deletions, dict) else {}
    digests = deletions.get("sha")
    if not isinstance(digests, list) or not all(isinstance(digest, str) for digest in digests):
        raise InvalidInput(_("“deletions” must hold “sha”, a list of the files’ ids."))
    if len(digests) > MAX_FILES:
        raise TooLarge(_("Remove at most %(max)d files at once.") % {"max": MAX_FILES})
    freed = purging.purge(repo, digests, by=call.user, rewrite_history=bool(deletions.get("rewriteHistory", False)))
    return JsonResponse({"freed": freed})


def duplicate(call: Call, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """Give another repository the right to large files of this one, before a commit there names them."""
    source, body = call.repo(kind, namespace, name), call.json()
    target, files = body.get("target"), body.get("files")
    if not isinstance(target, dict) or not isinstance(files, list):
        raise InvalidInput(_("Say “target”, and “files”, a list of objects."))
    if len(files) > MAX_FILES:
        raise TooLarge(_("Copy at most %(max)d files at once.") % {"max": MAX_FILES})
    digests = [text(file.get("sha256") if isinstance(file, dict) else None, "sha256") for file in files]
    owner, _slash, to = text(target.get("name"), "target.name").partition("/")
    destination = call.writable_repo(text(target.get("type"), "target.type", default="model"), owner, to)
    missing = copying.share(source, destination, digests, by=call.user)
    return JsonResponse(
        {
            "success": [digest for digest in digests if digest not in missing],
            "failed": [{"sha256": digest, "error": _("The source has no such file.")} for digest in sorted(missing)],
        }
    )


def safetensors_metadata(call: Call, namespace: str, name: str, path: str) -> HttpResponseBase:
    """Answer with the headers of all shards that an index of weights on the default branch names."""
    repo = call.repo("model", namespace, name)
    permissions.require_download(call.user, repo)
    commit = browsing.resolve_revision(repo, DEFAULT_BRANCH)
    index = sharding.read_index(repo, browsing.find(repo, commit, path))
    headers = sharding.headers(repo, commit, index, path.rpartition("/")[0])
    return JsonResponse({"headers": headers, "index": {"metadata": index.get("metadata")}})
