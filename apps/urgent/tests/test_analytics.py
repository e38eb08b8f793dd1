"""Figures of the market (contract urgent 10, roadmap): they add up, and they agree with the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.testing import query_budget
from apps.ledger import queries as ledger
from apps.urgent.actions import orders, takes, timer
from apps.urgent.models import Member, Order
from apps.urgent.queries import analytics
from apps.urgent.tests import cast


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def month(aziz: Member, bek: Member, dina: Member) -> None:
    """Completed with two takes; closed unanswered; nobody came; one active with a refund by staff; one deleted."""
    done = cast.place(aziz, minutes_ago=20)
    cast.take(bek, done, minutes_ago=10)
    cast.take(dina, done, minutes_ago=8)
    orders.complete(by=aziz, order_id=done.pk)
    silent = cast.place(aziz, minutes_ago=40, category="Клининг", city="Казань")
    cast.take(bek, silent, minutes_ago=20)
    timer.settle(order_id=silent.pk)
    timer.settle(order_id=cast.place(aziz, minutes_ago=90).pk)
    open_one = cast.place(aziz)
    cast.take(dina, open_one)
    takes.refund(by=cast.staff(), take_id=open_one.takes.get().pk, reason="wrong number")
    orders.delete(by=aziz, order_id=cast.place(aziz).pk)
    assert Order.objects.count() == 5


def test_totals_and_the_ledger_agree(month: None) -> None:
    figures = analytics.totals(analytics.last_days(2))
    assert figures == analytics.Figures(orders=4, completed=1, taken=2, unanswered=1, debits=8, refunds=4)
    assert (figures.completion_rate, figures.no_response_rate, figures.revenue) == (25.0, 50.0, 4)
    assert ledger.house_balance("urgent:revenue", "RUB") == figures.revenue


def test_filters_by_city_and_category(month: None) -> None:
    kazan = analytics.totals(analytics.last_days(2, city="Казань"))
    assert (kazan.orders, kazan.unanswered, kazan.revenue) == (1, 1, 0)
    plumbing = analytics.totals(analytics.last_days(2, category="Сантехника"))
    assert (plumbing.orders, plumbing.completed, plumbing.revenue) == (3, 1, 4)
    assert analytics.totals(analytics.last_days(2, city="Казань", category="Сантехника")).orders == 0


def test_days_and_groups_add_up_to_the_total(month: None) -> None:
    chosen = analytics.last_days(7)
    total = analytics.totals(chosen)
    for rows in (analytics.by_day(chosen), analytics.by("city", chosen), analytics.by("category", chosen)):
        for figure in ("orders", "completed", "taken", "unanswered", "debits", "refunds"):
            assert sum(getattr(row, figure) for _, row in rows) == getattr(total, figure)
    assert len(analytics.by_day(chosen)) == 7
    assert [name for name, _ in analytics.by("city", chosen)] == ["Москва", "Казань"]


def test_the_median_wait_for_the_first_take(month: None) -> None:
    assert analytics.minutes_to_first_take(analytics.last_days(2)) == 10.0
    assert analytics.minutes_to_first_take(analytics.last_days(2, city="Казань")) == 20.0


def test_nothing_is_no_figure(db: None) -> None:
    chosen = analytics.last_days(1)
    figures = analytics.totals(chosen)
    assert (figures.orders, figures.completion_rate, figures.no_response_rate, figures.revenue) == (0, None, None, 0)
    assert analytics.minutes_to_first_take(chosen) is None


def test_another_period_is_empty(month: None) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    assert analytics.totals(analytics.last_days(7, now=long_ago)).orders == 0


def test_figures_cost_a_constant_number_of_queries(month: None) -> None:
    chosen = analytics.last_days(365)
    with query_budget(9):
        analytics.totals(chosen)
        analytics.minutes_to_first_take(chosen)
        analytics.by_day(chosen)
        analytics.by("city", chosen)
        analytics.by("category", chosen)


@pytest.mark.parametrize("query", ["", "?days=7&city=Казань&category=Клининг", "?days=x&city=Нигде", "?days=365"])
def test_the_page_shows_the_figures(month: None, query: str) -> None:
    client = Client()
    client.force_login(cast.staff())
    page = client.get(reverse("admin:urgent_analytics") + query)
    assert page.status_code == 200
    assert page.content.decode().count('class="chart"') == 4
