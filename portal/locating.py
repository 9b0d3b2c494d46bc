"""From the address of a page to the key of what it shows, for forms in which people name a page."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from portal import subjects
from portal.models import Asker, User
from portal.subjects import Subject

MAX_ADDRESS = 500
Locator = Callable[[re.Match[str]], str]
_locators: list[tuple[re.Pattern[str], Locator]] = []


def locate(pattern: str, locator: Locator) -> None:
    """Let `locator` turn a path of this form into a key, "" where there is nothing. First come, first asked."""
    _locators.append((re.compile(pattern, re.ASCII), locator))


def locate_number(pattern: str, kind: str) -> None:
    """Let a path with a number in it stand for the row of that number."""
    locate(pattern, lambda found: f"{kind}:{found[1]}")


def find(address: str, reader: Asker) -> Subject | None:
    """Return what stands at an address, if the reader may see it; the host of a pasted address does not matter."""
    try:
        path = urlsplit(address.strip()[:MAX_ADDRESS]).path.rstrip("/")
    except ValueError:
        return None
    if not path.startswith("/"):
        path = f"/{path}"
    for pattern, locator in _locators:
        if (found := pattern.fullmatch(path)) and (key := locator(found)):
            return subjects.find(key, reader)
    return None


def register() -> None:
    locate(r"/(\w[\w.-]{0,95})", _person)


def _person(found: re.Match[str]) -> str:
    pk = User.objects.filter(namespace__lower=found[1].lower(), is_active=True).values_list("pk", flat=True).first()
    return f"user:{pk}" if pk else ""
