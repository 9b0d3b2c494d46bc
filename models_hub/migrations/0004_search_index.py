"""The full-text index over search documents, and the trail of what lists filter by; kept by the database itself.

FTS5 in SQLite, tsvector in PostgreSQL. SQLite drops the triggers of a table that a later migration makes anew: such a
migration of models_hub_repo ends with the statements of TRAIL_SQLITE, and a test says when they are missing.
"""

# ruff: noqa: S608  (the table is a constant)

from typing import Any

from django.db import migrations

TABLE = "models_hub_searchdocument"
REPO, TRAIL = "models_hub_repo", "models_hub_cataloguechange"
FOLLOWED = (
    "kind",
    "namespace_id",
    "private",
    "deleted_at",
    "task",
    "library",
    "license",
    "license_class",
    "languages",
    "architecture",
    "formats",
    "precisions",
    "parameters",
    "size",
    "memory_bytes",
    "has_card",
    "best_score",
    "likes",
    "updated_at",
)
TRAIL_SQLITE = [
    f"""CREATE TRIGGER hub_trail_insert AFTER INSERT ON {REPO} BEGIN
        INSERT INTO {TRAIL}(repo_id, created_at) VALUES (new.id, CURRENT_TIMESTAMP); END""",
    f"""CREATE TRIGGER hub_trail_delete AFTER DELETE ON {REPO} BEGIN
        INSERT INTO {TRAIL}(repo_id, created_at) VALUES (old.id, CURRENT_TIMESTAMP); END""",
    f"""CREATE TRIGGER hub_trail_update AFTER UPDATE OF {", ".join(FOLLOWED)} ON {REPO}
        WHEN {" OR ".join(f"old.{name} IS NOT new.{name}" for name in FOLLOWED)} BEGIN
        INSERT INTO {TRAIL}(repo_id, created_at) VALUES (new.id, CURRENT_TIMESTAMP); END""",
]
TRAIL_POSTGRESQL = [
    f"""CREATE FUNCTION hub_trail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO {TRAIL}(repo_id, created_at)
        VALUES (CASE TG_OP WHEN 'DELETE' THEN old.id ELSE new.id END, now());
        RETURN NULL; END $$""",
    f"CREATE TRIGGER hub_trail_change AFTER INSERT OR DELETE ON {REPO} FOR EACH ROW EXECUTE FUNCTION hub_trail()",
    f"""CREATE TRIGGER hub_trail_update AFTER UPDATE OF {", ".join(FOLLOWED)} ON {REPO} FOR EACH ROW
        WHEN ({" OR ".join(f"old.{name} IS DISTINCT FROM new.{name}" for name in FOLLOWED)})
        EXECUTE FUNCTION hub_trail()""",
]
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
    *TRAIL_SQLITE,
]
SQLITE_BACK = [
    "DROP TRIGGER hub_trail_insert",
    "DROP TRIGGER hub_trail_delete",
    "DROP TRIGGER hub_trail_update",
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
    *TRAIL_POSTGRESQL,
]
POSTGRESQL_BACK = [
    f"DROP TRIGGER hub_trail_change ON {REPO}",
    f"DROP TRIGGER hub_trail_update ON {REPO}",
    "DROP FUNCTION hub_trail()",
    f"ALTER TABLE {TABLE} DROP COLUMN name_vector, DROP COLUMN words_vector",
]


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
