"""`orders.edit` and `orders.delete` (contract urgent 3.3, D14)."""

from __future__ import annotations

import pytest
from django.db.models import QuerySet

from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused
from apps.urgent import errors
from apps.urgent.actions import members, orders
from apps.urgent.models import Member, Order
from apps.urgent.tests import cast

NEW = "Совсем другое описание работы на завтра"


def world() -> list[QuerySet]:
    return [Order.objects.all(), Member.objects.all(), OutboxMessage.objects.all()]


def test_only_the_given_words_change(aziz: Member) -> None:
    order = cast.place(aziz, contact="@before")
    edited = orders.edit(by=aziz, order_id=order.pk, description=NEW)
    edited.refresh_from_db()
    assert (edited.description, edited.contact, edited.category, edited.city) == (
        NEW,
        "@before",
        "Сантехника",
        cast.CITY,
    )
    assert edited.expires_at == order.expires_at


def test_nothing_given_changes_nothing(aziz: Member) -> None:
    order = cast.place(aziz)
    before = OutboxMessage.objects.count()
    orders.edit(by=aziz, order_id=order.pk)
    order.refresh_from_db()
    assert order.updated_at == order.created_at
    assert OutboxMessage.objects.count() == before


def test_a_stranger_s_order_does_not_exist(aziz: Member, farid: Member) -> None:
    order = cast.place(aziz)
    for deed in (orders.edit, orders.delete):
        assert_refused(errors.OrderNotFound, lambda deed=deed: deed(by=farid, order_id=order.pk), unchanged=world())
        assert_refused(errors.OrderNotFound, lambda deed=deed: deed(by=farid, order_id="nowhere"), unchanged=world())


def test_what_somebody_has_paid_for_stays(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    assert_refused(
        errors.EditAfterTake, lambda: orders.edit(by=aziz, order_id=order.pk, description=NEW), unchanged=world()
    )
    assert_refused(errors.DeleteAfterTake, lambda: orders.delete(by=aziz, order_id=order.pk), unchanged=world())


def test_past_its_lifetime_an_order_is_not_edited_but_expired(aziz: Member) -> None:
    order = cast.place(aziz, minutes_ago=60)
    assert_refused(errors.OrderExpired, lambda: orders.edit(by=aziz, order_id=order.pk, description=NEW))
    order.refresh_from_db()
    assert (order.status, order.description) == ("expired", cast.DESCRIPTION)
    assert_refused(
        errors.OrderNotActive, lambda: orders.edit(by=aziz, order_id=order.pk, description=NEW), unchanged=world()
    )


def test_taken_goes_before_past_lifetime(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=61)
    cast.take(bek, order, minutes_ago=5)
    assert_refused(errors.EditAfterTake, lambda: orders.edit(by=aziz, order_id=order.pk, description=NEW))


def test_a_blocked_member_writes_nothing_new(aziz: Member) -> None:
    order = cast.place(aziz)
    blocked = members.block(by=cast.staff(), member_id=aziz.pk, reason="spam")
    assert_refused(
        errors.MemberBlocked, lambda: orders.edit(by=blocked, order_id=order.pk, description=NEW), unchanged=world()
    )


@pytest.mark.parametrize("status", ["deleted", "completed", "closed_no_response"])
def test_a_finished_order_is_not_edited(aziz: Member, status: str) -> None:
    order = cast.place(aziz)
    Order.objects.filter(pk=order.pk).update(status=status)
    assert_refused(
        errors.OrderNotActive, lambda: orders.edit(by=aziz, order_id=order.pk, description=NEW), unchanged=world()
    )


def test_a_contact_in_use_is_not_taken_over(aziz: Member, farid: Member) -> None:
    cast.place(farid, contact="+79161234567")
    order = cast.place(aziz)
    assert_refused(
        errors.ContactInUse,
        lambda: orders.edit(by=aziz, order_id=order.pk, contact="8 916 123 45 67"),
        unchanged=world(),
    )


def test_deleting_counts_once_and_a_second_time_finds_nothing(aziz: Member) -> None:
    cast.place(aziz)
    order = cast.place(aziz)
    orders.delete(by=aziz, order_id=order.pk)
    order.refresh_from_db()
    aziz.refresh_from_db()
    assert (order.status, order.deleted_at is not None, aziz.active_orders_count) == ("deleted", True, 1)
    assert_refused(errors.OrderNotFound, lambda: orders.delete(by=aziz, order_id=order.pk), unchanged=world())


def test_an_expired_order_is_deleted_without_counting_again(aziz: Member) -> None:
    cast.place(aziz)
    order = cast.place(aziz, minutes_ago=61)
    orders.delete(by=aziz, order_id=order.pk)
    order.refresh_from_db()
    aziz.refresh_from_db()
    assert (order.status, aziz.active_orders_count) == ("deleted", 1)
