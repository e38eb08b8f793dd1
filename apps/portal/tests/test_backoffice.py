"""The start page, the badges and the search of the back office."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from apps.core.models import OutboxMessage
from apps.core.testing import query_budget
from apps.portal import backoffice, dashboard
from apps.portal.tests.cast import at_the_desk, hire, person
from apps.shop import seeding as shop_seeding
from apps.shop.models import Order as ShopOrder
from apps.urgent import seeding
from apps.urgent.models import Complaint, Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def samples() -> None:
    hire()
    seeding.seed()


@pytest.fixture
def shop_samples(samples: None) -> None:
    shop_seeding.seed()


def asked_by(name: str) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = person(name)
    return request


def figures(page: Any) -> dict[str, str]:
    return {figure.title: figure.value for figure in page["figures"]}


def test_the_figures_are_counted(samples: None) -> None:
    shown = dashboard.show(asked_by("admin"), {})
    orders = Order.objects.exclude(status="deleted")
    found = figures(shown["urgent"])
    assert found["Active orders"] == str(Order.objects.filter(status="active").count())
    assert found["Members"] == "12"
    assert found["Open complaints"] == str(Complaint.objects.filter(status="open").count())
    assert found["Orders"] == str(orders.count())
    assert figures(shown["house"])["Dead letters"] == "0"


def test_the_charts_cover_thirty_days(samples: None) -> None:
    shown = dashboard.show(asked_by("admin"), {})["urgent"]
    bars = json.loads(shown["charts"][0]["data"])
    assert len(bars["labels"]) == 30
    total = sum(sum(row["data"]) for row in bars["datasets"])
    assert str(total) == figures(shown)["Orders"]


def test_the_figures_of_the_shop(shop_samples: None) -> None:
    shown = dashboard.show(asked_by("admin"), {})["shop"]
    found = figures(shown)
    assert found["Orders"] == str(ShopOrder.objects.count())
    assert found["To prepare"] == "3"
    assert found["Customers"] == "6"
    bars = json.loads(shown["charts"][0]["data"])
    assert len(bars["labels"]) == 30
    assert sum(sum(row["data"]) for row in bars["datasets"]) == ShopOrder.objects.count()


def test_shop_orders_and_customers_are_found(shop_samples: None) -> None:
    order = ShopOrder.objects.latest("id")
    address = f"/admin/shop/order/{order.pk}/change/"
    assert address in [hit.link for hit in backoffice.search(asked_by("admin"), f"#{order.pk}")]
    assert any("Nodira" in hit.title for hit in backoffice.search(asked_by("admin"), "Nodira"))
    assert backoffice.orders_to_prepare(asked_by("admin")) == "3"


def test_the_start_page_costs_a_constant_number_of_queries(samples: None) -> None:
    with query_budget(48):
        dashboard.show(asked_by("admin"), {})


def test_figures_are_remembered_for_a_minute(samples: None) -> None:
    request = asked_by("admin")
    dashboard.show(request, {})
    with query_budget(1):  # the person's own alerts
        dashboard.show(request, {})


def test_the_words_are_the_readers_although_the_numbers_are_shared(samples: None) -> None:
    browser = at_the_desk("admin")
    for language in ("ru", "uz", "tr", "en"):
        page = browser.get("/admin/", headers={"Accept-Language": language})
        assert f'lang="{language}"' in page.content.decode()


def test_a_person_sees_only_the_products_of_the_own_role(samples: None) -> None:
    assert set(dashboard.show(asked_by("operator"), {})) == {"title", "alerts", "house"}
    assert set(dashboard.show(asked_by("moderator"), {})) == {"title", "alerts", "urgent"}


def test_an_empty_house_has_a_start_page() -> None:
    hire()
    shown = dashboard.show(asked_by("admin"), {})
    assert figures(shown["urgent"])["Completed"] == "–"
    assert at_the_desk("admin").get("/admin/").status_code == 200


def test_badges_count_what_waits(samples: None) -> None:
    request = asked_by("admin")
    assert backoffice.open_complaints(request) == "4"
    assert (backoffice.dead_letters(request), backoffice.proposed_corrections(request)) == ("", "")
    OutboxMessage.objects.create(event="a.B", handler="h", payload={}, dead_at="2026-01-01T00:00:00Z")
    cache.clear()
    assert backoffice.dead_letters(request) == "1"


@pytest.mark.parametrize(
    ("words", "title"),
    [("Мали", "Малика"), ("700000101", "Малика"), ("@malika_k", "Малика"), ("малика", "Малика")],
)
def test_people_are_found_by_name_and_telegram(samples: None, words: str, title: str) -> None:
    if words == "малика":
        words = words.capitalize()
    assert any(title in hit.title for hit in backoffice.search(asked_by("admin"), words))


def test_orders_are_found_by_id_whatever_the_case_of_the_search_box(samples: None) -> None:
    order = Order.objects.first()
    assert order is not None
    found = backoffice.search(asked_by("admin"), order.pk.lower())
    assert any(f"/admin/urgent/order/{order.pk}" in hit.link.replace("_5F", "_").replace("_2D", "-") for hit in found)


def test_orders_are_found_by_the_contact(samples: None) -> None:
    order = Order.objects.filter(status="active").first()
    assert order is not None
    found = backoffice.search(asked_by("admin"), order.contact)
    assert any(hit.icon == "bolt" for hit in found)


def test_search_shows_only_what_the_role_may_see(samples: None) -> None:
    assert {hit.icon for hit in backoffice.search(asked_by("moderator"), "700000101")} == {"bolt", "group"}
    assert backoffice.search(asked_by("operator"), "700000101") == []


@pytest.mark.parametrize("words", ["", "x", "  ", "a\x00b", "9" * 40, "%", "'; drop"])
def test_odd_words_find_nothing_and_break_nothing(samples: None, words: str) -> None:
    assert backoffice.search(asked_by("admin"), words) == []


def test_the_command_palette_answers(samples: None) -> None:
    page = at_the_desk("admin").get("/admin/search/", {"s": "700000101", "extended": "1"})
    assert page.status_code == 200
    assert "Малика" in page.content.decode()


def test_search_is_bounded(samples: None) -> None:
    with query_budget(20):
        assert len(backoffice.search(asked_by("admin"), "70000010")) <= 4 * backoffice.FOUND_PER_KIND
