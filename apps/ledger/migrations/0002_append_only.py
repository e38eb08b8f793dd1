"""Entries are written once: the database itself refuses to change or delete one.

SQLite drops triggers when a later migration remakes the table: such a migration must run `guard` again (a test tells).
"""

from django.db import migrations

POSTGRESQL = [
    """
    CREATE OR REPLACE FUNCTION ledger_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'ledger entries are append-only' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_append_only()
    """,
]
SQLITE = [
    f"""
    CREATE TRIGGER ledger_entry_no_{deed.lower()} BEFORE {deed} ON ledger_entry
    BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END
    """
    for deed in ("UPDATE", "DELETE")
]


def guard(apps, schema_editor):
    for sql in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(sql)


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER ledger_entry_append_only ON ledger_entry")
        schema_editor.execute("DROP FUNCTION ledger_entry_is_append_only()")
    else:
        schema_editor.execute("DROP TRIGGER ledger_entry_no_update")
        schema_editor.execute("DROP TRIGGER ledger_entry_no_delete")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
