"""Who may do what with an order: the matrix, and the questions that actions ask (contract urgent 3.2, 3.3)."""

from __future__ import annotations

from typing import Any, Literal

from django.conf import settings

from apps.core.access import ensure
from apps.core.errors import Refused
from apps.urgent import errors
from apps.urgent.models import Member, Order, Take

Role = Literal["owner", "taker", "stranger", "anonymous"]
Deed = Literal["see", "see_contact", "edit", "delete", "take", "respond", "close", "complete"]

MATRIX: dict[Deed, frozenset[Role]] = {
    "see": frozenset({"owner", "taker", "stranger", "anonymous"}),
    "see_contact": frozenset({"owner", "taker"}),
    "edit": frozenset({"owner"}),
    "delete": frozenset({"owner"}),
    "take": frozenset({"taker", "stranger"}),
    "respond": frozenset({"owner"}),
    "close": frozenset({"owner"}),
    "complete": frozenset({"owner"}),
}

REFUSALS: dict[Deed, type[Refused]] = {
    "edit": errors.OrderNotFound,
    "delete": errors.OrderNotFound,
    "take": errors.OwnOrder,
    "respond": errors.NotTheClient,
    "close": errors.NotTheClient,
    "complete": errors.NotTheClient,
}
"""What a caller without the right is told: editing and deleting another's order looks like it does not exist."""


def role_of(by: Member | None, order: Order) -> Role:
    """What the caller is to this order."""
    if by is None:
        return "anonymous"
    if order.client_id == by.pk:
        return "owner"
    return "taker" if Take.objects.filter(order=order, executor=by).exists() else "stranger"


def can(deed: Deed, by: Member | None, order: Order) -> bool:
    """Look up the matrix."""
    return role_of(by, order) in MATRIX[deed]


def ensure_can(deed: Deed, by: Member, order: Order) -> None:
    """Raise the deed's refusal unless the matrix allows it."""
    ensure(can(deed, by, order), REFUSALS[deed])


def ensure_not_blocked(by: Member) -> None:
    """Raises `MemberBlocked`; a blocked member may read, but neither post nor buy."""
    ensure(not by.is_blocked, errors.MemberBlocked)


# Staff ----------------------------------------------------------------------------------------------------------------


def ensure_can_moderate(by: Any) -> None:
    """Staff with the right to moderate reviews and complaints. Raises `NotAModerator`."""
    ensure(_has_right(by, "urgent.moderate"), errors.NotAModerator)


def ensure_can_refund(by: Any) -> None:
    """Staff with the right to give executors their money back. Raises `NotAModerator`."""
    ensure(_has_right(by, "urgent.refund_take"), errors.NotAModerator)


def ensure_can_block(by: Any) -> None:
    """Staff with the right to block members. Raises `NotAModerator`."""
    ensure(_has_right(by, "urgent.block_member"), errors.NotAModerator)


def may_read_contacts(by: Any) -> bool:
    """Staff who decide on complaints or refunds; others see orders without the paid secret (contract urgent 3.2)."""
    return _has_right(by, "urgent.moderate") or _has_right(by, "urgent.refund_take")


def ensure_reason(reason: str) -> None:
    """Every deed of staff says why. Raises `ReasonNeeded`."""
    ensure(bool(reason.strip()), errors.ReasonNeeded)


def ensure_can_recharge_freely(by: Member) -> None:
    """Crediting oneself is for development and staff (contract urgent 3.7). Raises `DevRechargeOff`."""
    ensure(settings.URGENT.allow_dev_recharge or by.user.is_staff, errors.DevRechargeOff)


def _has_right(by: Any, permission: str) -> bool:
    return bool(by and by.is_active and by.is_staff and by.has_perm(permission))
