"""Questions about pictures: their public addresses and how they are shown (contract tickets 1.1, Photo)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage

from apps.core import buckets
from apps.tickets.models import Member, Photo

FILES = "/tickets/api/v1/files/"
"""Where we serve files ourselves when they lie on the disk."""


def url(name: str) -> str:
    """The absolute address of a stored file, readable without a sign-in; nobody can write with it."""
    if buckets.takes_uploads():
        return str(default_storage.url(name))
    return f"{settings.PUBLIC_URL.rstrip('/')}{FILES}{name}"


def of_ticket(ticket_id: UUID, *, by: Member | None) -> list[dict[str, Any]]:
    """All pictures of one ticket, reports before proofs; one query."""
    found = Photo.objects.filter(ticket_id=ticket_id).order_by("-photo_type", "slot")
    return shown_all(found, by=by)


def shown_all(photos: Iterable[Photo], *, by: Member | None) -> list[dict[str, Any]]:
    """Several pictures as `shown` shows one."""
    return [shown(photo, by=by) for photo in photos]


def shown(photo: Photo, *, by: Member | None) -> dict[str, Any]:
    """One picture. Who took it and where is told to staff and to its sender only."""
    is_near = by is not None and (by.is_staff_member or by.pk == photo.uploaded_by_id)
    has_place = is_near and photo.latitude is not None
    return {
        "id": photo.pk,
        "url": url(photo.name),
        "thumbnail_url": url(photo.thumbnail_name),
        "filename": photo.filename,
        "photo_type": photo.photo_type,
        "uploaded_by_id": photo.uploaded_by_id if is_near else None,
        "uploaded_at": photo.uploaded_at,
        "taken_at_place": {"latitude": photo.latitude, "longitude": photo.longitude} if has_place else None,
    }
