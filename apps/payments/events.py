"""Facts about money from outside. Amounts travel as text, because facts are JSON.

Products filter on `purpose` and act on `reference`; `payer_id` is the person (accounts.User), 0 when nobody is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True)
class PaymentSettled(Event):
    """The money is here, once per (purpose, reference). `is_late`: it came after the payment had been given up."""

    payment_id: int
    purpose: str
    reference: str
    method: str
    amount: str
    currency: str
    payer_id: int
    is_late: bool


@dataclass(frozen=True)
class PaymentHeld(Event):
    """The money is set aside at the gateway: capture or cancel it before `hold_until` (ISO 8601)."""

    payment_id: int
    purpose: str
    reference: str
    method: str
    amount: str
    currency: str
    payer_id: int
    hold_until: str


@dataclass(frozen=True)
class PaymentFailed(Event):
    """No money came; `status` is failed or cancelled. The thing may be paid by another payment."""

    payment_id: int
    purpose: str
    reference: str
    method: str
    status: str
    reason: str
    payer_id: int


@dataclass(frozen=True)
class CaptureAsked(Event):
    """Somebody has decided about held money; the gateway is told after commit."""

    payment_id: int


@dataclass(frozen=True)
class RefundAsked(Event):
    """A refund is written and reserved; the gateway is told after commit. A product that handed something out for the
    money takes it back in this moment (`@on`), and refuses the refund by raising. `is_surplus`: it handed out nothing.
    """

    refund_id: int
    payment_id: int
    purpose: str
    reference: str
    amount: str
    currency: str
    is_surplus: bool


@dataclass(frozen=True)
class RefundSettled(Event):
    """Money went back. `refunded_amount` is the sum so far; `is_full`: nothing of the payment is left; `is_surplus`: it
    was money for something that another payment pays.
    """

    refund_id: int
    payment_id: int
    purpose: str
    reference: str
    amount: str
    currency: str
    refunded_amount: str
    is_full: bool
    is_surplus: bool
    payer_id: int


@dataclass(frozen=True)
class RefundFailed(Event):
    """The gateway will not give this money back; it can be asked for again under another key."""

    refund_id: int
    payment_id: int
    purpose: str
    reference: str
    amount: str
    currency: str
    is_surplus: bool
    reason: str


@dataclass(frozen=True)
class SurplusTaken(Event):
    """The same thing was paid a second time; the later money is on its way back."""

    payment_id: int
    purpose: str
    reference: str
    amount: str
    currency: str


@dataclass(frozen=True)
class LookNeeded(Event):
    """Something about a payment does not fit and a person must look."""

    payment_id: int
    purpose: str
    reference: str
    why: str


@dataclass(frozen=True)
class AuditFailed(Event):
    """The nightly audit of payments found faults."""

    fault_count: int
