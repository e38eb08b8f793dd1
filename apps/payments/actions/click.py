"""Click calls us: Prepare, then Complete (contract integrations 3). Complete without an error means the money is taken:

from then on only 0, -4 or -9 may be answered; what cannot be delivered is paid back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.integrations.ports import port
from apps.payments.actions import flagging, settling
from apps.payments.actions.locking import lock_with_siblings
from apps.payments.models import Attempt, Payment

log = logging.getLogger(__name__)

METHOD = Payment.Method.CLICK
State = Attempt.State

NOTES = {
    0: "Success",
    -1: "SIGN CHECK FAILED!",
    -2: "Incorrect parameter amount",
    -3: "Action not found",
    -4: "Already paid",
    -5: "User does not exist",
    -6: "Transaction does not exist",
    -7: "Failed to update user",
    -8: "Error in request from click",
    -9: "Transaction cancelled",
}
"""Every code that we may answer, in Click's own words."""

REQUIRED = (
    *("click_trans_id", "service_id", "merchant_trans_id", "amount", "action", "error", "sign_time", "sign_string"),
)
LARGEST_ID = 2**63 - 1


class ClickRefused(Exception):
    """A negative code of the table. `keeps`: what was written before stays written."""

    def __init__(self, code: int, *, keeps: bool = False) -> None:
        self.code = code
        self.keeps = keeps
        super().__init__(NOTES[code])


def answer_click(*, fields: Mapping[str, str], action: int) -> dict[str, Any]:
    """One call of Click: `action` 0 is Prepare, 1 is Complete. The answer always goes out with status 200."""
    reply: dict[str, Any] = {
        "click_trans_id": fields.get("click_trans_id", ""),
        "merchant_trans_id": fields.get("merchant_trans_id", ""),
    }
    name = "merchant_confirm_id" if action else "merchant_prepare_id"
    number, code = _answered(fields, action)
    return {**reply, name: number, "error": code, "error_note": NOTES[code]}


def _answered(fields: Mapping[str, str], action: int) -> tuple[int | None, int]:
    try:
        with transaction.atomic():
            try:
                _ensure_click(fields, action)
                return (_complete(fields) if action else _prepare(fields)), 0
            except ClickRefused as refused:
                if not refused.keeps:
                    raise
                return None, refused.code
    except ClickRefused as refused:
        return None, refused.code
    except Exception:  # Click understands its own numbers only, and calls again after this one
        log.exception("a call of click could not be answered")
        return None, -7


def _ensure_click(fields: Mapping[str, str], action: int) -> None:
    """The request is whole, signed by Click over the texts as received, for our service and this deed."""
    if any(not fields.get(name) or "\x00" in fields[name] for name in REQUIRED):
        raise ClickRefused(-8)
    if not port("click").is_signed(fields):
        raise ClickRefused(-1)
    if not port("click").is_ours(fields["service_id"]):
        raise ClickRefused(-8)
    if fields["action"] != str(action):
        raise ClickRefused(-3)


def _prepare(fields: Mapping[str, str]) -> int:
    payment, siblings = _payment(fields)
    _ensure_amount(fields, payment)
    if _error(fields) < 0:
        raise ClickRefused(-9)
    if payment.is_settled or any(row.status in (Payment.Status.PAID, Payment.Status.HELD) for row in siblings):
        raise ClickRefused(-4)
    if not payment.is_open or timezone.now() >= payment.expires_at:
        raise ClickRefused(-9)
    attempt, _is_new = Attempt.objects.get_or_create(
        method=METHOD,
        vendor_id=_digits(fields, "click_trans_id"),
        defaults={"payment": payment, "amount": payment.amount},
    )
    if attempt.payment_id != payment.pk:
        raise ClickRefused(-8)
    if attempt.state != State.CREATED:
        raise ClickRefused(-9)
    return int(attempt.pk)


def _complete(fields: Mapping[str, str]) -> int:
    payment, _siblings = _payment(fields)
    attempt = _attempt(fields, payment)
    if _error(fields) < 0:
        _undo(attempt, payment, fields)
        raise ClickRefused(-9, keeps=True)
    _ensure_amount(fields, payment)
    if attempt.state in (State.CANCELLED, State.TAKEN_BACK):
        raise ClickRefused(-9)
    if attempt.state == State.PERFORMED:
        raise ClickRefused(-4)
    if payment.is_settled:
        attempt.state = State.CANCELLED
        attempt.save(update_fields=["state"])
        flagging.look_needed(payment, f"Click took it twice; its transaction {attempt.vendor_id} was answered -9")
        raise ClickRefused(-9, keeps=True)
    _keep_number(fields, payment)
    settling.settle(payment_id=payment.pk, told=attempt.amount, source="click")
    attempt.state = State.PERFORMED
    attempt.save(update_fields=["state"])
    return int(attempt.pk)


def _keep_number(fields: Mapping[str, str], payment: Payment) -> None:
    """Click's own number of the payment: what its Merchant API wants for a status or a reversal."""
    number = fields.get("click_paydoc_id", "")[:20]
    if number.isascii() and number.isdigit() and not Payment.objects.filter(method=METHOD, vendor_id=number).exists():
        Payment.objects.filter(pk=payment.pk, vendor_id=None).update(vendor_id=number, vendor_word="completed")


def _undo(attempt: Attempt, payment: Payment, fields: Mapping[str, str]) -> None:
    """Click gives up: an attempt that has not been completed ends; a paid one is only looked at by people, because

    one message must not take goods back that were paid for.
    """
    if attempt.state == State.CREATED:
        attempt.state = State.CANCELLED
        attempt.save(update_fields=["state"])
    elif attempt.state == State.PERFORMED:
        flagging.look_needed(payment, f"Click reports error {fields['error'][:20]} on a paid payment")


def _payment(fields: Mapping[str, str]) -> tuple[Payment, list[Payment]]:
    known = Payment.objects.filter(method=METHOD, shop_transaction_id=fields["merchant_trans_id"])
    pk = known.values_list("pk", flat=True).first()
    if pk is None:
        raise ClickRefused(-5)
    return lock_with_siblings(pk)


def _attempt(fields: Mapping[str, str], payment: Payment) -> Attempt:
    number = fields.get("merchant_prepare_id", "")
    if not number.isascii() or not number.isdigit() or int(number[:20]) > LARGEST_ID:
        raise ClickRefused(-6)
    found = Attempt.objects.select_for_update(of=("self",)).filter(
        pk=int(number), payment=payment, method=METHOD, vendor_id=_digits(fields, "click_trans_id")
    )
    attempt = found.first()
    if attempt is None:
        raise ClickRefused(-6)
    return attempt


def _digits(fields: Mapping[str, str], name: str) -> str:
    value = fields[name]
    if not value.isascii() or not value.isdigit() or len(value) > 20:
        raise ClickRefused(-8)
    return value


def _error(fields: Mapping[str, str]) -> int:
    try:
        return int(fields["error"][:20])
    except ValueError:
        raise ClickRefused(-8) from None


def _ensure_amount(fields: Mapping[str, str], payment: Payment) -> None:
    try:
        amount = Decimal(fields["amount"][:40])
    except InvalidOperation:
        raise ClickRefused(-2) from None
    if not amount.is_finite() or amount != payment.amount:
        raise ClickRefused(-2)
