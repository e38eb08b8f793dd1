"""Are the books true? Walks every chain, compares every cache, and sums every currency.

Streams in two merging cursors (accounts by id, entries by account and version), so memory does not grow with the
books. On PostgreSQL it reads one snapshot and disturbs nobody; on SQLite writers wait until it is through.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction

from apps.ledger.chain import Link, genesis, moment, seal
from apps.ledger.models import from_cents

MOST_FAULTS = 100
"""Faults told in words; the rest is only counted."""

CHUNK_ROWS = 5000


class Row(NamedTuple):
    """A person's leg with what the audit needs of its twin; amounts in hundredths."""

    id: int
    account_id: int
    version: int
    previous_hash: str
    hash: str
    posting: str
    amount: int
    currency: str
    before: int
    after: int
    key: str
    fingerprint: str
    reason: str
    reference: str
    happened_at: Any
    written_at: Any
    by_id: int | None
    by_role: str
    reverses_id: int | None
    twin_account_id: int | None
    twin_name: str | None
    twin_amount: int | None
    twin_agrees: bool | int | None


class Purse(NamedTuple):
    """A person's account row; amounts in hundredths."""

    id: int
    holder_id: int
    book: str
    currency: str
    balance: int
    held: int
    floor: int
    version: int
    head: str


@dataclass(frozen=True)
class Fault:
    """One row that does not fit, in words for an operator."""

    what: str
    account_id: int | None = None
    entry_id: int | None = None

    def __str__(self) -> str:
        rows = [("account", self.account_id), ("entry", self.entry_id)]
        where = " ".join(f"{name} {number}" for name, number in rows if number is not None)
        return f"{where}: {self.what}" if where else self.what


@dataclass
class Audit:
    """What an audit has seen. `sums` must be zero for every currency; at most 100 `faults` are kept."""

    account_count: int = 0
    entry_count: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    sums: dict[str, Decimal] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return self.fault_count == 0

    def shout(self, fault: Fault) -> None:
        """Count a fault, and keep it while there is room."""
        self.fault_count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)


def _cents(column: str) -> str:
    return f"CAST(ROUND({column} * 100) AS BIGINT)"


_ACCOUNTS = f"""
SELECT id, holder_id, book, currency, {_cents("balance")}, {_cents("held")}, {_cents("floor")}, version, head
FROM ledger_account WHERE holder_id IS NOT NULL"""  # noqa: S608 - column names of our own
_ENTRIES = f"""
SELECT e.id, e.account_id, e.version, e.previous_hash, e.hash, REPLACE(CAST(e.posting AS TEXT), '-', ''),
    {_cents("e.amount")}, e.currency, {_cents("e.balance_before")}, {_cents("e.balance_after")}, e.key, e.fingerprint,
    e.reason, e.reference, e.happened_at, e.written_at, e.by_id, e.by_role, e.reverses_id,
    t.account_id, a.name, {_cents("t.amount")},
    t.currency = e.currency AND t.reason = e.reason AND t.reference = e.reference AND t.by_role = e.by_role
        AND COALESCE(t.by_id, 0) = COALESCE(e.by_id, 0)
        AND t.happened_at = e.happened_at AND t.written_at = e.written_at
FROM ledger_entry e
LEFT JOIN ledger_entry t ON t.posting = e.posting AND t.id <> e.id
LEFT JOIN ledger_account a ON a.id = t.account_id
WHERE e.version IS NOT NULL"""  # noqa: S608 - column names of our own
_HELD = f"""
SELECT account_id, SUM({_cents("amount")}) FROM ledger_hold WHERE status = 'held' GROUP BY account_id
"""  # noqa: S608 - column names of our own
_ORPHANS = """
SELECT h.id, h.account_id FROM ledger_entry h
LEFT JOIN ledger_entry p ON p.posting = h.posting AND p.version IS NOT NULL WHERE h.version IS NULL AND p.id IS NULL"""
_SUMS = f"SELECT currency, SUM({_cents('amount')}) FROM ledger_entry GROUP BY currency ORDER BY currency"  # noqa: S608


def audit(*, account_id: int | None = None) -> Audit:
    """Check all books, or one person's account: chain, versions, balances, twins, holds, head, sums.

    A tampered, missing or added row on either side of a posting, a cut tail and a tampered account row are found.
    """
    report = Audit()
    with _snapshot():
        held = _amounts(_HELD)
        entries = _Entries(account_id)
        for row in _stream(_ACCOUNTS + _only("id", account_id) + " ORDER BY id"):
            _check_account(report, Purse(*row), entries, held)
        for stray in entries.rest():
            report.shout(Fault("belongs to no account of a person", stray.account_id, stray.id))
        if account_id is None:
            _check_house(report)
    return report


