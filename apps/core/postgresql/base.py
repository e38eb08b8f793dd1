"""`ENGINE`: the backend of Django; see the package."""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A server that ends a connection says so on the socket: silence there means that it lives, without a round trip.

    Django asks once per request (`CONN_HEALTH_CHECKS`); its `SELECT 1` was a fifth of the statements of a short one.
    """

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
