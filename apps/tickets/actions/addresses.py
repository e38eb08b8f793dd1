"""Saved addresses: few, each name once (contract tickets 1.3, 3, D5)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from apps.tickets import errors
from apps.tickets.actions import members
from apps.tickets.models import Member, SavedAddress


def save(*, by: Member, words: Mapping[str, Any]) -> SavedAddress:
    """Save a place. `words` holds name, address, latitude, longitude, city.

    The member's row is locked, so that two at once are counted. Raises `AddressNameTaken`, `TooManyAddresses`.
    """
    most = settings.TICKETS.addresses_per_member
    with transaction.atomic():
        member = members.lock(by.pk)
        _ensure_name_free(member, words["name"])
        if member.addresses.count() >= most:
            raise errors.TooManyAddresses(most=most)
        return _stored(SavedAddress(member=member, **words))


def change(*, by: Member, address_id: uuid.UUID, words: Mapping[str, Any]) -> SavedAddress:
    """Change some of it. Raises `AddressNotFound` (also for other people's), `AddressNameTaken`."""
    with transaction.atomic():
        member = members.lock(by.pk)
        address = _own(member, address_id)
        if "name" in words:
            _ensure_name_free(member, words["name"], but=address.pk)
        for name, value in words.items():
            setattr(address, name, value)
        address.updated_at = timezone.now()
        return _stored(address)


def forget(*, by: Member, address_id: uuid.UUID) -> None:
    """Delete it. Raises `AddressNotFound`."""
    _own(by, address_id).delete()


def _own(member: Member, address_id: uuid.UUID) -> SavedAddress:
    found = member.addresses.filter(pk=address_id).first()
    if found is None:
        raise errors.AddressNotFound()
    return found


def _stored(address: SavedAddress) -> SavedAddress:
    """The constraint has the last word: it compares small letters, where "İş" and "iş" are one name."""
    try:
        with transaction.atomic():
            address.save()
    except IntegrityError as problem:
        raise errors.AddressNameTaken() from problem
    return address


def _ensure_name_free(member: Member, name: str, but: uuid.UUID | None = None) -> None:
    if member.addresses.filter(~Q(pk=but), name__iexact=name).exists():
        raise errors.AddressNameTaken()
