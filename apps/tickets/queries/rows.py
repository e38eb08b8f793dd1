"""Rows of fixed SQL: what both databases want as values and what they give back (design 3.25)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection


def fetch(sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows as dictionaries; UUIDs and moments among the values are put into the database's own form."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [stored(value) for value in values])
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def stored(value: Any) -> Any:
    """A value as the database's own driver takes it: SQLite knows neither UUIDs nor moments."""
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def uuid(found: Any) -> UUID:
    """A UUID column: SQLite keeps it as 32 letters."""
    return found if isinstance(found, UUID) else UUID(found)


def moment(found: Any) -> datetime | None:
    """A time column: SQLite keeps it as text in UTC."""
    return datetime.fromisoformat(found).replace(tzinfo=UTC) if isinstance(found, str) else found
