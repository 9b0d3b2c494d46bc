"""What a client of LFS is told to do with each content: send it here, in these parts, or nothing at all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from models_hub.git import grants
from models_hub.git.grants import DOWNLOAD, UPLOAD
from models_hub.models import DEFAULT_BRANCH, Blob, Repo
from models_hub.permissions import can_write
from models_hub.xet import tokens
from models_hub.xet.tokens import Scope
from portal.authentication import Caller

MULTIPART_BYTES = 64 * 1024 * 1024
PART_BYTES = 32 * 1024 * 1024
MAX_PARTS = 200  # each has an address of 250 bytes in the answer, for every object of a batch


@dataclass(frozen=True)
class Wanted:
    """One object of a batch, checked; `problem` says why nothing can be done with it."""

    oid: str
    size: int
    problem: str = ""


def part_size(size: int) -> int:
    """Return how long each part but the last is: large files have longer parts, not more of them."""
    return max(PART_BYTES, -(-size // MAX_PARTS))


def part_count(size: int) -> int:
    return -(-size // part_size(size))


def length_of_part(size: int, number: int) -> int:
    return min(part_size(size), size - (number - 1) * part_size(size))


def sizes_to_come(wanted: Iterable[Wanted], held: Mapping[str, Blob]) -> list[int]:
    """Return the sizes of what will be sent, once each: not of what is here and of what is refused anyway."""
    sizes = {one.oid: one.size for one in wanted if not (one.problem or _problem(one, None))}
    return [size for oid, size in sizes.items() if oid not in held]


def upload_answer(
    wanted: Wanted, held: Mapping[str, Blob], *, repo: Repo, caller: Caller, base: str, multipart: bool
) -> dict[str, Any]:
    """Tell how to upload. Only what this very repository holds needs no upload: a digest proves no possession."""
    answer: dict[str, Any] = {"oid": wanted.oid, "size": wanted.size}
    if problem := wanted.problem or _problem(wanted, held.get(wanted.oid)):
        return answer | {"error": {"code": 422, "message": problem}}
    if wanted.oid in held:
        return answer
    signature = grants.sign(UPLOAD, repo=repo, caller=caller, oid=wanted.oid, size=wanted.size)
    address = f"{base}/{wanted.oid}"
    upload: dict[str, Any] = {"href": f"{address}?grant={signature}", "expires_in": settings.SIGNED_URL_SECONDS}
    if multipart and wanted.size > MULTIPART_BYTES:
        parts = {str(n): f"{address}/parts/{n}?grant={signature}" for n in range(1, part_count(wanted.size) + 1)}
        upload |= {
            "href": f"{address}/parts?grant={signature}",
            "header": {"chunk_size": str(part_size(wanted.size)), **parts},
        }
    verify = {"href": f"{base}/verify?grant={signature}", "expires_in": settings.SIGNED_URL_SECONDS}
    return answer | {"authenticated": True, "actions": {"upload": upload, "verify": verify}}


def xet_upload(*, repo: Repo, caller: Caller, origin: str) -> dict[str, Any]:
    """Return where content goes through Xet, with a token as `git-xet` reads it; huggingface_hub asks for its own."""
    may_write = can_write(caller.user, repo)
    token, expires = tokens.issue(
        repo=repo,
        user=caller.user,
        ttl=settings.SIGNED_URL_SECONDS,
        scope=Scope.WRITE if may_write else Scope.PROPOSE,
        access=caller.token,
    )
    route = f"{origin}/api/{repo.kind}s/{repo.full_name}/xet-write-token/{DEFAULT_BRANCH}"
    return {
        "href": route if may_write else f"{route}?create_pr=1",
        "header": {
            "X-Xet-Cas-Url": f"{origin}/cas",
            "X-Xet-Access-Token": token,
            "X-Xet-Token-Expiration": str(expires),
        },
    }


def xet_answer(wanted: Wanted, held: Mapping[str, Blob], *, upload: dict[str, Any]) -> dict[str, Any]:
    """Tell that content is to be sent through Xet, or nothing where this very repository holds it."""
    answer: dict[str, Any] = {"oid": wanted.oid, "size": wanted.size}
    if problem := wanted.problem or _problem(wanted, held.get(wanted.oid)):
        return answer | {"error": {"code": 422, "message": problem}}
    return answer if wanted.oid in held else answer | {"authenticated": True, "actions": {"upload": upload}}


def download_answer(
    wanted: Wanted, held: Mapping[str, Blob], *, repo: Repo, caller: Caller, base: str
) -> dict[str, Any]:
    """Tell where to fetch content that the repository holds."""
    answer: dict[str, Any] = {"oid": wanted.oid, "size": wanted.size}
    if wanted.problem:
        return answer | {"error": {"code": 422, "message": wanted.problem}}
    if wanted.oid not in held:
        return answer | {"error": {"code": 404, "message": _("This repository has no such content.")}}
    signature = grants.sign(DOWNLOAD, repo=repo, caller=caller, oid=wanted.oid, size=held[wanted.oid].size)
    download = {"href": f"{base}/{wanted.oid}?grant={signature}", "expires_in": settings.SIGNED_URL_SECONDS}
    return answer | {"authenticated": True, "actions": {"download": download}}


def _problem(wanted: Wanted, held: Blob | None) -> str:
    if held is not None and held.size != wanted.size:
        return _("The content has %(real)d bytes, not %(claimed)d.") % {"real": held.size, "claimed": wanted.size}
    if wanted.size > settings.MAX_FILE_BYTES:
        return _("A file may have at most %(max)d bytes.") % {"max": settings.MAX_FILE_BYTES}
    return ""
