"""The restaurant on the start page, in the badges and in the search of the back office."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from apps.core.testing import query_budget
from apps.loyalty.actions import cashback, clients
from apps.loyalty.models import CashbackTransaction, Client, IikoJob
from apps.portal import backoffice, dashboard
from apps.portal.tests.cast import at_the_desk, hire, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest() -> Client:
    hire()
    found = clients.register(phone="+998901110004", name="Gulnora")
    told = cashback.Told(kind=CashbackTransaction.Kind.ACCRUAL, branch_id=139235)
    cashback.apply_iiko_change(client_id=found.pk, amount=Decimal(700), key="e1", told=told)
    return found


def asked_by(name: str) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = person(name)
    return request


def test_the_figures_are_counted_in_ten_queries(guest: Client) -> None:
    with query_budget(10):
        facts = dashboard.loyalty_facts()
    page = dashboard.loyalty_page(facts)
    shown = {figure.title: figure.value for figure in page["figures"]}
    assert (shown["Guests"], shown["New guests"], shown["Visits"]) == ("1", "1", "1")
    assert (shown["Credited"], shown["Spent"], shown["In purses"]) == ("700.00 UZS", "0.00 UZS", "700.00 UZS")
    assert [[row["title"] for row in rows] for _title, rows in page["shares"]] == [
        ["Sardoba Geofizika"],
        ["SILVER", "GOLD", "PREMIUM", "VIP"],
    ]


def test_the_start_page_shows_them_by_right(guest: Client) -> None:
    assert "All figures" in at_the_desk("admin").get("/admin/").content.decode()
    assert "All figures" not in at_the_desk("moderator").get("/admin/").content.decode()


def test_badges_and_search(guest: Client) -> None:
    request = asked_by("admin")
    assert (backoffice.paused_iiko_jobs(request), backoffice.parked_iiko_notices(request)) == ("", "")
    IikoJob.objects.update(state="paused")
    cache.clear()
    assert backoffice.paused_iiko_jobs(request) == "1"
    for words in ("Guln", "+998 90 111-00-04"):
        assert any(hit.icon == "savings" for hit in backoffice.search(request, words))
    assert not any(hit.icon == "savings" for hit in backoffice.search(asked_by("moderator"), "Guln"))
