"""JSON and YAML as a tree that folds without a script."""

import json
import math
from collections.abc import Iterable
from html import escape
from typing import Any

import yaml

MAX_NODES = 4000
MAX_DEPTH = 60
MAX_TEXT = 600
MAX_KEY = 200
GROUP = 100  # of a long list or object, folded together
OPEN_DEPTH = 2
OPEN_CHILDREN = 40
SHORT_LIST = 72  # characters of a list that is written on one line
MAX_FORMATTED = 300_000


class _Tree:
    """Writes values as nested lists until enough of them are written."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.left = MAX_NODES
        self.is_cut = False

    def write(self, children: Iterable[tuple[str | int, Any]], depth: int) -> None:
        self.parts.append("<ul>")
        for key, value in children:
            if self.left <= 0:
                self.is_cut = True
                break
            self.left -= 1
            self._child(key, value, depth)
        self.parts.append("</ul>")

    def _child(self, key: str | int, value: Any, depth: int) -> None:
        label = f'<span class="tree-{"index" if isinstance(key, int) else "key"}">{_shown(str(key), MAX_KEY)}</span>'
        short = _short(value)
        if short is not None:
            self.parts.append(f"<li>{label} {short}</li>")
        elif depth >= MAX_DEPTH:
            self.is_cut = True
            self.parts.append(f"<li>{label} …</li>")
        else:
            self._fold(label, value, depth)

    def _fold(self, label: str, value: Any, depth: int) -> None:
        children: list[tuple[str | int, Any]] = list(value.items() if isinstance(value, dict) else enumerate(value))
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        rows = -(-len(children) // GROUP) if len(children) > GROUP * 2 else len(children)
        is_open = depth < OPEN_DEPTH and rows <= OPEN_CHILDREN and self.left > rows
        self.parts.append(
            f"<li><details{' open' if is_open else ''}><summary>{label} "
            f'<span class="tree-count">{opening}{len(children)}{closing}</span></summary>'
        )
        self._children(children, depth + 1)
        self.parts.append("</details></li>")

    def _children(self, children: list[tuple[str | int, Any]], depth: int) -> None:
        if len(children) <= GROUP * 2:
            self.write(children, depth)
            return
        self.parts.append("<ul>")
        for start in range(0, len(children), GROUP):
            if self.left <= 0:
                self.is_cut = True
                break
            self.left -= 1
            end = min(start + GROUP, len(children))
            self.parts.append(f'<li><details><summary><span class="tree-count">{start} … {end - 1}</span></summary>')
            self.write(children[start:end], depth + 1)
            self.parts.append("</details></li>")
        self.parts.append("</ul>")


def tree_to_json(text: str, *, kind: str) -> str:
    """Return a JSON object with the tree of a document, and whether it is cut; or with what is wrong with it."""
    try:
        value = _read(text, kind)
    except RecursionError:
        return json.dumps({"problem": "deep"})
    except (ValueError, yaml.YAMLError) as error:
        return json.dumps({"problem": "broken", "where": str(error)[:500]})
    tree = _Tree()
    tree._children([("", value)] if not isinstance(value, dict | list) else _items(value), 0)
    lines = text.count("\n") + 1
    result: dict[str, Any] = {"html": f'<div class="tree">{"".join(tree.parts)}</div>', "is_cut": tree.is_cut}
    if kind == "json" and lines <= 3 and len(text) < MAX_FORMATTED:
        result["formatted"] = json.dumps(value, indent=2, ensure_ascii=False)[:MAX_FORMATTED]
    return json.dumps(result)


def _items(value: dict[Any, Any] | list[Any]) -> list[tuple[str | int, Any]]:
    return list(value.items()) if isinstance(value, dict) else list(enumerate(value))


def _read(text: str, kind: str) -> Any:
    if kind == "json":
        return json.loads(text)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = list(yaml.load_all(text, loader))
    return documents[0] if len(documents) == 1 else documents


def _short(value: Any) -> str | None:
    """Return a value that fits on a line, None for one that must fold."""
    if isinstance(value, str):
        return f'<span class="tree-text">{_shown(value, MAX_TEXT)}</span>'
    if isinstance(value, dict | list | tuple | set):
        return _short_list(value)
    return f'<span class="tree-value">{escape(_scalar(value))}</span>'


def _short_list(value: Any) -> str | None:
    if not value:
        return f'<span class="tree-count">{"{}" if isinstance(value, dict) else "[]"}</span>'
    if isinstance(value, dict) or len(value) > SHORT_LIST // 2:
        return None
    if any(isinstance(item, dict | list | tuple | set) for item in value):
        return None
    text = ", ".join(json.dumps(item, ensure_ascii=False) if isinstance(item, str) else _scalar(item) for item in value)
    return f'<span class="tree-value">[{escape(text)}]</span>' if len(text) <= SHORT_LIST else None


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int) and value.bit_length() > 1000:
        return "…"  # writing such a number out takes long
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value)[:MAX_TEXT]


def _shown(text: str, limit: int) -> str:
    return escape(text[:limit]) + ("…" if len(text) > limit else "")
