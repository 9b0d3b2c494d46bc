"""Migrations that render few models make the same tables: those that the models describe."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState

from portal.migrating import NarrowState

Tables = dict[str, list[str]]


def parts(statement: str) -> list[str]:
    """The columns and constraints of a table in any order, as theirs is that in which they were added."""
    return sorted(re.split(r', (?="|CONSTRAINT|UNIQUE)', statement.partition("(")[2].removesuffix(")")))


def tables(database: BaseDatabaseWrapper) -> Tables:
    with database.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL")
        return {name: parts(sql) for name, sql in cursor.fetchall()}


@contextmanager
def empty_database() -> Iterator[BaseDatabaseWrapper]:
    """An SQLite database of its own, with nothing in it."""
    if connection.vendor != "sqlite":
        pytest.skip("compares the statements that SQLite keeps")
    database = connection.copy()
    database.settings_dict = {**connection.settings_dict, "NAME": ":memory:"}
    yield database
    database.connection.close()  # Django keeps what is in memory only


def test_the_migrations_make_what_the_models_describe(db: None) -> None:
    with empty_database() as empty:
        with empty.schema_editor() as editor:
            for model in apps.get_models():
                if model._meta.managed and not model._meta.proxy:
                    editor.create_model(model)
        described, made = tables(empty), tables(connection)
    assert {name: made.get(name) for name in described} == described


class Steps(migrations.Migration):
    """Steps of every kind, of which one changes a table by its reference to another."""

    operations = [
        migrations.CreateModel("Shelf", [("name", models.CharField(max_length=9, primary_key=True))]),
        migrations.CreateModel("Book", [("id", models.AutoField(primary_key=True)), ("title", models.TextField())]),
        migrations.AddField("Book", "shelf", models.ForeignKey("portal.Shelf", models.CASCADE, null=True)),
        migrations.AddField("Shelf", "first", models.ForeignKey("portal.Book", models.CASCADE, null=True)),
        migrations.AddField("Book", "tags", models.ManyToManyField("portal.Shelf", related_name="tagged")),
        migrations.AddField("Book", "pages", models.IntegerField(default=1)),
        migrations.AddIndex("Book", models.Index(fields=["shelf", "pages"], name="by_shelf")),
        migrations.AddConstraint("Book", models.CheckConstraint(condition=models.Q(pages__gt=0), name="has_pages")),
        migrations.AlterField("Shelf", "name", models.CharField(max_length=30, primary_key=True)),
        migrations.RenameField("Book", "title", "name"),
        migrations.RenameModel("Shelf", "Case"),
        migrations.RemoveField("Case", "first"),
    ]


def made_with(kind: type[ProjectState]) -> Tables:
    state = kind()
    assert state.apps.get_models() == []  # rendered, as it is while migrations run
    with empty_database() as database:
        with database.schema_editor() as editor:
            Steps("steps", "portal").apply(state, editor)
        return tables(database)


def test_steps_that_others_refer_to_change_those_too(db: None) -> None:
    narrow = made_with(NarrowState)
    assert [part.split()[1] for part in narrow["portal_book"] if part.startswith('"shelf_id"')] == ["varchar(30)"]
    assert narrow == made_with(ProjectState)
