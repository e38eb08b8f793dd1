"""What the restaurant's system reports is booked once, in any order (contract loyalty 3.6, 4.4, 4.6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused
from apps.ledger import queries as ledger
from apps.ledger.models import Entry
from apps.loyalty import errors
from apps.loyalty.actions import cashback
from apps.loyalty.models import CashbackTransaction, Client
from apps.loyalty.tests import cast

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
Kind = cast.Kind


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def rows(client: Client) -> list[tuple[str, Decimal, Decimal]]:
    found = CashbackTransaction.objects.filter(client=client).order_by("id")
    return [(row.kind, row.amount, row.balance_after) for row in found]


def books_agree(client: Client) -> bool:
    """Purse, entries and rows say the same."""
    summed = sum((amount for _, amount, _ in rows(client)), Decimal(0))
    return cast.balance(client) == summed and ledger.audit().is_clean


def test_credits_and_debits_may_go_below_zero(jasur: Client) -> None:
    cast.iiko(jasur, 500)
    cast.iiko(jasur, -700, Kind.PAYMENT)
    assert rows(jasur) == [("accrual", 500, 500), ("payment", -700, -200)]
    assert books_agree(jasur)


def test_the_same_key_is_booked_once(jasur: Client) -> None:
    first = cast.iiko(jasur, 500, key="e1")
    again = cast.iiko(jasur, 500, key="e1")
    assert (again.pk, Entry.objects.of_persons().count(), cast.balance(jasur)) == (first.pk, 1, 500)


def test_everything_told_is_kept(jasur: Client) -> None:
    told = cashback.Told(kind=Kind.ACCRUAL, branch_id=139458, uoc_id="uoc-1", order_id="order-1", order_number="77")
    row = cashback.apply_iiko_change(client_id=jasur.pk, amount=Decimal(5), key="e1", told=told)
    row.refresh_from_db()
    assert (row.source, row.branch_id, row.iiko_event_id, row.iiko_uoc_id) == ("MANUAL", 139458, "e1", "uoc-1")
    assert (row.order_id, row.order_number, row.staff_id) == ("order-1", "77", None)


def test_a_told_balance_is_the_truth_and_the_difference_has_a_row(jasur: Client) -> None:
    cast.earn(jasur, 100)
    cast.iiko(jasur, 50, at=at(1), balance=Decimal(400))
    assert rows(jasur) == [("added", 100, 100), ("levelling", 250, 350), ("accrual", 50, 400)]
    assert books_agree(jasur)


def test_a_movement_older_than_the_last_balance_is_part_of_it(jasur: Client) -> None:
    cast.iiko(jasur, 50, at=at(2), balance=Decimal(150))
    cast.iiko(jasur, 100, at=at(1), balance=Decimal(100))
    cast.iiko(jasur, -30, Kind.PAYMENT, at=at(1))
    assert cast.balance(jasur) == 150
    assert books_agree(jasur)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_any_order_of_arrival_ends_at_the_newest_balance(order: tuple[int, ...], jasur: Client) -> None:
    story = [(100, 100), (50, 150), (-120, 30), (20, 50)]
    for number in order:
        amount, balance = story[number]
        cast.iiko(jasur, amount, key=f"e{number}", at=at(number), balance=Decimal(balance))
    assert cast.balance(jasur) == 50
    assert books_agree(jasur)


def test_without_a_balance_movements_add_up(jasur: Client) -> None:
    cast.iiko(jasur, 100, at=at(1), balance=Decimal(100))
    cast.iiko(jasur, 50, at=at(2))
    cast.iiko(jasur, 7)
    assert cast.balance(jasur) == 157


def test_levelling_earns_no_points(jasur: Client) -> None:
    cast.iiko(jasur, 2, at=at(1), balance=Decimal(100_000))
    jasur.refresh_from_db()
    assert (jasur.points, jasur.level) == (1, "SILVER")


def test_an_asked_balance_levels_the_purse_once(jasur: Client) -> None:
    cast.earn(jasur, 100)
    row = cashback.set_iiko_balance(client_id=jasur.pk, balance=Decimal(70), at=at(1), key="r1")
    assert row is not None
    assert (row.kind, row.amount, row.balance_after) == ("levelling", -30, 70)
    assert cashback.set_iiko_balance(client_id=jasur.pk, balance=Decimal(70), at=at(2), key="r2") is None
    assert books_agree(jasur)


def test_an_asked_balance_older_than_a_notice_changes_nothing(jasur: Client) -> None:
    cast.iiko(jasur, 100, at=at(5), balance=Decimal(100))
    assert cashback.set_iiko_balance(client_id=jasur.pk, balance=Decimal(1), at=at(4), key="r1") is None
    assert cast.balance(jasur) == 100


@pytest.mark.parametrize(("amount", "gift"), [(-35_000, True), (35_000, False), (-34_999, False), (-35_001, False)])
def test_exactly_35000_spent_is_the_gift(amount: int, gift: bool, jasur: Client) -> None:
    cast.iiko(jasur, amount, Kind.PAYMENT)
    jasur.refresh_from_db()
    assert jasur.giftget is gift


def test_levelling_is_no_gift(jasur: Client) -> None:
    cashback.set_iiko_balance(client_id=jasur.pk, balance=Decimal(-35_000), at=NOON, key="r1")
    jasur.refresh_from_db()
    assert jasur.giftget is False


def test_what_staff_take_off_is_no_gift(jasur: Client) -> None:
    cast.iiko(jasur, 50_000)
    cashback.take(by=None, client_id=jasur.pk, amount=Decimal(35_000), note="a mistake", key="t1")
    jasur.refresh_from_db()
    assert (jasur.giftget, cast.balance(jasur)) == (False, 15_000)


def test_who_has_left_is_not_booked_on(jasur: Client) -> None:
    Client.objects.filter(pk=jasur.pk).update(is_deleted=True)
    deeds: list[Any] = [
        lambda: cast.iiko(jasur, 5),
        lambda: cashback.set_iiko_balance(client_id=jasur.pk, balance=Decimal(5), at=NOON, key="r"),
    ]
    for deed in deeds:
        assert_refused(errors.ClientNotFound, deed, unchanged=[Entry.objects.all(), OutboxMessage.objects.all()])
