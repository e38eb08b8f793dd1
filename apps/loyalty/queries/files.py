"""Uploaded pictures: one to show, and the managers' list (contract loyalty 1.5)."""

from __future__ import annotations

from collections.abc import Sequence

from apps.loyalty.errors import FileNotFound
from apps.loyalty.models import StoredFile
from apps.loyalty.queries.counting import page_of


def page(*, page: int, size: int) -> tuple[Sequence[StoredFile], int]:
    """One page, newest first, and how many there are."""
    return page_of(StoredFile.objects.order_by("-created_at", "-id"), page=page, size=size)


def one(*, kind: str, name: str) -> StoredFile:
    """The row of a picture. Raises `FileNotFound`; names of files that we did not make are in no row."""
    found = StoredFile.objects.filter(kind=kind, name=name).first()
    if found is None:
        raise FileNotFound()
    return found
