"""Tensors of a model as a tree by the path of their modules, with what each part of it weighs."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

PAGE = 200
ROWS_AT_ONCE = 300  # of a tree; deeper parts are asked for when they are opened
ROWS_OPEN = 40  # of a tree that are to be seen at first
MAX_QUERY = 100
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Row:
    """One tensor of any format; `shape` has the slowest changing side first."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    elements: int
    size: int
    file: str = ""


@dataclass
class Node:
    """A module, or one tensor of it."""

    label: str
    path: str
    tensor: Row | None = None
    children: list["Node"] = field(default_factory=list)
    elements: int = 0
    size: int = 0
    count: int = 0
    is_there: bool = False  # its children are on the page
    is_open: bool = False

    @property
    def share_of_page(self) -> float:
        return self._share

    _share: float = 0.0


@dataclass(frozen=True)
class Total:
    """What all tensors of one type are together."""

    dtype: str
    count: int
    elements: int
    size: int
    share: float


def totals(rows: Sequence[Row]) -> list[Total]:
    """Count the tensors by type, the heaviest first."""
    counts: Counter[str] = Counter(row.dtype for row in rows)
    elements: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for row in rows:
        elements[row.dtype] += row.elements
        sizes[row.dtype] += row.size
    whole = sum(elements.values()) or 1
    found = [Total(name, counts[name], elements[name], sizes[name], 100 * elements[name] / whole) for name in counts]
    return sorted(found, key=lambda total: -total.size)


def view(rows: Sequence[Row], asked: dict[str, str] | Any) -> dict[str, Any]:
    """Return what the page of tensors reads: a tree, a part of it, or a page of what was searched for."""
    whole = sum(row.elements for row in rows)
    about: dict[str, Any] = {
        "count": len(rows),
        "elements": whole,
        "size": sum(row.size for row in rows),
        "totals": totals(rows),
        "with_files": any(row.file for row in rows),
    }
    query = str(asked.get("q", "")).strip()[:MAX_QUERY]
    if query or asked.get("view") == "list":
        return {**about, "query": query, **_page(_matching(rows, query), _whole_number(asked.get("from")), whole)}
    at = str(asked.get("at", ""))[:500]
    root = tree(row for row in rows if not at or row.name.startswith(f"{at}."))
    if at:
        root = _below(root, at)
    _open(root, whole)
    return {**about, "at": at, "crumbs": _crumbs(at), "nodes": root.children}


def tree(rows: Iterable[Row]) -> Node:
    """Put tensors below the modules that their names tell; a module with one part is one with that part."""
    root = Node("", "")
    places: dict[str, Node] = {"": root}
    for row in sorted(rows, key=lambda row: _natural(row.name)):
        module = row.name.rpartition(".")[0]
        _module(places, module).children.append(
            Node(row.name.rpartition(".")[2], row.name, row, elements=row.elements, size=row.size, count=1)
        )
    _sum(root)
    return root


def _module(places: dict[str, Node], path: str) -> Node:
    """Return the node of a module, made with those above it where it is new."""
    missing = []
    while path not in places:
        missing.append(path)
        path = path.rpartition(".")[0]
    node = places[path]
    for name in reversed(missing):
        child = Node(name.rpartition(".")[2], name)
        node.children.append(child)
        places[name] = node = child
    return node


def _sum(root: Node) -> None:
    """Add up from the leaves, and join chains. Without recursion: a name may have hundreds of dots."""
    order = [root]
    for node in order:
        order += node.children
    for node in reversed(order):
        if node.tensor is None:
            node.elements = sum(child.elements for child in node.children)
            node.size = sum(child.size for child in node.children)
            node.count = sum(child.count for child in node.children)
            node.children = [_joined(child) for child in node.children]


def _joined(node: Node) -> Node:
    if node.tensor is None and len(node.children) == 1:
        child = node.children[0]
        child.label = f"{node.label}.{child.label}"
        return child
    return node


def _below(root: Node, at: str) -> Node:
    """Return the node of the module `at`, in a tree of nothing but what is below it."""
    node = root
    while node.path != at and len(node.children) == 1 and node.children[0].tensor is None:
        node = node.children[0]
        if not at.startswith(node.path):
            # The chain ran past `at`: show its end under a label that says how far.
            node.label = node.path.removeprefix(f"{at}.")
            return Node("", at, children=[node])
    return node


def _open(root: Node, whole: int) -> None:
    """Decide, level by level, which modules have their parts on the page."""
    left = ROWS_AT_ONCE - len(root.children)
    seen = len(root.children)
    level = list(root.children)
    while level:
        following: list[Node] = []
        seen += sum(len(node.children) for node in level)
        for node in level:
            node._share = 100 * node.elements / whole if whole else 0.0
            if node.children and len(node.children) <= left:
                node.is_there = True
                left -= len(node.children)
                node.is_open = seen <= ROWS_OPEN
                following += node.children
        level = following


def _matching(rows: Sequence[Row], query: str) -> list[Row]:
    words = query.lower().split()
    return sorted(
        (
            row
            for row in rows
            if all(word in row.name.lower() or word == row.dtype.lower() or word in shape_text(row) for word in words)
        ),
        key=lambda row: _natural(row.name),
    )


def shape_text(row: Row) -> str:
    """Return a shape as people write it in a search: 768x3072."""
    return "x".join(str(side) for side in row.shape)


def _page(found: Sequence[Row], start: int, whole: int) -> dict[str, Any]:
    start = min(start, max(len(found) - 1, 0)) // PAGE * PAGE
    return {
        "rows": [(row, 100 * row.elements / whole if whole else 0.0) for row in found[start : start + PAGE]],
        "found": len(found),
        "first": start + 1,
        "last": min(start + PAGE, len(found)),
        "next": start + PAGE if start + PAGE < len(found) else None,
        "previous": start - PAGE if start else None,
        "is_list": True,
    }


def _crumbs(at: str) -> list[tuple[str, str]]:
    parts = at.split(".") if at else []
    return [(part, ".".join(parts[: index + 1])) for index, part in enumerate(parts)]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort layer 10 after layer 9."""
    return [
        (0, int(part[:30]), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in _NUMBERS.split(name)
    ]


def _whole_number(text: Any) -> int:
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
