"""Notebooks, trees of JSON and YAML, and text in other encodings."""

import base64
import json

import pytest

from models_hub.markup import notebooks, trees
from models_hub.viewers import texts
from tests.models_hub.test_rendering import SCRIPTS, Tags


def notebook(*cells: dict[str, object]) -> str:
    return json.dumps({"nbformat": 4, "metadata": {"language_info": {"name": "python"}}, "cells": list(cells)})


def output(**data: object) -> dict[str, object]:
    shown = {"output_type": "display_data", "data": {name.replace("__", "/"): value for name, value in data.items()}}
    return {"cell_type": "code", "source": "x", "outputs": [shown]}


def rendered(*cells: dict[str, object]) -> str:
    return str(json.loads(notebooks.notebook_to_html(notebook(*cells)))["html"])


def test_a_notebook_shows_text_code_and_outputs():
    page = rendered(
        {"cell_type": "markdown", "source": ["# Head\n", "$x_1$"]},
        {"cell_type": "code", "execution_count": 3, "source": "import os", "outputs": [
            {"output_type": "stream", "name": "stderr", "text": "\x1b[31mred\x1b[0m <b>"}]},
        output(image__png=base64.b64encode(b"png").decode()),
        output(text__html="<table><tr><td>1</td></tr></table>"),
    )  # fmt: skip
    for piece in ("<math", "[3]", 'class="kn">import', "red &lt;b&gt;", "data:image/png;base64,", "<td>1</td>"):
        assert piece in page


@pytest.mark.parametrize("text", SCRIPTS)
def test_nothing_of_a_notebook_runs(text):
    seen = Tags()
    seen.feed(
        rendered(
            {"cell_type": "markdown", "source": text},
            {"cell_type": "raw", "source": text},
            {"cell_type": "code", "source": text, "execution_count": text, "outputs": [
                {"output_type": "stream", "text": text}, {"output_type": "error", "traceback": [text]}]},
            output(text__html=text),
            output(text__plain=text),
            output(text__markdown=text),
            output(image__png=text, text__plain=text),
            output(application__javascript="alert(1)"),
        )
    )  # fmt: skip
    assert not seen.names & {"script", "style", "iframe", "svg", "object", "form", "base", "meta"}
    assert not [name for name in seen.attributes if name.startswith("on") or name == "style"]


def test_an_svg_of_a_notebook_is_an_image_and_no_part_of_the_page():
    page = rendered(output(**{"image__svg+xml": "<svg onload=alert(1)>"}))
    assert '<img src="data:image/svg+xml;base64,' in page
    assert "<svg" not in page


def test_large_outputs_are_cut():
    page = rendered(output(text__plain="x" * 100_000), output(image__png=base64.b64encode(b"x" * 4_000_000).decode()))
    assert '<span class="said">output-cut</span>' in page
    assert '<span class="said">image-cut</span>' in page
    assert len(page) < 30_000


@pytest.mark.parametrize("text", ["[]", "{", '{"cells": 1}', "1", '{"a":' * 5000])
def test_what_is_no_notebook_is_said(text):
    assert json.loads(notebooks.notebook_to_html(text)) == {"problem": "broken"}


@pytest.mark.parametrize("cell", [{}, {"cell_type": "code", "outputs": 1, "source": 2}, {"outputs": [1, None]}])
def test_odd_cells_are_borne(cell):
    assert "nb-cell" in rendered(cell)


def test_a_tree_folds_and_escapes():
    made = json.loads(trees.tree_to_json('{"<b>": {"x": ["</ul><script>"]}, "n": [1, 2]}', kind="json"))
    assert "&lt;b&gt;" in made["html"]
    assert "<script>" not in made["html"]
    assert "<details" in made["html"]
    assert "[1, 2]" in made["html"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[" * 100_000, "json"),
        ("a: &a [x]\n" + "".join(f"k{n}: &b{n} [*a, *a, *a, *a]\n" for n in range(50)), "yaml"),
        ("&a [*a]", "yaml"),
        ("!!python/object/apply:os.system ['echo']", "yaml"),
        ("{" * 5000, "yaml"),
        ("1" * 5000, "json"),
    ],
)
def test_hostile_trees_are_bounded(text, kind):
    assert len(trees.tree_to_json(text, kind=kind)) < 1_000_000


def test_a_large_list_is_grouped_and_cut():
    made = json.loads(trees.tree_to_json(json.dumps([{"a": n} for n in range(20_000)]), kind="json"))
    assert made["is_cut"]
    assert "0 … 99" in made["html"]
    assert len(made["html"]) < 1_000_000


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("你好".encode(), ("你好", "")),
        (b"\xef\xbb\xbfa", ("a", "")),
        ("这是国标编码的文字".encode("gb18030"), ("这是国标编码的文字", "GB18030")),
        ("你好".encode("utf-16"), ("你好", "UTF-16")),
        ("naïve café".encode("latin-1"), ("naïve café", "Latin-1")),
        (b"\x00\x01\x02", None),
        (bytes(range(1, 9)) * 100 + b"\xff", None),
    ],
)
def test_the_encoding_of_a_text_is_told(data, found):
    assert texts.decode(data) == found


def test_a_file_that_is_not_utf_8_is_read_and_the_page_says_so(client, alice, make_repo):
    make_repo(alice, files={"a.txt": "第一行是国标编码\n".encode("gb18030")})
    page = client.get("/alice/bert/blob/main/a.txt").text
    assert "第一行是国标编码" in page
    assert "GB18030" in page


def test_json_on_one_line_is_spread_out_and_has_a_tree(client, alice, make_repo):
    make_repo(alice, files={"a.json": '{"a": {"b": [1, {"c": 2}]}}', "bad.json": '{"a": '})
    assert 'id="L5"' in client.get("/alice/bert/blob/main/a.json").text
    assert "<details" in client.get("/alice/bert/blob/main/a.json?view=tree").text
    assert "This file cannot be read" in client.get("/alice/bert/blob/main/bad.json?view=tree").text
    assert 'id="L1"' in client.get("/alice/bert/blob/main/a.json?source").text


def test_a_notebook_has_a_page_and_a_source(client, alice, make_repo):
    make_repo(
        alice, files={"a.ipynb": notebook({"cell_type": "code", "source": "x = 1", "outputs": []}), "b.ipynb": "{"}
    )
    assert "nb-source" in client.get("/alice/bert/blob/main/a.ipynb").text
    assert "nb-source" not in client.get("/alice/bert/blob/main/a.ipynb?source").text
    assert 'id="L1"' in client.get("/alice/bert/blob/main/b.ipynb").text


def test_a_long_text_is_shown_in_part(client, alice, make_repo):
    make_repo(alice, files={"a.txt": "".join(f"line {number}\n" for number in range(60_000))})
    page = client.get("/alice/bert/blob/main/a.txt").text
    assert "Only the first" in page
    assert "line 59999" not in page
