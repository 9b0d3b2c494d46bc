"""Names are found by any part of them, and the words of repositories lie in rows that are short.

A part of a name is looked for by its runs of three characters: FTS5's trigrams in SQLite, in PostgreSQL an array with a
GIN index, which needs no extension. Names of owners are part of names, so that their table has a trigger too.

PostgreSQL moves a long value out of its row only where the row has more than two kilobytes, whatever the table says:
words of short cards stayed in the rows of 0007_search_table, of which every answer to a question has to be looked at.
`pad` makes each row long enough and takes 30 bytes when it is packed.
"""

# ruff: noqa: S608  (the tables are constants)

from typing import Any

from django.db import migrations

NAMES, REPO, OWNER = "hub_names", "models_hub_repo", "portal_namespace"
ALL_NAMES = f"SELECT r.id, n.lower || '/' || r.lower FROM {REPO} r JOIN {OWNER} n ON n.id = r.namespace_id"
SQLITE = [
    f"CREATE VIRTUAL TABLE {NAMES} USING fts5(name, tokenize='trigram')",
    f"INSERT INTO {NAMES}(rowid, name) {ALL_NAMES}",
    f"""CREATE TRIGGER hub_names_insert AFTER INSERT ON {REPO} BEGIN
        INSERT INTO {NAMES}(rowid, name) {ALL_NAMES} WHERE r.id = new.id; END""",
    f"CREATE TRIGGER hub_names_delete AFTER DELETE ON {REPO} BEGIN DELETE FROM {NAMES} WHERE rowid = old.id; END",
    f"""CREATE TRIGGER hub_names_update AFTER UPDATE OF lower, namespace_id ON {REPO}
        WHEN old.lower IS NOT new.lower OR old.namespace_id IS NOT new.namespace_id BEGIN
        DELETE FROM {NAMES} WHERE rowid = old.id;
        INSERT INTO {NAMES}(rowid, name) {ALL_NAMES} WHERE r.id = new.id; END""",
    f"""CREATE TRIGGER hub_names_owner AFTER UPDATE OF lower ON {OWNER} WHEN old.lower IS NOT new.lower BEGIN
        DELETE FROM {NAMES} WHERE rowid IN (SELECT id FROM {REPO} WHERE namespace_id = new.id);
        INSERT INTO {NAMES}(rowid, name) {ALL_NAMES} WHERE r.namespace_id = new.id; END""",
]
SQLITE_BACK = [
    *(f"DROP TRIGGER hub_names_{event}" for event in ("insert", "delete", "update", "owner")),
    f"DROP TABLE {NAMES}",
]
PUT_NAME = "ON CONFLICT (repo_id) DO UPDATE SET name = excluded.name"
POSTGRESQL_NAMES = [
    """CREATE FUNCTION hub_grams(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
        $$ SELECT coalesce(array_agg(DISTINCT substr(name, place, 3)), '{}')
        FROM generate_series(1, length(name) - 2) place $$""",
    f"CREATE TABLE {NAMES} (repo_id bigint NOT NULL, name text NOT NULL)",
    f"INSERT INTO {NAMES} {ALL_NAMES}",
    f"ALTER TABLE {NAMES} ADD PRIMARY KEY (repo_id)",
    f"CREATE INDEX hub_names_grams ON {NAMES} USING gin (hub_grams(name)) WITH (gin_pending_list_limit = 256)",
    f"""CREATE FUNCTION hub_names_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'TRUNCATE' THEN TRUNCATE {NAMES};
        ELSIF TG_OP = 'DELETE' THEN DELETE FROM {NAMES} WHERE repo_id = old.id;
        ELSE INSERT INTO {NAMES} {ALL_NAMES} WHERE r.id = new.id {PUT_NAME};
        END IF;
        RETURN NULL; END $$""",
    f"""CREATE FUNCTION hub_names_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO {NAMES} {ALL_NAMES} WHERE r.namespace_id = new.id {PUT_NAME};
        RETURN NULL; END $$""",
    f"""CREATE TRIGGER hub_names_change AFTER INSERT OR DELETE ON {REPO}
        FOR EACH ROW EXECUTE FUNCTION hub_names_follow()""",
    f"""CREATE TRIGGER hub_names_update AFTER UPDATE OF lower, namespace_id ON {REPO} FOR EACH ROW
        WHEN (old.lower IS DISTINCT FROM new.lower OR old.namespace_id IS DISTINCT FROM new.namespace_id)
        EXECUTE FUNCTION hub_names_follow()""",
    f"""CREATE TRIGGER hub_names_truncate AFTER TRUNCATE ON {REPO}
        FOR EACH STATEMENT EXECUTE FUNCTION hub_names_follow()""",
    f"""CREATE TRIGGER hub_names_owner AFTER UPDATE OF lower ON {OWNER} FOR EACH ROW
        WHEN (old.lower IS DISTINCT FROM new.lower) EXECUTE FUNCTION hub_names_owner()""",
]
POSTGRESQL_NAMES_BACK = [
    f"DROP TRIGGER hub_names_owner ON {OWNER}",
    *(f"DROP TRIGGER hub_names_{event} ON {REPO}" for event in ("truncate", "update", "change")),
    "DROP FUNCTION hub_names_owner()",
    "DROP FUNCTION hub_names_follow()",
    f"DROP TABLE {NAMES}",
    "DROP FUNCTION hub_grams(text)",
]

