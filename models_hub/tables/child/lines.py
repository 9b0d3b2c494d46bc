"""Bytes become lines of text: UTF-8 as a rule, GB18030 where Chinese files are not, UTF-16 where a mark says so."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from models_hub.tables.child.budget import Budget, Notes

MAX_LINE = 16 * 1024 * 1024
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Lines:
    """The numbered lines of one file, `encoding` saying what they turned out to be written in."""

    def __init__(self, file: BinaryIO, *, name: str, budget: Budget, notes: Notes, is_cut: bool) -> None:
        self._file = file if hasattr(file, "peek") else io.BufferedReader(file)  # type: ignore[type-var]
        self._name = name
        self._budget = budget
        self._notes = notes
        self._is_cut = is_cut
        self._has_wide = False
        self.encoding = "utf-8"
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        lines = self._wide() if (mark := self._mark()) else self._narrow()
        if mark:
            self.encoding = "utf-16"
        for line in lines:
            self.number += 1
            yield line

    def _mark(self) -> bool:
        """Skip a byte order mark; True when it announces UTF-16."""
        start = self._file.peek(3)[:3]
        if start.startswith(codecs.BOM_UTF8):
            self._file.read(3)
        return start[:2] in _UTF16

    def _narrow(self) -> Iterator[str]:
        while line := self._file.readline(MAX_LINE):
            if not self._budget.take(len(line)):
                return
            if not line.endswith(b"\n"):
                if len(line) == MAX_LINE:
                    self._skip_rest()
                    self._notes.add("long_line", file=self._name, line=self.number + 1, megabytes=MAX_LINE // 1024**2)
                    yield ""
                    continue
                if self._is_cut:  # the rest of the line was not fetched
                    self._budget.is_spent = True
                    return
            yield self._text(line)

    def _skip_rest(self) -> None:
        while part := self._file.readline(MAX_LINE):
            if part.endswith(b"\n") or not self._budget.take(len(part)):
                return

    def _text(self, line: bytes) -> str:
        """Decode one line. A single damaged line of UTF-8 does not make the file a Chinese one."""
        if self.encoding == "gb18030":
            return self._replaced(line)
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            if not self._has_wide and _decodes(line, "gb18030"):
                self.encoding = "gb18030"
                self._notes.add("gb18030", file=self._name)
                return line.decode("gb18030")
            return self._replaced(line)
        self._has_wide = self._has_wide or not line.isascii()
        return text

    def _replaced(self, line: bytes) -> str:
        text = line.decode(self.encoding, "replace")
        if "\ufffd" in text and not _decodes(line, self.encoding):
            self._notes.add("bad_characters", file=self._name, line=self.number + 1, encoding=self.encoding.upper())
        return text

    def _wide(self) -> Iterator[str]:
        text = io.TextIOWrapper(self._file, encoding="utf-16", errors="replace", newline="\n")
        while line := text.readline(MAX_LINE):
            if not self._budget.take(2 * len(line)):
                return
            yield line


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
