"""How the parts are that the shop stands on."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, connection

log = logging.getLogger(__name__)


def examine() -> dict[str, bool]:
    """Whether the database and the cache answer, really asked."""
    return {"database": _database_answers(), "cache": _cache_answers()}


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError as problem:
        log.warning("the database does not answer", extra={"problem": type(problem).__name__})
        return False


def _cache_answers() -> bool:
    try:
        cache.set("shop:health", 1, timeout=10)
        return cache.get("shop:health") == 1
    except Exception as problem:  # whatever the cache's client raises, it is out; the class says enough
        log.warning("the cache does not answer", extra={"problem": type(problem).__name__})
        return False


def pool_status() -> dict[str, Any]:
    """Figures of this process's pool; without a pool one connection per thread."""
    pool: Any = getattr(connection, "pool", None)
    figures: dict[str, Any] = pool.get_stats() if pool is not None else {}
    return {
        "status": "operational",
        "vendor": connection.vendor,
        "is_pooled": pool is not None,
        "pool_size": figures.get("pool_max"),
        "open_connections": figures.get("pool_size"),
        "waiting": figures.get("requests_waiting"),
    }
