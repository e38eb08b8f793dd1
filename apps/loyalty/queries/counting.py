"""How many rows a list has: counted each time while that is cheap, remembered for a moment when it is not."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet

LARGE = 10_000
"""From so many rows on, a count costs more than the page it stands on (design 3.25)."""
REMEMBERED_S = 30


def total_of(rows: QuerySet[Any]) -> int:
    """The number of rows; of a large list it may be half a minute old."""
    key = f"loyalty:total:{hashlib.sha256(str(rows.query).encode()).hexdigest()[:32]}"
    known: int | None = cache.get(key)
    if known is not None:
        return known
    total = rows.order_by().count()
    if total >= LARGE:
        cache.set(key, total, timeout=REMEMBERED_S)
    return total


def page_of(rows: QuerySet[Any], *, page: int, size: int) -> tuple[list[Any], int]:
    """One page of a list and the number of all its rows."""
    start = (page - 1) * size
    return list(rows[start : start + size]), total_of(rows)
