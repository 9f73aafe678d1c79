"""What belongs to a signed checkup is never changed and never deleted: the database refuses it, whoever asks.

On PostgreSQL a trigger waits first until a signature that is being given at the same time has been committed, or not.

A later migration that alters one of these tables on SQLite makes it anew, which the triggers of the others do not survive:
it calls drop() before and create() after. create() then seals columns that were added as well.
"""

from django.db import migrations

REFUSAL = "A signed checkup cannot be changed."

_CHECKUP = "SELECT 1 FROM checkups_checkup c WHERE c.id = {row}.checkup_id"
_OF_FINDING = (
    "SELECT 1 FROM checkups_checkup c JOIN checkups_checkupfinding f ON f.checkup_id = c.id WHERE f.id = {row}.finding_id"
)
_OF_CHECK = (
    "SELECT 1 FROM checkups_checkup c JOIN checkups_checkupfinding f ON f.checkup_id = c.id"
    " JOIN checkups_check k ON k.finding_id = f.id WHERE k.id = {row}.check_id"
)
SEALED_BY = {
    "checkups_checkupfinding": _CHECKUP,
    "checkups_checkupevent": _CHECKUP,
    "checkups_signature": _CHECKUP,
    "checkups_check": _OF_FINDING,
    "checkups_trial": _OF_CHECK,
}
"""By table, what finds the checkup that a row belongs to. The checkup's own row is sealed by itself."""

SEALED = " AND c.sealed_at IS NOT NULL"

TRIAL = "checkups_trial"
LEFT = ("tidied_at", "resend_at", "heartbeat_at", "bytes_done", "bytes_expected")
"""Columns of a trial that are in no record: scratch on a server that cannot be reached now is removed later, and the beats of
one that runs, every second, must not wait for its checkup's row.
"""

ROWS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def _conditions(vendor):
    sealed = "OLD.sealed_at IS NOT NULL"
    taken = 'SELECT 1 FROM checkups_checkup o WHERE (o.id = NEW.id OR o."on" = NEW."on") AND o.sealed_at IS NOT NULL'
    yield "checkups_checkup", "UPDATE", sealed + _replaced(vendor, f"{taken} AND o.id <> OLD.id")
    yield "checkups_checkup", "DELETE", sealed
    yield "checkups_checkup", "INSERT", "NEW.sealed_at IS NOT NULL" + _replaced(vendor, taken)
    for table, query in SEALED_BY.items():
        taken = f"SELECT 1 FROM {table} o WHERE o.id = NEW.id AND EXISTS ({query.format(row='o')}{SEALED})"
        for act, rows in ROWS.items():
            condition = " OR ".join(f"EXISTS ({query.format(row=row)}{SEALED})" for row in rows)
            yield table, act, condition + ("" if act == "DELETE" else _replaced(vendor, taken))


def _replaced(vendor, query):
    """SQLite's REPLACE deletes the row in its way without a word to the triggers of deleting."""
    return f" OR EXISTS ({query})" if vendor == "sqlite" else ""


def _waiting(table, act):
    """Takes the locks that a signature excludes. What a later statement of the function sees is then what holds."""
    rows = ROWS[act] if table in SEALED_BY else ()
    return "".join(f" PERFORM{SEALED_BY[table].format(row=row)[len('SELECT') :]} FOR SHARE OF c;" for row in rows)


def _event(table, act, columns):
    """When the trigger fires; ``columns`` are those of a trial."""
    if (table, act) != (TRIAL, "UPDATE"):
        return f"{act} ON {table}"
    kept = ", ".join(f'"{column}"' for column in columns if column not in LEFT)
    return f"UPDATE OF {kept} ON {table}"


def statements(vendor, columns):
    """What makes the triggers on that database; ``columns`` are those of a trial."""
    if vendor == "sqlite":
        for table, act, condition in _conditions(vendor):
            yield (
                f"CREATE TRIGGER sealed_{act.lower()}_{table} BEFORE {_event(table, act, columns)} WHEN {condition}"
                f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    for table, act, condition in _conditions(vendor):
        name = f"sealed_{act.lower()}_{table}"
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN{_waiting(table, act)} IF {condition} THEN"
            f" RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
            f" RETURN {'OLD' if act == 'DELETE' else 'NEW'}; END $$"
        )
        yield f"CREATE TRIGGER {name} BEFORE {_event(table, act, columns)} FOR EACH ROW EXECUTE FUNCTION {name}()"
    yield (
        "CREATE FUNCTION sealed_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT 1 FROM checkups_checkup WHERE sealed_at IS NOT NULL) THEN"
        f" RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$"
    )
    for table in ("checkups_checkup", *SEALED_BY):
        yield (
            f"CREATE TRIGGER sealed_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION sealed_truncate()"
        )


def undoing(vendor):
    """What takes them away again."""
    for table, act, _ in _conditions(vendor):
        name = f"sealed_{act.lower()}_{table}"
        yield f"DROP TRIGGER {name}" if vendor == "sqlite" else f"DROP FUNCTION {name} CASCADE"
    if vendor != "sqlite":
        yield "DROP FUNCTION sealed_truncate CASCADE"


def create(apps, schema_editor):
    """Make the triggers."""
    columns = [field.column for field in apps.get_model("checkups", "Trial")._meta.local_fields]
    for statement in statements(schema_editor.connection.vendor, columns):
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    """Take them away."""
    for statement in undoing(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("checkups", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
