"""What follows from facts about payments; all of it in the transaction in which the money moved.

Money that came twice or for nothing (`is_surplus`) never was on a balance, so its way back is none of our business.
"""

from __future__ import annotations

from apps.core import events
from apps.payments import queries as payments
from apps.payments.events import PaymentSettled, RefundAsked, RefundFailed, RefundSettled
from apps.urgent.actions import invoices
from apps.urgent.conf import TOPUP


@events.on(PaymentSettled)
def credit_the_top_up(event: PaymentSettled) -> None:
    """Late money counts too (contract urgent 3.7)."""
    if event.purpose == TOPUP:
        invoices.credit(invoice_id=int(event.reference), method=event.method)


@events.on(RefundAsked)
def take_the_roubles_first(event: RefundAsked) -> None:
    """Who has spent them keeps his payment: the refusal ends the refund."""
    if _is_ours(event):
        invoices.debit(invoice_id=int(event.reference), refund_id=event.refund_id, method=_method(event))


@events.on(RefundSettled)
def take_what_is_left(event: RefundSettled) -> None:
    """Unless the roubles went when the refund was asked for."""
    if _is_ours(event):
        payment = payments.one(event.payment_id)
        invoices.debit_what_is_left(invoice_id=int(event.reference), refund_id=event.refund_id, payment=payment)


@events.on(RefundFailed)
def return_the_roubles(event: RefundFailed) -> None:
    if _is_ours(event):
        invoices.undo_debit(invoice_id=int(event.reference), refund_id=event.refund_id, method=_method(event))


def _is_ours(event: RefundAsked | RefundSettled | RefundFailed) -> bool:
    return event.purpose == TOPUP and not event.is_surplus


def _method(event: RefundAsked | RefundFailed) -> str:
    return payments.one(event.payment_id).method
