"""Hostile text becomes safe HTML. Runs as a program of its own, which models_hub.rendering starts and may kill.

It reads one JSON request on standard input and writes the result on standard output. Nothing here imports Django:
the program starts in a fraction of a second and has nothing worth stealing.
"""

import json
import posixpath
import re
import resource
import sys
from collections.abc import Callable, Sequence
from difflib import unified_diff
from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import nh3
from markdown import Markdown
from markdown.extensions.toc import slugify_unicode
from markdown.preprocessors import Preprocessor
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

MEMORY_BYTES = 1024**3
ID_PREFIX = "card-"
# A user's class must not borrow the look, or the fixed positioning, of the site's own components.
CLASSES = {*STANDARD_TYPES.values(), "highlight", "footnote", "footnote-ref", "footnote-backref"} - {""}
TAGS = set(
    """a abbr b blockquote br caption center cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5
    h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span strike strong sub summary sup table tbody td
    tfoot th thead tr tt u ul var wbr""".split()
)
ATTRIBUTES = {
    "*": {"id", "title", "lang", "dir"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "align"},
    "ol": {"start"},
    "details": {"open"},
    **{tag: {"align"} for tag in ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr")},
    **{tag: {"align", "colspan", "rowspan"} for tag in ("td", "th")},
}
EXTENSIONS = [
    "abbr",
    "def_list",
    "footnotes",
    "tables",
    "toc",
    "md_in_html",
    "pymdownx.betterem",
    "pymdownx.highlight",
    "pymdownx.magiclink",
    "pymdownx.superfences",
    "pymdownx.tasklist",
    "pymdownx.tilde",
]
EXTENSION_CONFIGS: dict[str, dict[str, Any]] = {
    "footnotes": {"UNIQUE_IDS": False},
    "tables": {"use_align_attribute": True},
    "toc": {"slugify": slugify_unicode, "marker": ""},
    "pymdownx.highlight": {"use_pygments": True, "guess_lang": False, "css_class": "highlight"},
}
_ITEM = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])(\s+)(?=\S)")
_PICTURE = re.compile(r"(?:https?://[^/?#\s]+)?(/uploads/([\w-]{43})\.[a-z]+)", re.ASCII)
_RULE = re.compile(r"\s*([-*_])(\s*\1){2,}\s*")


class GitHubLists(Preprocessor):
    """Lets a list follow a paragraph without a blank line and nest by two spaces, as authors of cards write it."""

    def run(self, lines: list[str]) -> list[str]:
        result: list[str] = []
        columns: list[int] = []  # where the text of each open list item begins
        in_paragraph = False  # inside a later paragraph of an item, which Markdown does not end at the next item
        for line in (line.expandtabs(4) for line in lines):
            blank_before = not result or not result[-1].strip()
            indent = len(line) - len(line.lstrip())
            item = None if _RULE.fullmatch(line) else _ITEM.match(line)
            if not line.strip():
                result.append("")
            elif item and (columns or indent < 4):
                in_list = bool(columns)
                while columns and indent < columns[-1]:
                    columns.pop()
                marker = item[2].replace(")", ".")
                if not in_list and not blank_before and _is_text(result[-1]):
                    if marker[0].isdigit() and marker != "1.":
                        result.append(line)
                        continue
                    result.append("")
                if in_paragraph:
                    result.append("")
                    in_paragraph = False
                result.append("    " * len(columns) + f"{marker} {line[item.end() :]}")
                columns.append(item.end())
            else:
                if blank_before:
                    columns = [column for column in columns if column <= indent]
                    in_paragraph = bool(columns)
                depth = sum(column <= indent for column in columns)
                kept = indent - columns[depth - 1] if depth else indent
                result.append("    " * depth + " " * kept + line.lstrip())
        return result


def _is_text(line: str) -> bool:
    return not _ITEM.match(line) and not line.lstrip().startswith("#")


