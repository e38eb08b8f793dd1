"""Who may correct balances. Everything else in the ledger is asked for by products, who check their own people.

| deed | right |
|---|---|
| see accounts, entries, holds | `ledger.view_…` |
| propose a correction | `ledger.propose_correction` |
| approve one of somebody else | `ledger.approve_correction` |
| reject one of somebody else | `ledger.approve_correction` |
| take one's own proposal back | `ledger.propose_correction` |
"""

from __future__ import annotations

from typing import Any

from apps.core.access import ensure
from apps.ledger import errors
from apps.ledger.models import Correction

PROPOSE, APPROVE = "ledger.propose_correction", "ledger.approve_correction"


def person_of(by: Any) -> Any:
    """The person behind an actor: a membership's `user`, or the user itself."""
    return getattr(by, "user", by)


def can(by: Any, right: str) -> bool:
    """Whether `by` is an active member of staff with this right."""
    person = person_of(by)
    return bool(person is not None and person.is_active and person.is_staff and person.has_perm(right))


def ensure_can_propose(by: Any) -> None:
    """Raise NotPermitted unless `by` may propose corrections."""
    ensure(can(by, PROPOSE), errors.NotPermitted)


def ensure_can_approve(by: Any, correction: Correction) -> None:
    """Raise NotPermitted without the right, NeedsSecondPerson for one's own proposal."""
    ensure(can(by, APPROVE), errors.NotPermitted)
    ensure(person_of(by).pk != correction.proposed_by_id, errors.NeedsSecondPerson)


def ensure_can_reject(by: Any, correction: Correction) -> None:
    """Raise NotPermitted unless `by` may approve, or takes back their own proposal."""
    own = by is not None and person_of(by).pk == correction.proposed_by_id
    ensure(can(by, PROPOSE if own else APPROVE), errors.NotPermitted)
