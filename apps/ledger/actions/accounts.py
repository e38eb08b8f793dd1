"""Opening and locking accounts. Fixed SQL, because every movement of money of the house passes here (design 3.25)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction

from apps.ledger import chain, errors
from apps.ledger.models import PLACES, Account

CENT = Decimal(1).scaleb(-PLACES)

_PURSE = "SELECT a.id, a.holder_id, a.book, a.currency, a.balance, a.held, a.floor, a.version, a.head"
# The house account is looked up on the side: the subselect is not locked.
_WITH_HOUSE = ", (SELECT h.id FROM ledger_account h WHERE h.holder_id IS NULL AND h.name = %s AND h.currency = %s)"
_BY_HOLDER = " FROM ledger_account a WHERE a.holder_id = %s AND a.book = %s AND a.currency = %s"
_BY_IDS = " FROM ledger_account a WHERE a.id IN (%s, %s) AND a.holder_id IS NOT NULL ORDER BY a.id"


@dataclass(frozen=True, slots=True)
class Purse:
    """A person's account as it stood when we locked it."""

    id: int
    holder_id: int
    book: str
    currency: str
    balance: Decimal
    held: Decimal
    floor: Decimal
    version: int
    head: str
    name: str = ""

    @property
    def available(self) -> Decimal:
        """What may be spent now."""
        return self.balance - self.held - self.floor


@dataclass(frozen=True, slots=True)
class House:
    """An account of the house, never locked."""

    id: int
    name: str


def in_transaction() -> AbstractContextManager[Any]:
    """The caller's transaction, or a new one. No savepoint: refusals come before the first write."""
    return nullcontext() if connection.in_atomic_block else transaction.atomic()


def open_account(*, holder: models.Model, book: str, currency: str, floor: Decimal = Decimal(0)) -> Account:
    """The account of this holder, opened when it is missing; `floor` counts only then. Safe to race and to repeat."""
    _open(holder.pk, book, currency, floor)
    return Account.objects.get(holder_id=holder.pk, book=book, currency=currency)


def _open(holder_id: int, book: str, currency: str, floor: Decimal = Decimal(0)) -> None:
    head = chain.genesis(holder_id, book, currency)
    account = Account(holder_id=holder_id, book=book, currency=currency, floor=floor, head=head)
    Account.objects.bulk_create([account], ignore_conflicts=True)


def find(*holder_ids: int, book: str, currency: str) -> dict[int, int]:
    """Holder id → account id, of those who have an account in this book."""
    of_holders = Account.objects.filter(holder_id__in=holder_ids, book=book, currency=currency)
    return {holder_id: account_id for holder_id, account_id in of_holders.values_list("holder_id", "id") if holder_id}


def house_account(name: str, currency: str) -> House:
    """The account of the house with this name, opened when it is missing."""
    known = Account.objects.of_house().filter(name=name, currency=currency).values_list("id", flat=True)
    if (found := known.first()) is None:
        Account.objects.bulk_create([Account(name=name, currency=currency)], ignore_conflicts=True)
        found = known.get()
    return House(found, name)


def lock_with_house(*, holder_id: int, book: str, currency: str, house: str, opens: bool) -> tuple[Purse, int | None]:
    """Lock the person's account and look the house account up in one statement; its id is None when it is not there.

    Opens a missing account of the person when `opens`; otherwise raises NotEnoughBalance: who has none has nothing.
    """
    sql = _PURSE + _WITH_HOUSE + _BY_HOLDER + _for_update()
    params: list[int | str] = [house, currency, holder_id, book, currency]
    rows = _fetch(sql, params)
    if not rows and not opens:
        raise errors.NotEnoughBalance()
    if not rows:
        _open(holder_id, book, currency)
        rows = _fetch(sql, params)
    *purse, house_id = rows[0]
    return _purse(purse), house_id


def lock(*account_ids: int) -> dict[int, Purse]:
    """Lock one or two accounts of persons in ascending order of id, so that crossing movements never deadlock."""
    rows = _fetch(_PURSE + _BY_IDS + _for_update(), [account_ids[0], account_ids[-1]])
    return {row[0]: _purse(row) for row in rows}


def _for_update() -> str:
    # NO KEY, so that rows which only refer to the account need not wait. SQLite locks the whole file instead.
    return " FOR NO KEY UPDATE OF a" if connection.features.has_select_for_update else ""


def _fetch(sql: str, params: Sequence[int | str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _purse(row: Sequence[Any]) -> Purse:
    account_id, holder_id, book, currency, balance, held, floor, version, head = row
    return Purse(
        account_id, holder_id, book, currency, _decimal(balance), _decimal(held), _decimal(floor), version, head
    )


def _decimal(value: Decimal | float | int) -> Decimal:
    # SQLite returns floating point numbers; their shortest text is the exact amount within 14 digits.
    return value if isinstance(value, Decimal) else Decimal(str(value)).quantize(CENT)
