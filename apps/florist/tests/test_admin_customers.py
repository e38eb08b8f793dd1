"""Buyers, standing orders and dates in the back office: read in few queries, moved by buttons that are actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.core.models import StepLog
from apps.core.testing import query_budget
from apps.florist.models import Customer, CustomerAddress, ImportantDate, Order, Shop, StandingOrder
from apps.florist.tests import cast

VIEWS = ("view_customer", "view_standingorder", "view_importantdate")


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


def desk(*rights: str) -> Client:
    """Staff with these rights of the flower shops."""
    person = User.objects.create_user(username=f"staff-{len(rights)}", language="en", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="florist", codename__in=rights))
    client = Client()
    client.force_login(person, backend="apps.accounts.authentication.StaffBackend")
    return client


@pytest.fixture
def office(db: None) -> Client:
    """Looks at buyers and handles orders."""
    return desk(*VIEWS, "handle_order")


def button(model: str, name: str, pk: int) -> str:
    """The address of a button."""
    return reverse(f"admin:florist_{model}_{name}", args=[pk])


def test_buyers_are_found_with_masked_phones(office: Client, rosa: Shop) -> None:
    Customer.objects.create(shop=rosa, phone="+77017770001", name="Иванова")
    text = office.get(reverse("admin:florist_customer_changelist"), {"q": "ИВАН"}).content.decode()
    assert "Иванова" in text
    assert "+77017770001" not in text


@pytest.mark.parametrize("model", ["customer", "standingorder", "importantdate"])
def test_a_list_costs_the_same_for_any_number(office: Client, rosa: Shop, model: str) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            who = cast.customer(rosa)
            ImportantDate.objects.create(customer=who, date="05-05", description="birthday")
            StandingOrder.objects.create(shop=rosa, customer=who, next_day="2027-01-01", items=[])

    fill(2)
    path = reverse(f"admin:florist_{model}_changelist")
    office.get(path)
    with query_budget(12):
        assert office.get(path).status_code == 200
    fill(20)
    with query_budget(12):
        assert office.get(path).status_code == 200


def test_a_buyers_page_shows_what_he_bought(office: Client, rosa: Shop) -> None:
    who = cast.customer(rosa)
    CustomerAddress.objects.create(customer=who, address="Abai 10")
    Order.objects.create(
        shop=rosa,
        customer=who,
        customer_phone=who.phone,
        delivery_method="self_pickup",
        status="paid",
        flower_sum=70_000,
        total=70_000,
        tracking_token="t",
        order_number="123456789",
    )
    done = office.post(button("customer", "recount", who.pk))
    assert done.status_code == 302
    who.refresh_from_db()
    assert (who.orders_count, int(who.total_spent)) == (1, 70_000)
    text = office.get(reverse("admin:florist_customer_change", args=[who.pk])).content.decode()
    for words in ("Abai 10", "5 · 1 · 2 = 8", "70\u202f000.00 KZT"):
        assert words in text, words


def test_buttons_move_a_standing_order(office: Client, rosa: Shop) -> None:
    row = StandingOrder.objects.create(
        shop=rosa, customer=cast.customer(rosa), next_day=date(2027, 1, 1), every_days=7, items=[]
    )
    for name, status in (("skip", "active"), ("pause", "paused"), ("resume", "active"), ("end", "ended")):
        assert office.post(button("standingorder", name, row.pk)).status_code == 302
        row.refresh_from_db()
        assert row.status == status, name
    assert row.next_day == date(2027, 1, 8)
    assert [step.to_status for step in StepLog.objects.order_by("pk")] == ["paused", "active", "ended"]
    answer: Any = office.post(button("standingorder", "pause", row.pk), follow=True)
    assert "cannot do that" in answer.content.decode()


@pytest.mark.parametrize("name", ["skip", "pause", "resume", "end"])
def test_a_button_needs_the_right_and_a_post(rosa: Shop, name: str) -> None:
    row = StandingOrder.objects.create(shop=rosa, customer=cast.customer(rosa), next_day=date(2027, 1, 1), items=[])
    onlooker, path = desk(*VIEWS), button("standingorder", name, row.pk)
    assert onlooker.post(path).status_code == 403
    assert desk(*VIEWS, "handle_order").get(path).status_code == 405
    row.refresh_from_db()
    assert (row.status, row.next_day) == ("active", date(2027, 1, 1))


def test_nothing_is_edited_by_hand(office: Client, rosa: Shop) -> None:
    who = cast.customer(rosa)
    path = reverse("admin:florist_customer_change", args=[who.pk])
    assert office.post(path, {"name": "Changed"}).status_code == 403
    assert office.get(reverse("admin:florist_customer_add")).status_code == 403


def test_dates_that_are_due(office: Client, rosa: Shop) -> None:
    who = cast.customer(rosa)
    for day, words in (("11-23", "near"), ("12-30", "far"), ("02-29", "leap")):
        ImportantDate.objects.create(customer=who, date=day, description=words)
    with time_machine.travel(datetime(2026, 11, 20, 7, tzinfo=UTC), tick=False):
        text = office.get(reverse("admin:florist_importantdate_changelist"), {"due": "now"}).content.decode()
        everything = office.get(reverse("admin:florist_importantdate_changelist")).content.decode()
    assert ("near" in text, "leap" in text) == (True, False)
    assert "Feb. 28, 2027" in everything
