"""Health, database, counts of sockets (contract florist 1.1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection

from apps.florist.models import Employee
from apps.florist.queries import system
from apps.florist.tests.cast import Caller

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/health", "/health/", "/"])
def test_health_has_the_seeds_words(path: str) -> None:
    answer = Caller()("GET", path)
    assert answer.status_code == 200
    assert answer.json() == {"status": "healthy", "app_name": "Mahalla florist", "api_prefix": "/api"}


def test_without_the_database_it_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def out(*_: Any, **__: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(system.Shop.objects, "exists", out)
    answer = Caller()("GET", "/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")


def test_the_owner_sees_which_database(olga: Employee, bek: Employee, aida: Employee) -> None:
    body = Caller(olga)("GET", "/api/health/db").json()
    assert set(body) == {"status", "database", "table_count", "database_type"}
    assert (body["status"], body["database_type"]) == ("healthy", connection.vendor)
    assert body["table_count"] == len(connection.introspection.table_names())
    for who, status in ((bek, 403), (aida, 403), (None, 401)):
        assert Caller(who)("GET", "/api/health/db").status_code == status


def test_counts_of_sockets_never_fall_below_nothing() -> None:
    system.count_socket(7, -1)
    system.count_socket(7, -1)
    assert system.sockets(7)["total_connections"] == 0


@pytest.mark.parametrize("path", ["/health", "/api/auth/me", "/api/nowhere"])
def test_every_answer_carries_the_security_headers(path: str) -> None:
    """Defect 26: written in the original, never installed."""
    headers = Caller()("GET", path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"]
