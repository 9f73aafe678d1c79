"""What belongs to a signed checkup is never changed and never deleted: the database refuses it, whoever asks."""

from django.db import migrations

REFUSAL = "A signed checkup cannot be changed."

_CHECKUP = "SELECT 1 FROM checkups_checkup c WHERE c.id = {row}.checkup_id AND c.sealed_at IS NOT NULL"
_OF_FINDING = (
    "SELECT 1 FROM checkups_checkup c JOIN checkups_checkupfinding f ON f.checkup_id = c.id"
    " WHERE f.id = {row}.finding_id AND c.sealed_at IS NOT NULL"
)
_OF_CHECK = (
    "SELECT 1 FROM checkups_checkup c JOIN checkups_checkupfinding f ON f.checkup_id = c.id"
    " JOIN checkups_check k ON k.finding_id = f.id WHERE k.id = {row}.check_id AND c.sealed_at IS NOT NULL"
)
SEALED_BY = {
    "checkups_checkupfinding": _CHECKUP,
    "checkups_checkupevent": _CHECKUP,
    "checkups_signature": _CHECKUP,
    "checkups_check": _OF_FINDING,
    "checkups_trial": _OF_CHECK,
}
"""By table, what finds the sealed checkup that a row belongs to. The checkup's own row is sealed by itself."""

ROWS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def _conditions(vendor):
    sealed = "OLD.sealed_at IS NOT NULL"
    taken = 'SELECT 1 FROM checkups_checkup o WHERE (o.id = NEW.id OR o."on" = NEW."on") AND o.sealed_at IS NOT NULL'
    yield "checkups_checkup", "UPDATE", sealed + _replaced(vendor, f"{taken} AND o.id <> OLD.id")
    yield "checkups_checkup", "DELETE", sealed
    yield "checkups_checkup", "INSERT", "NEW.sealed_at IS NOT NULL" + _replaced(vendor, taken)
    for table, query in SEALED_BY.items():
        taken = f"SELECT 1 FROM {table} o WHERE o.id = NEW.id AND EXISTS ({query.format(row='o')})"
        for act, rows in ROWS.items():
            condition = " OR ".join(f"EXISTS ({query.format(row=row)})" for row in rows)
            yield table, act, condition + ("" if act == "DELETE" else _replaced(vendor, taken))


def _replaced(vendor, query):
    """SQLite's REPLACE deletes the row in its way without a word to the triggers of deleting."""
    return f" OR EXISTS ({query})" if vendor == "sqlite" else ""


def statements(vendor):
    """What makes the triggers on that database."""
    if vendor == "sqlite":
        for table, act, condition in _conditions(vendor):
            yield (
                f"CREATE TRIGGER sealed_{act.lower()}_{table} BEFORE {act} ON {table} WHEN {condition}"
                f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    for table, act, condition in _conditions(vendor):
        name = f"sealed_{act.lower()}_{table}"
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN"
            f" RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
            f" RETURN {'OLD' if act == 'DELETE' else 'NEW'}; END $$"
        )
        yield f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
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
    for statement in statements(schema_editor.connection.vendor):
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    """Take them away."""
    for statement in undoing(schema_editor.connection.vendor):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("checkups", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
