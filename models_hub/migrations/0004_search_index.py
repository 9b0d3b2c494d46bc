"""The full-text index over search documents: FTS5 in SQLite, tsvector in PostgreSQL, kept by the database itself."""

from typing import Any

from django.db import migrations

TABLE = "models_hub_searchdocument"
SQLITE = [
    f"""CREATE VIRTUAL TABLE hub_search USING fts5(
        name, words, content='{TABLE}', content_rowid='repo_id', detail=column,
        tokenize="unicode61 remove_diacritics 0", prefix='2 3')""",
    f"""CREATE TRIGGER hub_search_insert AFTER INSERT ON {TABLE} BEGIN
        INSERT INTO hub_search(rowid, name, words) VALUES (new.repo_id, new.name, new.words); END""",
    f"""CREATE TRIGGER hub_search_delete AFTER DELETE ON {TABLE} BEGIN
        INSERT INTO hub_search(hub_search, rowid, name, words)
        VALUES ('delete', old.repo_id, old.name, old.words); END""",
    f"""CREATE TRIGGER hub_search_update AFTER UPDATE ON {TABLE} BEGIN
        INSERT INTO hub_search(hub_search, rowid, name, words)
        VALUES ('delete', old.repo_id, old.name, old.words);
        INSERT INTO hub_search(rowid, name, words) VALUES (new.repo_id, new.name, new.words); END""",
    "INSERT INTO hub_search(hub_search) VALUES ('rebuild')",
]
SQLITE_BACK = [
    "DROP TRIGGER hub_search_insert",
    "DROP TRIGGER hub_search_delete",
    "DROP TRIGGER hub_search_update",
    "DROP TABLE hub_search",
]
# The words are made by us: no parser of the database, which would depend on its locale, looks at them again.
POSTGRESQL = [
    f"""ALTER TABLE {TABLE}
        ADD COLUMN name_vector tsvector
            GENERATED ALWAYS AS (array_to_tsvector(array_remove(string_to_array(name, ' '), ''))) STORED,
        ADD COLUMN words_vector tsvector
            GENERATED ALWAYS AS (array_to_tsvector(array_remove(string_to_array(words, ' '), ''))) STORED""",
    f"CREATE INDEX hub_search_name ON {TABLE} USING gin (name_vector)",
    f"CREATE INDEX hub_search_words ON {TABLE} USING gin (words_vector)",
]
POSTGRESQL_BACK = [f"ALTER TABLE {TABLE} DROP COLUMN name_vector, DROP COLUMN words_vector"]


def _run(statements: dict[str, list[str]]) -> Any:
    def run(_apps: Any, editor: Any) -> None:
        for statement in statements[editor.connection.vendor]:
            editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("models_hub", "0003_pages")]
    operations = [
        migrations.RunPython(
            _run({"sqlite": SQLITE, "postgresql": POSTGRESQL}),
            _run({"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK}),
        )
    ]
