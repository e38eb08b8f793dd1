"""`orders.place` (contract urgent 3.3, 1.1 row 1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused
from apps.urgent import errors
from apps.urgent.actions import members, orders
from apps.urgent.models import Member, Order
from apps.urgent.tests import cast


def test_an_order_starts_active_and_runs_out_after_its_lifetime(aziz: Member) -> None:
    order = cast.place(aziz)
    order.refresh_from_db()
    assert (order.status, order.city_locked, order.expires_in_minutes, order.max_executors) == ("active", True, 60, 3)
    assert order.expires_at - order.created_at == timedelta(minutes=60)
    assert order.due_at == order.expires_at
    assert len(order.pk) == 12
    aziz.refresh_from_db()
    assert (aziz.active_orders_count, aziz.completed_orders_count) == (1, 0)


def test_the_fact_of_an_order_carries_no_contact(aziz: Member) -> None:
    order = cast.place(aziz, contact="secret-contact")
    told = list(OutboxMessage.objects.filter(event="urgent.OrderCreated").values_list("payload", flat=True))
    assert told
    assert all(payload["order_id"] == order.pk and "secret-contact" not in str(payload) for payload in told)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("+7 (916) 123-45-67", "+7 (916) 123-45-67"),
        ("+7 (916) 123-45-67", "89161234567"),
        ("@Master_77", "https://t.me/master_77"),
        ("ЗВОНИТЕ  Ивану", "звоните ивану"),
    ],
)
def test_a_contact_has_one_active_order_in_every_spelling(aziz: Member, farid: Member, first: str, second: str) -> None:
    cast.place(aziz, contact=first)
    assert_refused(
        errors.ContactInUse,
        lambda: cast.place(farid, contact=second),
        unchanged=[Order.objects.all(), Member.objects.all(), OutboxMessage.objects.all()],
    )


@pytest.mark.parametrize(
    ("one", "other"), [("дом 12-3", "дом 123"), ("+998901234567", "+998901234568"), ("a.b@mail.ru", "ab@mail.ru")]
)
def test_different_contacts_stay_different(one: str, other: str) -> None:
    assert orders.normalised(one) != orders.normalised(other)


def test_the_contact_of_a_finished_order_is_free_again(aziz: Member) -> None:
    first = cast.place(aziz, contact="@same")
    orders.delete(by=aziz, order_id=first.pk)
    assert cast.place(aziz, contact="@same").status == "active"


def test_an_order_that_should_have_run_out_does_not_hold_the_contact(aziz: Member, farid: Member) -> None:
    old = cast.place(aziz, contact="@same", minutes_ago=61)
    assert cast.place(farid, contact="@same").status == "active"
    old.refresh_from_db()
    assert old.status == "expired"


def test_an_unknown_town_is_refused(aziz: Member) -> None:
    refused = assert_refused(
        errors.UnknownCity,
        lambda: orders.place(by=aziz, **cast.words(city="Атлантида")),
        unchanged=[Order.objects.all(), Member.objects.all()],
    )
    assert refused.errors == [
        {"type": "value_error", "loc": ["body", "city"], "msg": "Value error, unknown city", "input": "Атлантида"}
    ]


def test_an_operator_may_allow_any_town(aziz: Member, settings: Any) -> None:
    settings.URGENT = replace(settings.URGENT, only_known_cities=False)
    assert orders.place(by=aziz, **cast.words(city="Атлантида")).city == "Атлантида"


def test_the_eleventh_order_in_an_hour_waits(aziz: Member) -> None:
    for _ in range(10):
        cast.place(aziz)
    refused = assert_refused(errors.TooManyOrders, lambda: cast.place(aziz), unchanged=[Order.objects.all()])
    assert 0 < (refused.retry_after or 0) <= 3601


def test_a_refused_order_does_not_count_against_the_limit(aziz: Member) -> None:
    cast.place(aziz, contact="@same")
    for _ in range(12):
        assert_refused(errors.ContactInUse, lambda: cast.place(aziz, contact="@same"))
    assert cast.place(aziz).status == "active"


def test_figures_are_copied_into_the_order(aziz: Member, settings: Any) -> None:
    settings.URGENT = replace(settings.URGENT, order_lifetime_minutes=5, max_executors_per_order=1)
    order = cast.place(aziz)
    assert (order.expires_in_minutes, order.max_executors) == (5, 1)
    assert order.expires_at == order.created_at + timedelta(minutes=5)


def test_a_blocked_member_posts_nothing(aziz: Member) -> None:
    blocked = members.block(by=cast.staff(), member_id=aziz.pk, reason="spam")
    assert_refused(errors.MemberBlocked, lambda: cast.place(blocked), unchanged=[Order.objects.all()])


def test_settings_of_the_product_are_the_contract_s() -> None:
    figures = settings.URGENT
    assert (figures.order_lifetime_minutes, figures.no_response_close_minutes) == (60, 15)
    assert (figures.max_executors_per_order, figures.order_take_cost, figures.orders_per_hour) == (3, 2, 10)
    assert timezone.is_aware(timezone.now())
