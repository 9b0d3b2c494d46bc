"""Markdown as authors of cards write it becomes clean HTML."""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element

import nh3
from markdown import Markdown
from markdown.extensions.toc import slugify_unicode
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from pygments.token import STANDARD_TYPES
from pymdownx.superfences import fence_code_format

from models_hub.markup import REFERENCE, formulas
from models_hub.markup.formulas import CLOSE, OPEN, Formulas

ID_PREFIX = "card-"
# Words that become links, with the key of what they stand for and its address.
Links = Mapping[str, Sequence[str]]
LITERAL = {"code", "pre", "kbd", "samp", "var"}
# A user's class must not borrow the look, or the fixed positioning, of the site's own components.
ALERTS = ("note", "tip", "important", "warning", "caution")
CLASSES = {
    *STANDARD_TYPES.values(), "highlight", "footnote", "footnote-ref", "footnote-backref", "anchor", "mermaid",
    "alert-word", "card-alert", "mention", "reference", *(f"card-alert-{kind}" for kind in ALERTS),
} - {""}  # fmt: skip
TAGS = set(
    """a abbr b blockquote br caption center cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5
    h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span strike strong sub summary sup table tbody td
    tfoot th thead tr tt u ul var wbr""".split()
)
ATTRIBUTES = {
    "*": {"id", "title", "lang", "dir"},
    "a": {"href", REFERENCE},
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

    def __init__(
        self, blob: str, raw: str, folder: str, pictures: Sequence[str] = (), links: Links | None = None
    ) -> None:
        super().__init__(convert_charrefs=False)
        self.links = links or {}
        self.words = _words_pattern(self.links)
        self.literal = 0  # how many elements are open whose text is shown as it is written
        self.pictures = frozenset(pictures)
        self.blob, self.raw, self.folder = blob, raw, folder
        self.parts: list[str] = []
        self.anchors = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs if name != REFERENCE}
        self.literal += tag in LITERAL
        if tag == "a" and (target := self.links.get(values.get("href", ""))):
            values |= {"class": "reference", "href": target[1], REFERENCE: target[0]}
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
        self.literal = max(self.literal - (tag in LITERAL), 0)
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self.words and not self.anchors and not self.literal:
            data = self.words.sub(self.linked, data)
        self.parts.append(data)

    def linked(self, found: re.Match[str]) -> str:
        """Return the link that a word stands for. A link without a key leads to an account."""
        word = found[0]
        key, address = self.links.get(word) or self.links[word.lower()]
        mark = f'class="reference" {REFERENCE}="{escape(key)}"' if key else 'class="mention"'
        return f'<a href="{escape(address)}" {mark}>{escape(word)}</a>'

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")

    def local_picture(self, address: str) -> str:
        """Return the path of an attachment of this site, whatever name of the site it was written with."""
        found = _PICTURE.fullmatch(address.strip())
        return found[1] if found and found[2] in self.pictures else address

    def is_ours(self, address: str) -> bool:
        """Say whether a browser loads it from here: a program in an SVG does not run inside of <img>."""
        parts = _split(address)
        return bool(parts and parts.path and not parts.scheme and not parts.netloc)

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


def _words_pattern(links: Links) -> re.Pattern[str] | None:
    """Return what finds the words that become links: the longest first, and never a part of a longer word."""
    words = sorted((re.escape(word) for word in links), key=len, reverse=True)
    if not words:
        return None
    return re.compile(rf"(?<![\w/.:@&#-])(?:{'|'.join(words)})(?![\w/-]|\.\w)", re.ASCII | re.IGNORECASE)


def _split(address: str) -> Any:
    try:
        return urlsplit(address.strip().replace("\\", "/"))
    except ValueError:
        return None


def _own_address(address: str) -> str | None:
    """Relative addresses that remain: to this site's root or to a place on this page, nothing else."""
    local = address.startswith("#") or (address.startswith("/") and address[1:2] not in {"/", "\\"})
    return address if local else None


