"""The back office's figures equal what SQL says, day by day, and cost a constant number of queries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.core.testing import query_budget
from apps.loyalty.models import CashbackTransaction, Client, Staff
from apps.loyalty.queries import figures
from apps.loyalty.tests import cast, desk

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
Kind = cast.Kind


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def week(gulnora: Client, jasur: Client) -> figures.Period:
    """Two guests of long ago; movements yesterday, today, and one that is too old."""
    Client.objects.update(created_at=NOW - timedelta(days=40))
    plan = (
        (gulnora, "10000.10", Kind.ACCRUAL, 139235, 0),
        (gulnora, "-5000.30", Kind.PAYMENT, 139235, 0),
        (jasur, "700", Kind.ACCRUAL, None, 1),
        (jasur, "0.05", Kind.LEVELLING, None, 1),
        (jasur, "999", Kind.ACCRUAL, None, 7),
    )
    for client, sum_, kind, branch, days in plan:
        row = cast.iiko(client, sum_, kind)
        at = NOW - timedelta(days=days)
        CashbackTransaction.objects.filter(pk=row.pk).update(created_at=at, branch_id=branch)
    Client.objects.filter(pk=jasur.pk).update(created_at=NOW - timedelta(days=1))
    return figures.last_days(7, now=NOW)


def test_totals_are_exact_and_count_visits_not_corrections(week: figures.Period) -> None:
    assert figures.totals(week) == figures.Figures(
        credited=Decimal("10700.15"), spent=Decimal("5000.30"), movements=4, visits=3, joined=1
    )


def test_every_day_is_there(week: figures.Period) -> None:
    days = dict(figures.by_day(week))
    assert len(days) == 7
    today, yesterday = days[week.last], days[week.last - timedelta(days=1)]
    assert (today.credited, today.spent, today.visits, today.joined) == (Decimal("10000.10"), Decimal("5000.30"), 2, 0)
    assert (yesterday.credited, yesterday.visits, yesterday.joined) == (Decimal("700.05"), 1, 1)
    assert [row for day, row in days.items() if day < week.last - timedelta(days=1)] == [figures.Figures()] * 5


def test_the_days_are_those_of_the_restaurants(gulnora: Client) -> None:
    row = cast.earn(gulnora, 100)
    late = datetime(2026, 6, 14, 20, tzinfo=UTC)  # one in the morning of the 15th in Tashkent
    CashbackTransaction.objects.filter(pk=row.pk).update(created_at=late)
    days = dict(figures.by_day(figures.last_days(2, now=NOW)))
    assert {day.day: row.credited for day, row in days.items()} == {14: 0, 15: 100}


def test_days_sum_up_to_the_total_and_to_sql(week: figures.Period) -> None:
    total, days = figures.totals(week), [row for _day, row in figures.by_day(week)]
    for name in ("credited", "spent", "movements", "visits", "joined"):
        assert sum(getattr(row, name) for row in days) == getattr(total, name)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), sum(CASE WHEN amount > 0 THEN amount ELSE 0 END) FROM loyalty_cashbacktransaction"
            " WHERE created_at >= %s",
            [NOW - timedelta(days=6)],
        )
        count, credited = cursor.fetchone()
    assert (total.movements, float(total.credited)) == (count, pytest.approx(float(credited)))


def test_restaurants_kinds_and_guests(week: figures.Period, gulnora: Client, jasur: Client) -> None:
    assert [(branch, row.visits, row.credited) for branch, row in figures.by_branch(week)] == [
        (139235, 2, Decimal("10000.10")),
        (None, 1, Decimal("700.05")),
    ]
    assert figures.by_kind(week) == [
        ("accrual", 2, Decimal("10700.10")),
        ("levelling", 1, Decimal("0.05")),
        ("payment", 1, Decimal("-5000.30")),
    ]
    assert [(row["id"], row["figures"].credited) for row in figures.busiest_guests(week)] == [
        (gulnora.pk, Decimal("10000.10")),
        (jasur.pk, Decimal("700.05")),
    ]


def test_what_waits(gulnora: Client) -> None:
    desk.park("+998907770000", "e1")
    assert (figures.waiting()["open"], figures.waiting()["paused"], figures.waiting()["parked"]) == (1, 0, 1)


@pytest.mark.parametrize("days", ["7", "365", "x", "-1", "9" * 30])
def test_the_page_opens_for_any_period(week: figures.Period, days: str) -> None:
    page = desk.superuser().get(reverse("admin:loyalty_figures"), {"days": days})
    assert page.status_code == 200


def test_the_page_costs_the_same_whatever_the_history(week: figures.Period, malika: Staff) -> None:
    browser, address = desk.superuser(), reverse("admin:loyalty_figures")
    browser.get(address)
    with query_budget(24):
        browser.get(address, {"days": "7"})
    for number in range(20):
        cast.earn(cast.guest(f"Guest {number}", f"+9989077700{number:02d}"), 100)
    with query_budget(24):
        browser.get(address, {"days": "365"})
