"""What machines noticed reaches the people who may do something about it, once, in their language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.utils import timezone

from apps.accounts import events as people
from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.core import events
from apps.ledger import events as ledger
from apps.notifications.models import Delivery, Notification
from apps.payments import events as payments
from apps.portal import alerts
from apps.portal.tests.cast import at_the_desk, hire, person
from apps.shop.events import OrdersAndMoneyDisagree, StockRanLow

pytestmark = pytest.mark.django_db

LOOK = payments.LookNeeded(payment_id=7, purpose="shop.order", reference="41", why="the amount {differs}")
SURPLUS = payments.SurplusTaken(payment_id=8, purpose="shop.order", reference="41", amount="500.00", currency="UZS")
EMPTY = StockRanLow(slipper_id=3, name="Мягкие", size="42", quantity=1, fell_at="2026-11-21T08:00:00+00:00")
POOR = people.CodeSuccessFell(day="2026-11-21", prefix="+998", sent_count=60, proved_count=3)


@pytest.fixture(autouse=True)
def _staff(db: None) -> None:
    hire()


def happens(fact: Any) -> None:
    with transaction.atomic():
        events.publish(fact)
    events.relay()


def told(name: str) -> list[Notification]:
    return list(Notification.objects.filter(user=person(name), product=alerts.PRODUCT).order_by("id"))


@pytest.mark.parametrize(
    ("fact", "reader", "stranger", "title", "screen"),
    [
        (LOOK, "finance", "support", "Payment 7 needs a look", "/admin/payments/payment/7/change/"),
        (SURPLUS, "finance", "support", "shop.order 41 was paid twice", "/admin/payments/payment/8/change/"),
        (payments.AuditFailed(fault_count=2), "finance", "operator", "The audit of payments found 2 faults",
         "/admin/payments/payment/report/"),
        (ledger.AuditFailed(fault_count=3), "finance", "operator", "The audit of the books found 3 faults",
         "/admin/ledger/account/"),
        (OrdersAndMoneyDisagree(count=2, order_ids=[5, 9]), "finance", "support",
         "2 orders of the shop and their money disagree", "/admin/shop/order/"),
        (EMPTY, "shopkeeper", "finance", "Мягкие, size 42: 1 left", "/admin/shop/slipper/3/change/"),
        (POOR, "operator", "finance", "Of 60 codes to +998 only 3 were typed in", "/admin/accounts/smsspend/"),
        (people.SmsCapReached(day="2026-11-21"), "operator", "finance", "The day's money for codes is used up",
         "/admin/accounts/smsspend/"),
    ],
)  # fmt: skip
def test_the_right_people_are_told(
    fact: Any, reader: str, stranger: str, title: str, screen: str, settings: Any
) -> None:
    User.objects.update(language="en")
    happens(fact)
    for name in (reader, "admin"):
        [row] = told(name)
        assert (row.title, row.link_url) == (title, f"{settings.PUBLIC_URL}{screen}")
    assert told(stranger) == told("moderator") == []


def test_the_reason_is_told_as_it_was_written() -> None:
    happens(LOOK)
    assert told("finance")[0].body == "shop.order 41: the amount {differs}"


def test_the_same_fault_rings_once_a_day() -> None:
    happens(LOOK)
    happens(LOOK)
    assert len(told("finance")) == 1
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        happens(LOOK)
    assert len(told("finance")) == 2


def test_another_reason_rings_again() -> None:
    happens(LOOK)
    happens(payments.LookNeeded(payment_id=7, purpose="shop.order", reference="41", why="no such order"))
    assert len(told("finance")) == 2


def test_a_proved_address_gets_a_letter() -> None:
    User.objects.filter(username="finance").update(email="f@example.com", email_verified_at=timezone.now())
    happens(SURPLUS)
    assert list(Delivery.objects.values_list("channel", "notification__user__username")) == [("mail", "finance")]


def test_whoever_left_is_not_told() -> None:
    User.objects.filter(username="finance").update(is_active=False)
    happens(SURPLUS)
    assert told("finance") == []


def test_rights_by_hand_and_by_role_are_found() -> None:
    worker = User.objects.create_user(username="worker", is_staff=True)
    names = lambda: set(accounts.staff_with("payments.handle_payment").values_list("username", flat=True))  # noqa: E731
    assert names() == {"admin", "finance", "shopkeeper"}
    worker.user_permissions.add(Permission.objects.get(codename="handle_payment"))
    assert names() == {"admin", "finance", "shopkeeper", "worker"}
    assert set(accounts.staff_with("nobody.has_this").values_list("username", flat=True)) == {"admin"}


def test_the_start_page_shows_them_until_they_were_read() -> None:
    happens(SURPLUS)
    desk = at_the_desk("finance")
    assert "shop.order 41" in desk.get("/admin/").content.decode()
    assert desk.get("/my/alerts/read").status_code == 405
    assert desk.post("/my/alerts/read").status_code == 302
    assert "shop.order 41" not in desk.get("/admin/").content.decode()
    assert [alert.read_at for alert in told("admin")] == [None]


def test_a_stranger_reads_nothing() -> None:
    happens(SURPLUS)
    assert Client().post("/my/alerts/read").status_code == 302
    assert all(alert.read_at is None for alert in Notification.objects.all())
