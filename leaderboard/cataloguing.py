"""From a well-known set and its published files to a data set with a registered benchmark."""

import json
from collections.abc import Sequence
from typing import Any

import yaml
from django.utils.translation import gettext as _

from leaderboard import benchmarks, catalogue_reading, catalogue_texts
from leaderboard.catalogue import rows
from leaderboard.catalogue.entries import Entry, entries
from leaderboard.catalogue.files import Upload
from leaderboard.catalogue.importing import EXAMPLES
from leaderboard.catalogue.searching import CORPUS
from leaderboard.catalogue_reading import Read
from leaderboard.models import Benchmark
from leaderboard.models.benchmarks import in_current_language
from leaderboard.task_kinds import KINDS
from models_hub import browsing, licences, permissions, publishing, task_names
from models_hub.models import Repo
from models_hub.publishing import PutFile
from portal.errors import InvalidInput, NotAllowed, NotFound
from portal.models import Asker

DATA_PATH = "test.jsonl"
MAX_WORDS = 200
# The column that each role of a task has in our rows, where the task's own default is another.
FIELDS: dict[str, dict[str, str]] = {
    "language-modeling": {"input": "text", "context": "context"},
    "text-pair-classification": {"input": "text1", "input2": "text2", "target": "label"},
    "sentence-similarity": {"input": "text1", "input2": "text2", "target": "score"},
}


def title_of(entry: Entry) -> str:
    """Return the name of a set in the reader's language."""
    return in_current_language(entry.title, entry.title_zh)


def text_of(entry: Entry) -> str:
    """Return what a set is, in the reader's language."""
    return in_current_language(entry.description, entry.description_zh)


def task_title(task: str) -> str:
    """Return the words for a task."""
    return str(catalogue_texts.TASK_TITLES.get(task) or task_names.task_label(task))


def task_of(entry: Entry) -> str | None:
    """Return the task under which the portal evaluates a set; None where it has none."""
    return entry.task if fields_of(entry, entry.task) else None


def fields_of(entry: Entry, task: str) -> dict[str, str]:
    """Return the column of each role of a task in the rows of a set; none where a role that is needed has none."""
    if task not in KINDS:
        return {}
    fields = FIELDS.get(task) or KINDS[task].default_fields
    more = rows.OPTIONAL.get(entry.task, ())
    columns = {*rows.COLUMNS[entry.task], *(name for name in more if any(name in own.row for own in entry.sources))}
    fields = {role: column for role, column in fields.items() if column in columns}
    needed = {role for role, what in KINDS[task].roles.items() if what.required}
    return fields if needed <= set(fields) else {}


def labels_of(entry: Entry, task: str) -> list[str]:
    """Return the labels that eval.yaml names: of a set of entities the tags of its types."""
    if not KINDS[task].are_tags:
        return list(entry.labels)
    return ["O", *(f"{prefix}-{kind}" for kind in entry.labels for prefix in "BI")]


def find(*, words: str = "", task: str = "", language: str = "") -> list[Entry]:
    """Return the sets whose names, families, tasks or descriptions hold all the words."""
    wanted = words[:MAX_WORDS].casefold().split()
    return [
        entry
        for entry in entries().values()
        if (not task or entry.task == task)
        and (not language or language in entry.languages)
        and all(word in _searched(entry) for word in wanted)
    ]


def _searched(entry: Entry) -> str:
    parts = (entry.name, entry.title, entry.title_zh, entry.family, entry.task, entry.description, entry.description_zh)
    return "\n".join((*parts, entry.citation, task_title(entry.task))).casefold()


def should_be_private(entry: Entry) -> bool:
    """Say whether the licence leaves it open that the rows may be passed on to everybody."""
    return licences.class_of(entry.license) not in ("permissive", "copyleft")


