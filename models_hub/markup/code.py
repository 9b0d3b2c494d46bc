"""Source code with numbered, coloured lines; the difference of two texts."""

import json
from difflib import unified_diff

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

# Files that Pygments knows by no name of theirs.
NAMES = {
    ".gitattributes": "ini", ".gitignore": "text", "dockerfile": "docker", "makefile": "make", "license": "text",
    ".ipynb": "json", ".jsonl": "json", ".jinja": "html+jinja", ".jinja2": "html+jinja", ".modelfile": "docker",
}  # fmt: skip


def code_to_html(text: str, *, name: str = "", language: str = "") -> str:
    """Return `text` as one <span> for each line, coloured by the language that the file's name suggests."""
    # The formatter closes its spans at the end of each line, so a line may be wrapped by itself.
    lines = highlight(text, _lexer(name, language), HtmlFormatter(nowrap=True)).removesuffix("\n").split("\n")
    return "\n".join(f'<span id="L{number}">{line}</span>' for number, line in enumerate(lines, 1))


def coloured(text: str, *, language: str) -> str:
    """Return `text` coloured, without numbers."""
    return str(highlight(text, _lexer("", language), HtmlFormatter(nowrap=True)))


def _lexer(name: str, language: str) -> Lexer:
    name = name.lower()
    language = language or next((NAMES[end] for end in NAMES if name.endswith(end)), "")
    try:
        if language:
            return get_lexer_by_name(language, stripnl=False)
        return get_lexer_for_filename(name, stripnl=False)
    except ClassNotFound:
        return TextLexer(stripnl=False)


def diffs(pairs: list[tuple[str, str]]) -> str:
    """Return a JSON list with the unified diff, as a list of lines, of each pair of texts."""
    result = [list(unified_diff(old.splitlines(), new.splitlines(), n=3, lineterm=""))[2:] for old, new in pairs]
    return json.dumps(result)


def stylesheet() -> str:
    """Return the colours of highlighted code for both themes."""
    themes = {"default": ".highlight", "github-dark": '[data-bs-theme="dark"] .highlight'}
    styles = [
        HtmlFormatter(style=style).get_style_defs(selector)  # type: ignore[no-untyped-call]
        for style, selector in themes.items()
    ]
    rules = [rule for rule in "\n".join(styles).splitlines() if ".highlight ." in rule]
    return "/* Written by `manage.py write_highlight_css`; do not edit. */\n" + "\n".join(rules) + "\n"
