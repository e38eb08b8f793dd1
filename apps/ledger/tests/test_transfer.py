"""From person to person."""

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


def give(giver: User, taker: User, amount: str | int, key: str = "gift:1", **changes: str) -> Entry:
    words = {"reason": "a gift", **changes}
    return ledger.transfer(by=giver, giver=giver, taker=taker, book="urgent", amount=cast.rub(amount), key=key, **words)


def test_money_moves_and_both_legs_are_chained(aida: User, bek: User) -> None:
    entry = give(aida, bek, 40)
    twin = Entry.objects.exclude(pk=entry.pk).get(posting=entry.posting)
    assert (entry.amount, entry.balance_after, entry.version) == (Decimal("-40.00"), Decimal("60.00"), 2)
    assert (twin.amount, twin.balance_after, twin.version, twin.key) == (Decimal("40.00"), Decimal("40.00"), 1, "")
    assert cast.purse(bek).head == twin.hash
    assert queries.audit().is_clean


def test_repeating_is_free_and_other_content_is_refused(aida: User, bek: User) -> None:
    first = give(aida, bek, 40)
    assert give(aida, bek, 40) == first
    assert_refused(ledger.KeyReused, lambda: give(aida, bek, 41), unchanged=cast.books())


def test_the_giver_needs_the_money(aida: User, bek: User) -> None:
    cast.post(bek, 1, "k")
    assert_refused(ledger.NotEnoughBalance, lambda: give(aida, bek, "100.01"), unchanged=cast.books())


def test_who_has_no_account_has_nothing_to_give(aida: User, bek: User) -> None:
    assert_refused(ledger.NotEnoughBalance, lambda: give(bek, aida, 1), unchanged=cast.books())


def test_nobody_takes_by_giving_less_than_nothing(aida: User, bek: User) -> None:
    assert_refused(ledger.WrongAmount, lambda: give(aida, bek, -5), unchanged=cast.books())


def test_nobody_gives_to_himself(aida: User) -> None:
    refused = assert_refused(ledger.SameAccount, lambda: give(aida, aida, 5), unchanged=cast.books())
    assert (refused.status, refused.code) == (409, "same_account")


def test_the_takers_own_keys_do_not_collide(aida: User, bek: User) -> None:
    cast.post(bek, 1, "gift:1")
    give(aida, bek, 40)
    assert cast.purse(bek).balance == Decimal("41.00")
