"""Who may do what to whom in the back office. Everybody may do everything to himself that is offered to him."""

from __future__ import annotations

from typing import Any

from apps.accounts.errors import MayNotManage, NotYourself
from apps.accounts.models import User
from apps.core.access import ensure

DEEDS = {
    "block": "accounts.block_user",
    "merge": "accounts.merge_user",
    "erase": "accounts.erase_user",
    "reset_second_factor": "accounts.reset_second_factor",
}
"""Deed → the permission that a staff member needs. Superusers have all; only they may touch another superuser."""


def can_manage(by: Any, person: User, deed: str) -> bool:
    """Whether `by` (a staff person, or None for the system) may do `deed` to `person`."""
    if by is None:
        return True
    if not (by.is_active and by.is_staff and by.has_perm(DEEDS[deed])):
        return False
    return bool(by.is_superuser or not (person.is_superuser or person.is_staff))


def ensure_can_manage(by: Any, person: User, deed: str) -> None:
    """Raises `NotYourself` or `MayNotManage`."""
    ensure(by is None or by.pk != person.pk, NotYourself)
    ensure(can_manage(by, person, deed), MayNotManage)
