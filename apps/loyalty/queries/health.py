"""Whether the parts answer on which the product stands (contract loyalty 1.1, row 1)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection

log = logging.getLogger(__name__)

BROKER_PATIENCE_S = 2


def examine() -> Sequence[tuple[str, bool]]:
    """Each part under its name in the clients, and whether it answers; really asked."""
    parts: dict[str, Callable[[], object]] = {
        "PostgreSQL": _database,
        "Redis cache": _cache,
        "Background queue": _queue,
    }
    return [(name, _answers(name, ask)) for name, ask in parts.items()]


def _answers(name: str, ask: Callable[[], object]) -> bool:
    try:
        ask()
    except Exception as problem:  # whatever a part raises, it is out; the class says enough and holds no secret
        log.warning("a part does not answer", extra={"part": name, "problem": type(problem).__name__})
        return False
    return True


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def _cache() -> None:
    cache.set("loyalty:health", 1, timeout=10)
    if cache.get("loyalty:health") != 1:
        raise ConnectionError("the cache forgot")


def _queue() -> None:
    """Without a broker tasks run in place and there is nothing to ask."""
    if settings.BROKER_URL:
        with current_app.connection_for_write(connect_timeout=BROKER_PATIENCE_S) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_PATIENCE_S)
