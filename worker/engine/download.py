"""Fetch files of a portal over HTTP and check each against its sha256. Needs nothing but Python."""

import hashlib
import os
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json

TIMEOUT = 60
CHUNK = 1 << 20
ANSWER_LIMIT = 64 << 20
WHY_REFUSED = {
    401: "sign in with --token hf_...",
    403: "the token does not allow this",
    404: "there is nothing there, or it is private: pass --token hf_... of an account that may see it",
    429: "the portal is being asked too often, try again in some minutes",
}


class Portal:
    """One portal, and the token that is shown to it and to nobody else."""

    def __init__(self, base: str, token: str | None = None) -> None:
        self.base = base.rstrip("/")
        parts = urlsplit(self.base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EngineError("bad_spec", f"{base[:200]!r} is not an http address")
        self.token = token

    def read_json(self, url: str) -> dict[str, Any]:
        """Return the JSON object at an address of the portal."""
        with self._open(url) as answer:
            raw = self._read(answer, url, ANSWER_LIMIT + 1)
        try:
            value = parse_json(raw) if len(raw) <= ANSWER_LIMIT else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise EngineError("download_failed", f"{url} does not answer with a JSON object: is it an API address?")
        return value

    def fetch(self, repo: str, commit: str, path: str, sha256: str, target: Path) -> None:
        """Save one file of a repository, unless it is there already; wrong bytes are an error and not kept."""
        if target.is_file() and _digest_of(target) == sha256:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        url = f"{self.base}/{quote(repo)}/resolve/{commit}/{quote(path)}"
        partial = target.with_name(target.name + ".part")
        digest = hashlib.sha256()
        with self._open(url) as answer, partial.open("wb") as file:
            while chunk := self._read(answer, url, CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != sha256:
            partial.unlink()
            raise EngineError(
                "download_failed",
                f"{path} at {commit[:8]} is not the file that was evaluated: its sha256 is {digest.hexdigest()}, "
                f"the recipe says {sha256}.",
            )
        os.replace(partial, target)

    def _open(self, url: str) -> IO[bytes]:
        headers = {"Accept": "*/*", "User-Agent": "small-models-portal-reproduce"}
        request = Request(url, headers=headers)  # noqa: S310  (every address begins with the checked base)
        if self.token and _origin(url) == _origin(self.base):
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        try:
            answer: IO[bytes] = self._opener().open(request, timeout=TIMEOUT)
        except HTTPError as error:
            error.close()
            why = WHY_REFUSED.get(error.code, "the portal refuses")
            raise EngineError("download_failed", f"{url} answers {error.code}: {why}") from error
        except (URLError, OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise EngineError("download_failed", f"{self.base} cannot be reached: {str(reason)[:200]}") from error
        return answer

    def _read(self, answer: IO[bytes], url: str, size: int) -> bytes:
        try:
            return answer.read(size)
        except (OSError, HTTPException) as error:
            raise EngineError("download_failed", f"{url} broke off: {str(error)[:200]}") from error

    def _opener(self) -> OpenerDirector:
        return build_opener(_KeepTokenAtHome(self))


class _KeepTokenAtHome(HTTPRedirectHandler):
    """Shows the token again after a redirect within the portal, never to the storage host it may point at."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the follow-up request."""
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and self.portal.token and _origin(newurl) == _origin(self.portal.base):
            request.add_unredirected_header("Authorization", f"Bearer {self.portal.token}")
        return request


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
