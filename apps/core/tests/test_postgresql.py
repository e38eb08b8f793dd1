"""A lasting connection is asked whether it lives without a round trip, a dead one is found out; moments read fast."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.utils import DataError

from apps.core.postgresql.base import UtcLoader

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


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("2026-11-21 14:00:00.123456+00", datetime(2026, 11, 21, 14, 0, 0, 123456, UTC)),
        ("2026-11-21 14:00:00.5+00", datetime(2026, 11, 21, 14, 0, 0, 500000, UTC)),
        ("2026-11-21 19:00:00+05", datetime(2026, 11, 21, 14, tzinfo=UTC)),
        ("0001-01-01 00:00:00+00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc(told: str, read: datetime) -> None:
    found = ask(connection, "SELECT %s::timestamptz", told)[0]
    assert (found, found.tzinfo) == (read, UTC)


@pytest.mark.parametrize("told", ["infinity", "-infinity", "0044-03-15 00:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_a_moment_that_python_cannot_hold_is_refused_as_ever(told: str) -> None:
    with pytest.raises(DataError):
        ask(connection, "SELECT %s::timestamptz", told)


def test_a_connection_in_another_zone_is_read_by_django(other: Any) -> None:
    ask(other, "SET TIME ZONE 'Asia/Tashkent'")
    assert ask(other, "SELECT '2026-11-21 19:00:00+05'::timestamptz")[0] == ask_django(other)


def ask_django(at: Any) -> datetime:
    """What the loader that ours stands in for makes of it."""
    return super(UtcLoader, UtcLoader(1184, at.connection)).load(b"2026-11-21 19:00:00+05")


def test_the_reader_is_ours() -> None:
    with connection.cursor() as cursor:
        found = cursor.connection.adapters.get_loader(1184, 0)
    assert found is UtcLoader
