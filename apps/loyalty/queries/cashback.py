"""Histories of cashback (contract loyalty 1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from apps.core.rows import FixedRows
from apps.loyalty.models import CashbackTransaction

MOST_TRANSACTIONS = 100
"""Movements that come along with a guest, newest first; older ones by page (contract loyalty 7.27)."""

COLUMNS = ("id", "client_id", "amount", "branch_id", "source", "staff_id", "balance_after", "created_at")

HISTORY = FixedRows(
    CashbackTransaction,
    """
    SELECT {columns} FROM loyalty_cashbacktransaction t
    WHERE client_id = %s ORDER BY id DESC LIMIT %s OFFSET %s
    """,
    table="t",
    only=COLUMNS,
)


def history(client_id: int, *, limit: int = MOST_TRANSACTIONS, offset: int = 0) -> Sequence[dict[str, Any]]:
    """A guest's newest movements as rows, one index read. A limit of 0 means as many as there may be."""
    most = min(limit or MOST_TRANSACTIONS, MOST_TRANSACTIONS)
    return HISTORY.dicts(client_id, most, offset)


def matching(*, search: str = "", branch_id: int | None = None) -> QuerySet[CashbackTransaction, dict[str, Any]]:
    """Movements of all guests, newest first, by name or phone of the guest and by branch."""
    found = CashbackTransaction.objects.order_by("-id")
    if search:
        found = found.filter(Q(client__name__icontains=search) | Q(client__phone__icontains=search))
    if branch_id is not None:
        found = found.filter(branch_id=branch_id)
    return found.values(*COLUMNS)
