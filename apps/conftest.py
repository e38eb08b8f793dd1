"""The test house: no way out to the network, an empty cache, fakes for every vendor."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

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
def _empty_cache() -> Iterator[None]:
    """Limits and cached lists start at nothing."""
    cache.clear()
    yield
    cache.clear()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Threads see only committed rows, so a race needs real transactions."""
    for item in items:
        if item.get_closest_marker("race") and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db(transaction=True))
