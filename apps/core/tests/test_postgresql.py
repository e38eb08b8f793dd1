"""A lasting connection is asked whether it lives without a round trip, and a dead one is still found out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]  # PostgreSQL's own


@pytest.fixture
def other() -> Iterator[Any]:
    """A second connection."""
    second = connection.copy()
    yield second
    second.close()


def ask(at: Any, sql: str, *params: Any) -> Any:
    with at.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone() if cursor.description else None


def backend() -> int:
    return int(ask(connection, "SELECT pg_backend_pid()")[0])


def test_a_living_connection_is_not_asked(other: Any) -> None:
    pid = backend()
    assert connection.is_usable()
    assert ask(other, "SELECT query FROM pg_stat_activity WHERE pid = %s", pid) == ("SELECT pg_backend_pid()",)


def test_a_connection_that_the_server_ended_is_replaced(other: Any) -> None:
    pid = backend()
    assert ask(other, "SELECT pg_terminate_backend(%s, 5000)", pid) == (True,)
    assert not connection.is_usable()
    connection.health_check_enabled, connection.health_check_done = True, False
    assert backend() != pid


def test_news_on_the_line_are_no_end(other: Any) -> None:
    ask(connection, "LISTEN news")
    ask(other, "NOTIFY news")
    assert connection.is_usable()


def test_after_an_error_the_server_is_asked(other: Any) -> None:
    pid = backend()
    connection.errors_occurred = True
    assert connection.is_usable()
    assert ask(other, "SELECT query FROM pg_stat_activity WHERE pid = %s", pid) == ("SELECT 1",)
