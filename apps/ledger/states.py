"""Life cycles of holds and corrections."""

from __future__ import annotations

from typing import Any

from apps.core import states
from apps.core.states import Machine, Step
from apps.ledger import access, errors
from apps.ledger.events import CorrectionDecided, HoldEnded
from apps.ledger.models import Correction, Hold


def _hold_ended(hold: Hold, by: Any, reason: str) -> HoldEnded:
    account = hold.account
    return HoldEnded(
        hold_id=hold.pk,
        holder_id=account.holder_id or 0,
        book=account.book,
        status=hold.status,
        reference=hold.reference,
    )


def _decided(correction: Correction, by: Any, reason: str) -> CorrectionDecided:
    return CorrectionDecided(correction_id=correction.pk, status=correction.status)


def _second_person(correction: Correction, by: Any) -> None:
    access.ensure_can_approve(by, correction)


def _staff(correction: Correction, by: Any) -> None:
    access.ensure_can_reject(by, correction)


HOLDS = Machine(
    steps={
        ("held", "captured"): Step(
            stamp="settled_at", event=_hold_ended, who="product", note="takes all or a part, the rest is free again"
        ),
        ("held", "voided"): Step(stamp="settled_at", event=_hold_ended, who="product", note="all is free again"),
        ("held", "expired"): Step(
            stamp="settled_at", event=_hold_ended, who="system", note="time is over, all is free again"
        ),
    },
    refusal=errors.HoldSettled,
)

CORRECTIONS = Machine(
    steps={
        ("proposed", "approved"): Step(
            stamp="decided_at",
            guard=_second_person,
            event=_decided,
            who="second member of staff",
            note="posts the entry",
        ),
        ("proposed", "rejected"): Step(
            stamp="decided_at", guard=_staff, event=_decided, who="proposer or second member", note="moves nothing"
        ),
    },
    refusal=errors.CorrectionSettled,
)

states.register(Hold, HOLDS)
states.register(Correction, CORRECTIONS)
