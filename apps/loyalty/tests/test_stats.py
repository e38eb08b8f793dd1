"""Figures of the start page (contract loyalty 1.1 row 1; 1.3 rows 20 to 26; 3.11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from django.utils import timezone

from apps.core.testing import query_budget
from apps.loyalty.models import Client, News, Staff
from apps.loyalty.queries import health
from apps.loyalty.tests import cast
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(malika: Staff, vali: Staff, umid: Staff, gulnora: Client, jasur: Client) -> Iterator[Client]:
    """Vali: Gulnora 1,000 - 300 and one who left with 50. Jasur, nobody's: 20,000. Umid: nobody."""
    cast.earn(gulnora, 1000, by=malika)
    cast.iiko(gulnora, -300, cast.Kind.PAYMENT)
    cast.earn(jasur, 20_000)
    gone = cast.guest("Gone", "+998901110077", of=vali)
    cast.earn(gone, 50)
    Caller(gone).delete("users/me")
    yield gone


def test_analytics_in_both_shapes(town: Client, malika: Staff, jasur: Client, gulnora: Client) -> None:
    assert Caller(malika).get("cashback/loyalty-analytics").json() == {
        "totalUsers": 2,
        "totalCashbackBalance": 20750.0,
        "averageCashbackBalance": 6916.67,
        "tierCounts": [
            {"tier": "SILVER", "users": 1},
            {"tier": "GOLD", "users": 1},
            {"tier": "PREMIUM", "users": 0},
            {"tier": "VIP", "users": 0},
        ],
        "nearNextTier": [
            {"user": {"id": gulnora.pk, "name": "Gulnora", "phone": gulnora.phone}, "missingPoints": 9500.0},
            {"user": {"id": jasur.pk, "name": "Jasur", "phone": jasur.phone}, "missingPoints": 30000.0},
        ],
        "averagePoints": 5250.0,
    }


def test_five_guests_are_next_to_a_level(malika: Staff) -> None:
    for number in range(7):
        cast.guest(f"G{number}", f"+9989022200{number:02}", points=9_990 + number)
    near = Caller(malika).get("cashback/loyalty-analytics").json()["nearNextTier"]
    assert [row["missingPoints"] for row in near] == [4.0, 5.0, 6.0, 7.0, 8.0]


def test_waiters_by_their_living_guests(town: Client, malika: Staff, vali: Staff, umid: Staff) -> None:
    assert Caller(malika).get("cashback/waiter-stats").json() == [
        {"staff_id": vali.pk, "staff_name": "Vali", "clients_count": 1, "total_cashback": 700.0, "transactions": 2},
        {"staff_id": umid.pk, "staff_name": "Umid", "clients_count": 0, "total_cashback": 0.0, "transactions": 0},
    ]


def test_cashback_of_waiters_counts_those_who_left(town: Client, malika: Staff, vali: Staff) -> None:
    assert Caller(malika).get("stats/waiters").json() == [
        {"waiter_id": vali.pk, "waiter_name": "Vali", "total_cashback": 750.0}
    ]


def test_the_top_with_and_without_those_who_left(
    town: Client, malika: Staff, vali: Staff, gulnora: Client, jasur: Client
) -> None:
    Client.objects.filter(pk=jasur.pk).update(surname="Aliyev")
    caller = Caller(malika)
    top = caller.get("cashback/top-users").json()
    assert [(row["user"]["id"], row["total_cashback"], row["transactions"]) for row in top] == [
        (jasur.pk, 20000.0, 1),
        (gulnora.pk, 700.0, 2),
    ]
    assert top[0]["user"] == {
        "id": jasur.pk,
        "name": "Jasur",
        "phone": jasur.phone,
        "waiter_id": None,
        "cashback_balance": None,
        "first_name": "Jasur",
        "last_name": "Aliyev",
    }
    assert [row["user"]["id"] for row in caller.get("cashback/top-users?limit=1").json()] == [jasur.pk]
    everybody = caller.get("stats/users/top").json()
    assert [(row["user_id"], row["total_cashback"]) for row in everybody] == [
        (jasur.pk, 20000.0),
        (gulnora.pk, 700.0),
        (town.pk, 50.0),
    ]
    assert sorted(everybody[0]) == ["phone", "total_cashback", "user_id", "user_name"]


