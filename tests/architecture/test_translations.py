"""Chinese and English are equals: every text that a reader can see is translated."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from babel.messages.pofile import read_po

from tests.live import ROOT
from tests.servers import need

APPS = ("portal", "models_hub", "forum", "leaderboard", "worker")
MARKERS = {
    f"{start}{name}" for start in ("", "n", "p", "np") for name in ("gettext", "gettext_lazy", "gettext_noop")
} | {"_"}
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def collected(folder) -> set[tuple[str, str]]:
    """Collect the texts of a copy of the source, as `make messages` does."""
    for name in (*APPS, "templates", "locale", "demo"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo", "*.jsonl"))
    shutil.copy(ROOT / "manage.py", folder / "manage.py")
    catalogue = folder / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    catalogue.unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "--locale", "zh_Hans", "--no-location"],
        cwd=folder, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return identities(catalogue)


def identities(path) -> set[tuple[str, str]]:
    with path.open("rb") as file:
        return {(message.context or "", str(message.id)) for message in read_po(file) if message.id}


def test_the_catalogue_holds_every_text(tmp_path):
    need("xgettext")
    missing = collected(tmp_path) - identities(CATALOGUE)
    assert not missing, f"Run `make messages` and translate: {sorted(missing)[:20]}"


def unseen(source: str) -> Iterator[int]:
    """Lines with a marked text that xgettext does not see: not a literal, or inside an f-string."""
    tree = ast.parse(source)
    inside = {id(node) for outer in ast.walk(tree) if isinstance(outer, ast.JoinedStr) for node in ast.walk(outer)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in MARKERS:
            texts = node.args[:1] if called(node)[0] in "_g" else node.args[:2]
            if id(node) in inside or any(isinstance(text, ast.JoinedStr | ast.BinOp) for text in texts):
                yield node.lineno


def called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def test_no_text_hides_from_the_collector():
    paths = [path for name in (*APPS, "demo") for path in (ROOT / name).rglob("*.py")]
    assert paths
    found = [f"{path.relative_to(ROOT)}:{line}" for path in paths for line in unseen(path.read_text("utf-8"))]
    assert not found, f"Mark a literal, and fill it with % afterwards: {found}"


@pytest.mark.parametrize(
    "source",
    ['_(f"{n} files")', 'f"{_(word)} {_(\'files\')}"', '_("a %s" % n)', 'ngettext("a", f"{n} b", n)',
     'translation.gettext(f"{n}")', 'pgettext("verb", f"{n}")'],
)  # fmt: skip
def test_the_check_finds_what_the_collector_misses(source):
    assert list(unseen(source))


@pytest.mark.parametrize("source", ['_("a") % n', 'f"{x}: " + _("a")', "gettext(stored)", 'ngettext("a", "b", n)'])
def test_the_check_lets_sound_texts_pass(source):
    assert not list(unseen(source))


def test_every_text_is_translated():
    with CATALOGUE.open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    assert messages
    untranslated = [m.id for m in messages if not m.string or (isinstance(m.string, tuple) and not all(m.string))]
    fuzzy = [m.id for m in messages if m.fuzzy]
    assert not untranslated
    assert not fuzzy


def test_placeholders_survive_translation():
    with CATALOGUE.open("rb") as file:
        for message in read_po(file):
            if message.id and message.string:
                errors = [str(error) for error in message.check()]
                assert not errors, f"{message.id}: {errors}"


@pytest.mark.parametrize("code", ["en", "zh-hans"])
def test_the_home_page_speaks_the_readers_language(client, db, code):
    page = client.get("/", headers={"accept-language": code})
    assert page.status_code == 200
    assert f'lang="{code}"' in page.content.decode()
