"""Real threads on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.core.testing import outcomes, race
from apps.ledger import actions as ledger
from apps.ledger import queries
from apps.ledger.models import Account, Entry, Hold
from apps.ledger.tests import cast

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def carl(transactional_db: None) -> User:
    """Has money for seven takes of ten roubles."""
    carl = cast.person("carl")
    cast.post(carl, 70, "topup", house="urgent:topup")
    return carl


@pytest.fixture
def dora(transactional_db: None) -> User:
    """Has no account."""
    return cast.person("dora")


def lasting(holder: User, amount: int, key: str) -> Hold:
    """A hold with an hour to live by the real clock."""
    return cast.set_aside(holder, amount, key, expires_at=timezone.now() + timedelta(hours=1))


def test_twenty_debits_on_money_for_seven(carl: User) -> None:
    ended = outcomes(race(20, lambda number: cast.post(carl, -10, f"take:{number}")))
    assert ended == Counter(ok=7, NotEnoughBalance=13)
    assert (cast.purse(carl).balance, cast.purse(carl).version) == (Decimal("0.00"), 8)
    assert queries.house_balance(cast.HOUSE, "RUB") == Decimal("70.00")
    assert queries.audit().is_clean


def test_one_key_in_twenty_threads_is_one_entry(carl: User) -> None:
    entries = race(20, lambda _: cast.post(carl, -10, "take:1"))
    assert {entry.pk for entry in entries} == {Entry.objects.get(key="take:1").pk}
    assert cast.purse(carl).balance == Decimal("60.00")
    assert queries.audit().is_clean


def test_one_key_with_twenty_contents_is_one_entry(carl: User) -> None:
    ended = outcomes(race(20, lambda number: cast.post(carl, -1 - number, "take:1")))
    assert ended == Counter(ok=1, KeyReused=19)
    assert queries.audit().is_clean


def test_an_account_is_opened_once(dora: User) -> None:
    ended = outcomes(race(20, lambda number: cast.post(dora, 1, f"topup:{number}", house="brand new")))
    assert ended == Counter(ok=20)
    assert cast.purse(dora).balance == Decimal("20.00")
    assert Account.objects.filter(name="brand new").count() == 1
    assert queries.audit().is_clean


def test_crossing_transfers_do_not_deadlock(carl: User, dora: User) -> None:
    cast.post(dora, 70, "topup")
    pairs = [(carl, dora), (dora, carl)]

    def give(number: int) -> None:
        for turn in range(5):
            giver, taker = pairs[number % 2]
            key = f"gift:{number}:{turn}"
            ledger.transfer(
                by=None, giver=giver, taker=taker, book="urgent", amount=cast.rub(1), key=key, reason="a gift"
            )

    assert outcomes(race(20, give)) == Counter(ok=20)
    assert (cast.purse(carl).balance, cast.purse(dora).balance) == (Decimal("70.00"), Decimal("70.00"))
    assert (cast.purse(carl).version, cast.purse(dora).version) == (101, 101)
    assert queries.audit().is_clean


def test_transfers_to_somebody_without_an_account_open_it_once(carl: User, dora: User) -> None:
    def give(number: int) -> Entry:
        return ledger.transfer(
            by=None, giver=carl, taker=dora, book="urgent", amount=cast.rub(10), key=f"gift:{number}", reason="a gift"
        )

    assert outcomes(race(20, give)) == Counter(ok=7, NotEnoughBalance=13)
    assert cast.purse(dora).balance == Decimal("70.00")
    assert queries.audit().is_clean


def test_an_entry_is_reversed_once(carl: User) -> None:
    taken = cast.post(carl, -10, "take:1")
    ended = outcomes(
        race(20, lambda number: ledger.reverse(by=None, entry=taken, key=f"refund:{number}", reason="nobody came"))
    )
    assert ended == Counter(ok=1, AlreadyReversed=19)
    assert cast.purse(carl).balance == Decimal("70.00")


def test_twenty_holds_on_money_for_seven(carl: User) -> None:
    ended = outcomes(race(20, lambda number: lasting(carl, 10, f"h{number}")))
    assert ended == Counter(ok=7, NotEnoughBalance=13)
    assert (cast.purse(carl).held, cast.purse(carl).available) == (Decimal("70.00"), Decimal("0.00"))


def test_one_hold_key_in_twenty_threads_is_one_hold(carl: User) -> None:
    holds = race(20, lambda _: lasting(carl, 10, "h"))
    assert {hold.pk for hold in holds} == {Hold.objects.get().pk}
    assert cast.purse(carl).held == Decimal("10.00")


def test_capture_and_void_and_time_fight_for_one_hold(carl: User) -> None:
    hold = lasting(carl, 50, "h")
    deeds = [
        lambda: ledger.capture(by=None, hold=hold),
        lambda: ledger.void(by=None, hold=hold),
        lambda: ledger.expire_holds(now=timezone.now() + timedelta(hours=2)),
    ]
    race(18, lambda number: deeds[number % 3]())
    hold.refresh_from_db()
    account = cast.purse(carl)
    assert hold.status != Hold.Status.HELD
    assert account.held == Decimal("0.00")
    assert account.balance == (Decimal("20.00") if hold.status == Hold.Status.CAPTURED else Decimal("70.00"))
    assert Entry.objects.filter(captured_hold=hold).count() == (1 if hold.status == Hold.Status.CAPTURED else 0)
    assert queries.audit().is_clean


def test_holds_captures_and_debits_of_one_account_do_not_deadlock(carl: User) -> None:
    holds = [lasting(carl, 1, f"h{number}") for number in range(10)]
    deeds = [
        lambda number: ledger.capture(by=None, hold=holds[number // 4]),
        lambda number: ledger.void(by=None, hold=holds[number // 4 + 5]),
        lambda number: lasting(carl, 1, f"late{number}"),
        lambda number: cast.post(carl, -1, f"take:{number}"),
    ]
    assert outcomes(race(20, lambda number: deeds[number % 4](number))) == Counter(ok=20)
    account = cast.purse(carl)
    assert (account.balance, account.held) == (Decimal("60.00"), Decimal("5.00"))
    assert queries.audit().is_clean


def test_sweeps_side_by_side_expire_each_hold_once(carl: User) -> None:
    for number in range(30):
        cast.set_aside(carl, 1, f"h{number}")
    assert sum(race(5, lambda _: ledger.expire_holds(now=cast.ONE_PM))) == 30
    assert cast.purse(carl).held == Decimal("0.00")


def test_two_approvals_post_once(carl: User) -> None:
    proposer = cast.staff("proposer", "propose_correction")
    approvers = [cast.staff(f"approver{number}", "approve_correction") for number in range(10)]
    correction = ledger.correct(by=proposer, holder=carl, book="urgent", amount=cast.rub(5), reason="a reason")
    ended = outcomes(race(10, lambda number: ledger.approve_correction(by=approvers[number], correction=correction)))
    assert ended == Counter(ok=1, CorrectionSettled=9)
    assert cast.purse(carl).balance == Decimal("75.00")


def test_the_audit_sees_one_moment_while_others_write(carl: User) -> None:
    def work(number: int) -> bool:
        if number < 4:
            return queries.audit().is_clean
        for turn in range(10):
            cast.post(carl, 1, f"k{number}:{turn}")
        return True

    assert race(12, work) == [True] * 12