SEARCH, DOCUMENTS = "hub_search", "models_hub_searchdocument"
WORDS = "array_to_tsvector(array_remove(string_to_array({}, ' '), ''))"
FOLLOW = f"""CREATE OR REPLACE FUNCTION hub_search_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'TRUNCATE' THEN TRUNCATE {SEARCH};
    ELSIF TG_OP = 'DELETE' THEN DELETE FROM {SEARCH} WHERE repo_id = old.repo_id;
    ELSE
        INSERT INTO {SEARCH} VALUES (new.repo_id, {WORDS.format("new.name")}, {WORDS.format("new.words")})
        ON CONFLICT (repo_id) DO UPDATE
        SET name_vector = excluded.name_vector, words_vector = excluded.words_vector{{pad}};
    END IF;
    RETURN NULL; END $$"""
FILLED = [
    f"DROP INDEX {SEARCH}_name, {SEARCH}_words",
    f"TRUNCATE {SEARCH}",
    f"INSERT INTO {SEARCH} SELECT repo_id, {WORDS.format('name')}, {WORDS.format('words')} FROM {DOCUMENTS}",
    f"CREATE INDEX {SEARCH}_name ON {SEARCH} USING gin (name_vector) WITH (gin_pending_list_limit = 256)",
    f"CREATE INDEX {SEARCH}_words ON {SEARCH} USING gin (words_vector) WITH (gin_pending_list_limit = 256)",
]
POSTGRESQL = [
    *POSTGRESQL_NAMES,
    # Room for the name and what points at the words; a value that was packed before makes no row long again.
    f"ALTER TABLE {SEARCH} SET (toast_tuple_target = 256)",
    f"ALTER TABLE {SEARCH} ADD COLUMN pad text NOT NULL DEFAULT repeat(' ', 2000)",
    FOLLOW.format(pad=", pad = DEFAULT"),
    *FILLED,
]
POSTGRESQL_BACK = [
    FOLLOW.format(pad=""),
    f"ALTER TABLE {SEARCH} DROP COLUMN pad",
    f"ALTER TABLE {SEARCH} SET (toast_tuple_target = 128)",
    *FILLED,
    *POSTGRESQL_NAMES_BACK,
]


def _run(statements: dict[str, list[str]]) -> Any:
    def run(_apps: Any, editor: Any) -> None:
        for statement in statements[editor.connection.vendor]:
            editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("models_hub", "0010_boards"), ("portal", "0009_adapt")]
    operations = [
        migrations.RunPython(
            _run({"sqlite": SQLITE, "postgresql": POSTGRESQL}),
            _run({"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK}),
        )
    ]
