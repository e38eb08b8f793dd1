"""What payments do after commit: tell the gateway what was decided. Both may run twice."""

from __future__ import annotations

from apps.core import events
from apps.payments import actions
from apps.payments.events import CaptureAsked, RefundAsked


@events.after(CaptureAsked)
def tell_the_gateway_about_held_money(event: CaptureAsked) -> None:
    """Capture or cancel; trouble leaves the row to `reconcile`."""
    actions.carry_out(payment_id=event.payment_id)


@events.after(RefundAsked)
def send_the_refund(event: RefundAsked) -> None:
    """Trouble leaves the row to `reconcile`."""
    actions.send_refund(refund_id=event.refund_id)
