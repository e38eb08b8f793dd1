"""Questions about money: what one has and how it came about, the sums of the house, whether the books are true."""

from apps.ledger.queries.audit import Audit, Fault, audit
from apps.ledger.queries.balances import (
    Statement,
    Total,
    available,
    balance,
    entries_of,
    house_balance,
    statement,
    totals,
)

__all__ = [
    "Audit",
    "Fault",
    "Statement",
    "Total",
    "audit",
    "available",
    "balance",
    "entries_of",
    "house_balance",
    "statement",
    "totals",
]
