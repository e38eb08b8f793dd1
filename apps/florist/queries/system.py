"""Is the shops' ground firm?"""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, connection

from apps.florist.models import Shop


def works() -> bool:
    """Whether the database answers."""
    try:
        Shop.objects.exists()
    except DatabaseError:
        return False
    return True


def database() -> dict[str, Any]:
    """Which database, and how many tables it has; `status` is unhealthy when it does not answer."""
    kind = {"postgresql": "postgresql", "sqlite": "sqlite"}[connection.vendor]
    try:
        count = len(connection.introspection.table_names())
    except DatabaseError:
        return {"status": "unhealthy", "database": "disconnected", "table_count": 0, "database_type": kind}
    return {"status": "healthy", "database": "connected", "table_count": count, "database_type": kind}


SOCKETS_SECONDS = 3600
"""How long a count of sockets lives without a change: longer than any token."""


def count_socket(shop_id: int, step: int) -> None:
    """A socket of this shop was opened (+1) or closed (−1), in whichever process."""
    key = _key(shop_id)
    cache.add(key, 0, timeout=SOCKETS_SECONDS)
    try:
        cache.incr(key, step)
        cache.touch(key, SOCKETS_SECONDS)
    except ValueError:  # it ran out between the two calls
        cache.set(key, max(step, 0), timeout=SOCKETS_SECONDS)


def sockets(shop_id: int) -> dict[str, Any]:
    """Open sockets of one shop (contract florist 1.1, `/ws/status`); nobody learns about the others."""
    count = max(0, int(cache.get(_key(shop_id)) or 0))
    shops = {str(shop_id): count} if count else {}
    return {"total_connections": count, "shops_connected": len(shops), "shops": shops}


def _key(shop_id: int) -> str:
    return f"florist:sockets:{shop_id}"
