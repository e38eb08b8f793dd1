"""The test house: no way out to the network, an empty cache, fakes for every vendor."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from apps.integrations import ports
from apps.integrations.sandbox import vendors

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_connect = socket.socket.connect


def _connect_inside(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and address[0] not in LOOPBACK:
        raise AssertionError(f"a test reached for {address[0]}")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback only."""
    monkeypatch.setattr(socket.socket, "connect", _connect_inside)


@pytest.fixture(autouse=True)
def _vendors_on_their_first_day() -> None:
    """Fresh fakes behind every port, nothing sent, nothing recorded."""
    ports.reset()
    vendors.reset()


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Limits and cached lists start at nothing."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Iterator[None]:
    """A transactional test ends by emptying every table; on SQLite the ledger's append-only triggers refuse that."""
    kind = type(connection.ops)
    flush = kind.execute_sql_flush

    def lifted(self: Any, statements: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            flush(self, statements)
            for _, sql in triggers:
                cursor.execute(sql)

    if connection.vendor == "sqlite":
        kind.execute_sql_flush = lifted
    yield
    kind.execute_sql_flush = flush


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Threads see only committed rows, so a race needs real transactions."""
    for item in items:
        near = item.get_closest_marker("django_db")
        if item.get_closest_marker("race") and not (near and near.kwargs.get("transaction")):
            item.add_marker(pytest.mark.django_db(transaction=True), append=False)
