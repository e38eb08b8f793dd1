"""A team asks the managers to decide; one request waits per ticket (contract tickets 1.5, 3, D4, D5, D25)."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from apps.core import events, states
from apps.tickets import access, errors
from apps.tickets.actions import tickets
from apps.tickets.events import EscalationRequested
from apps.tickets.models import Escalation, Member, Ticket

Verdict = Escalation.Status
LOGGED_LETTERS = 100
"""So much of the reason stands in the ticket's history."""


def request(*, by: Member, ticket_id: uuid.UUID, reason: str) -> Escalation:
    """Ask for a decision; the ticket is escalated until then. Locks the ticket before the request, always.

    Raises `TicketNotFound`, `StaffOnly`, `TicketUnassigned`, `OtherTeamsTicket`, `EscalationWaiting`,
    `EscalationApproved`.
    """
    with transaction.atomic():
        ticket = tickets.lock(by, ticket_id)
        access.ensure_can("escalate", by, ticket)
        _ensure_first(ticket)
        escalation = Escalation.objects.create(ticket=ticket, requester=by, reason=reason)
        if ticket.status != Ticket.Status.ESCALATED:  # a manager may have escalated it by hand before
            tickets.move(ticket, Ticket.Status.ESCALATED, by=by, comment=reason[:LOGGED_LETTERS])
        events.publish(EscalationRequested(escalation_id=str(escalation.pk)))
    return escalation


def _ensure_first(ticket: Ticket) -> None:
    known = set(Escalation.objects.filter(ticket=ticket).values_list("status", flat=True))
    if Verdict.PENDING in known:
        raise errors.EscalationWaiting()
    if Verdict.APPROVED in known:
        raise errors.EscalationApproved()


def decide(*, by: Any, escalation_id: uuid.UUID, verdict: str, comment: str | None = None) -> Escalation:
    """A manager approves or rejects; either way the ticket goes back to work. Of two at once the second is refused.

    Raises `ManagersOnly`, `NotYourRight`, `EscalationNotFound`, `AlreadyReviewed`.
    """
    access.ensure_can("decide an escalation", by)
    with transaction.atomic():
        found = Escalation.objects.filter(pk=escalation_id, ticket__deleted_at=None).first()
        if found is None:
            raise errors.EscalationNotFound()
        ticket = tickets.lock(by, found.ticket_id)
        escalation = states.step(found, verdict, by=by, reason=comment or "")
        escalation.reviewer, escalation.review_comment = access.member_of(by), comment or None
        escalation.save(update_fields=["reviewer", "review_comment"])
        if ticket.status == Ticket.Status.ESCALATED:
            tickets.move(ticket, Ticket.Status.IN_PROGRESS, by=by, comment=comment)
    return escalation
