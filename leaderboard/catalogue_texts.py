"""What readers are told when a published file cannot be imported: a sentence for each code of the reading program."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

TASK_TITLES: dict[str, str | Promise] = {
    "multi-label-classification": gettext_lazy("Multi-label classification"),
    "text-pair-classification": gettext_lazy("Text pair classification"),
    "minimal-pairs": gettext_lazy("Minimal pairs"),
    "language-modeling": gettext_lazy("Language modelling"),
}
REASONS = {
    "no_such_file": gettext_noop("None of the files is one that this set is published under: %(expected)s."),
    "no_rows": gettext_noop("The files hold no row of this set."),
    "bad_archive": gettext_noop("It cannot be unpacked (%(cause)s)."),
    "too_many_members": gettext_noop("The archive holds more than %(most)s files."),
    "too_many_bytes": gettext_noop("It holds more than %(most)s MiB once unpacked."),
    "too_many_rows": gettext_noop("It holds more than %(most)s rows."),
    "too_large": gettext_noop("A JSON document may have at most %(most)s MiB."),
    "long_line": gettext_noop("The line is too long."),
    "bad_encoding": gettext_noop("It is not written in %(encoding)s."),
    "bad_json": gettext_noop("It is not JSON (%(cause)s)."),
    "bad_csv": gettext_noop("It is not CSV (%(cause)s)."),
    "bad_parquet": gettext_noop("It is not a Parquet file that can be read (%(cause)s)."),
    "not_a_list": gettext_noop("A list was expected; the file has another structure."),
    "not_an_object": gettext_noop("An object with named values was expected; the file has another structure."),
    "wrong_width": gettext_noop("It has %(found)s cells, and %(expected)s were expected."),
    "missing_column": gettext_noop("There is no column “%(column)s”."),
    "empty_text": gettext_noop("The column “%(column)s” is empty."),
    "bad_text": gettext_noop("The column “%(column)s” holds what is no text, or too much of it."),
    "not_text": gettext_noop("“%(value)s” is no text."),
    "not_texts": gettext_noop("“%(value)s” is no list of texts."),
    "not_a_number": gettext_noop("“%(value)s” is no number that fits."),
    "not_an_image": gettext_noop("It holds no PNG, JPEG or WebP image of at most %(most)s bytes, and no pixels."),
    "not_a_letter": gettext_noop("“%(value)s” is no letter of an option."),
    "not_a_choice": gettext_noop("“%(value)s” is none of the options."),
    "few_choices": gettext_noop("It has %(found)s options; there must be at least two."),
    "unknown_value": gettext_noop("“%(value)s” is unknown in the column “%(column)s”."),
    "bad_tag": gettext_noop("“%(value)s” is no tag of an entity."),
    "uneven_tags": gettext_noop("It has %(tokens)s tokens and %(tags)s tags."),
    "uneven_files": gettext_noop("The file of the answers has fewer lines."),
    "bad_offset": gettext_noop("The place of an answer is none: %(value)s."),
    "no_answer": gettext_noop("The answer is missing: %(value)s."),
    "no_final_answer": gettext_noop("There is no number after “####”: %(value)s."),
    "no_blank": gettext_noop("The sentence has no blank: %(value)s."),
    "memory": gettext_noop("Reading it takes more memory than there is for it."),
    "too_long": gettext_noop("Reading it took too long."),
    "crashed": gettext_noop("It could not be read."),
    "busy": gettext_noop("Other files are being read at the moment. Try again in a minute."),
}


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def reason_of(code: str, data: dict[str, Any]) -> str:
    """Return why a file is refused, with the file and the line where there are any."""
    sentence = _(REASONS.get(code, REASONS["crashed"])) % _Known(data)
    if "file" not in data:
        return sentence
    if "line" not in data:
        return _("%(file)s: %(sentence)s") % {"file": data["file"], "sentence": sentence}
    return _("%(file)s, line %(line)s: %(sentence)s") % {**_Known(data), "sentence": sentence}
