"""Prometheus reads the house; strangers do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.testing import query_budget
from apps.portal import metrics

pytestmark = pytest.mark.django_db


def line(text: str, name: str) -> float:
    return next(float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith(f"{name} "))


def read(client: Client, **extra: Any) -> str:
    response = client.get("/metrics", **extra)
    assert response.status_code == 200
    return response.content.decode()


def test_outbox_and_dead_letters_are_counted(client: Client) -> None:
    old = timezone.now() - timedelta(minutes=5)
    row = {"event": "a.B", "handler": "h", "payload": {}}
    OutboxMessage.objects.create(**row, created_at=old)
    OutboxMessage.objects.create(**row, dead_at=old)
    OutboxMessage.objects.create(**row, delivered_at=old)
    text = read(client)
    assert (line(text, "mahalla_outbox_waiting"), line(text, "mahalla_outbox_dead")) == (1.0, 1.0)
    assert 300 <= line(text, "mahalla_outbox_oldest_seconds") < 330


def test_the_books_and_the_parts_report(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert line(read(client), "mahalla_ledger_sound") == 1.0
    assert 'mahalla_part_up{part="database"} 1.0' in read(client)
    monkeypatch.setattr(metrics, "ledger_sums", lambda: {"RUB": 5})
    text = read(client)
    assert line(text, "mahalla_ledger_sound") == 0.0
    assert 'mahalla_ledger_sum{currency="RUB"} 5.0' in text


def test_requests_are_counted_by_product(client: Client) -> None:
    labels = ("urgent", "GET", 200)
    before = metrics.REQUESTS.labels(*labels)._value.get()
    client.get("/api/cities", {"search": "казань"})
    client.get("/urgent/api/cities/", {"search": "казань"})
    assert metrics.REQUESTS.labels(*labels)._value.get() == before + 2
    assert 'mahalla_request_seconds_count{product="urgent"}' in read(client)


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.1", "nonsense"])
def test_strangers_find_nothing(client: Client, address: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 404


def test_a_caller_behind_our_proxy_is_judged_by_himself(client: Client) -> None:
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200


def test_with_a_token_only_the_token_opens(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "t0ken"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    read(client, headers={"Authorization": "Bearer t0ken"}, REMOTE_ADDR="203.0.113.9")


def test_a_scrape_costs_a_constant_number_of_queries(client: Client) -> None:
    read(client)
    with query_budget(2):
        read(client)
