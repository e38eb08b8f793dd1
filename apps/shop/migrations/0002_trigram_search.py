"""A trigram index behind `LIKE '%…%'` on PostgreSQL; SQLite reads the rows, of which it holds few."""

from __future__ import annotations

from django.db import migrations

FORWARD = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    # fastupdate off: a list of pending rows would make the planner prefer reading everything until the next vacuum
    "CREATE INDEX shop_slippers_search ON shop_slipper USING gin (search_text gin_trgm_ops) "
    "WITH (fastupdate = off) WHERE NOT is_deleted",
)


def add_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in FORWARD:
            schema_editor.execute(statement)


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS shop_slippers_search")


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(add_index, drop_index)]
