"""Adapters alone: files that are put on another model, and which one that is."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from models_hub import browsing, describing, former_names
from models_hub.browsing import Entry
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.permissions import can_download
from portal import bounded_json
from portal.errors import InvalidInput, NotFound
from portal.models import Asker

WEIGHTS, CONFIG, PURPOSE = "adapter_model.safetensors", "adapter_config.json", "tuned_for.json"
WHOLE = ("model.safetensors", "model.safetensors.index.json")
MAX_CONFIG_BYTES = 1024 * 1024
MAX_NAMES = 8
NAME, REVISION = "base_model_name_or_path", "revision"


class NoBase(InvalidInput):
    """What an adapter is put on is not here, or its files do not say what it is; the code says which."""

    code = "missing_base"


@dataclass(frozen=True)
class Base:
    """The model that an adapter is put on, at the commit that is taken."""

    repo: Repo
    commit: Commit


def is_adapter(paths: Container[str]) -> bool:
    """Say whether these files hold what is put on another model, and no model of their own."""
    return WEIGHTS in paths and CONFIG in paths and not any(path in paths for path in WHOLE)


def base_of(model: Repo, config: Mapping[str, Any], reader: Asker) -> Base:
    """Return what an adapter with this config is put on, among what the reader may read; raises NoBase."""
    names = list(dict.fromkeys(_names(model, config)))[:MAX_NAMES]
    found = former_names.found_by(names, among=Repo.objects.visible_to(reader).filter(kind=Repo.Kind.MODEL))
    repos = [found[name.lower()] for name in names if name.lower() in found]
    repo = next((repo for repo in repos if repo != model and can_download(reader, repo)), None)
    if repo is None:
        raise NoBase(
            _("These files are an adapter alone, and the model that it is put on, %(name)s, is not here for you to "
              "read. Publish the base here, or the adapter merged into it.")
            % {"name": ", ".join(names)[:200] or "–"}
        )  # fmt: skip
    return Base(repo, _commit(repo, config))


def read(repo: Repo, entry: Entry) -> dict[str, Any]:
    """Return a JSON object of a repository; raises NoBase."""
    value: Any = None
    if entry.size <= MAX_CONFIG_BYTES:
        try:
            value = bounded_json.loads(browsing.read(repo, entry, MAX_CONFIG_BYTES))
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise NoBase(
            _("%(path)s of %(name)s is not a JSON object.") % {"path": entry.path, "name": repo.full_name},
            code="bad_config",
        )
    return value


def _names(model: Repo, config: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(named := config.get(NAME), str):
        yield named
    yield from describing.base_models(model.card, model.config)


def _commit(repo: Repo, config: Mapping[str, Any]) -> Commit:
    revision = config.get(REVISION)
    try:
        return browsing.resolve_revision(repo, revision if isinstance(revision, str) and revision else DEFAULT_BRANCH)
    except NotFound:
        raise NoBase(
            _("The adapter is for version %(revision)s of %(name)s, which is not here.")
            % {"revision": str(revision)[:60], "name": repo.full_name}
        ) from None
