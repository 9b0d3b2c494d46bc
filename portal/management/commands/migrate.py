"""Django's command, with states of models that cost less to follow."""

from django.core.management.commands import migrate

from portal.migrating import NarrowExecutor

migrate.MigrationExecutor = NarrowExecutor  # type: ignore[attr-defined]  # not in the stubs


class Command(migrate.Command):
    """The same command: it takes the executor from its module."""
