"""Taking a posting back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.accounts.models import User
from apps.core.testing import assert_refused
from apps.ledger import actions as ledger
from apps.ledger import queries
from apps.ledger.models import Entry
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db


def take_back(entry: Entry, key: str = "refund:1", reason: str = "nobody came") -> Entry:
    return ledger.reverse(by=None, entry=entry, key=key, reason=reason)


def test_the_whole_amount_goes_back_and_refers_to_the_original(aida: User) -> None:
    taken = cast.post(aida, -30, "take:1", reference="order:1")
    back = take_back(taken)
    assert (back.amount, back.balance_after, back.reverses, back.reference) == (
        Decimal("30.00"),
        Decimal("100.00"),
        taken,
        "order:1",
    )
    assert queries.house_balance(cast.HOUSE, "RUB") == Decimal("0.00")
    assert queries.audit().is_clean


def test_either_leg_will_do(aida: User) -> None:
    taken = cast.post(aida, -30, "take:1")
    assert take_back(Entry.objects.of_house().get(posting=taken.posting)).reverses == taken


def test_once_only(aida: User) -> None:
    taken = cast.post(aida, -30, "take:1")
    back = take_back(taken)
    assert take_back(taken) == back
    refused = assert_refused(ledger.AlreadyReversed, lambda: take_back(taken, "refund:2"), unchanged=cast.books())
    assert (refused.status, refused.code) == (409, "already_reversed")
    assert_refused(ledger.KeyReused, lambda: take_back(taken, reason="other"), unchanged=cast.books())


def test_a_reversal_is_not_reversed(aida: User) -> None:
    back = take_back(cast.post(aida, -30, "take:1"))
    refused = assert_refused(ledger.NotReversible, lambda: take_back(back, "refund:2"), unchanged=cast.books())
    assert (refused.status, refused.code) == (409, "not_reversible")


def test_spent_money_is_not_taken_back(aida: User) -> None:
    topped_up = cast.post(aida, 50, "topup:1")
    cast.post(aida, -101, "take:1")
    assert_refused(ledger.NotEnoughBalance, lambda: take_back(topped_up), unchanged=cast.books())


def test_a_transfer_goes_back_to_the_giver(aida: User, bek: User) -> None:
    given = ledger.transfer(
        by=None, giver=aida, taker=bek, book="urgent", amount=cast.rub(40), key="gift", reason="a gift"
    )
    received = Entry.objects.exclude(pk=given.pk).get(posting=given.posting)
    assert take_back(received).account == given.account
    assert (cast.purse(aida).balance, cast.purse(bek).balance) == (Decimal("100.00"), Decimal("0.00"))
    assert queries.audit().is_clean
