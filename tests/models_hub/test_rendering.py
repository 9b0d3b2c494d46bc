"""Hostile text becomes safe HTML, within limits, and only once."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest

from models_hub import renderer, rendering
from models_hub.management.commands.write_highlight_css import PATH
from models_hub.markup import code, documents
from models_hub.models import Repo
from portal.models import Namespace
from tests.live import ROOT

PLACES = {"blob": "/alice/bert/blob/main/", "raw": "/alice/bert/resolve/main/"}
# Each of these takes Python's Markdown, or one of its extensions, far longer than any card may.
PATHOLOGICAL = {
    "image openings": "![" * 20_000,
    "brackets": "[" * 40_000,
    "stars": "*a " * 13_000,
    "tag openings": "<a " * 13_000,
    "nested links": "[a](" * 10_000,
    "nested lists": "\n".join(" " * (2 * depth) + "- a" for depth in range(280)),
    "footnotes": "[^1]" * 10_000 + "\n\n[^1]: x",
    "definitions": "a\n:   " * 6000,
}
SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)></svg>",
    "<iframe src=https://evil.example></iframe>",
    "<form action=https://evil.example><input name=a><button>Go</button></form>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<style>body { display: none }</style>",
    "<p style='position:fixed;inset:0'>over all</p>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<object data=x></object><embed src=x>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "`` <img src=x onerror=alert(1)> ``\n<img src=`x` onerror=`alert(1)`>",
    '![x](x"onerror="alert(1))',
    "<!--><img src=x onerror=alert(1)>-->",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "[x]: https://a.example 'x' onerror=alert(1)\n\n![x]",
    "<x-custom onclick=alert(1)>x</x-custom>",
]


def html(text: str) -> str:
    return documents.markdown_to_html(text, **PLACES)


@pytest.fixture
def repo() -> Repo:
    return Repo(kind="model", namespace=Namespace(name="alice"), name="bert")


class Tags(HTMLParser):
    """Collects what a browser would see: names of tags and attributes, and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _value in attrs)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


@pytest.mark.parametrize("text", SCRIPTS)
def test_nothing_that_runs_or_frames_or_sends_survives(text):
    seen = Tags()
    seen.feed(html(text))
    assert seen.names <= {"p", "a", "img", "code", "div", "h1", "table", "tbody", "tr", "td"}
    assert seen.attributes <= {"href", "src", "alt", "rel", "title", "class"}
    assert all(address.startswith(("/alice/bert/", "https://")) for address in seen.addresses)


def test_ordinary_markdown_is_rendered():
    page = html("# Title\n\n**bold** and *soft*\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n> said\n\n~~gone~~")
    for piece in ("<strong>bold</strong>", "<em>soft</em>", '<td align="right">2</td>', "<blockquote>", "<del>gone"):
        assert piece in page


def test_a_list_needs_no_blank_line_before_it_and_nests_by_two_spaces():
    page = html("Words:\n- one\n  - two\n- three").replace("\n", "")
    assert page == "<p>Words:</p><ul><li>one<ul><li>two</li></ul></li><li>three</li></ul>"


def test_a_numbered_list_keeps_its_paragraphs_and_code():
    page = html("1. one\n2. two\n\n   more\n\n   ```python\n   x = 1\n   ```\n3. three")
    assert page.count("<li>") == 3
    assert page.index("more") < page.index("three")
    assert '<span class="n">x</span>' in page


def test_a_year_at_the_start_of_a_line_begins_no_list():
    assert "<li>" not in html("It was made in\n2019. It is good.")


def test_fenced_code_is_coloured_by_classes_alone():
    page = html("```python\ndef f(): pass\n```")
    assert 'class="highlight"' in page
    assert '<span class="k">def</span>' in page


