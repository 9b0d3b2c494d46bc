"""The environments of real clients, and what the document for readers says of them."""

import re

import pytest

from tests.live import ROOT
from tests.wire import environments
from tests.wire.conftest import HUBS
from tests.wire.environments import Environment, listed

# Rows of the table whose version is that of the project itself.
OF_THE_PROJECT = {"transformers"}


def versions_told() -> list[tuple[str, str]]:
    """Return package and version of each row of the table in docs/CLIENTS.md."""
    document = (ROOT / "docs" / "CLIENTS.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([\w-]+)`[^|]* \| (\d[\w.]*) \|", document, re.MULTILINE)


def versions_pinned(packages: set[str]) -> list[tuple[str, str]]:
    """Return package and version of each environment that has one of these packages, and those of the project."""
    pins = [pin.split("==") for environment in listed().values() for pin in environment.packages]
    project = [line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split()]
    pins += [pin for pin in project if pin[0] in OF_THE_PROJECT]
    return [(name, version) for name, version in pins if name in packages]


def test_the_document_names_the_versions_that_are_run():
    told = versions_told()
    assert {"huggingface_hub", "hf-xet", "datasets", "peft", "sentence-transformers", "pandas"} <= {n for n, _ in told}
    # hf-xet is told once, and is the same in every environment.
    pinned = versions_pinned({name for name, _version in told})
    assert sorted(set(told)) == sorted(set(pinned))
    assert [row for row in told if row[0] == "huggingface_hub"] == [
        ("huggingface_hub", listed()[hub].version("huggingface_hub")) for hub in HUBS
    ]


def test_the_libraries_run_on_the_newest_client():
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert f"huggingface_hub=={listed()['hub-2.4'].version('huggingface_hub')}" in pins


def test_an_environment_is_made_once_and_made_anew_when_its_list_changes(monkeypatch, tmp_path):
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    first = Environment("empty", ())
    first.make()
    (first.folder / "mark").touch()
    Environment("empty", ()).make()
    assert (first.folder / "mark").exists()
    (first.folder / ".ready").unlink()  # as if the first had been broken off
    first.make()
    assert not (first.folder / "mark").exists()
    changed = Environment("empty", (), beside_the_project=True)
    assert changed.folder != first.folder
    changed.make()
    assert not first.folder.exists()
    environments.run(changed.program("python"), "-c", "import django")


@pytest.mark.parametrize("ci", ["true", "false"])
def test_without_an_index_tests_are_skipped_but_never_where_ci_runs_them(monkeypatch, tmp_path, ci):
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    broken = {"broken": Environment("broken", ("not-a-package-of-anybody==1.0",))}
    monkeypatch.setattr(environments, "listed", lambda: broken)
    outcome = pytest.fail.Exception if ci == "true" else pytest.skip.Exception
    with pytest.raises(outcome, match="not-a-package-of-anybody"):
        environments.environment("broken")
    environments.attempt.cache_clear()
