"""Whole lists for a spreadsheet (contract loyalty 1.7): newest first, with an end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from apps.loyalty.models import CashbackTransaction, Client

MOST_ROWS = 50_000
"""Rows of one file; the newest ones."""
CHUNK = 2000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet calculate; names come from guests."""

USERS = ("id", "name", "surname", "phone", "level", "points", "cashback_balance", "waiter", "created_at")
CASHBACK = ("id", "created_at", "user_id", "user_name", "phone", "amount", "balance_after", "source", "branch_id")
"""First lines of the files."""


def users() -> Iterator[Sequence[Any]]:
    """Living guests in the order of `USERS`."""
    columns = ("id", "name", "surname", "phone", "level", "points", "purse__balance", "waiter__name", "created_at")
    return _cells(Client.objects.living().order_by("-created_at", "-id").values_list(*columns))


def cashback() -> Iterator[Sequence[Any]]:
    """Movements in the order of `CASHBACK`."""
    columns = ("id", "created_at", "client_id", "client__name", "client__phone", "amount", "balance_after", "source")
    return _cells(CashbackTransaction.objects.order_by("-id").values_list(*columns, "branch_id"))


def _cells(rows: Any) -> Iterator[Sequence[Any]]:
    for row in rows[:MOST_ROWS].iterator(chunk_size=CHUNK):
        yield [_cell(value) for value in row]


def _cell(value: Any) -> Any:
    """Something that both kinds of file hold: numbers, plain texts, times of the restaurant without an offset."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str) and value.startswith(FORMULA) and not value[1:].isdigit():
        return f"'{value}"
    return "" if value is None else value
