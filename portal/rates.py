"""How many requests one caller may make in a window of time: counted in memory that all web processes share.

It keeps one program from using up what all share; guesses of passwords are counted elsewhere. A restart begins anew,
each machine counts for itself, and two processes that count the same caller in one instant may count it once: all of
that lets somebody through, none keeps somebody out.
"""

import hashlib
import mmap
import struct
import threading
import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.utils.translation import gettext as _

from portal.models import Asker

WINDOW = 300  # seconds
SLOTS = 32_768
PROBES = 8  # places that a caller may have; where all are taken, the one with the least goes
_SLOT = struct.Struct("<8sII")  # digest of the caller, number of the window, requests in it
# Made when the module is loaded, before the web processes part: they inherit one and the same.
_table = mmap.mmap(-1, SLOTS * _SLOT.size)
_guard = threading.Lock()


@dataclass(frozen=True)
class Rate:
    """What is left to a caller: `left` of `limit` requests, for `seconds` more."""

    name: str
    limit: int
    left: int
    seconds: int

    is_over: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The words by which clients know how long to wait."""
        return {
            "RateLimit": f'"{self.name}";r={self.left};t={self.seconds}',
            "RateLimit-Policy": f'"fixed window";"{self.name}";q={self.limit};w={WINDOW}',
        }

    @property
    def refusal(self) -> str:
        text = _("Too many requests: %(limit)d in %(minutes)d minutes are allowed. Try again in %(seconds)d s.")
        return text % {"limit": self.limit, "minutes": WINDOW // 60, "seconds": self.seconds}


def count(name: str, *, user: Asker, address: str) -> Rate | None:
    """Count one request of a person, else of an address. None where there is no limit."""
    anonymous, signed_in = settings.REQUEST_RATES.get(name, (0, 0))
    limit = signed_in if user.is_authenticated else anonymous
    if not limit:
        return None
    now = time.time()
    who = f"{name} user {user.pk}" if user.is_authenticated else f"{name} {_network(address)}"
    used = _counted(hashlib.blake2b(who.encode(), digest_size=8).digest(), int(now // WINDOW))
    return Rate(name, limit, max(limit - used, 0), WINDOW - int(now % WINDOW), is_over=used > limit)


def _counted(who: bytes, window: int) -> int:
    """Count one more request of somebody in this window; returns how many there are now."""
    first, least, place = int.from_bytes(who) % SLOTS, 2**32, 0
    with _guard:
        for slot in range(first, first + PROBES):
            known, seen_in, used = _SLOT.unpack_from(_table, at := slot % SLOTS * _SLOT.size)
            if seen_in != window:
                used = 0
            if known == who:
                place, least = at, used
                break
            if used < least:
                place, least = at, used
        else:
            least = 0
        _SLOT.pack_into(_table, place, who, window, least + 1)
    return least + 1


def _network(address: str) -> str:
    """Return what stands for the reader: one has as many addresses of version 6 as there are in a network.

    A server that listens on both versions is told those of version 4 as parts of one network of version 6.
    """
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    return str(known.ipv4_mapped or int(known) >> 64)
