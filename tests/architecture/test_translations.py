"""Chinese and English are equals: every text that a reader can see is translated."""

import shutil
import subprocess
import sys

import pytest
from babel.messages.pofile import read_po

from tests.live import ROOT
from tests.servers import need

CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


def collected(folder) -> set[tuple[str, str]]:
    """Collect the texts of a copy of the source, as `make messages` does."""
    for name in ("portal", "models_hub", "forum", "leaderboard", "worker", "templates", "locale", "demo"):
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