def make(
    entry: Entry, uploads: Sequence[Upload], *, by: Asker, namespace: str, name: str, private: bool
) -> tuple[Benchmark, Read]:
    """Create a data set with the rows of the files, its eval.yaml and its card, and register the benchmark."""
    task = task_of(entry)
    if task is None:
        raise InvalidInput(_("This portal cannot evaluate this kind of task yet."))
    with catalogue_reading.rows_of(entry, uploads) as read:
        content = read.path.read_bytes()
        repo = publishing.create_repo(by=by, kind=Repo.Kind.DATASET, namespace=namespace, name=name, private=private)
        changes = [
            PutFile("README.md", _card(entry, read).encode()),
            PutFile(benchmarks.DEFINITION_PATH, definition_of(entry, task, examples=read.shown).encode()),
            PutFile(DATA_PATH, content),
        ]
        if read.corpus is not None:
            changes.append(PutFile(CORPUS, read.corpus.read_bytes()))
        if read.examples is not None:
            changes.append(PutFile(EXAMPLES, read.examples.read_bytes()))
        try:
            publishing.commit(repo=repo, by=by, changes=changes, title=f"Import {entry.title}")
            benchmark, _is_new = benchmarks.register(repo, by=by)
        except Exception:
            publishing.delete_repo(repo, by=by)  # nobody has seen it; an empty one would only hold its name
            raise
        return benchmark, read


def make_from_dataset(
    entry: Entry, full_name: str, *, by: Asker, namespace: str, name: str, private: bool
) -> tuple[Benchmark, Read]:
    """Do the same with the files of a data set that is here, a mirror of another hub's perhaps."""
    owner, _slash, its_name = full_name.strip().partition("/")
    try:
        dataset = browsing.visible_repo(by, kind=Repo.Kind.DATASET, namespace=owner, name=its_name)
    except NotFound as error:
        raise InvalidInput(_("There is no data set “%(name)s” here.") % {"name": full_name[:100]}) from error
    if not permissions.can_download(by, dataset):
        raise NotAllowed(_("You may see this data set but not download its files."))
    if (dataset.private or dataset.gated) and not private:
        raise InvalidInput(_("Not everybody may have this data set: what is made of it must be private."))
    with catalogue_reading.copied(entry, dataset) as uploads:
        return make(entry, uploads, by=by, namespace=namespace, name=name, private=private)


def definition_of(entry: Entry, task: str, *, examples: int = 0) -> str:
    """Return the eval.yaml of a set; with so many rows that prompts may show."""
    files = {"corpus": CORPUS} if any(source.corpus for source in entry.sources) else {}
    if examples:
        files["train"] = EXAMPLES
    value: dict[str, Any] = {
        "version": 1,
        "name": entry.title,
        "name_zh": entry.title_zh,
        "description": f"{entry.description} {_source_of(entry)}",
        "description_zh": f"{entry.description_zh}{_source_of(entry)}",
        "task": task,
        "split": {"path": DATA_PATH},
        **({"files": {name: {"path": path} for name, path in files.items()}} if files else {}),
        "fields": fields_of(entry, task),
        **({"labels": labels_of(entry, task)} if entry.labels else {}),
        **{name: value for name, value in entry.settings.items() if name in KINDS[task].settings},
        **({"few_shot": min(entry.shots, examples)} if examples else {}),
        "primary": entry.primary,
        "license": entry.license,
        "test_is_public": entry.test_is_public,
    }
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120)


def _source_of(entry: Entry) -> str:
    return f"({entry.split}; {entry.citation}; {entry.homepage})"


def _card(entry: Entry, read: Read) -> str:
    front = {
        "pretty_name": entry.title,
        "language": list(entry.languages),
        "license": entry.license,
        "task_categories": [entry.task] if entry.task in task_names.TASKS else [],
        "tags": ["benchmark"],
    }
    left_out = f"{read.left_out} records without an answer were left out." if read.left_out else ""
    names = ", ".join(f"`{json.dumps(name)[1:-1]}`" for name in read.files[:20])
    note = f" {entry.license_note}" if entry.license_note else ""
    return "\n".join(
        (
            "---",
            yaml.safe_dump(front, allow_unicode=True, sort_keys=False).strip(),
            "---",
            "",
            f"# {entry.title}",
            "",
            entry.description,
            "",
            entry.description_zh,
            "",
            f"- Published at: {entry.homepage}",
            f"- To be cited as: {entry.citation}",
            f"- Licence: {entry.license}.{note}",
            f"- Made of: {names}: {read.rows} rows, split “{entry.split}”. {left_out}".rstrip(),
            "",
        )
    )
