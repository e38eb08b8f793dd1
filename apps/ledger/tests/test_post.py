"""Posting: happy path, each refusal, the repeat, the cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction

from apps.accounts.models import User
from apps.core import events
from apps.core.money import Money
from apps.core.testing import assert_refused, query_budget
from apps.ledger import actions as ledger
from apps.ledger import chain, queries
from apps.ledger.events import BalanceChanged
from apps.ledger.models import Account, Entry
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db


def test_a_credit_opens_the_account_and_writes_two_legs(bek: User) -> None:
    entry = cast.post(bek, "30.50", "topup:1", house="urgent:topup", reference="invoice:1", happened_at=cast.NOON)
    account = cast.purse(bek)
    twin = Entry.objects.of_house().get(posting=entry.posting)

    assert (account.balance, account.held, account.version) == (Decimal("30.50"), Decimal(0), 1)
    assert account.head == entry.hash
    assert Entry.objects.get(pk=entry.pk) == entry
    assert (entry.amount, entry.balance_before, entry.balance_after, entry.version) == (
        Decimal("30.50"),
        Decimal("0.00"),
        Decimal("30.50"),
        1,
    )
    assert entry.previous_hash == chain.genesis(bek.pk, "urgent", "RUB")
    assert (entry.happened_at, entry.by, entry.by_role) == (cast.NOON, bek, "accounts.user")
    assert (twin.account.name, twin.account.holder, twin.amount) == ("urgent:topup", None, Decimal("-30.50"))
    assert (twin.version, twin.hash, twin.key, twin.reference) == (None, "", "", "invoice:1")


def test_what_post_returns_is_what_stands_in_the_database(aida: User) -> None:
    entry = cast.post(aida, "-0.10", "take:1")
    stored = Entry.objects.filter(pk=entry.pk).values().get()
    assert {name: getattr(entry, name) for name in stored} == stored


def test_a_debit_continues_the_chain(aida: User) -> None:
    first = Entry.objects.of_persons().get()
    second = cast.post(aida, -30, "take:1")
    assert (second.version, second.previous_hash, second.balance_after) == (2, first.hash, Decimal("70.00"))
    assert queries.balance(aida, "urgent", "RUB") == Decimal("70.00")
    assert queries.house_balance("urgent:revenue", "RUB") == Decimal("30.00")


def test_the_balance_may_reach_the_floor_and_not_go_below(aida: User) -> None:
    cast.post(aida, -100, "take:1")
    refused = assert_refused(
        ledger.NotEnoughBalance, lambda: cast.post(aida, "-0.01", "take:2"), unchanged=cast.books()
    )
    assert (refused.status, refused.code) == (402, "not_enough_balance")


def test_an_account_may_have_another_floor(bek: User) -> None:
    ledger.open_account(holder=bek, book="urgent", currency="RUB", floor=Decimal("-50"))
    assert cast.post(bek, -50, "take:1").balance_after == Decimal("-50.00")
    assert_refused(ledger.NotEnoughBalance, lambda: cast.post(bek, "-0.01", "take:2"), unchanged=cast.books())


def test_the_same_key_with_the_same_content_returns_the_first_entry(aida: User) -> None:
    first = cast.post(aida, -30, "take:1")
    cast.post(aida, -30, "take:2")
    assert cast.post(aida, -30, "take:1") == first
    assert cast.purse(aida).balance == Decimal("40.00")


def test_a_repeat_is_free_even_when_the_money_is_gone(aida: User) -> None:
    first = cast.post(aida, -100, "take:1")
    assert cast.post(aida, -100, "take:1") == first


@pytest.mark.parametrize(
    "change", [{"amount": -31}, {"house": "other"}, {"reason": "other"}, {"reference": "other"}], ids=str
)
def test_the_same_key_with_other_content_is_refused(aida: User, change: dict[str, object]) -> None:
    cast.post(aida, -30, "take:1")
    words = {"amount": -30, "key": "take:1", **change}
    refused = assert_refused(ledger.KeyReused, lambda: cast.post(aida, **words), unchanged=cast.books())
    assert (refused.status, refused.code) == (409, "key_reused")


def test_a_key_belongs_to_one_account(aida: User, bek: User) -> None:
    cast.post(aida, 1, "same")
    cast.post(bek, 1, "same")
    cast.post(aida, 1, "same", book="shop")
    assert Entry.objects.filter(key="same").count() == 3


@pytest.mark.parametrize("amount", ["0", "0.001", "1000000000000", "-1000000000000", "NaN", "Infinity"])
def test_impossible_amounts_are_refused(aida: User, amount: str) -> None:
    refused = assert_refused(ledger.WrongAmount, lambda: cast.post(aida, amount, "k"), unchanged=cast.books())
    assert (refused.status, refused.code) == (422, "wrong_amount")


def test_stars_have_no_fractions(bek: User) -> None:
    def half_a_star() -> Entry:
        return ledger.post(
            by=None, holder=bek, book="b", amount=Money(Decimal("0.5"), "XTR"), key="k", reason="r", house="h"
        )

    assert_refused(ledger.WrongAmount, half_a_star, unchanged=cast.books())


def test_an_account_cannot_overflow(aida: User) -> None:
    refused = assert_refused(
        ledger.BalanceTooLarge, lambda: cast.post(aida, "999999999999.99", "k"), unchanged=cast.books()
    )
    assert (refused.status, refused.code) == (409, "balance_too_large")


@pytest.mark.parametrize(
    "words",
    [
        *({"key": text} for text in ("", "k" * 201, "a\0b", "\ud800", "ledger:capture:1")),
        *({"reason": text} for text in ("", "r" * 201, "a\nb")),
        *({"house": text} for text in ("", "h" * 201)),
        *({"book": text} for text in ("", "b" * 41)),
        {"reference": "r" * 201},
    ],
    ids=lambda words: f"{next(iter(words))}-{len(next(iter(words.values())))}",
)
def test_impossible_words_are_refused(aida: User, words: dict[str, str]) -> None:
    refused = assert_refused(
        ledger.WrongWords, lambda: cast.post(aida, 1, **{"key": "k", **words}), unchanged=cast.books()
    )
    assert (refused.status, refused.code) == (422, "wrong_words")


def test_a_posting_costs_four_statements_in_the_callers_transaction(aida: User) -> None:
    cast.post(aida, -1, "warm")
    with transaction.atomic(), query_budget(4):
        cast.post(aida, -1, "take:1")


def test_the_first_posting_of_all_opens_both_accounts(bek: User) -> None:
    with transaction.atomic(), query_budget(9):
        cast.post(bek, 1, "k", house="new house")
    assert Account.objects.count() == 2


def test_a_caller_may_catch_the_refusal_and_go_on(aida: User) -> None:
    with transaction.atomic():
        with pytest.raises(ledger.NotEnoughBalance):
            cast.post(aida, -101, "too much")
        cast.post(aida, -100, "all")
    assert cast.purse(aida).balance == Decimal("0.00")


def test_the_callers_rollback_takes_everything_back(aida: User) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        cast.post(aida, -100, "take:1")
        raise ZeroDivisionError
    assert cast.purse(aida).balance == Decimal("100.00")
    assert Entry.objects.count() == 2


def test_a_movement_is_announced(aida: User, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[events.Event] = []
    monkeypatch.setitem(events._now, BalanceChanged.label(), [heard.append])
    entry = cast.post(aida, "-29.90", "take:1", reference="order:1")
    assert heard == [
        BalanceChanged(
            entry_id=entry.pk,
            holder_id=aida.pk,
            book="urgent",
            currency="RUB",
            amount="-29.90",
            balance="70.10",
            reason="a reason",
            reference="order:1",
        )
    ]


def test_ten_cents_ten_times_are_one(bek: User) -> None:
    """On SQLite decimals are floating point; sums must be exact all the same."""
    for number in range(10):
        cast.post(bek, "0.10", f"k{number}")
    for number in range(3):
        cast.post(bek, "-0.30", f"d{number}")
    assert cast.post(bek, "-0.10", "last").balance_after == Decimal("0.00")
    assert queries.house_balance(cast.HOUSE, "RUB") == Decimal("0.00")
    assert queries.audit().is_clean


def test_who_has_no_account_has_nothing_to_spend(bek: User) -> None:
    assert_refused(ledger.NotEnoughBalance, lambda: cast.post(bek, -1, "k", house="new"), unchanged=cast.books())
