"""The words of posts and the full-text index over them: FTS5 in SQLite, tsvector in PostgreSQL."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

TABLE = "forum_postwords"
SQLITE = [
    f"""CREATE VIRTUAL TABLE forum_search USING fts5(
        title, words, content='{TABLE}', content_rowid='post_id', detail=column,
        tokenize="unicode61 remove_diacritics 0", prefix='2 3')""",
    f"""CREATE TRIGGER forum_search_insert AFTER INSERT ON {TABLE} BEGIN
        INSERT INTO forum_search(rowid, title, words) VALUES (new.post_id, new.title, new.words); END""",
    f"""CREATE TRIGGER forum_search_delete AFTER DELETE ON {TABLE} BEGIN
        INSERT INTO forum_search(forum_search, rowid, title, words)
        VALUES ('delete', old.post_id, old.title, old.words); END""",
    f"""CREATE TRIGGER forum_search_update AFTER UPDATE ON {TABLE} BEGIN
        INSERT INTO forum_search(forum_search, rowid, title, words)
        VALUES ('delete', old.post_id, old.title, old.words);
        INSERT INTO forum_search(rowid, title, words) VALUES (new.post_id, new.title, new.words); END""",
]
SQLITE_BACK = [
    "DROP TRIGGER forum_search_insert",
    "DROP TRIGGER forum_search_delete",
    "DROP TRIGGER forum_search_update",
    "DROP TABLE forum_search",
]
# The words are made by us: no parser of the database, which would depend on its locale, looks at them again.
POSTGRESQL = [
    f"""ALTER TABLE {TABLE}
        ADD COLUMN title_vector tsvector
            GENERATED ALWAYS AS (array_to_tsvector(array_remove(string_to_array(title, ' '), ''))) STORED,
        ADD COLUMN words_vector tsvector
            GENERATED ALWAYS AS (array_to_tsvector(array_remove(string_to_array(words, ' '), ''))) STORED""",
    f"CREATE INDEX forum_search_title ON {TABLE} USING gin (title_vector) WHERE title <> ''",
    f"CREATE INDEX forum_search_words ON {TABLE} USING gin (words_vector)",
]
POSTGRESQL_BACK = [f"ALTER TABLE {TABLE} DROP COLUMN title_vector, DROP COLUMN words_vector"]


def _run(statements: dict[str, list[str]]) -> Any:
    def run(_apps: Any, editor: Any) -> None:
        for statement in statements[editor.connection.vendor]:
            editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("forum", "0002_pages")]
    operations = [
        migrations.CreateModel(
            name="PostWords",
            fields=[
                (
                    "post",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="found_by",
                        serialize=False,
                        to="forum.post",
                    ),
                ),
                ("title", models.TextField(blank=True, default="")),
                ("words", models.TextField(blank=True, default="")),
                ("rules", models.PositiveSmallIntegerField(default=0)),
            ],
        ),
        migrations.RunPython(
            _run({"sqlite": SQLITE, "postgresql": POSTGRESQL}),
            _run({"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK}),
        ),
    ]
