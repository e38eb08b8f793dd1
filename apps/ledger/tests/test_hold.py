"""Money set aside: capture, void, time-out, and every repeat."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import User
from apps.core import states
from apps.core.testing import assert_refused
from apps.ledger import actions as ledger
from apps.ledger import queries
from apps.ledger.models import Hold
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db


def figures(holder: User) -> tuple[Decimal, Decimal, Decimal]:
    account = cast.purse(holder)
    return account.balance, account.held, account.available


def test_a_hold_lowers_what_is_available_and_not_the_balance(aida: User) -> None:
    hold = cast.set_aside(aida, 40, "h1")
    assert hold.status == Hold.Status.HELD
    assert figures(aida) == (Decimal("100.00"), Decimal("40.00"), Decimal("60.00"))
    assert queries.available(aida, "urgent", "RUB") == Decimal("60.00")
    assert queries.balance(aida, "urgent", "RUB") == Decimal("100.00")
    assert_refused(ledger.NotEnoughBalance, lambda: cast.post(aida, "-60.01", "take"), unchanged=cast.books())
    assert_refused(ledger.NotEnoughBalance, lambda: cast.set_aside(aida, "60.01", "h2"), unchanged=cast.books())
    assert queries.audit().is_clean


def test_the_same_key_is_the_same_hold(aida: User) -> None:
    first = cast.set_aside(aida, 40, "h1")
    assert cast.set_aside(aida, 40, "h1") == first
    assert_refused(ledger.KeyReused, lambda: cast.set_aside(aida, 41, "h1"), unchanged=cast.books())
    assert cast.purse(aida).held == Decimal("40.00")


@pytest.mark.parametrize("amount", ["0", "-1", "0.001"])
def test_impossible_holds_are_refused(aida: User, amount: str) -> None:
    assert_refused(ledger.WrongAmount, lambda: cast.set_aside(aida, amount, "h1"), unchanged=cast.books())


def test_capturing_all(aida: User) -> None:
    hold = cast.set_aside(aida, 40, "h1", reference="order:1")
    entry = ledger.capture(by=None, hold=hold, now=cast.NOON)
    hold.refresh_from_db()
    assert (entry.amount, entry.reference, hold.status, hold.entry) == (
        Decimal("-40.00"),
        "order:1",
        Hold.Status.CAPTURED,
        entry,
    )
    assert hold.settled_at is not None
    assert figures(aida) == (Decimal("60.00"), Decimal("0.00"), Decimal("60.00"))
    assert queries.house_balance(cast.HOUSE, "RUB") == Decimal("40.00")
    assert queries.audit().is_clean


def test_capturing_a_part_frees_the_rest(aida: User) -> None:
    hold = cast.set_aside(aida, 40, "h1")
    ledger.capture(by=None, hold=hold, amount=cast.rub("0.10"), now=cast.NOON)
    assert figures(aida) == (Decimal("99.90"), Decimal("0.00"), Decimal("99.90"))


def test_a_capture_repeats_freely_and_changes_its_mind_never(aida: User) -> None:
    hold = cast.set_aside(aida, 40, "h1")
    entry = ledger.capture(by=None, hold=hold, amount=cast.rub(30), now=cast.NOON)
    assert ledger.capture(by=None, hold=hold, amount=cast.rub(30), now=cast.NOON) == entry
    refused = assert_refused(ledger.HoldSettled, lambda: ledger.capture(by=None, hold=hold), unchanged=cast.books())
    assert (refused.status, refused.code) == (409, "hold_settled")


def test_more_than_is_held_cannot_be_captured(aida: User) -> None:
    hold = cast.set_aside(aida, 40, "h1")
    refused = assert_refused(
        ledger.CaptureTooLarge,
        lambda: ledger.capture(by=None, hold=hold, amount=cast.rub("40.01"), now=cast.NOON),
        unchanged=cast.books(),
    )
    assert (refused.status, refused.code) == (409, "capture_too_large")


def test_voiding_gives_all_back_and_repeats_freely(aida: User) -> None:
    hold = cast.set_aside(aida, 40, "h1")
    voided = ledger.void(by=None, hold=hold, reason="changed his mind")
    assert ledger.void(by=None, hold=hold).settled_at == voided.settled_at
    assert figures(aida) == (Decimal("100.00"), Decimal("0.00"), Decimal("100.00"))
    assert [log.reason for log in states.history(hold)] == ["changed his mind"]
    assert_refused(
        ledger.HoldSettled, lambda: ledger.capture(by=None, hold=hold, now=cast.NOON), unchanged=cast.books()
    )


def test_what_was_captured_cannot_be_voided(aida: User) -> None:
    hold = cast.set_aside(aida, 40, "h1")
    ledger.capture(by=None, hold=hold, now=cast.NOON)
    assert_refused(ledger.HoldSettled, lambda: ledger.void(by=None, hold=hold), unchanged=cast.books())


def test_time_ends_a_hold_before_the_sweep_does(aida: User) -> None:
    hold = cast.set_aside(aida, 40, "h1")
    refused = assert_refused(
        ledger.HoldExpired, lambda: ledger.capture(by=None, hold=hold, now=cast.ONE_PM), unchanged=cast.books()
    )
    assert (refused.status, refused.code) == (410, "hold_expired")


def test_the_sweep_gives_back_what_is_due_and_nothing_else(aida: User) -> None:
    due = cast.set_aside(aida, 40, "h1")
    later = cast.set_aside(aida, 30, "h2", expires_at=cast.ONE_PM + timedelta(seconds=1))
    assert ledger.expire_holds(now=cast.ONE_PM) == 1
    assert ledger.expire_holds(now=cast.ONE_PM) == 0
    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.status, later.status) == (Hold.Status.EXPIRED, Hold.Status.HELD)
    assert figures(aida) == (Decimal("100.00"), Decimal("30.00"), Decimal("70.00"))
    assert ledger.void(by=None, hold=due).status == Hold.Status.EXPIRED
    assert_refused(ledger.HoldSettled, lambda: ledger.capture(by=None, hold=due), unchanged=cast.books())


def test_the_sweep_takes_the_oldest_first_up_to_its_limit(aida: User) -> None:
    holds = [cast.set_aside(aida, 1, f"h{n}", expires_at=cast.NOON - timedelta(minutes=n)) for n in range(3)]
    assert ledger.expire_holds(now=cast.NOON, limit=2) == 2
    assert list(Hold.objects.filter(status="held")) == [holds[0]]


def test_a_hold_gone_wrong_does_not_stop_the_sweep(aida: User, bek: User) -> None:
    cast.post(bek, 100, "k")
    broken, sound = cast.set_aside(bek, 10, "h"), cast.set_aside(aida, 10, "h")
    type(cast.purse(bek)).objects.filter(holder=bek).update(held=0)
    assert ledger.expire_holds(now=cast.ONE_PM) == 1
    broken.refresh_from_db()
    sound.refresh_from_db()
    assert (broken.status, sound.status) == (Hold.Status.HELD, Hold.Status.EXPIRED)
