"""The flower shops on the start page, in the badges, in the search and in the alerts of the back office."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import RequestFactory

from apps.core import events
from apps.core.testing import query_budget
from apps.florist import seeding
from apps.florist.events import StockDisagrees
from apps.florist.models import Order, Shop
from apps.florist.queries import figures
from apps.notifications.models import Notification
from apps.portal import alerts, backoffice, dashboard
from apps.portal.tests.cast import at_the_desk, hire, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _samples(db: None) -> None:
    hire()
    seeding.seed()


def asked_by(name: str) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = person(name)
    return request


def test_the_figures_are_counted_in_seven_queries() -> None:
    with query_budget(7):
        facts = dashboard.florist_facts()
    page = dashboard.florist_page(facts)
    shown = {figure.title: figure.value for figure in page["figures"]}
    assert (shown["Shops"], shown["Problems"]) == ("2", "2")
    assert shown["Orders"] == str(Order.objects.count())
    assert sum(row["count"] for row in page["shares"][0][1]) == Order.objects.count()


def test_soum_is_not_added_to_tenge() -> None:
    second = Shop.objects.latest("pk")
    Shop.objects.filter(pk=second.pk).update(currency="UZS")
    tenge = dashboard.florist_facts()["totals"]
    assert tenge.orders == Order.objects.exclude(shop=second).count() < Order.objects.count()
    assert tenge == figures.totals(replace(figures.last_days(None), currency="KZT"))
    assert dashboard.florist_facts()["shops"] == 2


def test_the_start_page_shows_them_by_right() -> None:
    assert "Flower shops" in at_the_desk("admin").get("/admin/").content.decode()
    assert "florist" not in dashboard.show(asked_by("moderator"), {})


def test_badges_and_search() -> None:
    request, order = asked_by("admin"), Order.objects.latest("pk")
    assert backoffice.flower_orders_with_problems(request) == "2"
    for words in (f"#{order.pk}", order.order_number, order.customer_phone):
        assert f"/admin/florist/order/{order.pk}/change/" in [hit.link for hit in backoffice.search(request, words)]
    shop = Shop.objects.earliest("pk")
    assert shop.name in [hit.title for hit in backoffice.search(request, shop.name[:4])]
    assert not backoffice.search(asked_by("moderator"), order.order_number)


def test_every_row_of_the_menu_opens() -> None:
    browser = at_the_desk("admin")
    groups = {str(group.get("title")): group["items"] for group in backoffice.menu(asked_by("admin"))}
    assert len(groups["Flower shops"]) == 14
    for row in groups["Flower shops"]:
        assert browser.get(row["link"]).status_code == 200, row["link"]


def test_stock_that_does_not_add_up_calls_for_staff() -> None:
    for _ in range(2):
        events.publish(StockDisagrees(shop_id=1, faults=3))
        events.relay()
    told = Notification.objects.filter(user=person("admin"), kind=alerts.FLOWER_STOCK.kind)
    assert [row.link_url.endswith("/admin/florist/batch/faults/") for row in told] == [True]
    assert "3" in told[0].title
