"""Whether a domain proves that an organization speaks for it: a TXT record, or a file at a well-known address."""

from functools import cache
from importlib import import_module
from typing import Any

from portal import outbound
from portal.models import Domain, User

SECONDS = 5.0
MAX_RECORDS = 100
WELL_KNOWN = "/.well-known/small-models-portal.txt"


def check(domain: Domain, *, by: User) -> bool:
    """Look at the domain now, and write down what was seen."""
    domain.organization.require_admin(by)
    proved = domain.proof in _records(domain.name) or domain.proof in _file(domain.name)
    domain.note_check(proved=proved, by=by)
    return proved


def _records(name: str) -> list[str]:
    """Return the TXT records of a domain; none when it cannot be asked."""
    resolver = _resolver()
    try:
        answer = resolver.resolve(name, "TXT", lifetime=SECONDS, search=False)
    except (resolver.dns.exception.DNSException, OSError):
        return []
    return [b"".join(record.strings).decode("utf-8", "replace").strip() for record in list(answer)[:MAX_RECORDS]]


@cache
def _resolver() -> Any:
    """Return dnspython’s resolver: 2.5 MB that only processes need which are asked about a domain."""
    return import_module("dns.resolver")


def _file(name: str) -> list[str]:
    """Return the lines of the file on the domain's web server; no redirect is followed."""
    try:
        answer = outbound.send("GET", f"https://{name}{WELL_KNOWN}", headers={"Host": name, "Accept": "text/plain"})
    except outbound.Unreachable:
        return []
    if answer.status != 200:
        return []
    return [line.strip() for line in answer.body.decode("utf-8", "replace").splitlines()[:MAX_RECORDS]]
