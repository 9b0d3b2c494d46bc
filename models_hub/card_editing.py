"""Changing fields of a card's metadata in place: all other lines, and comments, stay as they were typed."""

from collections.abc import Mapping
from typing import Any

import yaml
from django.utils.translation import gettext as _

from models_hub import cards
from models_hub.cards import CardRefused

Changes = Mapping[str, Any]  # None takes a field away; a mapping changes fields of a mapping that is there
MARK = "---"


def edit_card(text: str, changes: Changes) -> str:
    """Return a README.md with these fields of its metadata changed; raises CardRefused where that is not possible.

    What comes out is read again: it holds the changed fields and the others as they were, or nothing is changed.
    """
    before = cards.read_metadata(text)
    wanted = _applied(before, changes)
    if wanted == before:
        return text
    raw, body = cards.split_card(text)
    line_end = "\r\n" if "\r\n" in text[:2000] else "\n"
    edited = _edited(raw, changes, wanted, line_end)
    made = _assembled(text, raw, body, edited, line_end)
    if cards.read_metadata(made) != wanted or cards.split_card(made)[1].lstrip() != body.lstrip():
        raise CardRefused(_("The metadata is written in a form that cannot be changed here; edit its text instead."))
    return made


def _assembled(text: str, raw: str, body: str, edited: str, line_end: str) -> str:
    if raw or text != body:  # there is a block: keep its marks as they are
        start = text.index(MARK) + len(MARK)
        start = text.index("\n", start) + 1
        rest = text[start + len(raw) :]
        joint = "" if not raw or rest.startswith(("\n", "\r")) else line_end
        edited = edited.rstrip("\r\n")
        return text[:start] + edited + (joint if raw else line_end) + rest
    return f"{MARK}{line_end}{edited.rstrip()}{line_end}{MARK}{line_end}{line_end if body else ''}{body}"


def _applied(before: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Return what the metadata is to be after the changes."""
    after = dict(before)
    for key, value in changes.items():
        old = before.get(key)
        new = _applied(old, value) if isinstance(value, Mapping) and isinstance(old, Mapping) else value
        new = {name: part for name, part in new.items() if part is not None} if isinstance(new, Mapping) else new
        if new is None or new == {}:
            after.pop(key, None)
        else:
            after[key] = new
    return after


def _edited(raw: str, changes: Changes, wanted: Changes, line_end: str) -> str:
    root = yaml.compose(f"{raw}\n", Loader=yaml.SafeLoader) if raw.strip() else None
    if root is None:
        return "".join(_lines(wanted, 0, line_end))
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise CardRefused(_("The metadata is written in a form that cannot be changed here; edit its text instead."))
    edits, added = _edits(root, changes, wanted, raw, line_end)
    for start, end, new in sorted(edits, reverse=True):
        raw = raw[:start] + new + raw[end:]
    if added:
        raw = raw.rstrip() + line_end + "".join(_lines(added, 0, line_end))
    return raw


def _edits(
    node: yaml.MappingNode, changes: Changes, wanted: Changes, raw: str, line_end: str
) -> tuple[list[tuple[int, int, str]], dict[str, Any]]:
    """Return which spans of the text become what, and the fields that it does not have yet."""
    places = {key.value: (key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    edits, added = [], dict[str, Any]()
    for key, change in changes.items():
        if key not in places:
            added |= {key: wanted[key]} if key in wanted else {}
            continue
        name, old = places[key]
        start, end = name.start_mark.index, _end(old)
        if key not in wanted:
            edits.append((start - name.start_mark.column, _line_after(raw, end), ""))
        elif isinstance(change, Mapping) and isinstance(old, yaml.MappingNode) and not old.flow_style and old.value:
            inner, new = _edits(old, change, wanted[key], raw, line_end)
            place, lines = _line_after(raw, end), "".join(_lines(new, old.value[0][0].start_mark.column, line_end))
            edits += [*inner, (place, place, lines if raw[:place].endswith("\n") else line_end + lines)]
        else:
            told = "".join(_lines({key: wanted[key]}, name.start_mark.column, line_end))
            edits.append((start, end, told.strip()))
    return edits, added


def _end(node: yaml.Node) -> int:
    """Return where a value ends: a block's own mark would include the comments that follow it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _line_after(raw: str, index: int) -> int:
    """Return where the next line begins; `index` may be there already, as after a block of text."""
    if index and raw[index - 1 : index] == "\n":
        return index
    found = raw.find("\n", index)
    return len(raw) if found < 0 else found + 1


def _lines(fields: Mapping[str, Any], column: int, line_end: str) -> list[str]:
    """Write fields as YAML, as cards are written by hand: lists not set in, no line broken."""
    text = yaml.safe_dump(dict(fields), sort_keys=False, allow_unicode=True, width=10**6) if fields else ""
    return [f"{' ' * column}{line}{line_end}" for line in text.splitlines()]
