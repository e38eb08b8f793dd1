"""The developer's way to money: a credit without a payment (contract urgent 3.7, 8.2)."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings

from apps.core import throttle
from apps.core.money import Money
from apps.core.throttle import Limit
from apps.ledger import actions as ledger
from apps.ledger.models import Entry
from apps.urgent import access, errors
from apps.urgent.conf import BOOK, CURRENCY
from apps.urgent.models import Member

HOUSE_DEV = "urgent:topup:dev"
"""The ledger shows at a glance how much of the money was never paid in."""


def recharge(*, by: Member, amount: int, method: str) -> Entry:
    """Credit `amount` roubles at once.

    Raises `DevRechargeOff` outside development, `TooManyRecharges`, `MemberBlocked`.
    """
    access.ensure_not_blocked(by)
    access.ensure_can_recharge_freely(by)
    throttle.hit(
        "urgent-recharge", by.pk, Limit(settings.URGENT.recharges_per_hour, 3600), refusal=errors.TooManyRecharges
    )
    return ledger.post(
        by=by,
        holder=by.user,
        book=BOOK,
        amount=Money(Decimal(amount), CURRENCY),
        key=f"recharge:{uuid.uuid4().hex}",
        reason="recharge",
        house=HOUSE_DEV,
        reference=method,
    )
