"""The bytes of a text file as text, whatever it was written in."""

import codecs
from dataclasses import dataclass

from django.utils.translation import gettext as _

from models_hub import browsing, rendering
from models_hub.viewers.shown import Place, Shown, nothing

MAX_BYTES = 1_000_000  # of a file, read for the page
MAX_LINE = 20_000  # a longer line would stop the browser
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
GB18030_SHARE = 0.6  # of characters beyond ASCII that must be Chinese for a guess of GB18030


@dataclass(frozen=True)
class Text:
    """The beginning of a file as text; `encoding` names what it was read as where that is not UTF-8."""

    text: str
    encoding: str = ""
    is_cut: bool = False


def read(place: Place, limit: int = MAX_BYTES) -> Text | None:
    """Return the beginning of a file in whole lines, None when it is no text."""
    data = browsing.read(place.repo, place.entry, limit)
    is_cut = place.entry.size > limit
    decoded = decode(data, is_cut=is_cut)
    if decoded is None:
        return None
    text, encoding = decoded
    if is_cut and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    return Text(text, encoding, is_cut)


def decode(data: bytes, *, is_cut: bool = False) -> tuple[str, str] | None:
    """Return the text and the name of its encoding, which is empty for UTF-8; None for what is no text."""
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace"), "" if encoding == "utf-8-sig" else "UTF-16"
    if b"\x00" in data:
        return None
    for encoding, name in (("utf-8", ""), ("gb18030", "GB18030")):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(data, final=not is_cut)
        except UnicodeDecodeError:
            continue
        if not name or _looks_chinese(text):
            return text, name
    # No byte is wrong in Latin-1, so a file that is mostly control characters must be told apart here.
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in data[:8192])
    if controls > len(data[:8192]) * 0.02:
        return None
    wrong = data.decode("utf-8", "replace")
    if wrong.count("�") < len(wrong) * 0.01:
        return wrong, ""
    return data.decode("latin-1"), "Latin-1"


def _looks_chinese(text: str) -> bool:
    beyond = [character for character in text[:20_000] if character > "\x7f"]
    chinese = sum("\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef" for character in beyond)
    return chinese >= len(beyond) * GB18030_SHARE


def source(place: Place, text: Text) -> Shown:
    """Show a text file as it is, with numbered and coloured lines."""
    shown, is_cut = _bounded(text)
    if not shown:
        return nothing(_("This file is empty."))
    lines = shown.count("\n") + (not shown.endswith("\n"))
    html = rendering.code_html(shown, name=place.entry.name)
    return Shown(
        "code", {"html": html, "lines": lines}, notes=notes(place, text, is_cut=is_cut, lines=lines), is_text=True
    )


def notes(place: Place, text: Text, *, is_cut: bool, lines: int = 0) -> tuple[str, ...]:
    """Say what is not shown, and what had to be guessed."""
    found = []
    if is_cut and lines:
        found.append(
            _("Only the first %(lines)d lines are shown; download the file to see all of it.") % {"lines": lines}
        )
    elif is_cut:
        found.append(_("Only the beginning is shown; download the file to see all of it."))
    if text.encoding:
        found.append(_("This file is not written in UTF-8: it was read as %(encoding)s.") % {"encoding": text.encoding})
    return tuple(found)


def _bounded(text: Text) -> tuple[str, bool]:
    """Cut a text where colouring ends, at the end of a line, and lines that no browser could lay out."""
    shown, is_cut = text.text, text.is_cut
    if len(shown) > rendering.MAX_CODE:
        end = shown.rfind("\n", 0, rendering.MAX_CODE)
        shown, is_cut = shown[: end + 1 if end > 0 else rendering.MAX_CODE], True
    lines = shown.split("\n")
    if any(len(line) > MAX_LINE for line in lines):
        shown, is_cut = "\n".join(line[:MAX_LINE] for line in lines), True
    return shown, is_cut
