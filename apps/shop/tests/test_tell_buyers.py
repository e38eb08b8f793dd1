"""Buyers hear of their orders once per step, in their inbox; nobody else hears anything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.testing import deliver
from apps.notifications import channels
from apps.notifications.models import Notification
from apps.shop.actions import expiry, orders, talk
from apps.shop.models import Customer, Order
from apps.shop.tests import cast, paying

pytestmark = pytest.mark.django_db


def heard(customer: Customer) -> list[tuple[str, str]]:
    """Titles in the language of a new account (Russian) and statuses, oldest first."""
    rows = Notification.objects.filter(user=customer.user, kind=talk.ORDER_STEP).order_by("pk")
    return [(row.title, row.payload["status"]) for row in rows]


def test_a_paid_order_is_followed_to_the_door(anora: Customer, bobur: Customer, farid: Customer) -> None:
    order = paying.ordered(bobur)
    paying.paid(bobur, order)
    for status in ("preparing", "ready", "delivered"):
        orders.set_status(by=anora, order_id=order.pk, status=status)
    deliver()
    assert heard(bobur) == [
        (f"Заказ {order.pk} оплачен", "confirmed"),
        (f"Заказ {order.pk} собирают", "preparing"),
        (f"Заказ {order.pk} готов", "ready"),
        (f"Заказ {order.pk} доставлен", "delivered"),
    ]
    assert heard(farid) == []


def test_the_clock_tells_and_the_buyers_own_hand_does_not(bobur: Customer) -> None:
    own, forgotten = paying.ordered(bobur), paying.ordered(bobur)
    orders.cancel(by=bobur, order_id=own.pk)
    expiry.expire_unpaid(now=timezone.now() + timedelta(days=1))
    deliver()
    assert heard(bobur) == [(f"Заказ {forgotten.pk} отменён", "cancelled")]


def test_the_same_step_is_told_once(bobur: Customer) -> None:
    order = paying.ordered(bobur)
    for _ in range(2):
        talk.tell_of_step(order_id=order.pk, status=Order.Status.REFUNDED)
    assert heard(bobur) == [(f"Деньги за заказ {order.pk} возвращены", "refunded")]


def test_a_placed_order_and_an_unknown_one_tell_nothing(bobur: Customer) -> None:
    order = paying.ordered(bobur)
    talk.tell_of_step(order_id=order.pk, status=Order.Status.PENDING)
    talk.tell_of_step(order_id=order.pk + 1, status=Order.Status.CONFIRMED)
    deliver()
    assert not Notification.objects.exists()


def test_a_broadcast_reaches_those_who_paid(bobur: Customer, dilya: Customer) -> None:
    paying.paid(bobur, paying.ordered(bobur))
    cast.order(dilya, (cast.slipper(), 1))
    assert list(channels.segment("shop", "buyers").people({})) == [bobur.user]