class _Entries:
    """The stream of entries, handed out account by account."""

    def __init__(self, account_id: int | None) -> None:
        order = " ORDER BY e.account_id, e.version, e.id"
        self._rows = map(Row._make, _stream(_ENTRIES + _only("e.account_id", account_id) + order))
        self._next = next(self._rows, None)

    def until(self, account_id: int) -> Iterator[Row]:
        """The entries up to and including this account's."""
        while (row := self._next) is not None and row.account_id <= account_id:
            yield row
            self._next = next(self._rows, None)

    def rest(self) -> Iterator[Row]:
        """What is left after the last account."""
        while (row := self._next) is not None:
            yield row
            self._next = next(self._rows, None)


def _check_account(report: Audit, purse: Purse, entries: _Entries, held: dict[Any, int]) -> None:
    """Walk the chain of one account, then compare the account's own figures with where the walk ended."""
    report.account_count += 1
    version, balance, head = 0, 0, genesis(purse.holder_id, purse.book, purse.currency)
    for row in entries.until(purse.id):
        report.entry_count += 1
        if row.account_id != purse.id:
            report.shout(Fault("belongs to no account of a person", row.account_id, row.id))
            continue
        for what in _faults_of(row, version, balance, head, purse.currency):
            report.shout(Fault(what, purse.id, row.id))
        version, balance, head = row.version, row.after, row.hash
    for what in _faults_of_account(purse, version, balance, head, held.get(purse.id, 0)):
        report.shout(Fault(what, purse.id))


def _faults_of(row: Row, version: int, balance: int, head: str, currency: str) -> list[str]:
    if (
        row.version == version + 1
        and row.before == balance
        and row.before + row.amount == row.after
        and row.previous_hash == head
        and row.currency == currency
        and row.twin_agrees
        and row.twin_amount == -row.amount
        and row.hash == seal(_link(row))
    ):
        return []
    return [
        what
        for fits, what in (
            (row.version == version + 1, f"version {version + 1} is missing or doubled (found {row.version})"),
            (
                row.before == balance,
                f"starts at {from_cents(row.before)}, the entry before ended at {from_cents(balance)}",
            ),
            (row.before + row.amount == row.after, "balance before, amount and balance after do not add up"),
            (row.previous_hash == head, "does not continue the chain"),
            (row.currency == currency, "has another currency than its account"),
            (row.twin_account_id is not None, "its twin leg is missing"),
            (row.twin_account_id is None or row.twin_agrees, "its twin leg tells another story"),
            (row.twin_account_id is None or row.twin_amount == -row.amount, "its twin leg has another amount"),
            (row.hash == seal(_link(row)), "content does not fit its hash"),
        )
        if not fits
    ]


def _link(row: Row) -> Link:
    return Link(
        row.previous_hash,
        row.posting,
        row.account_id,
        row.version,
        row.amount,
        row.currency,
        row.before,
        row.after,
        row.key,
        row.fingerprint,
        row.reason,
        row.reference,
        moment(row.happened_at),
        moment(row.written_at),
        row.by_id,
        row.by_role,
        row.reverses_id,
        row.twin_account_id or 0,
        row.twin_name or "",
    )


def _faults_of_account(purse: Purse, version: int, balance: int, head: str, held: int) -> list[str]:
    return [
        what
        for fits, what in (
            (purse.version == version, f"says version {purse.version}, its entries end at {version}"),
            (purse.balance == balance, f"says {from_cents(purse.balance)}, its entries say {from_cents(balance)}"),
            (purse.head == head, "its head is not the hash of its last entry"),
            (purse.held == held, f"says {from_cents(purse.held)} is held, its open holds say {from_cents(held)}"),
            (purse.balance - purse.held >= purse.floor, "is below its floor"),
        )
        if not fits
    ]


def _check_house(report: Audit) -> None:
    for entry_id, account_id in _stream(_ORPHANS):
        report.shout(Fault("a leg of the house without a person's leg", account_id, entry_id))
    report.sums = {currency: from_cents(total) for currency, total in _amounts(_SUMS).items()}
    for currency, total in report.sums.items():
        if total:
            report.shout(Fault(f"all entries in {currency} sum to {total}, not to zero"))


def _amounts(sql: str) -> dict[Any, int]:
    return {key: int(total) for key, total in _stream(sql)}


def _only(column: str, account_id: int | None) -> str:
    return "" if account_id is None else f" AND {column} = {int(account_id)}"


def _stream(sql: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement, a few thousand at a time, from a server-side cursor where there is one."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(CHUNK_ROWS):
            yield from rows


@contextmanager
def _snapshot() -> Iterator[None]:
    """One consistent view of the books. Inside a caller's transaction that transaction's own view is used."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                # We read to the end, so plan for the end; and a full audit outlives the limit for requests.
                cursor.execute("SET LOCAL cursor_tuple_fraction = 1")
                cursor.execute("SET LOCAL statement_timeout = 0")
                cursor.execute("SET LOCAL work_mem = '64MB'")
        yield
