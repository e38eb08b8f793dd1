"""The lives of tickets and escalations (contract tickets 3): the only tables that say what may follow what."""

from __future__ import annotations

from typing import Any

from apps.core import states
from apps.core.states import Machine, Step
from apps.tickets.errors import AlreadyReviewed, IllegalTransition
from apps.tickets.events import EscalationDecided
from apps.tickets.models import Escalation, Ticket

Status = Ticket.Status

TICKET = Machine(
    steps={
        (Status.NEW, Status.IN_PROGRESS): Step(who="team, manager", note="work begins"),
        (Status.NEW, Status.ESCALATED): Step(who="team, manager", note="by hand or by a request"),
        (Status.IN_PROGRESS, Status.RESOLVED): Step(stamp="resolved_at", who="team, manager", note="done"),
        (Status.IN_PROGRESS, Status.ESCALATED): Step(who="team, manager", note="by hand or by a request"),
        (Status.ESCALATED, Status.IN_PROGRESS): Step(
            who="team, manager", note="by the decision; by hand only while no request waits"
        ),
        (Status.RESOLVED, Status.CLOSED): Step(who="team, manager", note="the end of the line"),
        (Status.RESOLVED, Status.IN_PROGRESS): Step(who="team, manager", note="reopened: `resolved_at` is cleared"),
        (Status.RESOLVED, Status.ESCALATED): Step(who="request", note="never by hand"),
        (Status.CLOSED, Status.IN_PROGRESS): Step(who="team, manager", note="reopened: `resolved_at` is cleared"),
        (Status.CLOSED, Status.ESCALATED): Step(who="request", note="never by hand"),
        (Status.NEW, Status.CLOSED): Step(who="merge", note="a duplicate of another ticket; never by hand"),
        (Status.IN_PROGRESS, Status.CLOSED): Step(who="merge", note="a duplicate of another ticket; never by hand"),
        (Status.ESCALATED, Status.CLOSED): Step(who="merge", note="a duplicate of another ticket; never by hand"),
    },
    refusal=IllegalTransition,
)

ONLY_BY_REQUEST = frozenset({(Status.RESOLVED, Status.ESCALATED), (Status.CLOSED, Status.ESCALATED)})
"""Steps that the status path refuses: finished work comes back to the manager with a reason or not at all."""

ONLY_BY_MERGE = frozenset((status, Status.CLOSED) for status in (Status.NEW, Status.IN_PROGRESS, Status.ESCALATED))
"""Steps of duplicates alone: whatever else is open has to be worked on before it closes."""

NEVER_BY_HAND = ONLY_BY_REQUEST | ONLY_BY_MERGE

states.register(Ticket, TICKET)


def _decided(escalation: Escalation, by: Any, reason: str) -> EscalationDecided:
    return EscalationDecided(escalation_id=str(escalation.pk), status=escalation.status)


ESCALATION = Machine(
    steps={
        (Escalation.Status.PENDING, Escalation.Status.APPROVED): Step(
            stamp="reviewed_at", event=_decided, who="manager", note="the ticket goes back to work; no second request"
        ),
        (Escalation.Status.PENDING, Escalation.Status.REJECTED): Step(
            stamp="reviewed_at", event=_decided, who="manager", note="the ticket goes back to work; may be asked again"
        ),
    },
    refusal=AlreadyReviewed,
)

states.register(Escalation, ESCALATION)
