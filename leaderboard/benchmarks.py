"""From an eval.yaml in a data set to a registered benchmark."""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from leaderboard import definitions, permissions
from leaderboard.definition_values import DefinitionRefused
from leaderboard.definitions import Definition
from leaderboard.models import Benchmark, Standing
from models_hub import browsing, cards
from models_hub.browsing import Entry, EntryNotFound
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import Conflict, InvalidInput, NotAllowed, SignInRequired
from portal.models import Asker, Event, User

DEFINITION_PATH = "eval.yaml"
MAX_DATA_BYTES = 128 * 1024**2


def register(
    dataset: Repo, *, by: Asker, revision: str = DEFAULT_BRANCH, path: str = DEFINITION_PATH
) -> tuple[Benchmark, bool]:
    """Make a benchmark of a definition and the data it points at; returns it and whether it is new.

    The same meaning under the same version is the benchmark that is there already, with its words brought up to date.
    Another meaning needs another version: Conflict. Moderators review each version before lists offer it.
    """
    user = _require_writer(by, dataset)
    commit = browsing.resolve_revision(dataset, revision)
    definition = definitions.parse(_read_definition(dataset, browsing.find(dataset, commit, path)))
    data = _find_data(dataset, commit.oid, definition.split_path, key="split", where="split.path")
    sha256 = _sha256_of(dataset, data)
    files = _find_files(dataset, commit.oid, definition)
    meaning = meaning_of(definition, sha256, files)
    with transaction.atomic():
        known = (
            Benchmark.objects.select_for_update().filter(dataset=dataset, path=path, version=definition.version).first()
        )
        if known is not None:
            return _renamed(known, definition, meaning), False
        benchmark = Benchmark.objects.create(
            dataset=dataset,
            commit_oid=commit.oid,
            path=path,
            meaning=meaning,
            data_sha256=sha256,
            data_size=data.size,
            registered_by=user,
            standing=Standing.APPROVED if permissions.can_review(user) else Standing.PROPOSED,
            **vars(definition) | {"files": files},
        )
        Event.record("benchmark.registered", subject=f"benchmark:{benchmark.pk}", by=user, dataset=dataset.pk)
    return benchmark, True


def meaning_of(definition: Definition, data_sha256: str, files: dict[str, dict[str, Any]]) -> str:
    """Return a digest over all that can move a number; names, descriptions and the metrics shown cannot."""
    meaning: dict[str, Any] = {
        "task": definition.task,
        "data": data_sha256,
        "fields": definition.fields,
        "labels": definition.labels,
        "label_map": definition.label_map,
        "primary": definition.primary_metric,
        "max_length": definition.max_length,
        "seed": definition.seed,
        "bootstrap": definition.bootstrap,
    }
    # Left out where there are none, as they were before there could be any.
    if definition.settings:
        meaning["settings"] = definition.settings
    if definition.robustness:
        meaning["robustness"] = definition.robustness
    if files:
        meaning["files"] = {name: file["sha256"] for name, file in files.items()}
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def _require_writer(by: Asker, dataset: Repo) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to register a benchmark."))
    if dataset.is_model:
        raise InvalidInput(_("A benchmark lives in a data set, and this is a model."), code="not_a_dataset")
    if not permissions.can_register(by, dataset):
        raise NotAllowed(_("Only those who may write to the data set can make a benchmark of it."))
    return by


def _read_definition(dataset: Repo, entry: Entry) -> str:
    if entry.is_folder or entry.size > cards.MAX_METADATA_BYTES:
        raise DefinitionRefused(_("“%(path)s” is not a small text file.") % {"path": entry.path})
    try:
        return browsing.read(dataset, entry, cards.MAX_METADATA_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionRefused(_("“%(path)s” must be UTF-8 text.") % {"path": entry.path}) from error


def _find_data(dataset: Repo, commit_oid: str, path: str, *, key: str, where: str) -> Entry:
    commit = browsing.resolve_revision(dataset, commit_oid)
    try:
        entry = browsing.find(dataset, commit, path)
    except EntryNotFound as error:
        raise DefinitionRefused(
            _("eval.yaml: “%(where)s” names “%(path)s”, which is not in this commit.")
            % {"where": where, "path": path[:200]},
            data={"key": key},
        ) from error
    if entry.is_folder or not 0 < entry.size <= MAX_DATA_BYTES:
        raise DefinitionRefused(
            _("eval.yaml: “%(where)s” must name a file of 1 to %(max)d bytes.")
            % {"where": where, "max": MAX_DATA_BYTES},
            data={"key": key},
        )
    return entry


def _find_files(dataset: Repo, commit_oid: str, definition: Definition) -> dict[str, dict[str, Any]]:
    """Return the data files beside the rows, each pinned by its digest."""
    found = {}
    for name, path in definition.files.items():
        entry = _find_data(dataset, commit_oid, path, key="files", where=f"files.{name}.path")
        found[name] = {"path": path, "sha256": _sha256_of(dataset, entry), "size": entry.size}
    return found


def _sha256_of(dataset: Repo, entry: Entry) -> str:
    if entry.blob:
        return entry.blob.sha256
    digest = hashlib.sha256()
    for chunk in browsing.stream(dataset, entry):
        digest.update(chunk)
    return digest.hexdigest()


def _renamed(known: Benchmark, definition: Definition, meaning: str) -> Benchmark:
    """Take over what is only words; refuse what would change the meaning of scores that are there."""
    if known.meaning != meaning:
        raise Conflict(
            _(
                "Version %(version)d of this benchmark is registered with another meaning, and scores of it may exist. "
                "Raise “version” in eval.yaml."
            )
            % {"version": known.version},
            code="benchmark_changed",
        )
    words = ("name", "name_zh", "description", "description_zh", "license", "test_is_public", "metrics", "slices")
    for field in words:
        setattr(known, field, getattr(definition, field))
    known.save(update_fields=words)
    return known
