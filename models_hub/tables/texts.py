"""What the reading of a table says to people: a sentence for each code that the child process knows."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from portal.errors import DomainError


class TableUnreadable(DomainError):
    """The rows of a file cannot be shown. The message says why and what to mend."""

    code = "table_unreadable"


TEXTS = {
    "bad_json": gettext_noop(
        "%(file)s, line %(line)s: no valid JSON at column %(column)s (%(cause)s). Mend the line; until then "
        "it is left out."
    ),
    "deep_json": gettext_noop("%(file)s, line %(line)s: the JSON is nested too deeply to be shown. Flatten it."),
    "no_object": gettext_noop('%(file)s, line %(line)s: not a JSON object. Write each row as {"column": value}.'),
    "rest_left_out": gettext_noop(
        "%(file)s, line %(line)s: no valid JSON at column %(column)s (%(cause)s). What follows is left out "
        "until that is mended."
    ),
    "no_rows": gettext_noop("%(file)s holds no list of rows. Write an array of objects, or one object a line."),
    "bad_csv": gettext_noop(
        "%(file)s, line %(line)s: the row cannot be read (%(cause)s). Look for a quotation mark that is not closed."
    ),
    "other_width": gettext_noop(
        "%(file)s, line %(line)s: %(found)s cells under a header of %(expected)s. Put quotation marks around "
        "cells that hold the delimiter."
    ),
    "other_delimiter": gettext_noop(
        "%(file)s is divided by “%(delimiter)s”, not by commas. It is shown so; programs have to be told."
    ),
    "same_name": gettext_noop("%(file)s: the header names “%(name)s” twice. Give each column a name of its own."),
    "gb18030": gettext_noop(
        "%(file)s is encoded as GB18030, not as UTF-8. It is shown so; save it as UTF-8 for programs."
    ),
    "bad_characters": gettext_noop(
        "%(file)s, line %(line)s: bytes that are not %(encoding)s; they are shown as �. Save the file as UTF-8."
    ),
    "long_line": gettext_noop("%(file)s, line %(line)s: longer than %(megabytes)s MB, so it is left out."),
    "bad_gzip": gettext_noop("%(file)s breaks off after line %(line)s (%(cause)s). Compress and upload it again."),
    "bad_parquet": gettext_noop("%(file)s is no Parquet file that can be read (%(cause)s). Write and upload it again."),
    "bad_arrow": gettext_noop(
        "%(file)s is no Arrow file that can be read (%(cause)s). Write it anew, without compression."
    ),
    "memory": gettext_noop(
        "%(file)s needs more memory than a reader may have. Write it in smaller row groups or files."
    ),
    "too_long": gettext_noop("Reading took too long and was stopped. Divide the data into smaller files."),
    "crashed": gettext_noop("The reader stopped at something in these files. Check that they open in other programs."),
    "busy": gettext_noop("Too many tables are being read right now. Reload the page in a moment."),
    "no_space": gettext_noop("There is no room on the portal's disk to read this table. Try again later."),
    "awaited": gettext_noop("The files are still with the upstream hub; they are fetched when they are downloaded."),
    "needs_job": gettext_noop("The files are too large to be read while you wait."),
    "empty": gettext_noop("There are no rows in these files."),
}


def note_text(note: Mapping[str, Any]) -> str:
    """Return the sentence for one note or failure of the child process, with its place."""
    data = {"file": "", "line": 0, **note.get("data", {})}
    data |= {key: note[key] for key in ("file", "line") if note.get(key)}
    return filled(str(note["code"]), data)


def filled(code: str, data: Mapping[str, Any]) -> str:
    """Return the sentence for a code in the reader's language."""
    try:
        return _(TEXTS.get(code, TEXTS["crashed"])) % data
    except (KeyError, TypeError, ValueError):  # the child was taken over, or a translation is wrong
        return _(TEXTS["crashed"])


def failure(code: str, data: Mapping[str, Any] | None = None) -> TableUnreadable:
    """Return the error for a code of the child process."""
    return TableUnreadable(
        note_text({"code": code, "data": data or {}}), data={"reason": code, "facts": dict(data or {})}
    )
