"""Which picture may be looked at, and by whom."""

from __future__ import annotations

from apps.florist import errors
from apps.florist.actions import uploads
from apps.florist.models import Employee, StoredFile


def shown(name: str, *, by: Employee | None, until: str, signature: str) -> StoredFile:
    """The picture of this name (or of its small copy): public, signed, or of the looker's own shop.

    Raises `FileNotFound` otherwise, so that nobody learns which names exist.
    """
    found = uploads.NAME.fullmatch(name)
    stored = StoredFile.objects.filter(name=f"{found[1]}.{found[3]}").first() if found else None
    if stored is None:
        raise errors.FileNotFound()
    is_own = by is not None and by.shop_id == stored.shop_id and by.role != Employee.Role.COURIER
    if not (stored.is_public or is_own or uploads.opens(name, until, signature)):
        raise errors.FileNotFound()
    return stored
