"""Whether this worker is of the version that the portal runs: another one would read its rows wrongly."""

from collections.abc import Mapping
from importlib import metadata

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext_noop

from leaderboard.engine_facts import engine_version
from portal.models import Duty
from portal.models.workers import RELAY

OTHER_SCHEMA = gettext_noop(
    "The database is of another version of the portal than this worker: %(migrations)s. Install the same version here."
)
OTHER_VERSION = gettext_noop("The portal runs version %(theirs)s, this worker %(ours)s. Install the same version here.")
SHOWN = 3


def of_this_code() -> dict[str, str]:
    """Return the versions that the portal and its workers must share."""
    return {"portal": metadata.version("small-models-portal"), "engine": engine_version()}


def skew() -> tuple[str, dict[str, str]] | None:
    """Say why this worker must take no jobs of the portal, with what the text names; None when both fit."""
    loader = MigrationLoader(connection)
    if odd := set(loader.applied_migrations) ^ set(loader.disk_migrations):
        names = sorted(f"{app}.{name}" for app, name in odd)
        return OTHER_SCHEMA, {"migrations": ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")}
    theirs = Duty.facts_of(RELAY)
    if theirs and theirs != of_this_code():
        return OTHER_VERSION, {"theirs": _said(theirs), "ours": _said(of_this_code())}
    return None


def _said(versions: Mapping[str, str]) -> str:
    return f"{versions.get('portal')} (engine {versions.get('engine')})"