class Alerts(Treeprocessor):
    """Makes a box of a quotation that begins with [!NOTE], as GitHub does."""

    _MARK = re.compile(rf"\s*\[!({'|'.join(ALERTS)})\][ \t]*(?:\n|$)", re.IGNORECASE)

    def _part(self, parent: Element, quotation: Element) -> None:
        """Part quotations that Markdown made one of, where a blank line was all there was between two boxes."""
        place = list(parent).index(quotation)
        following = quotation
        for child in list(quotation)[1:]:
            if child.tag == "p" and self._MARK.match(child.text or ""):
                place += 1
                following = Element("blockquote")
                following.tail = "\n"
                parent.insert(place, following)
            if following is not quotation:
                quotation.remove(child)
                following.append(child)

    def run(self, root: Element) -> None:
        for parent in list(root.iter()):
            for quotation in [child for child in parent if child.tag == "blockquote"]:
                self._part(parent, quotation)
        for quotation in list(root.iter("blockquote")):
            first = quotation[0] if len(quotation) else None
            found = self._MARK.match(first.text or "") if first is not None and first.tag == "p" else None
            if first is None or found is None:
                continue
            kind = found[1].lower()
            first.text = (first.text or "")[found.end() :]
            if not first.text.strip() and not len(first):
                quotation.remove(first)
            quotation.tag = "div"
            quotation.set("class", f"card-alert card-alert-{kind}")
            title = Element("p")
            word = Element("span", {"class": "alert-word"})
            word.text = kind
            title.append(word)
            quotation.insert(0, title)


def markdown_to_html(
    text: str,
    *,
    blob: str = "",
    raw: str = "",
    folder: str = "",
    pictures: Sequence[str] = (),
    links: Links | None = None,
) -> str:
    """Return clean HTML; `blob` and `raw` are the address prefixes of pages and bytes of the revision's files."""
    return _rendered(text, LinkResolver(blob, raw, folder, pictures, links), with_anchors=False)[0]


def document_to_json(text: str, *, blob: str = "", raw: str = "", folder: str = "") -> str:
    """Return a JSON object with the clean HTML of a whole text, links beside its headings, and its headings."""
    html, headings = _rendered(text, LinkResolver(blob, raw, folder), with_anchors=True)
    return json.dumps({"html": html, "headings": headings})


def _rendered(text: str, resolver: LinkResolver, *, with_anchors: bool) -> tuple[str, list[dict[str, Any]]]:
    found = Formulas()
    toc: dict[str, Any] = {
        "slugify": lambda name, separator: slugify_unicode(found.sources(name), separator),
        "marker": "",
    }
    if with_anchors:
        toc |= {"permalink": "#", "permalink_class": "anchor", "permalink_title": ""}
    fences = [
        {"name": "mermaid", "class": "mermaid", "format": fence_code_format},
        {"name": "math", "class": "math", "format": formulas.fence(found)},
    ]
    configs = {**EXTENSION_CONFIGS, "pymdownx.superfences": {"custom_fences": fences}, "toc": toc}
    converter = Markdown(extensions=EXTENSIONS, extension_configs=configs)
    converter.preprocessors.register(GitHubLists(converter), "github_lists", 15)
    converter.treeprocessors.register(Alerts(converter), "alerts", 25)  # before inline text is looked at
    formulas.register(converter, found)
    resolver.feed(converter.convert(text.replace(OPEN, "").replace(CLOSE, "")))
    resolver.close()
    headings = list(_headings(getattr(converter, "toc_tokens", []), found))
    # Code and tables scroll sideways, so that keys must be able to reach them; here nothing but our own tags is left.
    shown = re.sub("<(pre|table)>", r'<\1 tabindex="0">', clean("".join(resolver.parts)))
    return found.put_back(shown), headings


def _headings(tokens: list[dict[str, Any]], found: Formulas) -> Iterator[dict[str, Any]]:
    for token in tokens:
        name = found.sources(unescape(token["name"]))
        yield {"level": token["level"], "id": ID_PREFIX + token["id"], "name": name[:200]}
        yield from _headings(token["children"], found)


def clean(html: str) -> str:
    """Return hostile HTML as what a card may show."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        clean_content_tags={"script", "style", "iframe", "noscript", "template", "textarea", "svg", "math"},
        allowed_classes=dict.fromkeys(("div", "span", "pre", "code", "sup", "a", "li"), CLASSES),
        url_schemes={"http", "https", "mailto"},
        url_relative=_own_address,
        link_rel="nofollow noopener",
        id_prefix=ID_PREFIX,
    )
