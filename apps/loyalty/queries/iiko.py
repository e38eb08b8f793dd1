"""What iiko may ask about our guests (contract loyalty 1.6, row 66)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.loyalty.errors import GuestUnknown
from apps.loyalty.models import Client


def guest(*, customer_id: str = "", wallet_id: str = "", phone: str = "") -> Mapping[str, Any]:
    """The one living guest to whom everything told belongs. Raises `GuestUnknown`, also when nothing is told."""
    told = {"iiko_customer_id": customer_id, "iiko_wallet_id": wallet_id, "phone": phone}
    wanted = {name: value for name, value in told.items() if value}
    found = Client.objects.living().filter(**wanted).first() if wanted else None
    if found is None:
        raise GuestUnknown()
    return {"id": str(found.pk), "phone": found.phone, "customerId": found.iiko_customer_id}
