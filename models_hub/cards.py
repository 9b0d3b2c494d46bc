"""Model and data set cards: YAML metadata on top of README.md, read without trusting it."""

import re
from typing import Any

import yaml
from django.utils.translation import gettext as _

from models_hub.checking import is_text
from portal.errors import InvalidInput

MAX_METADATA_BYTES = 100_000
MAX_DEPTH = 20
MAX_NODES = 20_000
MAX_SEARCHED = 50_000  # characters of a card's text in which we look for its description and citation
MAX_EXCERPT = 2000
MAX_PAPERS = 20
PAPER = r"\d{4}\.\d{4,5}"
_PAPER = re.compile(
    rf"(?:arxiv\.org/(?:abs|pdf|html)/|huggingface\.co/papers/|\barxiv[:\s]\s?)({PAPER})(?!\d)", re.IGNORECASE
)
_BIBTEX = re.compile(r"^```[^\n]*\n(\s*@[a-z]+\s*\{.*?)^```", re.DOTALL | re.MULTILINE | re.IGNORECASE)
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)(?:\r?\n)?^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


class CardRefused(InvalidInput):
    """The metadata block of README.md cannot be used."""

    code = "bad_card"


class _Loader(yaml.SafeLoader):
    """Safe YAML without aliases, which could grow a small file without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


# Dates stay text: JSON has none, and the clients expect what was written.
_Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in values if tag != "tag:yaml.org,2002:timestamp"]
    for key, values in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def split_card(text: str) -> tuple[str, str]:
    """Return the raw metadata block ("" when there is none) and the Markdown below it."""
    match = _FRONT.match(text)
    return (match[1], text[match.end() :]) if match else ("", text)


def first_paragraph(text: str) -> str:
    """Return the first lines of plain words in a card's text, which say in short what it describes."""
    for block in re.split(r"\n\s*\n", text[:MAX_SEARCHED]):
        lines = [line.strip() for line in block.splitlines() if not line.lstrip().startswith("#")]
        words = " ".join(line for line in lines if line)
        if words and words[0] not in "<|!`[-*=>" and is_text(words):
            return words[:MAX_EXCERPT]
    return ""


def first_citation(text: str) -> str:
    """Return the first BibTeX entry in a code block of a card's text, "" when there is none."""
    match = _BIBTEX.search(text[:MAX_SEARCHED])
    return match[1].strip()[:MAX_EXCERPT] if match and is_text(match[1]) else ""


def papers(text: str) -> list[str]:
    """Return the arXiv ids of the papers that a card names, each once."""
    return list(dict.fromkeys(match[1] for match in _PAPER.finditer(text[:MAX_SEARCHED])))[:MAX_PAPERS]


def read_yaml(raw: str) -> Any:
    """Parse bounded, alias-free YAML into JSON-like values; raises CardRefused naming the line."""
    if len(raw.encode("utf-8", "replace")) > MAX_METADATA_BYTES:
        raise CardRefused(_("The YAML block is larger than %(max)d bytes.") % {"max": MAX_METADATA_BYTES})
    try:
        value = yaml.load(raw, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
        _check_shape(value)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CardRefused(
            _("The YAML block is malformed at its line %(line)d: %(problem)s.")
            % {"line": line, "problem": error.problem or error.context or "syntax error"}
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CardRefused(_("The YAML block is malformed: %(problem)s.") % {"problem": str(error)[:200]}) from error
    return value


def read_metadata(text: str) -> dict[str, Any]:
    """Return the metadata of a README ({} when it has none); raises CardRefused."""
    raw, _body = split_card(text)
    if not raw.strip():
        return {}
    try:
        value = read_yaml(f"{raw}\n")  # the mark below took the line's end, which a block of text would miss
    except CardRefused as error:  # it may have come with many other files
        raise CardRefused(f"README.md: {error.message}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CardRefused(_("The YAML block on top of README.md must hold “key: value” lines."))
    if "model-index" in value and not isinstance(value["model-index"], list):
        raise CardRefused(_("“model-index” in README.md must be a list."))
    return value


def texts(value: Any, limit: int = 50, length: int = 80) -> list[str]:
    """Return a card field that may be one text or a list of them as a list of short texts."""
    items = value if isinstance(value, list) else [value]
    return [str(item)[:length] for item in items if isinstance(item, str | int | float | bool) and str(item)][:limit]


def first_text(value: Any) -> str:
    return next(iter(texts(value)), "")


def _check_shape(value: Any, depth: int = 0, count: list[int] | None = None) -> None:
    count = [0] if count is None else count
    count[0] += 1
    if depth > MAX_DEPTH or count[0] > MAX_NODES:
        raise ValueError("too deep or too many values")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError("every key must be text")
            _check_text(key)
            _check_shape(item, depth + 1, count)
    elif isinstance(value, list):
        for item in value:
            _check_shape(item, depth + 1, count)
    else:
        _check_leaf(value)


def _check_leaf(value: Any) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise ValueError("numbers must be finite")
    elif isinstance(value, int) and abs(value) >= 2**63:  # YAML's hexadecimal has no end, JSON's readers have
        raise ValueError("whole numbers must fit 64 bits")
    elif value is not None and not isinstance(value, int | float | bool):
        raise ValueError("only text, numbers, lists and mappings are allowed")


def _check_text(text: str) -> None:
    if not is_text(text):
        raise ValueError("text holds a NUL character or half a surrogate pair")