@pytest.mark.parametrize(
    "path", ["cashback/top-users?limit=51", "cashback/top-users?limit=0", "stats/users/top?limit=101"]
)
def test_tops_have_an_end(path: str, malika: Staff) -> None:
    assert Caller(malika).get(path).status_code == 422


def test_the_start_page(town: Client, malika: Staff) -> None:
    now, day = timezone.now(), timedelta(days=1)
    for begin, end in ((None, None), (now - day, now + day), (now + day, None), (None, now - day)):
        News.objects.create(title="t", description="d", starts_at=begin, ends_at=end)
    body = Caller(malika).get("dashboard/metrics").json()
    assert body.pop("loyaltyDistribution") == [
        {"label": "SILVER", "value": 1, "color": "#9ca3af"},
        {"label": "GOLD", "value": 1, "color": "#f59e0b"},
        {"label": "PREMIUM", "value": 0, "color": "#8b5cf6"},
        {"label": "VIP", "value": 0, "color": "#ef4444"},
    ]
    assert body == {
        "totalClients": 2,
        "activeWaiters": 2,
        "cashbackIssued": 20750.0,
        "avgCashbackPerUser": 10375.0,
        "newsCount": 2,
        "redisHealthy": True,
        "postgresHealthy": True,
        "queueHealthy": True,
    }


def test_an_empty_house_has_zeroes(malika: Staff) -> None:
    body = Caller(malika).get("dashboard/metrics").json()
    assert (body["totalClients"], body["cashbackIssued"], body["avgCashbackPerUser"]) == (0, 0.0, 0.0)
    analytics = Caller(malika).get("cashback/loyalty-analytics").json()
    assert (analytics["averageCashbackBalance"], analytics["averagePoints"], analytics["nearNextTier"]) == (0, 0, [])


def test_the_newest_ten_of_everything(malika: Staff, jasur: Client) -> None:
    caller = Caller(malika)
    Caller().post("auth/staff/login", {"phone": malika.phone, "password": "not this"})
    given = cast.earn(jasur, 500)
    spent = cast.iiko(jasur, -300, cast.Kind.PAYMENT)
    story = News.objects.create(title="Palov {day}", description="d")
    Caller().post("auth/client/request-otp", {"phone": jasur.phone})
    lines = caller.get("dashboard/activity").json()
    seen = [(line["type"], line["status"]) for line in lines[:5]]
    assert seen == [
        ("otp", "success"),
        ("news", "success"),
        ("cashback", "warning"),
        ("cashback", "success"),
        ("auth", "error"),
    ]
    assert [line["id"] for line in lines[1:4]] == [f"news-{story.pk}", f"cashback-{spent.pk}", f"cashback-{given.pk}"]
    assert "Palov {day}" in lines[1]["description"] and "-300.00" in lines[2]["description"]
    assert jasur.phone not in str(lines)
    for _ in range(12):
        cast.earn(jasur, 1)
    assert len(caller.get("dashboard/activity").json()) == 10


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("cashback/loyalty-analytics", 8),
        ("cashback/waiter-stats", 3),
        ("cashback/top-users", 3),
        ("stats/waiters", 3),
        ("stats/users/top", 3),
        ("dashboard/metrics", 7),
        ("dashboard/activity", 5),
    ],
)
def test_figures_cost_the_same_however_many_guests(path: str, most: int, town: Client, malika: Staff) -> None:
    caller = Caller(malika)
    cache.clear()
    with query_budget(most):
        assert caller.get(path).status_code == 200


def test_health_names_the_parts_as_clients_know_them() -> None:
    assert Caller().get("health").json() == [
        {"name": "PostgreSQL", "status": "healthy", "message": "OK"},
        {"name": "Redis cache", "status": "healthy", "message": "OK"},
        {"name": "Background queue", "status": "healthy", "message": "OK"},
    ]


def test_health_is_200_even_when_a_part_is_out(monkeypatch: pytest.MonkeyPatch, malika: Staff) -> None:
    def out(*_: Any) -> None:
        raise DatabaseError("secret words of the server")

    caller = Caller(malika)
    monkeypatch.setattr(health, "_cache", out)
    answer = caller.get("health")
    assert (answer.status_code, [part["status"] for part in answer.json()]) == (200, ["healthy", "down", "healthy"])
    assert b"secret" not in answer.content
    assert caller.get("dashboard/metrics").json()["redisHealthy"] is False
