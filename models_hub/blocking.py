"""Content that may not come back after a purge: large content by its sha256, small files also by git's own id.

Small files that others have too, and licences, are nobody's alone: to block those would refuse honest uploads.
"""

import hashlib

from dulwich.objects import Blob as GitBlob

from models_hub import contents, reaching
from models_hub.git import objects
from models_hub.models import Blob, BlockedDigest, GitObject, Repo, RepoBlob
from portal.models import Decision

EVERYBODYS = ("license", "licence", "copying", "notice", ".gitattributes", ".gitignore")
SMALL = 10 * 1000 * 1000  # large content up to here could also come as a file of git
EMPTY = GitBlob.from_string(b"").id.decode()
BLOB, TREE = GitObject.Type.BLOB, GitObject.Type.TREE


def block(repo: Repo, decision: Decision) -> tuple[list[str], list[str]]:
    """Block what a repository holds, in the caller's transaction; returns the digests and the git ids to be deleted."""
    large = [right.blob for right in RepoBlob.objects.filter(repo=repo).select_related("blob")]
    small = _own_small(repo)
    rows = [(blob.sha256, _git_oid(blob)) for blob in large]
    rows += [(hashlib.sha256(objects.body(row)).hexdigest(), row.oid) for row in objects.stream(repo, small)]
    BlockedDigest.objects.bulk_create(
        [BlockedDigest(sha256=sha, git_oid=oid, reason=decision.reason, decision=decision) for sha, oid in rows],
        ignore_conflicts=True, batch_size=objects.BATCH,
    )  # fmt: skip
    return [blob.sha256 for blob in large], small


def _own_small(repo: Repo) -> list[str]:
    """Return the ids of small files that no other owner has and whose names are not those of licences."""
    found = GitObject.objects.filter(repo=repo, type=BLOB)
    others = GitObject.objects.exclude(repo__namespace_id=repo.namespace_id)
    shared = {EMPTY, *others.filter(oid__in=found.values("oid")).values_list("oid", flat=True)}
    trees = GitObject.objects.filter(repo=repo, type=TREE).values_list("oid", flat=True)
    named = reaching.files_of(repo, trees)
    shared |= {oid for oid, name in named.items() if name.lower().startswith(EVERYBODYS)}
    return [oid for oid in found.values_list("oid", flat=True) if oid not in shared]


def _git_oid(blob: Blob) -> str:
    """Return the id that large content would have as a file of git, "" for what is too large for that."""
    if blob.size > SMALL:
        return ""
    try:
        return str(GitBlob.from_string(b"".join(contents.stream(blob))).id.decode())
    except OSError:  # the disk has lost it; its sha256 is known all the same
        return ""
