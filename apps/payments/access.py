"""Who of the staff may handle payments. Products check their own people before they call.

| deed | right |
|---|---|
| see payments, refunds, notices | `payments.view_…` |
| give money back from the back office | `payments.refund_payment` |
| ask a gateway now, take or let go held money, take in cash | `payments.handle_payment` |
"""

from __future__ import annotations

from typing import Any

from apps.core.access import ensure
from apps.payments import errors

REFUND, HANDLE = "payments.refund_payment", "payments.handle_payment"


def person_of(by: Any) -> Any:
    """The person behind an actor: a membership's `user`, or the user itself; None for the system."""
    return getattr(by, "user", by)


def can(by: Any, right: str) -> bool:
    """Whether `by` is an active member of staff with this right."""
    person = person_of(by)
    return bool(person is not None and person.is_active and person.is_staff and person.has_perm(right))


def ensure_can_refund(by: Any) -> None:
    """Raise NotPermitted unless `by` may give money back."""
    ensure(can(by, REFUND), errors.NotPermitted)


def ensure_can_handle(by: Any) -> None:
    """Raise NotPermitted unless `by` may ask gateways and decide about held money."""
    ensure(can(by, HANDLE), errors.NotPermitted)
