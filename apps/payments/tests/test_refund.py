"""Giving money back: reserved, sent, and done only when OCTO says done."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core import idempotency
from apps.core.testing import assert_refused, deliver, outcomes, race
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.payments import actions
from apps.payments.models import Payment, Refund
from apps.payments.tests import cast


def give_back(payment: Payment, amount: Any = None, key: str = "k", **changes: Any) -> Refund:
    return actions.refund(by=None, payment=payment, amount=amount, key=key, **{"reason": "returned", **changes})


def names(told: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in told]


def later(minutes: int = 5) -> Any:
    return timezone.now() + timedelta(minutes=minutes)


def test_all_goes_back_to_the_card(paid: Payment, told: list[Any]) -> None:
    refund = give_back(paid)
    assert (refund.status, refund.amount) == ("succeeded", Decimal(150_000))
    seen = cast.fresh(paid)
    assert (seen.status, seen.refunded_amount) == ("refunded", Decimal(150_000))
    assert cast.charge_of(paid).refunded == Decimal(150_000)
    assert (names(told), told[-1].is_full) == (["RefundSettled"], True)


def test_parts_add_up(paid: Payment, told: list[Any]) -> None:
    give_back(paid, cast.som(50_000), key="one")
    seen = cast.fresh(paid)
    assert (seen.status, seen.refunded_amount) == ("paid", Decimal(50_000))
    give_back(paid, Decimal("99999.99"), key="two")
    give_back(paid, key="the rest")
    assert [row.amount for row in Refund.objects.order_by("id")] == [
        Decimal("50000.00"),
        Decimal("99999.99"),
        Decimal("0.01"),
    ]
    assert cast.fresh(paid).status == "refunded"
    assert [fact.is_full for fact in told] == [False, False, True]


def test_the_same_key_gives_the_same_refund(paid: Payment, bank: FakeOctoBank) -> None:
    first = give_back(paid, Decimal(1000))
    calls = len(bank.requests)
    assert give_back(paid, Decimal(1000)).pk == first.pk
    assert len(bank.requests) == calls
    assert_refused(actions.KeyReused, lambda: give_back(paid, Decimal(999)), unchanged=cast.books())


@pytest.mark.parametrize("amount", ["0", "-5", "150000.01", "0.001"])
def test_impossible_amounts_are_refused(paid: Payment, amount: str) -> None:
    assert_refused(actions.WrongAmount, lambda: give_back(paid, Decimal(amount)), unchanged=cast.books())


def test_another_currency_is_refused(paid: Payment) -> None:
    assert_refused(actions.WrongAmount, lambda: give_back(paid, cast.Money(Decimal(5), "USD")), unchanged=cast.books())


def test_a_reason_is_needed(paid: Payment) -> None:
    assert_refused(actions.ReasonMissing, lambda: give_back(paid, reason="  "), unchanged=cast.books())


def test_what_is_not_paid_cannot_go_back(payment: Payment) -> None:
    assert assert_refused(actions.NotPaid, lambda: give_back(payment), unchanged=cast.books()).status == 409


def test_what_went_back_cannot_go_back_again(paid: Payment) -> None:
    give_back(paid)
    refused = assert_refused(actions.AlreadyRefunded, lambda: give_back(paid, key="two"), unchanged=cast.books())
    assert refused.status == 400


def test_below_a_dollar_is_refused(paid: Payment, settings: Any) -> None:
    settings.PAYMENTS = type(settings.PAYMENTS)(**{**vars(settings.PAYMENTS), "octo_usd_uzs_rate": Decimal("12600")})
    refused = assert_refused(actions.RefundTooSmall, lambda: give_back(paid, Decimal(12_599)), unchanged=cast.books())
    assert (refused.status, str(refused)) == (400, "Minimum refund is >= 12600 UZS (1 USD)")
    assert give_back(paid, Decimal(12_600)).status == "succeeded"


def test_more_than_ten_million_goes_in_several_calls(client: Client, aida: User, told: list[Any]) -> None:
    big = cast.pay(client, cast.start(aida, 25_000_001))
    give_back(big)
    rows = list(Refund.objects.order_by("part"))
    assert [(row.part, row.amount, row.status) for row in rows] == [
        (1, Decimal(10_000_000), "succeeded"),
        (2, Decimal("7500000.50"), "succeeded"),
        (3, Decimal("7500000.50"), "succeeded"),
    ]
    assert len({row.shop_refund_id for row in rows}) == 3
    assert cast.fresh(big).status == "refunded"
    assert [fact.is_full for fact in told if type(fact).__name__ == "RefundSettled"] == [False, False, True]


def test_accepted_is_not_done(paid: Payment, bank: FakeOctoBank, told: list[Any]) -> None:
    bank.refund_word = "pending"
    refund = give_back(paid, Decimal(1000))
    assert (refund.status, cast.fresh(paid).refunding_amount, cast.fresh(paid).refunded_amount) == (
        "pending",
        Decimal(1000),
        Decimal(0),
    )
    assert names(told) == []
    actions.reconcile(now=later())
    assert Refund.objects.get().status == "pending"
    bank.settle_refund(refund.shop_refund_id, "succeeded")
    actions.reconcile(now=later(30))
    assert (Refund.objects.get().status, cast.fresh(paid).refunded_amount) == ("succeeded", Decimal(1000))
    assert names(told) == ["RefundSettled"]
    assert cast.charge_of(paid).refunded == Decimal(1000)


def test_a_refund_that_fails_frees_its_amount(paid: Payment, bank: FakeOctoBank, told: list[Any]) -> None:
    bank.refund_word = "failed"
    assert give_back(paid).status == "failed"
    seen = cast.fresh(paid)
    assert (seen.status, seen.refunding_amount, seen.needs_attention) == ("paid", Decimal(0), True)
    assert names(told) == ["RefundFailed"]
    bank.refund_word = "succeeded"
    assert give_back(paid, key="again").status == "succeeded"


def test_the_gateways_words_are_kept(paid: Payment) -> None:
    cast.charge_of(paid).refunded = Decimal(150_000)
    refund = give_back(paid)
    assert (refund.status, refund.note) == ("failed", "Wrong amount to refund")


def test_a_lost_answer_gives_back_once(paid: Payment, bank: FakeOctoBank) -> None:
    bank.lose_next()
    assert give_back(paid, Decimal(1000)).status == "pending"
    assert cast.charge_of(paid).refunded == Decimal(1000)
    actions.reconcile(now=later())
    assert Refund.objects.get().status == "succeeded"
    assert cast.charge_of(paid).refunded == Decimal(1000)


def test_a_repeat_that_is_refused_does_not_free_what_was_accepted(
    paid: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    """Else the amount could be given back a second time."""
    bank.refund_word, bank.refuses_repeats = "pending", True
    assert give_back(paid, Decimal(100_000)).status == "pending"
    actions.reconcile(now=later())
    seen = cast.fresh(paid)
    assert (Refund.objects.get().status, seen.refunding_amount, names(told)) == (
        "pending",
        Decimal(100_000),
        ["LookNeeded"],
    )
    assert_refused(actions.WrongAmount, lambda: give_back(paid, Decimal(100_000), key="two"), unchanged=cast.books())


def test_a_lost_answer_and_a_refused_repeat_stay_reserved(paid: Payment, bank: FakeOctoBank) -> None:
    bank.refuses_repeats = True
    bank.lose_next()
    assert give_back(paid, Decimal(1000)).status == "pending"
    actions.reconcile(now=later())
    assert (Refund.objects.get().status, cast.fresh(paid).refunding_amount) == ("pending", Decimal(1000))
    actions.ask_gateway(paid)
    assert (Refund.objects.get().status, cast.fresh(paid).refunded_amount) == ("succeeded", Decimal(1000))


@pytest.mark.parametrize(("went_back", "status", "kept"), [(True, "succeeded", 1000), (False, "failed", 0)])
def test_staff_say_what_became_of_a_refund_on_its_way(
    paid: Payment, bank: FakeOctoBank, went_back: bool, status: str, kept: int
) -> None:
    bank.refund_word = "pending"
    refund = give_back(paid, Decimal(1000))
    words = {"refund": refund, "went_back": went_back, "reason": "seen in the cabinet"}
    stranger, finance = cast.staff("stranger", "handle_payment"), cast.staff("finance", "refund_payment")
    assert_refused(
        actions.NotPermitted, lambda: actions.conclude_by_staff(by=stranger, **words), unchanged=cast.books()
    )
    assert_refused(
        actions.ReasonMissing,
        lambda: actions.conclude_by_staff(by=finance, **{**words, "reason": " "}),
        unchanged=cast.books(),
    )
    for _time in range(2):
        assert actions.conclude_by_staff(by=finance, **words).status == status
    seen = cast.fresh(paid)
    assert (seen.refunding_amount, seen.refunded_amount) == (Decimal(kept), Decimal(kept))
    refused = assert_refused(
        actions.RefundSettled,
        lambda: actions.conclude_by_staff(by=finance, **{**words, "went_back": not went_back}),
        unchanged=cast.books(),
    )
    assert refused.status == 409


def test_what_was_not_sent_cannot_be_concluded(paid: Payment, bank: FakeOctoBank) -> None:
    bank.fail_next(1, 429)
    refund, finance = give_back(paid), cast.staff("finance", "refund_payment")
    assert_refused(
        actions.RefundSettled,
        lambda: actions.conclude_by_staff(by=finance, refund=refund, went_back=False, reason="typed wrongly"),
        unchanged=cast.books(),
    )


def test_a_key_that_does_not_fit_is_refused_not_cut(paid: Payment) -> None:
    """Cut, the second of two wishes would be taken for a repeat of the first."""
    for key in ("k" * 200 + "1", "k" * 200 + "2"):
        refused = assert_refused(
            idempotency.KeyTooLong, lambda key=key: give_back(paid, Decimal(1000), key=key), unchanged=cast.books()
        )
    assert refused.status == 422


def test_a_gateway_that_is_down_is_asked_later(paid: Payment, bank: FakeOctoBank, monkeypatch: Any) -> None:
    bank.too_often(0)
    bank.fail_next(1, 429)
    assert give_back(paid, Decimal(1000)).status == "new"
    assert cast.charge_of(paid).refunded == Decimal(0)
    actions.reconcile(now=later())
    assert Refund.objects.get().status == "succeeded"


def test_inside_a_transaction_it_is_sent_after_the_commit(paid: Payment, bank: FakeOctoBank) -> None:
    with transaction.atomic():
        refund = give_back(paid, Decimal(1000))
        assert (refund.status, cast.charge_of(paid).refunded) == ("new", Decimal(0))
    assert cast.charge_of(paid).refunded == Decimal(0)
    deliver()
    assert (Refund.objects.get().status, cast.charge_of(paid).refunded) == ("succeeded", Decimal(1000))


def test_it_goes_to_the_payment_that_was_paid(client: Client, aida: User, payment: Payment) -> None:
    """The original refunded the first attempt (contract shop D9)."""
    second = cast.pay(client, cast.start(aida, 99_000, key="second"))
    give_back(second)
    assert (cast.charge_of(second).refunded, cast.charge_of(payment).refunded) == (Decimal(99_000), Decimal(0))


def test_cash_goes_back_from_hand_to_hand(aida: User) -> None:
    payment = actions.take_cash(by=aida, payment=cast.start(aida, method="cash"))
    assert payment.status == "paid"
    assert give_back(payment, Decimal(1)).status == "succeeded"


def test_the_database_refuses_more_than_was_taken(paid: Payment) -> None:
    for values in ({"refunding_amount": Decimal("150000.01")}, {"refunded_amount": Decimal(1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Payment.objects.filter(pk=paid.pk).update(**values)


def test_staff_need_the_right(paid: Payment) -> None:
    stranger, finance = cast.staff("stranger", "handle_payment"), cast.staff("finance", "refund_payment")
    words = {"payment": paid, "amount": Decimal(1000), "key": "k", "reason": "returned"}
    refused = assert_refused(
        actions.NotPermitted, lambda: actions.refund_by_staff(by=stranger, **words), unchanged=cast.books()
    )
    assert refused.status == 403
    assert actions.refund_by_staff(by=finance, **words).asked_by == finance


@pytest.mark.race
def test_many_refunds_at_once_never_exceed_what_was_paid(client: Client) -> None:
    """Five parallel refunds of the original were five real ones (contract shop D8)."""
    paid = cast.pay(client, cast.start(cast.person("aida")))
    results = race(10, lambda number: give_back(paid, Decimal(40_000), key=f"key {number}"))
    assert outcomes(results) == {"ok": 3, "WrongAmount": 7}
    assert cast.charge_of(paid).refunded == Decimal(120_000)
    assert cast.fresh(paid).refunded_amount == Decimal(120_000)


@pytest.mark.race
def test_the_same_refund_at_once_is_one(client: Client) -> None:
    paid = cast.pay(client, cast.start(cast.person("aida")))
    results = race(10, lambda number: give_back(paid, Decimal(40_000)).pk)
    assert len(set(results)) == 1
    assert cast.charge_of(paid).refunded == Decimal(40_000)
