"""Finds formulas in Markdown. They wait outside of it, so that neither Markdown nor the sanitizer meets MathML."""

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor

from models_hub.markup.mathematics import MAX_FORMULA, mathml

# Private characters around a number stand for a formula; the same ones in what people wrote are taken out.
OPEN, CLOSE = "\uf8f0", "\uf8f1"
MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
TAG = re.compile(r'<(?:[^<>"]|"[^"]*")*>')
MAX_FORMULAS = 2000
MAX_BLOCK_LINES = 80
CJK = r"\u3400-\u9fff\uf900-\ufaff"
# A dollar opens before something and closes after something, as in Pandoc. Beside a letter or digit of ours it is
# money or a shell variable; Chinese is written without spaces, so its characters may stand on either side.
# “5和6” between two prices is a sentence; “准确率 = 5” is not.
NO_SENTENCE = rf"(?![^$\\^_=<>+*/{CJK}]{{0,1000}}[{CJK}][^$\\^_=<>+*/]{{0,1000}}\$)"
INLINE = (
    rf"(?<![\\$0-9A-Za-z])\$(?=[^\s$]){NO_SENTENCE}"
    r"((?:\\[^\n]|[^\\$\n]|\n(?!\s*\n)){1,1000}?)(?<![\s\\])\$(?![$0-9A-Za-z])"
)
DISPLAY = r"(?<!\\)\$\$(?!\$)((?:\\[^\n]|[^\\$]){1,5000}?)\$\$"
PARENTHESES = r"\\\\\(((?:[^\\\n]|\\(?!\\\))){1,1000}?)\\\\\)"
BRACKETS = r"\\\\\[((?:[^\\]|\\(?!\\\])){1,5000}?)\\\\\]"


class Formulas:
    """The formulas of one text, in the order in which they were found."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bool]] = []

    def keep(self, source: str, *, is_block: bool) -> str | None:
        """Return what stands for the formula in the text, None when there are too many."""
        if len(self.found) >= MAX_FORMULAS or len(source) > MAX_FORMULA:
            return None
        self.found.append((source, is_block))
        return f"{OPEN}{len(self.found) - 1}{CLOSE}"

    def put_back(self, html: str) -> str:
        """Write the formulas into clean HTML: as MathML into its text, as they were into its attributes."""
        if OPEN not in html:
            return html
        parts, end = [], 0
        for tag in TAG.finditer(html):
            parts += [MARK.sub(self._shown, html[end : tag.start()]), MARK.sub(self._plain, tag[0])]
            end = tag.end()
        return "".join([*parts, MARK.sub(self._shown, html[end:])])

    def sources(self, text: str) -> str:
        """Return text with its formulas as they were written."""
        return MARK.sub(lambda match: self._source(match)[0], text)

    def _source(self, match: re.Match[str]) -> tuple[str, bool]:
        number = int(match[1])
        return self.found[number] if number < len(self.found) else ("", False)

    def _plain(self, match: re.Match[str]) -> str:
        return escape(self._source(match)[0])

    def _shown(self, match: re.Match[str]) -> str:
        source, is_block = self._source(match)
        written = mathml(source, is_block=is_block)
        shown = f'<code class="math-source">{escape(source)}</code>' if written is None else written
        return f'<span class="math-block" tabindex="0">{shown}</span>' if is_block else shown


class InlineFormulas(InlineProcessor):
    """Replaces what a pattern finds by what stands for the formula."""

    def __init__(self, pattern: str, md: Markdown, formulas: Formulas, *, is_block: bool) -> None:
        super().__init__(pattern, md)
        self.formulas, self.is_block = formulas, is_block

    def handleMatch(  # type: ignore[override]  # noqa: N802 - the library's own name
        self, m: re.Match[str], data: str
    ) -> tuple[str | Element | None, int | None, int | None]:
        source = unescape(m[1])
        mark = self.formulas.keep(source, is_block=self.is_block)
        return (mark, m.start(0), m.end(0)) if mark else (None, None, None)


class BlockFormulas(Preprocessor):
    """Takes `$$` blocks out before their lines are mistaken for lists or headings."""

    def __init__(self, md: Markdown, formulas: Formulas) -> None:
        super().__init__(md)
        self.formulas = formulas

    def run(self, lines: list[str]) -> list[str]:
        result: list[str] = []
        position = 0
        while position < len(lines):
            end = self._end(lines, position)
            mark = self._kept(lines[position : end + 1]) if end is not None else None
            if end is None or mark is None:
                result.append(lines[position])
                position += 1
            else:
                first = lines[position]
                result.append(first[: len(first) - len(first.lstrip(" >"))] + mark)
                position = end + 1
        return result

    def _kept(self, block: list[str]) -> str | None:
        source = "\n".join(line.lstrip(" >") for line in block).strip()
        return self.formulas.keep(source[2:-2], is_block=True)

    @staticmethod
    def _end(lines: list[str], start: int) -> int | None:
        """Return the number of the line that ends the block which begins at `start`, None where none begins."""
        first = lines[start].lstrip(" >").rstrip()
        if not first.startswith("$$"):
            return None
        if "$$" in first[2:]:
            return start if first.endswith("$$") and first.count("$$") == 2 and len(first) > 4 else None
        for number in range(start + 1, min(start + MAX_BLOCK_LINES, len(lines))):
            line = lines[number].strip(" >")
            if "$$" in line:
                return number if line.endswith("$$") and line.count("$$") == 1 else None
        return None


def register(md: Markdown, formulas: Formulas) -> None:
    """Teach a converter to find formulas."""
    md.ESCAPED_CHARS = [*md.ESCAPED_CHARS, "$"]
    md.preprocessors.register(BlockFormulas(md, formulas), "block_formulas", 24)  # after fences of code were taken out
    # Before escapes, after code.
    for number, (pattern, is_block) in enumerate(
        ((DISPLAY, True), (INLINE, False), (BRACKETS, True), (PARENTHESES, False))
    ):
        processor = InlineFormulas(pattern, md, formulas, is_block=is_block)
        md.inlinePatterns.register(processor, f"formula_{number}", 188 - number)


def fence(formulas: Formulas) -> Callable[..., str]:
    """Return what renders a ```math block."""

    def rendered(source: str, _language: str, _class: str, _options: Any, _md: Markdown, **_rest: Any) -> str:
        mark = formulas.keep(source.strip(), is_block=True)
        return f"<p>{mark}</p>" if mark else f"<pre><code>{escape(source)}</code></pre>"

    return rendered
