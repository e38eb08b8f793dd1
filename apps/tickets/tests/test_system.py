"""Greeting and health (contract tickets 1.5, D23)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.db import OperationalError, close_old_connections, connection
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_front_door_says_who_answers(client: Client) -> None:
    body = client.get("/tickets/").json()
    assert (set(body), body["status"]) == ({"status", "name", "version"}, "healthy")


@pytest.mark.parametrize("path", ["/tickets/health", "/tickets/health/"])
def test_health_is_one_word(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_health_looks_at_the_cache(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache's client of this test loses everything."""
    monkeypatch.setattr(type(cache._connections["default"]), "set", lambda *args, **kwargs: None)  # type: ignore[attr-defined]
    answer = client.get("/tickets/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


def test_health_looks_at_the_database(client: Client) -> None:
    def away(execute: Any, *given: Any) -> Any:
        raise OperationalError("no answer")

    with connection.execute_wrapper(away):
        answer = client.get("/tickets/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_after_a_restart_of_the_database_the_next_request_is_served(client: Client) -> None:
    """D23: a kept connection is looked at before it is used."""
    connection.ensure_connection()
    connection.close_at = None  # kept, as under a web server
    dead = connection.connection.info.backend_pid
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [dead])
    close_old_connections()  # how every request begins
    assert client.get("/tickets/health").json() == {"status": "ok"}
    assert connection.connection.info.backend_pid != dead
