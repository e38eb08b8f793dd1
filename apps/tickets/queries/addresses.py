"""A member's saved addresses."""

from __future__ import annotations

import uuid

from apps.tickets import errors
from apps.tickets.models import Member, SavedAddress


def listed(*, by: Member) -> list[SavedAddress]:
    """One's own, newest first."""
    return list(by.addresses.all())


def one(*, by: Member, address_id: uuid.UUID) -> SavedAddress:
    """One of one's own. Raises `AddressNotFound`."""
    found = by.addresses.filter(pk=address_id).first()
    if found is None:
        raise errors.AddressNotFound()
    return found
