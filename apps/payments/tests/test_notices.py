"""OCTO's notices: proven, kept, asked about, and only then believed (contract shop 4.4.2 to 4.4.4)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.testing import deliver, query_budget
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.payments import actions
from apps.payments.models import Payment, PaymentEvent, Refund
from apps.payments.tests import cast


def names(told: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in told]


def with_conf(settings: Any, **changes: Any) -> None:
    settings.INTEGRATIONS = type(settings.INTEGRATIONS)(**{**vars(settings.INTEGRATIONS), **changes})


def test_a_paid_notice_settles_after_the_gateway_was_asked(
    client: Client, payment: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    asked_before = len(bank.requests)
    settled = cast.pay(client, payment)
    assert (settled.status, settled.captured_amount) == ("paid", Decimal("150000"))
    assert settled.paid_at is not None and settled.check_at is None
    assert len(bank.requests) == asked_before + 1
    assert names(told) == ["PaymentSettled"]
    fact = told[0]
    assert (fact.purpose, fact.reference, fact.amount, fact.currency) == ("test.bill", "41", "150000.00", "UZS")
    assert fact.is_late is False
    event = PaymentEvent.objects.get()
    assert (event.word, event.is_genuine, event.result) == ("succeeded", True, "asked: succeeded")
    assert "maskedPan" not in event.payload and "rrn" not in event.payload and "signature" not in event.payload


def test_a_repeated_notice_is_counted_and_asks_nobody(
    client: Client, paid: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    notice, asked = bank.notice(cast.charge_of(paid)), len(bank.requests)
    for _time in range(3):
        assert cast.post_notice(client, notice).json() == {"ok": True}
    assert (names(told), len(bank.requests)) == ([], asked)
    assert PaymentEvent.objects.get().repeats_count == 3


@pytest.mark.parametrize("status", ["succeeded", "canceled", "waiting_for_capture"])
def test_a_forged_notice_moves_nothing(
    client: Client, payment: Payment, bank: FakeOctoBank, told: list[Any], status: str
) -> None:
    before, asked = Payment.objects.values().get(), len(bank.requests)
    for _time in range(4):
        bank.break_signatures()
        answer = cast.post_notice(client, bank.notice(cast.charge_of(payment), status=status))
        assert (answer.status_code, answer.json()["detail"]) == (403, "Bad signature")
    assert Payment.objects.values().get() == before
    assert (names(told), len(bank.requests)) == ([], asked)
    event = PaymentEvent.objects.get()
    assert (event.is_genuine, event.result, event.repeats_count) == (False, "forged", 3)


def test_a_signed_lie_is_not_believed(client: Client, payment: Payment, bank: FakeOctoBank, told: list[Any]) -> None:
    """The signature is right, as a replay's would be, but OCTO itself knows of no money."""
    answer = cast.post_notice(client, bank.notice(cast.charge_of(payment), status="succeeded"))
    assert answer.status_code == 200
    assert (cast.fresh(payment).status, names(told)) == ("pending", [])


