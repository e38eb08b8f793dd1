"""Facts the ledger announces. Amounts travel as text, because facts are JSON."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True)
class BalanceChanged(Event):
    """An entry was written on a person's account. `amount` and `balance` are decimals as text."""

    entry_id: int
    holder_id: int
    book: str
    currency: str
    amount: str
    balance: str
    reason: str
    reference: str


@dataclass(frozen=True)
class HoldEnded(Event):
    """A hold was captured, voided or ran out; `status` says which."""

    hold_id: int
    holder_id: int
    book: str
    status: str
    reference: str


@dataclass(frozen=True)
class CorrectionDecided(Event):
    """A second person approved or rejected a correction."""

    correction_id: int
    status: str


@dataclass(frozen=True)
class AuditFailed(Event):
    """The nightly audit found rows that do not fit."""

    fault_count: int
