"""Balances, statements and totals. Each is one statement, however long the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.db import models
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate

from apps.ledger.models import Account, Entry, EntryQuerySet, cents, from_cents

LONGEST_STATEMENT = 200
"""Entries in one page of a statement, at most."""

Dimension = Literal["house", "book", "day"]
_COLUMNS: dict[Dimension, Any] = {
    "house": F("account__name"),
    "book": F("account__book"),
    "day": TruncDate("happened_at"),
}


@dataclass(frozen=True)
class Statement:
    """A page of a person's entries, newest first; `next_version` asks for the page after it, `None` on the last."""

    entries: list[Entry]
    next_version: int | None


@dataclass(frozen=True)
class Total:
    """Movements of one group: what came in, what went out (positive), the difference, and how many legs."""

    currency: str
    credits: Decimal
    debits: Decimal
    balance: Decimal
    count: int
    house: str = ""
    book: str = ""
    day: date | None = None


def balance(holder: models.Model, book: str, currency: str) -> Decimal:
    """What the person owns in this book, held money included; zero without an account."""
    return _of(holder, book, currency, F("balance"))


def available(holder: models.Model, book: str, currency: str) -> Decimal:
    """What the person may spend now: the balance less holds and floor."""
    return _of(holder, book, currency, F("balance") - F("held") - F("floor"))


def _of(holder: models.Model, book: str, currency: str, figure: Any) -> Decimal:
    accounts = Account.objects.filter(holder_id=holder.pk, book=book, currency=currency)
    found: Decimal | None = accounts.values_list(figure, flat=True).first()
    return from_cents(0) if found is None else Decimal(found).quantize(Decimal("0.01"))


def house_balance(name: str, currency: str) -> Decimal:
    """The balance of a house account: the exact sum of its entries, read from an index alone."""
    return Entry.objects.of_house().filter(account__name=name, account__currency=currency).total()


def entries_of(holder: models.Model, book: str, currency: str) -> EntryQuerySet:
    """The person's entries in this book, newest first, for products that page in their own way."""
    of_account = Entry.objects.of_persons().filter(account__holder_id=holder.pk, account__book=book)
    return of_account.filter(account__currency=currency).order_by("-version")


def statement(
    holder: models.Model, book: str, currency: str, *, before_version: int | None = None, limit: int = 50
) -> Statement:
    """One page of at most `limit` entries (never more than 200) below `before_version`."""
    size = max(1, min(limit, LONGEST_STATEMENT))
    wanted = entries_of(holder, book, currency)
    if before_version is not None:
        wanted = wanted.filter(version__lt=before_version)
    found = list(wanted[: size + 1])
    page = found[:size]
    return Statement(page, page[-1].version if len(found) > size else None)


def totals(
    *, by: Sequence[Dimension] = (), since: datetime | None = None, until: datetime | None = None, house: str = ""
) -> list[Total]:
    """Sums per currency and per house account, book of persons, or day (of the house's time zone), as `by` asks.

    `since` is included, `until` is not. `house` narrows to one house account. Grouped by `house` only house legs
    count, by `book` only legs of persons; without either the sums of both sides, which are zero.
    """
    legs = _legs(by, house).filter(_within(since, until))
    columns = {name: _COLUMNS[name] for name in by}
    grouped = legs.annotate(**columns).values("currency", *columns) if columns else legs.values("currency")
    rows = grouped.annotate(
        credits=Sum(cents("amount"), filter=Q(amount__gt=0)),
        debits=Sum(cents("amount"), filter=Q(amount__lt=0)),
        count=Count("id"),
    ).order_by(*columns, "currency")
    return [_total(dict(row)) for row in rows]


def _legs(by: Sequence[Dimension], house: str) -> EntryQuerySet:
    if house:
        return Entry.objects.of_house().filter(account__name=house)
    if "house" in by:
        return Entry.objects.of_house()
    return Entry.objects.of_persons() if "book" in by else Entry.objects.all()


def _within(since: datetime | None, until: datetime | None) -> Q:
    return Q(**({"happened_at__gte": since} if since else {}), **({"happened_at__lt": until} if until else {}))


def _total(row: dict[str, Any]) -> Total:
    credited, debited = row.pop("credits") or 0, row.pop("debits") or 0
    return Total(
        credits=from_cents(credited), debits=from_cents(-debited), balance=from_cents(credited + debited), **row
    )
