"""Who may do what in the restaurant's cashback (contract loyalty 3.9).

| deed | guest | waiter | manager |
|---|---|---|---|
| own profile, photo, inbox, deletion | yes | – | – |
| own account, own password | yes | yes | yes |
| the list of guests | – | his own, without balances | all |
| a guest's history | his own | of his own guests, without balances | all |
| everything else: guests (shutting out too), staff, cashback, figures, logs, menu, news, broadcasts | – | – | yes |

Staff of the back office act with the rights of Django instead; `None` is the system.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from apps.core.access import ensure
from apps.loyalty import errors
from apps.loyalty.models import Client, Staff

# ── People and cashback ─────────────────────────────────────────────────────────────────────────────────────────────


def is_manager(by: Any, right: str = "") -> bool:
    """A manager at work, the system, or staff of the back office with `right`."""
    if by is None:
        return True
    if isinstance(by, Staff):
        return by.is_manager and by.deleted_at is None
    return bool(right and not isinstance(by, Client) and by.is_active and by.is_staff and by.has_perm(right))


def ensure_manager(by: Any, right: str = "") -> None:
    """Raises `ManagersOnly`."""
    ensure(is_manager(by, right), errors.ManagersOnly)


def is_client(by: Any) -> TypeGuard[Client]:
    """A guest who has not left and is not shut out."""
    return isinstance(by, Client) and by.is_active


def ensure_client(by: Any) -> None:
    """Raises `WrongActor`."""
    ensure(is_client(by), errors.WrongActor)


def ensure_staff(by: Any) -> None:
    """Raises `WrongActor`."""
    ensure(by is None or isinstance(by, Staff), errors.WrongActor)


def sees_balance(by: Any) -> bool:
    """Waiters do not see what their guests own."""
    return not isinstance(by, Staff) or by.is_manager


def ensure_can_see_history(by: Any, client: Client) -> None:
    """A guest his own, a waiter those he brought, a manager all. Raises `Forbidden`."""
    own = isinstance(by, Client) and by.pk == client.pk
    brought = isinstance(by, Staff) and client.waiter_id == by.pk
    ensure(own or brought or is_manager(by), errors.Forbidden)


def person_of(by: Any) -> Any:
    """The accounts.User behind a guest, staff, or None for the system."""
    return None if by is None else by.user


# ── Menu, news, files, notifications, the restaurant's system ───────────────────────────────────────────────────────
