"""What makes the database itself refuse to change or delete a line of the log of moderation."""

from typing import Any

TABLE = "portal_logentry"
SQLITE = [
    f"""CREATE TRIGGER mod_log_keeps_{verb.lower()} BEFORE {verb} ON {TABLE} BEGIN
        SELECT RAISE(ABORT, 'the log of moderation is only ever added to'); END"""
    for verb in ("UPDATE", "DELETE")
]
SQLITE_BACK = ["DROP TRIGGER mod_log_keeps_update", "DROP TRIGGER mod_log_keeps_delete"]
POSTGRESQL = [
    """CREATE FUNCTION mod_log_keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'the log of moderation is only ever added to'; END $$""",
    f"CREATE TRIGGER mod_log_keeps BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION mod_log_keeps()",
]
POSTGRESQL_BACK = [f"DROP TRIGGER mod_log_keeps ON {TABLE}", "DROP FUNCTION mod_log_keeps()"]


def guard(_apps: Any, editor: Any) -> None:
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[editor.connection.vendor]:
        editor.execute(statement)


def release(_apps: Any, editor: Any) -> None:
    for statement in {"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK}[editor.connection.vendor]:
        editor.execute(statement)
