"""Values of an eval.yaml, each with its limits. Every refusal names the key and what would be right."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from portal.errors import InvalidInput

REQUIRED: Any = object()


class DefinitionRefused(InvalidInput):
    """eval.yaml cannot be used as it is."""

    code = "bad_definition"


class Values:
    """The values of a mapping, read without trust."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.raw = value

    def get(self, key: str, default: Any, fits: Callable[[Any], bool], wanted: str) -> Any:
        """Return the value of a key if it fits, the default where there is none, else refuse it."""
        found = self.raw.get(key)
        if found is None:
            if default is REQUIRED:
                raise refused(key, _("is missing; it must be %(wanted)s") % {"wanted": wanted})
            return default
        if not fits(found):
            raise refused(key, _("must be %(wanted)s, not %(found)s") % {"wanted": wanted, "found": shown(found)})
        return found

    def text(self, key: str, limit: int, default: Any = REQUIRED) -> str:
        wanted = _("text of at most %(limit)d characters") % {"limit": limit}
        found: str = self.get(key, default, lambda value: is_text(value, limit), wanted)
        return found.strip()

    def number(self, key: str, least: int, most: int, default: Any = REQUIRED) -> Any:
        wanted = _("a whole number from %(least)d to %(most)d") % {"least": least, "most": most}
        return self.get(key, default, lambda value: type(value) is int and least <= value <= most, wanted)

    def share(self, key: str, default: Any = REQUIRED) -> float:
        wanted = _("a number between 0 and 1")
        found: float = self.get(key, default, lambda value: type(value) in (int, float) and 0 < value < 1, wanted)
        return float(found)

    def flag(self, key: str, *, default: bool) -> bool:
        found: bool = self.get(key, default, lambda value: isinstance(value, bool), _("true or false"))
        return found

    def choice(self, key: str, known: Any, default: Any = REQUIRED) -> str:
        wanted = _("one of: %(known)s") % {"known": ", ".join(known)}
        found: str = self.get(key, default, lambda value: isinstance(value, str) and value in known, wanted)
        return found


def is_text(value: Any, limit: int) -> bool:
    """Say whether the value is text that a database and a page can hold: YAML may spell NUL and half a character."""
    if not isinstance(value, str) or not value.strip() or len(value) > limit or "\x00" in value:
        return False
    return not any("\ud800" <= char <= "\udfff" for char in value)


def shown(value: Any) -> str:
    return repr(value)[:80]


def refused(key: str, what: str) -> DefinitionRefused:
    key = key[:60].encode("utf-8", "replace").decode()
    return DefinitionRefused(_("eval.yaml: “%(key)s” %(what)s.") % {"key": key, "what": what}, data={"key": key})
