"""A Jupyter notebook as clean HTML: its text, code and outputs. Its HTML is cleaned like a card's, scripts are dropped.

A span of the class `said` holds a word that models_hub.rendering replaces by one in the reader's language.
"""

import base64
import binascii
import json
import re
from html import escape
from typing import Any

from models_hub.markup import code, documents, mathematics

MAX_CELLS = 500
MAX_OUTPUTS = 50  # of a cell
MAX_TEXT = 20_000  # of one output
MAX_IMAGE = 3_000_000
MAX_IMAGES = 12_000_000  # of a notebook
MAX_SOURCE = 100_000
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]{0,500}\x07|[\x00-\x08\x0b-\x1f]")
LANGUAGE = re.compile(r"[A-Za-z0-9+#.-]{1,30}")


def notebook_to_html(text: str, *, blob: str = "", raw: str = "", folder: str = "") -> str:
    """Return a JSON object with the HTML of a notebook, the language of its code and the number of its cells."""
    try:
        notebook = json.loads(text)
        cells = _cells(notebook)
    except (ValueError, RecursionError):
        return json.dumps({"problem": "broken"})
    writer = _Writer(_language(notebook), {"blob": blob, "raw": raw, "folder": folder})
    html = "".join(writer.cell(cell) for cell in cells[:MAX_CELLS] if isinstance(cell, dict))
    cut = _said("cells-cut") if len(cells) > MAX_CELLS else ""
    return json.dumps({"html": html + cut, "language": writer.language, "cells": len(cells)})


def _cells(notebook: Any) -> list[Any]:
    if not isinstance(notebook, dict):
        raise ValueError("a notebook is an object")
    if isinstance(notebook.get("worksheets"), list):  # before nbformat 4
        sheets = [sheet for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
        return [cell for sheet in sheets for cell in sheet.get("cells") or []]
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise ValueError("a notebook has cells")
    return cells


def _language(notebook: dict[str, Any]) -> str:
    metadata = _dict(notebook.get("metadata"))
    name = _dict(metadata.get("language_info")).get("name") or _dict(metadata.get("kernelspec")).get("language")
    return name.lower() if isinstance(name, str) and LANGUAGE.fullmatch(name) else "python"


class _Writer:
    """Writes the cells of one notebook."""

    def __init__(self, language: str, places: dict[str, Any]) -> None:
        self.language, self.places = language, places
        self.images_left = MAX_IMAGES

    def cell(self, cell: dict[str, Any]) -> str:
        source = _text(cell.get("source", cell.get("input", "")))
        kind = cell.get("cell_type")
        if kind == "code":
            return self._code(cell, source)
        if kind == "heading":
            source = f"{'#' * 2} {source}"
        if kind in {"markdown", "heading"}:
            html = documents.markdown_to_html(source[:MAX_SOURCE], **self.places)
            return f'<div class="nb-cell nb-text"><div class="rendered">{html}</div></div>'
        return (
            f'<div class="nb-cell nb-text"><pre class="nb-raw" tabindex="0">{escape(source[:MAX_SOURCE])}</pre></div>'
        )

    def _code(self, cell: dict[str, Any], source: str) -> str:
        count = cell.get("execution_count", cell.get("prompt_number"))
        label = f"[{count}]" if type(count) is int and 0 <= count < 10**7 else "[ ]"
        coloured = code.coloured(source[:MAX_SOURCE], language=self.language) if source else ""
        outputs = cell.get("outputs")
        shown = [self._output(output) for output in (outputs if isinstance(outputs, list) else [])[:MAX_OUTPUTS]]
        more = _said("outputs-cut") if isinstance(outputs, list) and len(outputs) > MAX_OUTPUTS else ""
        below = f'<div class="nb-outputs">{"".join(shown)}{more}</div>' if any(shown) else ""
        return (
            f'<div class="nb-cell nb-code"><span class="nb-count">{label}</span>'
            f'<pre class="nb-source highlight" tabindex="0"><code>{coloured}</code></pre>{below}</div>'
        )

    def _output(self, output: Any) -> str:
        output = _dict(output)
        kind = output.get("output_type")
        if kind == "stream":
            return _pre(_text(output.get("text")), "nb-stderr" if output.get("name") == "stderr" else "")
        if kind in {"error", "pyerr"}:
            lines = output.get("traceback")
            text = "\n".join(line for line in lines if isinstance(line, str)) if isinstance(lines, list) else ""
            return _pre(text or f"{output.get('ename', '')}: {output.get('evalue', '')}", "nb-error")
        data = output.get("data")
        return self._data(_dict(data)) if data is not None else self._old_data(output)

    def _old_data(self, output: dict[str, Any]) -> str:
        names = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml", "html": "text/html",
                 "latex": "text/latex", "text": "text/plain"}  # fmt: skip
        return self._data({names[name]: value for name, value in output.items() if name in names})

    def _data(self, data: dict[str, Any]) -> str:
        """Show the richest form of an output that is safe to show."""
        alternative = _text(data.get("text/plain"))[:200]
        for kind in IMAGES:
            if kind in data:
                return self._image(kind, _text(data[kind]), alternative)
        if "text/html" in data:
            html = documents.clean(_text(data["text/html"])[: MAX_TEXT * 10])
            if html.strip():
                return f'<div class="nb-html rendered" tabindex="0">{html}</div>'
        if "text/markdown" in data:
            html = documents.markdown_to_html(_text(data["text/markdown"])[:MAX_TEXT], **self.places)
            return f'<div class="nb-html rendered">{html}</div>'
        if "text/latex" in data:
            formula = mathematics.mathml(_text(data["text/latex"]).strip().strip("$"), is_block=True)
            if formula:
                return f'<div class="nb-html math-block" tabindex="0">{formula}</div>'
        if "text/plain" in data:
            return _pre(_text(data["text/plain"]))
        return _said("unshown") if data else ""

    def _image(self, kind: str, value: str, alternative: str) -> str:
        if kind == "image/svg+xml":
            content = value.encode("utf-8", "replace")
        else:
            try:
                content = base64.b64decode("".join(value.split()), validate=True)
            except (binascii.Error, ValueError):
                return _said("unshown")
        self.images_left -= len(content)
        if len(content) > MAX_IMAGE or self.images_left < 0:
            return _said("image-cut")
        encoded = base64.b64encode(content).decode()
        return f'<div class="nb-image"><img src="data:{kind};base64,{encoded}" alt="{escape(alternative)}"></div>'


def _pre(text: str, name: str = "") -> str:
    text = ANSI.sub("", text)
    cut = _said("output-cut") if len(text) > MAX_TEXT else ""
    return f'<pre class="nb-output {name}" tabindex="0">{escape(text[:MAX_TEXT])}</pre>{cut}' if text.strip() else ""


def _said(word: str) -> str:
    return f'<span class="said">{word}</span>'


def _text(value: Any) -> str:
    """Notebooks keep a text whole or as its lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value is not None else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
