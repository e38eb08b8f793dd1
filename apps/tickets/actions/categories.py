"""Kinds of trouble (contract tickets 1.3, D13)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.tickets import access, errors
from apps.tickets.models import Category, Ticket
from apps.tickets.queries import kept

OTHER = "Other"

REFERENCE = {
    "Infrastructure": "Roads, pavements, water and sewage",
    "Traffic": "Signals, signs and dangerous crossings",
    "Lighting": "Street lamps that are dark or broken",
    "Waste Management": "Rubbish that was not collected, full containers",
    "Parks": "Playgrounds, benches and green spaces",
    OTHER: "Everything that fits nowhere else",
}
"""The kinds that every city begins with, each with a line about it."""


def ensure_reference() -> int:
    """Add the reference categories that are missing; returns how many."""
    known = {name.lower() for name in Category.objects.values_list("name", flat=True)}
    missing = {name: about for name, about in REFERENCE.items() if name.lower() not in known}
    for name, about in missing.items():
        create(by=None, name=name, description=about)
    return len(missing)


def create(*, by: Any, name: str, description: str | None = None, is_active: bool = True) -> Category:
    """A new category; one called "Other" takes what is left, unless another one does already.

    Raises `ManagersOnly`, `CategoryNameTaken` (letter case aside).
    """
    access.ensure_can("manage", by)
    try:
        with transaction.atomic():
            is_other = name.lower() == OTHER.lower() and not Category.objects.filter(is_other=True).exists()
            return Category.objects.create(name=name, description=description, is_active=is_active, is_other=is_other)
    except IntegrityError as problem:
        raise errors.CategoryNameTaken() from problem


def change(*, by: Any, category_id: uuid.UUID, changes: Mapping[str, Any]) -> Category:
    """Change name, description, `is_active`. Raises `ManagersOnly`, `CategoryNotFound`, `CategoryNameTaken`."""
    access.ensure_can("manage", by)
    try:
        with transaction.atomic():
            category = _locked(category_id)
            for name, value in changes.items():
                setattr(category, name, value)
            category.updated_at = timezone.now()
            category.save(update_fields=[*changes, "updated_at"])
            return category
    except IntegrityError as problem:
        raise errors.CategoryNameTaken() from problem


def remove(*, by: Any, category_id: uuid.UUID) -> None:
    """Delete it; its tickets, deleted ones too, move to the category that takes what is left.

    Raises `ManagersOnly`, `CategoryNotFound`, `OtherCategoryFixed`.
    """
    access.ensure_can("manage", by)
    with transaction.atomic():
        category = _locked(category_id)
        if category.is_other:
            raise errors.OtherCategoryFixed()
        Ticket.objects.filter(category=category).update(category=other())
        category.delete()
        kept.forget()


def other() -> Category:
    """The category that takes what is left; made when it is missing."""
    found = Category.objects.filter(is_other=True).first() or Category.objects.filter(name__iexact=OTHER).first()
    if found is None:
        return Category.objects.create(name=OTHER, is_other=True)
    if not found.is_other:
        found.is_other = True
        found.save(update_fields=["is_other"])
    return found


def _locked(category_id: uuid.UUID) -> Category:
    category = Category.objects.select_for_update().filter(pk=category_id).first()
    if category is None:
        raise errors.CategoryNotFound()
    return category
