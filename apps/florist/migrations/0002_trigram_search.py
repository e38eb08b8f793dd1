"""Trigram indexes behind `LIKE '%…%'` on PostgreSQL; SQLite reads the rows, of which it holds few."""

from __future__ import annotations

from django.db import migrations

# fastupdate off: a list of pending rows would make the planner prefer reading everything until the next vacuum
FORWARD = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX florist_products_search ON florist_product USING gin (search_text gin_trgm_ops) "
    "WITH (fastupdate = off) WHERE deleted_at IS NULL",
    "CREATE INDEX florist_orders_search ON florist_order USING gin (search_text gin_trgm_ops) WITH (fastupdate = off)",
    "CREATE INDEX florist_orders_search_id ON florist_order USING gin ((id::varchar) gin_trgm_ops) "
    "WITH (fastupdate = off)",
)
INDEXES = ("florist_products_search", "florist_orders_search", "florist_orders_search_id")


def add_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in FORWARD:
            schema_editor.execute(statement)


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("florist", "0001_initial")]
    operations = [migrations.RunPython(add_indexes, drop_indexes)]
