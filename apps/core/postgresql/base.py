"""`ENGINE`: the backend of Django; see the package."""

from __future__ import annotations

import functools
import select
from datetime import UTC, datetime
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg.adapt import AdaptersMap


class UtcLoader(BaseTzLoader):
    """Moments of a connection in UTC, read by C: Django's loader is Python and took a tenth of a list's whole price."""

    timezone = UTC

    def load(self, data: Any) -> datetime:
        """What Python's own reader does not know or what is not in UTC, Django's loader reads or refuses."""
        try:
            found = datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            found = None
        read: datetime = found if found and found.tzinfo is UTC else super().load(data)
        return read


@functools.lru_cache
def _with_utc_loader(template: AdaptersMap) -> AdaptersMap:
    adapters = AdaptersMap(template)
    adapters.register_loader("timestamptz", UtcLoader)
    return adapters


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's with two things that it does at every request made cheaper.

    A server that ends a connection says so on the socket: silence there means that it lives, without a round trip.
    Django asks once per request (`CONN_HEALTH_CHECKS`); its `SELECT 1` was a fifth of the statements of a short one.
    """

    def get_connection_params(self) -> dict[str, Any]:
        """With our reader of moments where the connection speaks UTC, as it does unless an operator says otherwise."""
        params: dict[str, Any] = super().get_connection_params()
        if self.timezone is UTC:
            params["context"] = _with_utc_loader(params["context"])
        return params

    def is_usable(self) -> bool:
        """After an error, and when the socket has something to say, the server is asked as ever."""
        if not self.errors_occurred and _is_open_and_silent(self.connection):
            return True
        return bool(super().is_usable())


def _is_open_and_silent(connection: Any) -> bool:
    if connection is None or connection.closed:
        return False
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    return not socket.poll(0)
