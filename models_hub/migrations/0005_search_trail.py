"""The words of a repository are in the trail of changes too, for those who keep in memory who holds a word.

Like those of 0004_search_index, the triggers are the database's own.
"""

# ruff: noqa: S608  (the tables are constants)

from typing import Any

from django.db import migrations

TABLE, TRAIL = "models_hub_searchdocument", "models_hub_cataloguechange"
SQLITE = [
    f"""CREATE TRIGGER hub_words_insert AFTER INSERT ON {TABLE} BEGIN
        INSERT INTO {TRAIL}(repo_id, created_at) VALUES (new.repo_id, CURRENT_TIMESTAMP); END""",
    f"""CREATE TRIGGER hub_words_delete AFTER DELETE ON {TABLE} BEGIN
        INSERT INTO {TRAIL}(repo_id, created_at) VALUES (old.repo_id, CURRENT_TIMESTAMP); END""",
    f"""CREATE TRIGGER hub_words_update AFTER UPDATE OF name, words ON {TABLE}
        WHEN old.name IS NOT new.name OR old.words IS NOT new.words BEGIN
        INSERT INTO {TRAIL}(repo_id, created_at) VALUES (new.repo_id, CURRENT_TIMESTAMP); END""",
]
SQLITE_BACK = [f"DROP TRIGGER hub_words_{event}" for event in ("insert", "delete", "update")]
POSTGRESQL = [
    f"""CREATE FUNCTION hub_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO {TRAIL}(repo_id, created_at)
        VALUES (CASE TG_OP WHEN 'DELETE' THEN old.repo_id ELSE new.repo_id END, now());
        RETURN NULL; END $$""",
    f"CREATE TRIGGER hub_words_change AFTER INSERT OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION hub_words()",
    f"""CREATE TRIGGER hub_words_update AFTER UPDATE OF name, words ON {TABLE} FOR EACH ROW
        WHEN (old.name IS DISTINCT FROM new.name OR old.words IS DISTINCT FROM new.words)
        EXECUTE FUNCTION hub_words()""",
]
POSTGRESQL_BACK = [
    f"DROP TRIGGER hub_words_change ON {TABLE}",
    f"DROP TRIGGER hub_words_update ON {TABLE}",
    "DROP FUNCTION hub_words()",
]


def _run(statements: dict[str, list[str]]) -> Any:
    def run(_apps: Any, editor: Any) -> None:
        for statement in statements[editor.connection.vendor]:
            editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("models_hub", "0004_search_index")]
    operations = [
        migrations.RunPython(
            _run({"sqlite": SQLITE, "postgresql": POSTGRESQL}),
            _run({"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK}),
        )
    ]
