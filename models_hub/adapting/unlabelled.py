"""Rows that nobody labelled, which a model labels itself: what a wish says of them, and which files can be read."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.adapting import aids, texts
from models_hub.adapting.aids import DATASET, FILE, REVISION
from models_hub.models import Commit, Repo
from portal.errors import InvalidInput

ROUNDS = "pseudo_rounds"
UNLABELLED = "unlabelled"
ENDINGS = (".jsonl", ".ndjson", ".csv")
MAX_BYTES = 256 * 1024**2


def read(values: Any, recipe: Mapping[str, Any]) -> dict[str, str]:
    """Return {"dataset", "revision", "file"}, empty where the recipe wants none; raises InvalidInput."""
    if not isinstance(values, Mapping) or not set(values) <= {DATASET, REVISION, FILE}:
        raise _refused(_("“unlabelled” may have: %(names)s.") % {"names": ", ".join((DATASET, REVISION, FILE))})
    if not recipe.get(ROUNDS):
        if values:
            raise _refused(_("Rows without labels are for %(option)s: say how many rounds.") % {"option": ROUNDS})
        return {}
    path = values.get(FILE)
    if not isinstance(path, str) or not 0 < len(path) <= aids.MAX_NAME:
        raise _refused(
            _("“%(label)s” (%(option)s) needs rows without labels: name a data set and a file.")
            % {"label": texts.option_text(ROUNDS).label, "option": ROUNDS}
        )
    return {
        DATASET: aids.read_name(values.get(DATASET), UNLABELLED),
        REVISION: aids.read_revision(values, UNLABELLED),
        FILE: path,
    }


def check(data: Repo, commit: Commit, path: str) -> None:
    """Refuse a file that is not there or cannot be read."""
    try:
        entry = browsing.find(data, commit, path)
    except browsing.EntryNotFound:
        entry = None
    if entry is None or entry.is_folder:
        raise _refused(_("The data set has no file “%(path)s” at this revision.") % {"path": path[:200]})
    if not path.lower().endswith(ENDINGS):
        raise _refused(
            _("%(path)s: rows without labels must be CSV or lines of JSON (%(endings)s).")
            % {"path": path, "endings": ", ".join(ENDINGS)}
        )
    if entry.size > MAX_BYTES:
        raise InvalidInput(
            _("The data files have %(size)d bytes together; a run takes at most %(max)d.")
            % {"size": entry.size, "max": MAX_BYTES},
            code="too_large",
        )


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, code="unfit_unlabelled", data={"field": UNLABELLED})
