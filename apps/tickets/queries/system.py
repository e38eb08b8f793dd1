"""How the parts are that the product stands on."""

from __future__ import annotations

import logging

from django.core.cache import cache
from django.db import DatabaseError, connection

log = logging.getLogger(__name__)


def works() -> bool:
    """Whether the database and the cache answer, really asked (contract tickets D23)."""
    return _database_answers() and _cache_answers()


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
        cache.set("tickets:health", 1, timeout=10)
        return cache.get("tickets:health") == 1
    except Exception as problem:  # whatever the cache's client raises, it is out; the class says enough
        log.warning("the cache does not answer", extra={"problem": type(problem).__name__})
        return False