def test_footnotes_and_headings_get_ids_that_cannot_clash_with_the_page():
    page = html("## Use\n\nText[^1].\n\n[^1]: Note.\n\n[go](#use) <b id=content>x</b>")
    assert '<h2 id="card-use">' in page
    assert 'href="#card-fn:1"' in page
    assert 'id="card-fn:1"' in page
    assert 'href="#card-use"' in page
    assert 'id="content"' not in page


def test_task_boxes_are_shown_without_inputs():
    page = html("- [x] done\n- [ ] open\n\n<input type=text value=a>")
    assert "☑" in page
    assert "☐" in page
    assert "<input" not in page


def test_relative_links_and_images_point_into_the_revision():
    page = html("[a](docs/a b.md#part) ![b](img/b.png) [c](./c.txt)")
    assert 'href="/alice/bert/blob/main/docs/a%20b.md#part"' in page
    assert 'src="/alice/bert/resolve/main/img/b.png"' in page
    assert 'href="/alice/bert/blob/main/c.txt"' in page


def test_relative_links_of_a_file_in_a_folder_start_there_and_stay_inside():
    page = documents.markdown_to_html("[a](x.md) [b](../y.md) [c](../../z.md)", **PLACES, folder="docs")
    assert "/blob/main/docs/x.md" in page
    assert "/blob/main/y.md" in page
    assert "z.md" not in page


def test_remote_images_are_links_so_that_other_hosts_do_not_learn_who_reads():
    page = html("![chart](https://evil.example/x.png) [![badge](//evil.example/b.svg)](https://a.example)")
    assert "<img" not in page
    assert '<a href="https://evil.example/x.png" rel="nofollow noopener">chart</a>' in page
    assert '<a href="https://a.example" rel="nofollow noopener">badge</a>' in page


def test_an_svg_of_the_repository_is_an_image_in_which_nothing_runs():
    assert html("![plot](plot.svg)") == '<p><img alt="plot" src="/alice/bert/resolve/main/plot.svg"></p>'


def test_links_to_other_hosts_must_name_their_scheme():
    page = html('<a href="//evil.example">a</a> <a href="/\\evil.example">b</a> <a href="\\\\evil.example">c</a>')
    assert "href" not in page


def test_classes_of_the_site_cannot_be_borrowed():
    page = html('<div class="position-fixed modal k">x</div><span class="btn btn-danger">y</span>')
    assert "position-fixed" not in page
    assert "btn" not in page


def test_metadata_above_the_text_is_not_shown(repo):
    page = rendering.markdown_html("---\nlicense: mit\n---\n# Title", repo=repo, revision="main")
    assert "license" not in page
    assert "Title" in page


