"""What the documents name exists: settings, commands and files."""

import re
from pathlib import Path

from django.core.management import get_commands

from tests.live import ROOT

READERS = r"(?:text|required|flag|number|names)"


def environment_names() -> set[str]:
    """Every variable that the code reads through portal.config.env."""
    found: set[str] = set()
    for path in ROOT.glob("*/**/*.py"):
        if {"node_modules", ".venv", "build", "tests"} & set(path.relative_to(ROOT).parts):
            continue
        source = path.read_text(encoding="utf-8")
        found |= set(re.findall(rf"env\.{READERS}\(\s*[\"']([A-Z_]+)[\"']", source))
        if path.name == "env.py":
            found |= set(re.findall(rf"\b{READERS}\(\"([A-Z_]+)\"", source))
    return found


def test_every_setting_is_documented():
    document = (ROOT / "docs" / "SETTINGS.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", document, re.MULTILINE))
    assert documented == environment_names()


def test_commands_that_documents_name_exist():
    commands = set(get_commands())
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for name in re.findall(r"manage\.py ([a-z_]+)", path.read_text(encoding="utf-8")):
            assert name in commands, f"{path.name} names {name}"


def test_make_targets_that_documents_name_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for name in re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")):
            assert name in targets, f"{path.name} names {name}"


def test_files_that_documents_name_exist():
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for name in re.findall(r"`((?:[\w-]+/)+[\w.-]*)`", path.read_text(encoding="utf-8")):
            assert (ROOT / Path(name)).exists(), f"{path.name} names {name}"