class LinkResolver(HTMLParser):
    """Points relative links and images at files of the revision, and shows remote images as links.

    Of absolute addresses only those of `pictures`, keys of attachments of this site, are shown, by their path alone.
    What it writes is cleaned afterwards, so it may be as trusting as it likes.
    """

    def __init__(self, blob: str, raw: str, folder: str, pictures: Sequence[str] = ()) -> None:
        super().__init__(convert_charrefs=False)
        self.pictures = frozenset(pictures)
        self.blob, self.raw, self.folder = blob, raw, folder
        self.parts: list[str] = []
        self.anchors = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "img":
            values["src"] = self.local_picture(values.get("src", ""))
        if tag == "input":
            box = "☑" if "checked" in values else "☐"
            self.parts.append(f"{box} " if values.get("type") == "checkbox" else "")
        elif tag == "img" and not self.is_ours(values.get("src", "")):
            self.show_as_link(values)
        else:
            self.anchors += tag == "a"
            if "href" in values:
                values["href"] = self.resolve(values["href"], self.blob)
            if "src" in values:
                values["src"] = self.resolve(values["src"], self.raw)
            written = "".join(f' {name}="{escape(value)}"' for name, value in values.items())
            self.parts.append(f"<{tag}{written}>")

    def show_as_link(self, values: dict[str, str]) -> None:
        """A page must not tell other hosts who reads it."""
        text = escape(values.get("alt") or values.get("src", ""))
        address = escape(self.resolve(values.get("src", ""), self.blob))
        self.parts.append(text if self.anchors or not address else f'<a href="{address}">{text}</a>')

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.anchors = max(self.anchors - (tag == "a"), 0)
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")

    def local_picture(self, address: str) -> str:
        """Return the path of an attachment of this site, whatever name of the site it was written with."""
        found = _PICTURE.fullmatch(address.strip())
        return found[1] if found and found[2] in self.pictures else address

    def is_ours(self, address: str) -> bool:
        """Say whether a browser may load it as an image: SVG may hold a program, so it is served as a download."""
        parts = _split(address)
        return bool(parts and parts.path and not parts.scheme and not parts.netloc and not parts.path.endswith(".svg"))

    def resolve(self, address: str, base: str) -> str:
        parts = _split(address)
        if parts is None:
            return ""
        if address.startswith("#"):
            return f"#{ID_PREFIX}{address[1:]}"
        if parts.scheme or parts.netloc or parts.path.startswith("/") or not parts.path:
            return address
        path = posixpath.normpath(posixpath.join(self.folder, unquote(parts.path)))
        if path.startswith(".."):
            return ""
        return base + quote(path) + (f"#{parts.fragment}" if parts.fragment else "")


def _split(address: str) -> Any:
    try:
        return urlsplit(address.strip().replace("\\", "/"))
    except ValueError:
        return None


def _own_address(address: str) -> str | None:
    """Relative addresses that remain: to this site's root or to a place on this page, nothing else."""
    local = address.startswith("#") or (address.startswith("/") and address[1:2] not in {"/", "\\"})
    return address if local else None


def markdown_to_html(
    text: str, *, blob: str = "", raw: str = "", folder: str = "", pictures: Sequence[str] = ()
) -> str:
    """Return clean HTML; `blob` and `raw` are the address prefixes of pages and bytes of the revision's files."""
    converter = Markdown(extensions=EXTENSIONS, extension_configs=EXTENSION_CONFIGS)
    converter.preprocessors.register(GitHubLists(converter), "github_lists", 15)
    resolver = LinkResolver(blob, raw, folder, pictures)
    resolver.feed(converter.convert(text))
    resolver.close()
    return nh3.clean(
        "".join(resolver.parts),
        tags=TAGS,
        attributes=ATTRIBUTES,
        clean_content_tags={"script", "style", "iframe", "noscript", "template", "textarea", "svg", "math"},
        allowed_classes=dict.fromkeys(("div", "span", "pre", "code", "sup", "a", "li"), CLASSES),
        url_schemes={"http", "https", "mailto"},
        url_relative=_own_address,
        link_rel="nofollow noopener",
        id_prefix=ID_PREFIX,
    )


def code_to_html(text: str, *, name: str = "") -> str:
    """Return `text` as one <span> for each line, coloured by the language that the file's name suggests."""
    try:
        lexer = get_lexer_for_filename(name, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    # The formatter closes its spans at the end of each line, so a line may be wrapped by itself.
    lines = highlight(text, lexer, HtmlFormatter(nowrap=True)).removesuffix("\n").split("\n")
    return "\n".join(f'<span id="L{number}">{line}</span>' for number, line in enumerate(lines, 1))


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


OPERATIONS: dict[str, Callable[..., str]] = {"markdown": markdown_to_html, "code": code_to_html, "diffs": diffs}


def main() -> None:
    seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    request = json.load(sys.stdin)
    sys.stdout.write(OPERATIONS[request["operation"]](*request["arguments"], **request["options"]))


if __name__ == "__main__":
    main()
