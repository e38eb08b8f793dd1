"""Rows put down as they are, without the actions that make them: for tests that look at something else."""

from __future__ import annotations

import itertools
import secrets
from decimal import Decimal
from typing import Any

from apps.florist.models import Order, Shop

_numbers = itertools.count(100_000_000)


def order(where: Shop, **more: Any) -> Order:
    """An order of ten thousand."""
    given = {"flower_sum": Decimal(10_000), "total": Decimal(10_000), "customer_phone": "+77021230000", **more}
    return Order.objects.create(
        shop=where,
        **{"delivery_method": "delivery", "order_number": str(next(_numbers)), **given},
        tracking_token=secrets.token_urlsafe(24),
    )
