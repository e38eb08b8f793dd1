"""Life cycles of payments and refunds (contract shop 4.4): the only tables that say what may follow what."""

from __future__ import annotations

from typing import Any

from apps.core import states
from apps.core.states import Machine, Step
from apps.payments import errors
from apps.payments.events import PaymentFailed, PaymentHeld
from apps.payments.models import Payment, Refund

Status = Payment.Status


def _failed(payment: Payment, by: Any, reason: str) -> PaymentFailed:
    return PaymentFailed(
        payment_id=payment.pk,
        purpose=payment.purpose,
        reference=payment.reference,
        method=payment.method,
        status=payment.status,
        reason=reason,
        payer_id=payment.payer_id or 0,
    )


def _held(payment: Payment, by: Any, reason: str) -> PaymentHeld:
    return PaymentHeld(
        payment_id=payment.pk,
        purpose=payment.purpose,
        reference=payment.reference,
        method=payment.method,
        amount=str(payment.amount),
        currency=payment.currency,
        payer_id=payment.payer_id or 0,
        hold_until=payment.hold_until.isoformat() if payment.hold_until else "",
    )


def _paid(note: str) -> Step:
    """`settle` announces the fact itself: a surplus is paid, but tells nobody's order."""
    return Step(stamp="paid_at", who="gateway", note=note)


HOLD = Step(stamp="held_at", event=_held, who="gateway", note="two-stage: the money is set aside")
FAIL = Step(stamp="ended_at", event=_failed, who="gateway", note="the gateway refused or the card did")
CANCEL = Step(stamp="ended_at", event=_failed, who="gateway, timer", note="the gateway cancelled, or the time is over")

PAYMENTS = Machine(
    steps={
        (Status.CREATED, Status.PENDING): Step(who="gateway", note="took the wish and gave a page"),
        (Status.CREATED, Status.HELD): HOLD,
        (Status.CREATED, Status.PAID): _paid("its notice overtook its answer"),
        (Status.CREATED, Status.FAILED): FAIL,
        (Status.CREATED, Status.CANCELLED): CANCEL,
        (Status.PENDING, Status.HELD): HOLD,
        (Status.PENDING, Status.PAID): _paid("asked and confirmed"),
        (Status.PENDING, Status.FAILED): FAIL,
        (Status.PENDING, Status.CANCELLED): CANCEL,
        (Status.HELD, Status.PAID): _paid("captured, all or a part"),
        (Status.HELD, Status.FAILED): FAIL,
        (Status.HELD, Status.CANCELLED): CANCEL,
        (Status.FAILED, Status.PAID): _paid("late: the product takes it or gives it back"),
        (Status.CANCELLED, Status.PAID): _paid("late: the product takes it or gives it back"),
        (Status.PAID, Status.REFUNDED): Step(stamp="refunded_at", who="gateway", note="everything went back"),
    },
    refusal=errors.PaymentSettled,
)

states.register(Payment, PAYMENTS)

REFUNDS = Machine(
    steps={
        (Refund.Status.NEW, Refund.Status.PENDING): Step(who="gateway", note="accepted, not done"),
        (Refund.Status.NEW, Refund.Status.SUCCEEDED): Step(stamp="settled_at", who="gateway", note="done at once"),
        (Refund.Status.NEW, Refund.Status.FAILED): Step(stamp="settled_at", who="gateway", note="frees the amount"),
        (Refund.Status.PENDING, Refund.Status.SUCCEEDED): Step(stamp="settled_at", who="gateway", note="asked again"),
        (Refund.Status.PENDING, Refund.Status.FAILED): Step(stamp="settled_at", who="gateway", note="frees the amount"),
    },
    refusal=errors.RefundSettled,
)

states.register(Refund, REFUNDS)
