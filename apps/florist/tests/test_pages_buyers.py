"""The manager's buyers: what is typed is kept, by forms without JavaScript (contract florist 4; defect 18)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.testing import query_budget
from apps.florist.models import Customer, CustomerAddress, Employee, ImportantDate, Order, StandingOrder
from apps.florist.tests import cast
from apps.florist.tests.seats import seated

LIST = "/desk/manager/buyers/"


@pytest.fixture
def manager(bek: Employee) -> Client:
    """Signed in at the desk."""
    return seated(bek)


def press(client: Client, who: Customer, name: str, fields: dict[str, Any]) -> str:
    """Send a form; the page that follows."""
    answer = client.post(f"{LIST}{who.pk}/{name}", fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def profile(who: Customer, **more: Any) -> dict[str, Any]:
    """The form as a browser sends it."""
    return {"name": "", "phone": who.phone, "email": "", "preferences": "", "notes": "", **more}


def test_buyers_are_found(manager: Client, bek: Employee) -> None:
    cast.customer(bek.shop, "Иванова")
    cast.customer(bek.shop, "Петров")
    text = manager.get(LIST, {"search": "ИВАН"}).content.decode()
    assert ("Иванова" in text, "Петров" in text) == (True, False)
    assert "Петров" in manager.get(LIST, {"page": "nonsense"}).content.decode()


def test_an_edit_is_kept(manager: Client, bek: Employee) -> None:
    """Defect 18: edits changed the screen only, and said that they were saved."""
    who = cast.customer(bek.shop, notes="old")
    text = press(manager, who, "edit", profile(who, name="Maria", preferences="no lilies", phone="8 702 555 00 11"))
    assert 'class="success"' in text
    who.refresh_from_db()
    assert (who.name, who.preferences, who.notes, who.phone) == ("Maria", "no lilies", None, "+77025550011")
    assert who.agrees_to_reminders is False
    press(manager, who, "edit", profile(who, agrees_to_reminders="on"))
    who.refresh_from_db()
    assert who.agrees_to_reminders is True


def test_a_refused_edit_says_why_and_keeps_nothing(manager: Client, bek: Employee) -> None:
    who, other = cast.customer(bek.shop), cast.customer(bek.shop)
    text = press(manager, who, "edit", profile(who, name="Maria", phone=other.phone))
    assert "known already" in text
    assert 'class="error"' in press(manager, who, "edit", profile(who, phone="12"))
    who.refresh_from_db()
    assert who.name == "Ivan"


def test_addresses_and_dates_are_added(manager: Client, bek: Employee) -> None:
    who = cast.customer(bek.shop)
    press(manager, who, "address", {"address": "Abai 10", "label": "home", "is_primary": "on"})
    press(manager, who, "date", {"date": "03-08", "description": "8 March", "remind_days_before": "5"})
    text = press(manager, who, "date", {"date": "02-31", "description": "never", "remind_days_before": "5"})
    assert "no day of the year" in text
    address, day = CustomerAddress.objects.get(), ImportantDate.objects.get()
    assert (address.address, address.label, address.is_primary) == ("Abai 10", "home", True)
    assert (day.date, day.remind_days_before) == ("03-08", 5)


def test_merging_on_the_page(manager: Client, bek: Employee) -> None:
    who, twin = cast.customer(bek.shop), cast.customer(bek.shop, notes="the twin's")
    press(manager, who, "merge", {"other_id": twin.pk})
    assert [row.notes for row in Customer.objects.all()] == [f"the twin's\n{twin.phone}"]


def test_a_standing_order_begins_skips_pauses_and_ends(manager: Client, bek: Employee) -> None:
    who, product = cast.customer(bek.shop), cast.product(bek.shop)
    first = timezone.localdate() + timedelta(days=10)
    fields = {
        "product_id": product.pk,
        "quantity": 2,
        "every_days": 7,
        "days_ahead": 2,
        "next_day": first.isoformat(),
        "address": "Abai 10",
        "begins": "10:00",
        "ends": "12:00",
        "is_invoiced": "on",
    }
    press(manager, who, "stand", fields)
    row = StandingOrder.objects.get()
    assert (row.items, row.is_invoiced, row.next_day) == ([{"product_id": product.pk, "quantity": 2}], True, first)
    assert row.details == {
        "delivery_method": "delivery",
        "address": "Abai 10",
        "window": {"from": "10:00", "to": "12:00"},
    }
    for name, status in (("skip", "active"), ("pause", "paused"), ("resume", "active"), ("end", "ended")):
        press(manager, who, name, {"standing_id": row.pk})
        row.refresh_from_db()
        assert row.status == status, name
    assert row.next_day == first + timedelta(days=7)
    assert 'class="error"' in press(manager, who, "stand", {**fields, "next_day": "2020-01-01"})
    assert StandingOrder.objects.count() == 1


def test_a_new_buyer(manager: Client, bek: Employee) -> None:
    made = manager.post(f"{LIST}new", {"name": "Maria", "phone": "8 702 555 00 11"})
    who = Customer.objects.get()
    assert (made.status_code, made["Location"]) == (302, f"{LIST}{who.pk}/")
    assert (who.name, who.phone, who.shop) == ("Maria", "+77025550011", bek.shop)
    again = manager.post(f"{LIST}new", {"name": "X", "phone": "8 702 555 00 11"})
    assert (again.status_code, "known already" in again.content.decode()) == (422, True)


def test_the_page_costs_the_same_for_any_number(manager: Client, bek: Employee) -> None:
    who = cast.customer(bek.shop)
    for number in range(12):
        CustomerAddress.objects.create(customer=who, address=f"Abai {number}")
        Order.objects.create(
            shop=bek.shop,
            customer=who,
            customer_phone=who.phone,
            delivery_method="self_pickup",
            flower_sum=1,
            total=1,
            tracking_token=f"t{number}",
            order_number=f"{number:09d}",
        )
    manager.get(f"{LIST}{who.pk}/")
    with query_budget(20):
        assert manager.get(f"{LIST}{who.pk}/").status_code == 200


def test_the_stranger_and_the_wrong_role(bek: Employee, dana: Employee, aida: Employee, ruslan: Employee) -> None:
    who = cast.customer(bek.shop)
    for path in (f"{LIST}{who.pk}/", f"{LIST}{who.pk}/edit"):
        send = "post" if path.endswith("edit") else "get"
        assert getattr(seated(dana), send)(path, profile(who)).status_code == 404, path
        assert getattr(seated(aida), send)(path, profile(who)).status_code == 403, path
        assert getattr(seated(ruslan), send)(path, profile(who)).status_code == 403, path
        assert getattr(Client(), send)(path, profile(who)).status_code == 302, path
    who.refresh_from_db()
    assert who.name == "Ivan"