def test_another_amount_holds_the_payment_for_review(
    client: Client, payment: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    bank.lie_about_amount(Decimal(1))
    assert cast.post_notice(client, bank.pay(payment.shop_transaction_id)).status_code == 200
    seen = cast.fresh(payment)
    assert (seen.status, seen.needs_attention) == ("pending", True)
    assert seen.note == "the gateway says 1.0, we asked for 150000.00"
    assert names(told) == ["LookNeeded"]


def test_a_notice_with_another_amount_changes_nothing_when_the_gateway_says_ours(
    client: Client, payment: Payment, bank: FakeOctoBank
) -> None:
    bank.pay(payment.shop_transaction_id)
    notice = bank.notice(cast.charge_of(payment), total=Decimal(1))
    assert cast.post_notice(client, notice).status_code == 200
    assert cast.fresh(payment).status == "paid"


def test_the_notice_may_overtake_the_answer(client: Client, aida: User, bank: FakeOctoBank) -> None:
    bank.lose_next()
    with pytest.raises(actions.GatewaySilent):
        cast.start(aida)
    payment = Payment.objects.get()
    assert (payment.status, payment.vendor_id) == ("created", None)
    settled = cast.pay(client, payment)
    assert (settled.status, settled.vendor_id) == ("paid", cast.charge_of(payment).uuid)


def test_a_cancelled_attempt_leaves_room_for_the_next(
    client: Client, aida: User, payment: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    cast.post_notice(client, bank.cancel(payment.shop_transaction_id))
    assert cast.fresh(payment).status == "cancelled"
    assert names(told) == ["PaymentFailed"]
    assert cast.start(aida, key="second").pk != payment.pk


def test_late_success_of_a_cancelled_payment_settles_it(
    client: Client, payment: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    cast.post_notice(client, bank.cancel(payment.shop_transaction_id))
    Payment.objects.update(checked_at=None)
    cast.post_notice(client, bank.pay(payment.shop_transaction_id, is_late=True))
    assert cast.fresh(payment).status == "paid"
    assert names(told) == ["PaymentFailed", "PaymentSettled"]
    assert told[1].is_late is True


def test_a_cancel_after_paid_is_ignored_and_flagged(client: Client, paid: Payment, bank: FakeOctoBank) -> None:
    cast.charge_of(paid).status = "canceled"
    Payment.objects.update(checked_at=None)
    cast.post_notice(client, bank.notice(cast.charge_of(paid)))
    seen = cast.fresh(paid)
    assert (seen.status, seen.needs_attention) == ("paid", True)


def test_a_second_success_for_one_order_goes_back(
    client: Client, aida: User, payment: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    other = cast.start(aida, 99_000, key="second")
    assert cast.pay(client, other).status == "paid"
    late = cast.pay(client, payment)
    assert (late.status, late.is_surplus, late.refunded_amount) == ("refunded", True, Decimal(150_000))
    deliver()
    assert cast.charge_of(payment).refunded == Decimal(150_000)
    assert cast.fresh(other).status == "paid"
    assert names(told) == ["PaymentSettled", "SurplusTaken", "RefundSettled"]


def test_success_after_refunded_does_not_flip_back(client: Client, aida: User, paid: Payment, told: list[Any]) -> None:
    actions.refund(by=None, payment=paid, amount=None, key="all", reason="returned")
    assert cast.fresh(paid).status == "refunded"
    told.clear()
    cast.post_notice(client, vendors.octo.notice(cast.charge_of(paid)))
    assert (cast.fresh(paid).status, names(told)) == ("refunded", [])


def test_a_refund_in_the_gateways_cabinet_is_taken_over(
    client: Client, paid: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    bank.refund_in_cabinet(paid.shop_transaction_id, Decimal(50_000))
    Payment.objects.update(checked_at=None)
    cast.post_notice(client, bank.notice(cast.charge_of(paid)))
    seen = cast.fresh(paid)
    assert (seen.status, seen.refunded_amount) == ("paid", Decimal(50_000))
    assert (names(told), told[0].is_full) == (["RefundSettled"], False)
    assert Refund.objects.get().asked_by is None


def test_a_second_success_too_small_for_a_refund_is_kept_in_sight(
    client: Client, aida: User, bank: FakeOctoBank, told: list[Any], settings: Any
) -> None:
    """OCTO gives back no less than a dollar: the money is ours to look after, and nothing falls over it."""
    settings.PAYMENTS = replace(settings.PAYMENTS, octo_usd_uzs_rate=Decimal(12_600))
    small = cast.start(aida, 5_000)
    assert cast.pay(client, cast.start(aida, 6_000, key="second")).status == "paid"
    late = cast.pay(client, small)
    assert (late.status, late.is_surplus, late.needs_attention) == ("paid", True, True)
    assert late.note == "paid twice, and it does not go back by itself: Minimum refund is >= 12600 UZS (1 USD)"
    assert names(told) == ["PaymentSettled", "SurplusTaken", "LookNeeded"]


@pytest.mark.parametrize("word", ["refunded", "refund", "succeeded"])
def test_money_that_went_back_before_we_saw_it_come_calls_for_a_look(
    client: Client, payment: Payment, bank: FakeOctoBank, told: list[Any], word: str
) -> None:
    bank.pay(payment.shop_transaction_id)
    bank.refund_in_cabinet(payment.shop_transaction_id, Decimal(150_000))
    cast.charge_of(payment).status = word
    cast.post_notice(client, bank.notice(cast.charge_of(payment)))
    seen = cast.fresh(payment)
    assert (seen.status, seen.note) == ("pending", "the gateway paid back what we never saw come")
    assert names(told) == ["LookNeeded"]


@pytest.mark.parametrize("word", ["refunded", "refund"])
@pytest.mark.parametrize("named", [0, 150_000])
def test_the_word_refunded_means_all_of_a_paid_payment(
    client: Client, paid: Payment, bank: FakeOctoBank, told: list[Any], word: str, named: int
) -> None:
    charge = cast.charge_of(paid)
    charge.status, charge.refunded = word, Decimal(named)
    Payment.objects.update(checked_at=None)
    cast.post_notice(client, bank.notice(charge))
    assert (cast.fresh(paid).status, cast.fresh(paid).refunded_amount) == ("refunded", Decimal(150_000))
    assert (names(told), told[0].is_full) == (["RefundSettled"], True)


def test_refunded_says_nothing_to_a_payment_that_was_given_up(
    client: Client, payment: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    cast.post_notice(client, bank.cancel(payment.shop_transaction_id))
    Payment.objects.update(checked_at=None)
    charge = cast.charge_of(payment)
    charge.status, charge.refunded = "refunded", Decimal(150_000)
    cast.post_notice(client, bank.notice(charge))
    assert (cast.fresh(payment).status, names(told)) == ("cancelled", ["PaymentFailed"])


def test_more_back_than_was_taken_calls_for_a_look(
    client: Client, paid: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    cast.charge_of(paid).refunded = Decimal(150_001)
    Payment.objects.update(checked_at=None)
    cast.post_notice(client, bank.notice(cast.charge_of(paid)))
    assert (cast.fresh(paid).refunded_amount, names(told)) == (Decimal(0), ["LookNeeded"])


def test_a_gateway_that_cannot_be_asked_is_asked_by_the_schedule(
    client: Client, payment: Payment, bank: FakeOctoBank, told: list[Any]
) -> None:
    notice = bank.pay(payment.shop_transaction_id)
    bank.fail_next(1, 503)
    assert cast.post_notice(client, notice).status_code == 200
    assert (cast.fresh(payment).status, names(told)) == ("pending", [])
    assert PaymentEvent.objects.get().processed_at is None
    actions.reconcile(now=timezone.now())
    assert (cast.fresh(payment).status, names(told)) == ("paid", ["PaymentSettled"])
    assert PaymentEvent.objects.get().result == "asked: succeeded"


def test_error_11_is_waited_out(client: Client, payment: Payment, bank: FakeOctoBank, monkeypatch: Any) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("apps.integrations.octo.time.sleep", pauses.append)
    notice = bank.pay(payment.shop_transaction_id)
    bank.too_often(1)
    cast.post_notice(client, notice)
    assert (cast.fresh(payment).status, pauses) == ("paid", [1.1])


MALFORMED = [b"", b"[]", b"12", b"null", b"{", b'"x"', b"{}", b'{"status":"succeeded"}', b"\xff\xfe", b"[" * 5000]


@pytest.mark.parametrize("raw", MALFORMED, ids=lambda raw: raw[:12].decode("latin1"))
def test_malformed_notices_are_400(client: Client, payment: Payment, raw: bytes) -> None:
    answer = client.post("/payments/octo/notify", raw, content_type="application/json")
    assert (answer.status_code, answer.json()["detail"]) == (400, "Malformed notice")


@pytest.mark.parametrize("field", ["shop_transaction_id", "octo_payment_UUID", "status"])
@pytest.mark.parametrize("value", [5, None, [], {}, "", "x" * 65, "a\x00b", "\ud800", True])
def test_fields_of_a_wrong_kind_are_400(client: Client, payment: Payment, field: str, value: Any) -> None:
    """Numeric and array fields made the original answer 500 (contract shop D18)."""
    body = json.loads(vendors.octo.notice(cast.charge_of(payment)).body) | {field: value}
    assert client.post("/payments/octo/notify", json.dumps(body), content_type="application/json").status_code == 400


@pytest.mark.parametrize("field", ["signature", "hash_key", "total_sum", "refunded_sum", "riskLevel", "card_type"])
@pytest.mark.parametrize(
    "value", [5, None, [], {}, "", "nan", float("nan"), "1e999", "x" * 5000, "a\x00b", "\ud800", True]
)
def test_other_fields_may_be_anything(client: Client, payment: Payment, field: str, value: Any) -> None:
    body = json.loads(vendors.octo.pay(payment.shop_transaction_id).body) | {field: value}
    answer = client.post("/payments/octo/notify", json.dumps(body), content_type="application/json")
    assert answer.status_code == (403 if field == "signature" else 200)


def test_a_form_is_tolerated(client: Client, payment: Payment, bank: FakeOctoBank) -> None:
    body = json.loads(bank.pay(payment.shop_transaction_id).body)
    answer = client.post("/payments/octo/notify", {name: str(value) for name, value in body.items()})
    assert (answer.status_code, cast.fresh(payment).status) == (400, "pending")
    answer = client.post("/payments/octo/notify", urlencode(body), content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, cast.fresh(payment).status) == (200, "paid")


def test_an_unknown_transaction_is_200_and_binds_nothing(client: Client, payment: Payment, bank: FakeOctoBank) -> None:
    body = json.loads(bank.pay(payment.shop_transaction_id).body) | {
        "shop_transaction_id": "somebody-else",
        "order": 41,
    }
    answer = client.post("/payments/octo/notify", json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json(), cast.fresh(payment).status) == (200, {"ok": True}, "pending")
    assert PaymentEvent.objects.count() == 0


def test_the_pair_of_one_payment_does_not_pay_another(
    client: Client, aida: User, paid: Payment, bank: FakeOctoBank
) -> None:
    """uuid and status of a paid payment, signed by OCTO, replayed with the transaction id of an unpaid one."""
    other = cast.start(aida, reference="42")
    for known in (True, False):
        if not known:
            Payment.objects.filter(pk=other.pk).update(vendor_id=None)
        body = json.loads(bank.notice(cast.charge_of(paid)).body) | {"shop_transaction_id": other.shop_transaction_id}
        answer = client.post("/payments/octo/notify", json.dumps(body), content_type="application/json")
        assert (answer.status_code, cast.fresh(other).status) == (200, "pending")


def test_without_a_key_every_notice_is_refused(
    client: Client, payment: Payment, bank: FakeOctoBank, settings: Any
) -> None:
    notice = bank.pay(payment.shop_transaction_id)
    with_conf(settings, octo_unique_key="")
    assert cast.post_notice(client, notice).status_code == 403
    assert cast.fresh(payment).status == "pending"


def test_the_legacy_scheme(client: Client, payment: Payment, bank: FakeOctoBank, settings: Any) -> None:
    plain = bank.pay(payment.shop_transaction_id)
    with_conf(settings, octo_signature_scheme="hash_key")
    assert cast.post_notice(client, plain).status_code == 403
    assert cast.post_notice(client, bank.notice(cast.charge_of(payment))).status_code == 200
    assert cast.fresh(payment).status == "paid"


def test_the_pull_scheme_believes_nothing_and_asks(
    client: Client, payment: Payment, bank: FakeOctoBank, settings: Any, told: list[Any]
) -> None:
    with_conf(settings, octo_signature_scheme="pull")
    bank.break_signatures()
    assert cast.post_notice(client, bank.notice(cast.charge_of(payment), status="succeeded")).status_code == 200
    assert (cast.fresh(payment).status, names(told)) == ("pending", [])
    Payment.objects.update(checked_at=timezone.now() - timedelta(seconds=5))
    bank.break_signatures()
    cast.post_notice(client, bank.pay(payment.shop_transaction_id))
    assert (cast.fresh(payment).status, names(told)) == ("paid", ["PaymentSettled"])
    assert PaymentEvent.objects.count() == 1


def test_the_pull_scheme_asks_once_a_second(
    client: Client, payment: Payment, bank: FakeOctoBank, settings: Any
) -> None:
    with_conf(settings, octo_signature_scheme="pull")
    asked = len(bank.requests)
    for number in range(10):
        cast.post_notice(client, bank.notice(cast.charge_of(payment), status=f"word{number}"))
    assert len(bank.requests) == asked + 1
    assert PaymentEvent.objects.count() == 1
    assert cast.fresh(payment).check_at is not None


def test_a_repeat_costs_few_queries(client: Client, paid: Payment, bank: FakeOctoBank) -> None:
    notice = bank.notice(cast.charge_of(paid))
    with query_budget(3):
        actions.receive_notice(raw=notice.body)


def test_other_methods_are_405(client: Client, db: None) -> None:
    assert client.get("/payments/octo/notify").status_code == 405
    assert client.post("/payments/octo/notify/", b"{}", content_type="application/json").status_code == 400
