"""Questions about guests (contract loyalty 1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from django.db.models import Q, QuerySet

from apps.core.rows import FixedRows
from apps.ledger.models import Account
from apps.loyalty import errors
from apps.loyalty.models import Card, Client, Staff

CENT = Decimal("0.01")


def matching(*, by: Any, search: str = "", waiter_id: int | None = None, level: str = "") -> QuerySet[Client]:
    """Living guests that `by` may see, newest first, with purse and cards. Raises `Forbidden` for a waiter who asks

    for another waiter's guests.
    """
    if isinstance(by, Staff) and not by.is_manager and waiter_id not in (None, by.pk):
        raise errors.Forbidden()
    found = Client.objects.visible_to(by)
    if search:
        found = found.filter(Q(name__icontains=search) | Q(phone__icontains=search))
    if waiter_id is not None:
        found = found.filter(waiter_id=waiter_id)
    if level:
        found = found.filter(level=level)
    return found.select_related("purse").prefetch_related("cards")


BRIEF = FixedRows(
    Client,
    """
    SELECT {columns}, a.balance FROM loyalty_client c LEFT JOIN ledger_account a ON a.id = c.purse_id
    WHERE NOT c.is_deleted AND c.id = %s
    """,
    table="c",
    also=["held"],
)
CARDS = FixedRows(Card, "SELECT {columns} FROM loyalty_card c WHERE client_id = %s ORDER BY id", table="c")
LARGEST_ID = 2**63 - 1


def brief(client_id: int) -> Client | None:
    """A living guest with the balance of the purse. Fixed SQL: every request of a guest asks (design 3.25)."""
    if not 0 < client_id <= LARGEST_ID:
        return None
    found: Any = next(iter(BRIEF.models(client_id)), None)
    if found is not None and found.purse_id:
        held = Decimal(str(found.held)).quantize(CENT)  # SQLite returns floating point numbers
        found.purse = Account.from_db(None, ["id", "balance"], [found.purse_id, held])
    return cast("Client | None", found)


def cards_of(client_id: int) -> Sequence[Card]:
    """A guest's cards, oldest first."""
    return CARDS.models(client_id)


def one(client_id: int) -> Client:
    """A living guest with purse, waiter and cards. Raises `ClientNotFound`."""
    rows = Client.objects.living().select_related("purse", "waiter").prefetch_related("cards")
    found = rows.filter(pk=client_id).first()
    if found is None:
        raise errors.ClientNotFound()
    return found
