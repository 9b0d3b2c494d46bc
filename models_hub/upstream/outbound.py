"""The one way in which this portal asks another hub. Only the hub that an admin named is trusted with its address.

Wherever an answer leads beyond that hub, the host is resolved once, must be public and reached by TLS, and the
connection goes to the address that was checked; the access token never goes along.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from django.utils.translation import gettext as _
from urllib3.response import BaseHTTPResponse

from portal import outbound
from portal.errors import InvalidInput, Unavailable

logger = logging.getLogger(__name__)

TIMEOUT = urllib3.Timeout(connect=5, read=30)
BLOCK = 1024 * 1024
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PORTS = {"http": 80, "https": 443}
USER_AGENT = "small-models-portal"


class UpstreamDown(Unavailable):
    """The other hub does not answer, or not as it should; another time it may."""

    code = "upstream_down"


class AddressRefused(InvalidInput):
    """An address that this portal never asks: not a web address, or one inside its own network."""

    code = "address_refused"


@contextmanager
def ask(
    method: str,
    url: str,
    *,
    trusted: str,
    token: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Iterator[BaseHTTPResponse]:
    """Give the answer to a request, its body unread; redirects are followed.

    `trusted` is the address of the hub that an admin named. Raises UpstreamDown or AddressRefused.
    """
    response: BaseHTTPResponse | None = None
    try:
        for _hop in range(MAX_REDIRECTS):
            response = _send(method, url, trusted=trusted, token=token, headers=headers or {}, body=body)
            location = response.headers.get("Location", "")
            if response.status not in REDIRECTS or not location:
                yield response
                return
            url = urljoin(url, location)
            response.close()  # unread: what refers elsewhere may have a body without end
        raise UpstreamDown(_("The other hub sends its visitors in circles."))
    except urllib3.exceptions.HTTPError as error:
        logger.info("%s cannot be asked: %s", urlsplit(url).hostname, error)
        raise UpstreamDown(_("The other hub cannot be reached at the moment. Try again later.")) from error
    finally:
        if response is not None:
            response.close()


def read(response: BaseHTTPResponse, most: int) -> bytes:
    """Return a body of at most `most` bytes; raises UpstreamDown for a longer one."""
    data = response.read(most + 1)
    if len(data) > most:
        raise UpstreamDown(_("The other hub answers with more than was asked for."))
    return data


def blocks(response: BaseHTTPResponse) -> Iterator[bytes]:
    """Yield a body as it arrives."""
    while block := response.read1(BLOCK) if hasattr(response, "read1") else response.read(BLOCK):
        yield block


def check_address(address: str) -> str:
    """Return the address of a hub in its one form; raises AddressRefused when it is none."""
    parts = _split(address)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise AddressRefused(_("Give the hub’s plain address, such as https://hub.example.org."))
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _send(
    method: str, url: str, *, trusted: str, token: str, headers: Mapping[str, str], body: bytes | None
) -> BaseHTTPResponse:
    parts = _split(url)
    sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Host": parts.netloc, **headers}
    if _origin(parts) == _origin(_split(trusted)):
        pool = _trusted_pool(*_origin(parts))
        if token:
            sent["Authorization"] = f"Bearer {token}"
    else:
        pool = _pinned_pool(parts)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    return pool.urlopen(
        method, target, body=body, headers=sent, redirect=False, retries=False, preload_content=False,
        timeout=TIMEOUT, decode_content=False,
    )  # fmt: skip


def _split(url: str) -> SplitResult:
    refused = AddressRefused(_("This is not the address of a website: it must begin with https:// or http://."))
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError for one that is no number
    except ValueError as error:
        raise refused from error
    if parts.scheme not in PORTS or not parts.hostname or not url.isprintable() or " " in url:
        raise refused
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or PORTS[parts.scheme]


@cache
def _trusted_pool(scheme: str, host: str, port: int) -> urllib3.HTTPConnectionPool:
    pool = urllib3.HTTPSConnectionPool if scheme == "https" else urllib3.HTTPConnectionPool
    return pool(host, port, maxsize=8)


def _pinned_pool(parts: SplitResult) -> urllib3.HTTPConnectionPool:
    """Return connections to the very address that was checked: a name that resolves otherwise later changes nothing."""
    scheme, host, port = _origin(parts)
    if scheme != "https":
        raise AddressRefused(_("The other hub refers to an address without TLS, which is not followed."))
    try:
        address = outbound.resolve(host, port)
    except outbound.AddressRefused as error:
        raise AddressRefused(
            _("The other hub refers to an address inside a private network, which is not followed.")
        ) from error
    except outbound.Unreachable as error:
        raise UpstreamDown(_("The other hub refers to a host that has no address.")) from error
    return urllib3.HTTPSConnectionPool(address, port, maxsize=1, server_hostname=host, assert_hostname=host)
