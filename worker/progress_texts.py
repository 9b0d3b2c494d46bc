"""What the engine says while it works, as texts that can be translated. The engine itself knows no catalogue."""

import re

from django.utils.translation import gettext_noop

PHRASES = frozenset(
    {
        gettext_noop("loading the model"),
        gettext_noop("tokenising"),
        gettext_noop("reading the documents"),
        gettext_noop("measuring latency"),
        gettext_noop("pretending"),
    }
)
COUNTED = re.compile(r"([0-9]{1,12}) of ([0-9]{1,12}) texts")
COUNT = gettext_noop("%(done)d of %(total)d texts")


def readable(said: str) -> tuple[str, dict[str, int]]:
    """Return the text of the catalogue and what it is filled with; what is not known stays as it was said."""
    if counted := COUNTED.fullmatch(said):
        return COUNT, {"done": int(counted[1]), "total": int(counted[2])}
    return said, {}
