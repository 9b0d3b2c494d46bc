"""One other hub: what a repository there is, its references, its history and its large content."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from models_hub.upstream import outbound, smart_http
from models_hub.upstream.outbound import UpstreamDown
from models_hub.upstream.smart_http import RemoteRef
from portal.errors import InvalidInput, NotFound

MAX_JSON_BYTES = 1024 * 1024
LFS = "application/vnd.git-lfs+json"
ABSENT = frozenset({401, 403, 404, 410})


class NotThere(NotFound):
    """The other hub has no such repository or content, or does not show it to us."""

    code = "not_upstream"


class HubRefused(InvalidInput):
    """A hub that the admin of this portal has not allowed to import from."""

    code = "hub_refused"


class RemoteRepo(NamedTuple):
    """What another hub says of a repository: its real name, and whether everybody there may read its files."""

    name: str
    is_open: bool


@dataclass(frozen=True)
class Hub:
    """Another hub by its address. The token is sent to it and to nobody else."""

    address: str
    token: str = ""

    def find(self, kind: str, name: str) -> RemoteRepo:
        """Ask for a repository; raises NotThere or UpstreamDown."""
        url = f"{self.address}/api/{kind}s/{quote(name)}?expand=private&expand=gated&expand=sha"
        with outbound.ask("GET", url, trusted=self.address, token=self.token) as response:
            if response.status in ABSENT:
                raise NotThere(_("The other hub has no such repository, or does not show it to this portal."))
            if response.status != 200:
                raise UpstreamDown(_("The other hub cannot be reached at the moment. Try again later."))
            found = _json(outbound.read(response, MAX_JSON_BYTES))
        if not isinstance(found.get("id"), str):
            raise UpstreamDown(_("The other hub answers in a way that this portal does not understand."))
        return RemoteRepo(found["id"], not found.get("private") and not found.get("gated"))

    def refs(self, kind: str, name: str) -> list[RemoteRef]:
        """Return the branches and tags; raises NoGit where the hub does not speak git."""
        return smart_http.list_refs(self._page(kind, name), trusted=self.address, token=self.token)

    def pack(self, kind: str, name: str, *, wants: Iterable[str], haves: Iterable[str]) -> Iterator[bytes]:
        """Yield the pack of the history that is missing here."""
        url = self._page(kind, name)
        return smart_http.fetch(url, wants=wants, haves=haves, trusted=self.address, token=self.token)

    def content(
        self, kind: str, name: str, *, sha256: str, size: int, start: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Yield large content, or `length` bytes of it from `start` on. Nothing is verified here."""
        end = size if length is None else min(start + length, size)
        url, headers = self._download(kind, name, sha256, size)
        if (start, end) != (0, size):
            headers["Range"] = f"bytes={start}-{end - 1}"
        with outbound.ask("GET", url, trusted=self.address, headers=headers) as response:
            if response.status not in {200, 206}:
                raise UpstreamDown(_("The other hub did not send a file that it has announced. Try again later."))
            skip = start if response.status == 200 else 0  # it knows no ranges
            yield from _cut(outbound.blocks(response), skip, end - start)

    def _page(self, kind: str, name: str) -> str:
        return f"{self.address}/{'' if kind == 'model' else f'{kind}s/'}{quote(name)}"

    def _download(self, kind: str, name: str, sha256: str, size: int) -> tuple[str, dict[str, str]]:
        """Ask by LFS where content is; needs no path, only that the repository there has it."""
        asked = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": sha256, "size": size}]}
        url = f"{self._page(kind, name)}.git/info/lfs/objects/batch"
        with outbound.ask(
            "POST", url, trusted=self.address, token=self.token, headers={"Content-Type": LFS, "Accept": LFS},
            body=json.dumps(asked).encode(),
        ) as response:  # fmt: skip
            if response.status in ABSENT:
                raise NotThere(_("The other hub no longer gives this portal the file."))
            if response.status != 200:
                raise UpstreamDown(_("The other hub cannot be reached at the moment. Try again later."))
            answer = _json(outbound.read(response, MAX_JSON_BYTES))
        try:
            download = answer["objects"][0]["actions"]["download"]
            sent = {str(key): str(value) for key, value in download.get("header", {}).items()}
            return str(download["href"]), sent
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise NotThere(_("The other hub no longer gives this portal the file.")) from error


def upstream() -> Hub | None:
    """Return the hub that this portal mirrors, None when it mirrors none."""
    return Hub(settings.UPSTREAM_HUB, settings.UPSTREAM_TOKEN) if settings.UPSTREAM_HUB else None


def allowed_hubs() -> list[str]:
    """Return the addresses of the hubs that people may import from."""
    return list(dict.fromkeys(address for address in (settings.UPSTREAM_HUB, *settings.IMPORT_HUBS) if address))


def importable(address: str) -> Hub:
    """Return a hub that people may import from, without any token; raises HubRefused for all others."""
    address = outbound.check_address(address)
    if address not in allowed_hubs():
        raise HubRefused(
            _("Imports are possible from these hubs: %(hubs)s.") % {"hubs": ", ".join(allowed_hubs()) or _("none")}
        )
    return Hub(address)


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UpstreamDown(_("The other hub answers in a way that this portal does not understand."))
    return value


def _cut(blocks: Iterable[bytes], skip: int, length: int) -> Iterator[bytes]:
    """Leave out the first `skip` bytes and what follows after `length` more; raises UpstreamDown for too few."""
    for block in blocks:
        if skip >= len(block):
            skip -= len(block)
            continue
        part = block[skip : skip + length]
        skip, length = 0, length - len(part)
        yield part
        if length == 0:
            return
    if length:
        raise UpstreamDown(_("The other hub broke off the transfer of a file."))
