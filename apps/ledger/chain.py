"""The hash chain: what exactly an entry's hash covers. Pure functions, used when writing and when auditing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

_canonical = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class Link(NamedTuple):
    """Everything the hash of a person's leg covers, in the order in which it is hashed. Never reorder.

    Amounts are hundredths, moments are UTC text, `twin_*` describe the other leg. What the twin repeats (currency,
    reason, moments, actor, the opposite amount) is compared by the audit instead of being hashed twice.
    """

    previous_hash: str
    posting: str
    account_id: int
    version: int
    amount: int
    currency: str
    balance_before: int
    balance_after: int
    key: str
    fingerprint: str
    reason: str
    reference: str
    happened_at: str
    written_at: str
    by_id: int | None
    by_role: str
    reverses_id: int | None
    twin_account_id: int
    twin_name: str


def digest(*parts: object) -> str:
    """SHA-256, in hex, over the canonical text of `parts` (texts, integers and None)."""
    return sha256(_canonical(parts).encode()).hexdigest()


def seal(link: Link) -> str:
    """The hash of an entry."""
    return sha256(_canonical(link).encode()).hexdigest()


def genesis(holder_id: int, book: str, currency: str) -> str:
    """The head of an account without entries: it ties the chain to its holder."""
    return digest("ledger", holder_id, book, currency)


def moment(at: datetime) -> str:
    """UTC text with microseconds. A naive moment is one that SQLite returned, and is UTC already."""
    utc = at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds")
