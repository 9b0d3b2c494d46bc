"""PostgreSQL keeps the words of repositories in a narrow table of their own, as SQLite does with FTS5.

Who holds a word is answered from an index, but PostgreSQL looks at the row of each answer: rows with a whole card in
them were hundreds of megabytes. The planner does not know what it costs to unpack the words of a row, and read all of
them instead of the index; the functions forbid it that.
"""

# ruff: noqa: S608  (the tables are constants)

from typing import Any

from django.db import migrations

TABLE, SEARCH = "models_hub_searchdocument", "hub_search"
WORDS = "array_to_tsvector(array_remove(string_to_array({}, ' '), ''))"
HOLDING = """CREATE FUNCTION hub_holding_{column}(question tsquery) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
    SET enable_seqscan = off SET jit = off AS
    $$ SELECT string_agg(int4send(repo_id::integer), '') FROM hub_search WHERE {column}_vector @@ question $$"""
POSTGRESQL = [
    # Words of more than a few lines are kept beside their row.
    f"""CREATE TABLE {SEARCH} (
        repo_id bigint NOT NULL, name_vector tsvector NOT NULL, words_vector tsvector NOT NULL
        ) WITH (toast_tuple_target = 128)""",
    f"ALTER TABLE {SEARCH} ALTER COLUMN words_vector SET STORAGE EXTERNAL",
    f"INSERT INTO {SEARCH} SELECT repo_id, name_vector, words_vector FROM {TABLE}",
    f"ALTER TABLE {SEARCH} ADD PRIMARY KEY (repo_id)",
    f"ALTER TABLE {TABLE} DROP COLUMN name_vector, DROP COLUMN words_vector",
    # What waits to be put into an index is read by every question.
    f"CREATE INDEX hub_search_name ON {SEARCH} USING gin (name_vector) WITH (gin_pending_list_limit = 256)",
    f"CREATE INDEX hub_search_words ON {SEARCH} USING gin (words_vector) WITH (gin_pending_list_limit = 256)",
    f"""CREATE FUNCTION hub_search_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'TRUNCATE' THEN TRUNCATE {SEARCH};
        ELSIF TG_OP = 'DELETE' THEN DELETE FROM {SEARCH} WHERE repo_id = old.repo_id;
        ELSE
            INSERT INTO {SEARCH} VALUES (new.repo_id, {WORDS.format("new.name")}, {WORDS.format("new.words")})
            ON CONFLICT (repo_id) DO UPDATE
            SET name_vector = excluded.name_vector, words_vector = excluded.words_vector;
        END IF;
        RETURN NULL; END $$""",
    f"""CREATE TRIGGER hub_search_change AFTER INSERT OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION hub_search_follow()""",
    f"""CREATE TRIGGER hub_search_update AFTER UPDATE OF name, words ON {TABLE} FOR EACH ROW
        WHEN (old.name IS DISTINCT FROM new.name OR old.words IS DISTINCT FROM new.words)
        EXECUTE FUNCTION hub_search_follow()""",
    f"""CREATE TRIGGER hub_search_truncate AFTER TRUNCATE ON {TABLE}
        FOR EACH STATEMENT EXECUTE FUNCTION hub_search_follow()""",
    HOLDING.format(column="name"),
    HOLDING.format(column="words"),
]
POSTGRESQL_BACK = [
    "DROP FUNCTION hub_holding_name(tsquery)",
    "DROP FUNCTION hub_holding_words(tsquery)",
    f"DROP TRIGGER hub_search_change ON {TABLE}",
    f"DROP TRIGGER hub_search_update ON {TABLE}",
    f"DROP TRIGGER hub_search_truncate ON {TABLE}",
    "DROP FUNCTION hub_search_follow()",
    f"DROP TABLE {SEARCH}",
    f"""ALTER TABLE {TABLE}
        ADD COLUMN name_vector tsvector GENERATED ALWAYS AS ({WORDS.format("name")}) STORED,
        ADD COLUMN words_vector tsvector GENERATED ALWAYS AS ({WORDS.format("words")}) STORED""",
    f"CREATE INDEX hub_search_name ON {TABLE} USING gin (name_vector)",
    f"CREATE INDEX hub_search_words ON {TABLE} USING gin (words_vector)",
]


def _run(statements: list[str]) -> Any:
    def run(_apps: Any, editor: Any) -> None:
        if editor.connection.vendor == "postgresql":
            for statement in statements:
                editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("models_hub", "0006_scores")]
    operations = [migrations.RunPython(_run(POSTGRESQL), _run(POSTGRESQL_BACK))]