@pytest.mark.parametrize("text", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
def test_what_is_too_hard_to_render_comes_back_as_plain_text_in_time(monkeypatch, repo, text):
    monkeypatch.setattr(rendering, "CPU_SECONDS", 1)
    started = time.monotonic()
    page = rendering.markdown_html(text, repo=repo, revision="main")
    assert time.monotonic() - started < rendering.WALL_SECONDS
    assert page.startswith('<pre class="card-plain">')


def test_what_is_too_long_comes_back_as_plain_text_and_cut(repo):
    page = rendering.markdown_html("<b>x</b>" * 50_000, repo=repo, revision="main")
    assert page.startswith('<pre class="card-plain">&lt;b&gt;')
    assert len(page) < 6 * rendering.MAX_MARKDOWN


def test_the_same_text_is_rendered_once(monkeypatch, repo):
    first = rendering.markdown_html("# Once only", repo=repo, revision="main")
    monkeypatch.setattr(rendering, "_run_child", lambda *request: pytest.fail("it was rendered again"))
    assert rendering.markdown_html("# Once only", repo=repo, revision="main") == first


def test_another_revision_is_rendered_anew(repo):
    one = rendering.markdown_html("[a](b.md)", repo=repo, revision="main")
    other = rendering.markdown_html("[a](b.md)", repo=repo, revision="v1")
    assert "/blob/v1/b.md" in other
    assert one != other


def test_a_failure_is_remembered_too(monkeypatch, repo):
    tried = []
    monkeypatch.setattr(rendering, "_run_child", lambda *request: tried.append(request))
    for _attempt in range(2):
        page = rendering.markdown_html("# Fails", repo=repo, revision="main")
    assert len(tried) == 1
    assert page == '<pre class="card-plain"># Fails</pre>'


def test_a_page_does_not_wait_long_for_its_turn_and_is_rendered_the_next_time(monkeypatch, repo):
    monkeypatch.setattr(rendering, "TURN_SECONDS", 0.05)
    busy = threading.BoundedSemaphore(1)
    monkeypatch.setattr(rendering, "_CHILDREN", busy)
    with busy:
        page = rendering.markdown_html("# My turn", repo=repo, revision="main")
        assert page == '<pre class="card-plain"># My turn</pre>'
    assert "<h1" in rendering.markdown_html("# My turn", repo=repo, revision="main")


def test_the_child_gets_nothing_of_our_environment(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "very secret")
    given = {}

    def run(command, **options):
        given.update(options, command=command)
        raise OSError

    monkeypatch.setattr(renderer.subprocess, "Popen", run)
    with pytest.raises(renderer.RenderFailed):
        renderer.Renderer().ask(b"{}", cpu_seconds=1, wall_seconds=1)
    assert "very secret" not in str(given)
    assert "-I" in given["command"]


def test_code_is_numbered_coloured_and_escaped():
    page = rendering.code_html('x = "<script>"\ny = 2\n', name="a.py")
    assert '<span id="L1">' in page
    assert '<span id="L2">' in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_code_in_an_unknown_language_is_plain_lines():
    assert '<span id="L1">some &lt;b&gt; words</span>' in rendering.code_html("some <b> words", name="x.unknown")


def test_long_code_is_escaped_and_not_coloured():
    page = rendering.code_html("<b>\n" * 100_000, name="a.py")
    assert page.startswith('<pre class="code code-plain" tabindex="0">&lt;b&gt;')


def test_a_diff_names_the_changed_lines():
    assert rendering.text_diffs([("a\nb\n", "a\nc\n")]) == [["@@ -1,2 +1,2 @@", " a", "-b", "+c"]]


def test_the_stylesheet_of_highlighted_code_is_up_to_date():
    written = (ROOT / PATH).read_text(encoding="utf-8")
    assert written == code.stylesheet(), "run: manage.py write_highlight_css"
    assert "[data-bs-theme" in written


def ask(running: renderer.Renderer, operation: str, text: str) -> str:
    request = json.dumps({"operation": operation, "arguments": [text], "options": {}}).encode()
    return running.ask(request, cpu_seconds=1, wall_seconds=10).decode()


@pytest.fixture
def running():
    started = renderer.Renderer()
    yield started
    started._stop()


def test_a_request_that_is_too_hard_ends_alone(running):
    with pytest.raises(renderer.RenderFailed):
        ask(running, "markdown", "![" * 20_000)
    assert ask(running, "markdown", "x") == "<p>x</p>"


def test_a_renderer_that_died_is_started_again(running):
    assert ask(running, "markdown", "x") == "<p>x</p>"
    running._process.kill()
    running._process.wait()
    assert ask(running, "markdown", "y") == "<p>y</p>"


@pytest.mark.parametrize("request_bytes", [b"", b"{", b'{"operation": "none", "arguments": [], "options": {}}'])
def test_what_is_no_request_gets_no_answer(running, request_bytes):
    with pytest.raises(renderer.RenderFailed):
        running.ask(request_bytes, cpu_seconds=1, wall_seconds=5)


def test_many_threads_are_answered_each_with_its_own(running):
    with ThreadPoolExecutor(8) as threads:
        texts = [f"text{number}" for number in range(40)]
        answers = list(threads.map(lambda text: ask(running, "markdown", text), texts))
    assert answers == [f"<p>{text}</p>" for text in texts]
