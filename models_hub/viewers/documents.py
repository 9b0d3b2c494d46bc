"""Markdown, notebooks, JSON and YAML: text that has a better form than its source."""

from django.utils.translation import gettext as _

from models_hub import browsing, rendering
from models_hub.viewers import texts
from models_hub.viewers.shown import Place, Shown
from models_hub.viewers.texts import Text

MAX_TREE_BYTES = 20_000_000
MAX_NOTEBOOK_BYTES = 20_000_000
LONG_LINES = 400  # from here on a tree is easier to read than the lines
RENDERED, SOURCE, TREE = "rendered", "source", "tree"


def markdown(place: Place) -> Shown | None:
    text = texts.read(place)
    if text is None:
        return None
    modes = (RENDERED, SOURCE)
    if _mode(place, modes, RENDERED) == SOURCE or not text.text.strip():
        return texts.source(place, text).with_modes(modes, SOURCE)
    made = rendering.document(text.text, repo=place.repo, revision=place.revision, folder=place.folder)
    about = {"html": made.html, "headings": made.headings if made.is_long else []}
    notes = texts.notes(place, text, is_cut=text.is_cut)
    return Shown("markdown", about, modes=modes, mode=RENDERED, notes=notes, is_text=True)


def notebook(place: Place) -> Shown | None:
    modes = (RENDERED, SOURCE)
    if _mode(place, modes, RENDERED) == RENDERED and place.entry.size <= MAX_NOTEBOOK_BYTES:
        made = rendering.of_content(
            "notebook",
            lambda: _whole(place),
            etag=place.entry.etag,
            **rendering.places(place.repo, place.revision),
            folder=place.folder,
        )
        if made is not None and "html" in made:
            about = {**made, "html": rendering.said(made["html"])}
            return Shown("notebook", about, modes=modes, mode=RENDERED, is_text=True)
    text = texts.read(place)
    if text is None:
        return None
    shown = texts.source(place, text)
    return shown.with_modes(modes, SOURCE) if _mode(place, modes, RENDERED) == SOURCE else shown


def json(place: Place) -> Shown | None:
    return _tree_or_source(place, "json")


def yaml(place: Place) -> Shown | None:
    return _tree_or_source(place, "yaml")


def _tree_or_source(place: Place, kind: str) -> Shown | None:
    """Lines for a short file, a tree for a long one, and a way from each to the other."""
    text = texts.read(place)
    if text is None:
        return None
    if place.entry.size > MAX_TREE_BYTES or not text.text.strip():
        return texts.source(place, text)
    is_long = text.is_cut or text.text.count("\n") > LONG_LINES or len(text.text) > rendering.MAX_CODE
    modes = (TREE, SOURCE)
    mode = _mode(place, modes, TREE if is_long and kind == "json" else SOURCE)
    on_one_line = kind == "json" and text.text.count("\n") <= 2
    made = None
    if mode == TREE or on_one_line:
        made = rendering.of_content("tree", lambda: _whole(place), etag=place.entry.etag, kind=kind)
    if made is None or "problem" in made:
        return _broken(texts.source(place, text), made, modes)
    if mode == TREE:
        cut = (_("Only the beginning of the tree is shown."),) if made["is_cut"] else ()
        html = rendering.said(made["html"])
        return Shown("tree", {"html": html}, modes=modes, mode=TREE, notes=cut, is_text=not text.is_cut)
    if "formatted" in made:
        spread = texts.source(place, Text(made["formatted"], text.encoding))
        notes = (_("This file is written on one line; it is shown spread out."), *spread.notes)
        return Shown("code", spread.about, modes=modes, mode=SOURCE, notes=notes, is_text=True)
    return texts.source(place, text).with_modes(modes, SOURCE)


def _broken(source: Shown, made: dict[str, str] | None, modes: tuple[str, ...]) -> Shown:
    shown = source.with_modes(modes, SOURCE)
    if made is None or "problem" not in made:
        return shown
    why = made.get("where") or _("it is nested too deeply")
    note = _("This file cannot be read: %(why)s") % {"why": why}
    return Shown(shown.kind, {**shown.about, "problem": note}, shown.modes, SOURCE, shown.notes, shown.is_text)


def _whole(place: Place) -> str:
    decoded = texts.decode(browsing.read(place.repo, place.entry, place.entry.size))
    return decoded[0] if decoded else ""


def _mode(place: Place, modes: tuple[str, ...], default: str) -> str:
    if SOURCE in place.asked and place.asked[SOURCE] == "":
        return SOURCE  # the address that links to lines have used for long
    asked = place.asked.get("view", "")
    return asked if asked in modes else default
