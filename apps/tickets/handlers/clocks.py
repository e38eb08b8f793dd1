"""Promised times follow facts, in the same transaction; their end is told after commit."""

from __future__ import annotations

from apps.core import events
from apps.tickets.actions import alerts, sla
from apps.tickets.events import CommentAdded, PromiseBroken, TicketAssigned, TicketCreated, TicketStatusChanged

alerts.register_kind()


@events.on(TicketCreated)
def start_the_clocks(event: TicketCreated) -> None:
    """Of the first answer and of the resolution."""
    sla.start(ticket_id=event.ticket_id)


@events.on(TicketStatusChanged)
def stop_or_restart_the_clocks(event: TicketStatusChanged) -> None:
    """Every change of status is one by staff: citizens have no such right."""
    sla.follow_status(ticket_id=event.ticket_id, old_status=event.old_status, new_status=event.new_status)


@events.on(TicketAssigned)
def take_the_promise_of_the_new_team(event: TicketAssigned) -> None:
    """Clocks that are late already stay late."""
    sla.follow_team(ticket_id=event.ticket_id)


@events.on(CommentAdded)
def take_a_comment_for_an_answer(event: CommentAdded) -> None:
    """A public one of staff."""
    sla.follow_comment(comment_id=event.comment_id)


@events.after(PromiseBroken)
def tell_staff_of_the_broken_promise(event: PromiseBroken) -> None:
    """The team and the managers."""
    alerts.tell_of_broken_promise(clock_id=event.clock_id)
