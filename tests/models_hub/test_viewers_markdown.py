"""Formulas, boxes, diagrams and contents of cards."""

import json

import pytest

from models_hub.markup import documents
from models_hub.markup.mathematics import mathml
from tests.models_hub.test_rendering import Tags


def html(text: str) -> str:
    return documents.markdown_to_html(text, blob="/a/b/blob/main/", raw="/a/b/resolve/main/")


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 or $6",
        "价格 $5 和 $6",
        "价格$5和6$左右",
        "US$5 and US$6",
        "$5-$10 and $1,000",
        "`$x$`",
        "a\\$b\\$",
        "$ x $",
        "```\n$x$\n```",
    ],
)
def test_money_and_code_are_no_formulas(text):
    assert "<math" not in html(text)


@pytest.mark.parametrize(
    "text",
    ["$x$", "公式$x_1$的", "其中 $\\alpha$，", "准确率$y = 5$。", "$\\text{中文}$", "$$x$$",
     "$$\nx\n- y\n$$", "\\\\(x\\\\)", "```math\nx\n```",
     "价格 $5 和 $6，公式$\\alpha+\\beta$的", "- a\n  $$\n  x\n  $$",
     "> $$\n> x\n> $$"],
)  # fmt: skip
def test_formulas_are_found_beside_chinese_in_blocks_lists_and_quotations(text):
    assert html(text).count("<math") == 1


def test_a_formula_that_is_not_understood_stays_as_it_was_written():
    assert '<code class="math-source">\\foo{x}</code>' in html("$\\foo{x}$")


def test_environments_and_limits_are_mathml():
    written = mathml(
        r"\begin{aligned} a &= \sum_{i=1}^N x_i \\ b &= \begin{cases}1\\0\end{cases}\end{aligned}", is_block=True
    )
    assert written is not None
    assert "<mtable" in written
    assert "<munderover>" in written
    assert "&amp;" not in written


@pytest.mark.parametrize(
    "formula",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{modal}{x}",
        r"\cssId{content}{x}",
        r"\color{red;background:url(//evil.example)}{x}",
        r"\mathrm{\"onload=alert(1)}",
        r"&lt;script&gt;",
        r"\unicode{x3c}script",
    ],
)
def test_formulas_bring_no_tags_links_or_styles(formula):
    seen = Tags()
    seen.feed(html(f"$${formula}$$\n\n![${formula}$](x.png) <b title='${formula}$'>x</b>"))
    assert not seen.names & {"script", "a", "style", "svg", "iframe"}
    assert not seen.attributes & {"href", "style", "class_", "id", "onload", "onerror"}


def test_many_formulas_are_bounded():
    assert html("$x$ " * 2500).count("<math") == 2000


def test_boxes_of_github_are_boxes_and_two_of_them_stay_two():
    page = html("> [!NOTE]\n> one\n\n> [!WARNING]\n> two\n\n> [!SCRIPT]\n> three")
    assert 'class="card-alert card-alert-note"' in page
    assert 'class="card-alert card-alert-warning"' in page
    assert "[!SCRIPT]" in page


def test_a_diagram_is_its_source_until_a_script_draws_it():
    assert html("```mermaid\ngraph TD; A-->B\n```") == '<pre class="mermaid"><code>graph TD; A--&gt;B</code></pre>'


def test_headings_are_linked_and_listed():
    made = json.loads(documents.document_to_json("# One $x^2$\n\n## 二"))
    assert made["headings"] == [
        {"level": 1, "id": "card-one-x2", "name": "One x^2"},
        {"level": 2, "id": "card-二", "name": "二"},
    ]
    assert '<a class="anchor" href="#card-one-x2"' in made["html"]


def test_a_long_card_has_contents_and_a_short_one_has_none(client, alice, make_repo):
    make_repo(alice, "long", files={"README.md": "# a\n\n## b\n\n## c\n\n## d\n\n> [!TIP]\n> x"})
    make_repo(alice, "short", files={"README.md": "# a"})
    for address in ("/alice/long", "/alice/long/blob/main/README.md"):
        page = client.get(address).text
        assert 'id="contents"' in page
        assert ">Tip</span>" in page
    assert 'id="contents"' not in client.get("/alice/short").text


def test_the_frame_of_diagrams_has_no_origin_and_reaches_nothing(client, db):
    response = client.get("/fragments/diagram")
    policy = response["Content-Security-Policy"]
    assert "sandbox allow-scripts;" in policy
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "frame-ancestors 'self'" in policy
    assert "X-Frame-Options" not in response
