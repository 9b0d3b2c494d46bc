"""Requests to addresses that people have typed. They must not reach what only this machine can reach.

A name is resolved once, every address it has is judged, and the connection goes to the one judged, so that a name
that answers differently the second time gains nothing. Redirects are not followed. Time and size are bounded.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext_noop

from portal.errors import DomainError

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
MAX_ANSWER = 64 * 1024
WEB_PORTS = frozenset({80, 443})
FIRST_FREE_PORT = 1024  # below, other services than the web's listen
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

# Reasons are stored in English and translated where they are shown.
NOT_AN_ADDRESS = gettext_noop("This is not an address that can be called: it must begin with https:// or http://.")
REFUSED = gettext_noop("This address is not called: it belongs to a private network, or to this machine.")
BAD_PORT = gettext_noop("This address is not called: its port belongs to another service than the web.")
UNKNOWN_HOST = gettext_noop("The host name is not known.")
UNREACHABLE = gettext_noop("The address could not be reached.")
TOO_SLOW = gettext_noop("The answer took too long.")


class Unreachable(DomainError):
    """There was no answer; another time there may be one. The message is stored in English."""

    code = "unreachable"


class AddressRefused(Unreachable):
    """The address is not called at all, now or later."""

    code = "address_refused"


@dataclass(frozen=True)
class Answer:
    """What came back, of the body no more than the beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def check(url: str) -> SplitResult:
    """Return the parts of an address that may be called as far as it can be told without asking for its name."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise AddressRefused(NOT_AN_ADDRESS) from error
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or not plain:
        raise AddressRefused(NOT_AN_ADDRESS)
    if port is not None and port not in WEB_PORTS and port < FIRST_FREE_PORT:
        raise AddressRefused(BAD_PORT)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return parts
    if not _is_allowed(host) and not is_public(address):
        raise AddressRefused(REFUSED)
    return parts


def resolve(host: str, port: int) -> str:
    """Return one address of a host; raises AddressRefused when any of its addresses is out of bounds."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(UNKNOWN_HOST) from error
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not addresses:
        raise Unreachable(UNKNOWN_HOST)
    if not _is_allowed(host) and not all(is_public(ipaddress.ip_address(one.split("%")[0])) for one in addresses):
        raise AddressRefused(REFUSED)
    return addresses[0]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether an address belongs to the open network, also when it is wrapped in another one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not is_public(inner):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def send(method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """Call an address and return its answer, a redirect included; raises AddressRefused or Unreachable."""
    parts = check(url)
    host, secure = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection = _Pinned(host, port, resolve(host, port), secure=secure)
    # A timeout of the socket begins anew with each byte: only a clock beside it bounds the whole.
    clock = threading.Timer(TOTAL_SECONDS, connection.cut)
    clock.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        answer = response.read(MAX_ANSWER)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(TOO_SLOW if connection.is_cut or isinstance(error, TimeoutError) else UNREACHABLE) from error
    finally:
        clock.cancel()
        connection.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, answer)


def _is_allowed(host: str) -> bool:
    return host.lower() in {name.lower() for name in settings.OUTBOUND_HOSTS}


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was judged, under the name that it was asked for by."""

    def __init__(self, host: str, port: int, address: str, *, secure: bool) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self.default_port = 443 if secure else 80
        self.address, self.secure, self.is_cut = address, secure, False

    def connect(self) -> None:
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = plain
        if self.secure:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        self.sock.settimeout(TOTAL_SECONDS)

    def cut(self) -> None:
        """End the connection from another thread."""
        self.is_cut = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
