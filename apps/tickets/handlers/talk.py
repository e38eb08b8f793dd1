"""Messages follow facts: each handler is one call; all of them bear being run twice."""

from __future__ import annotations

from apps.core import events
from apps.tickets.actions import talk
from apps.tickets.events import (
    CommentAdded,
    EscalationDecided,
    EscalationRequested,
    TicketAssigned,
    TicketCreated,
    TicketFollowed,
    TicketStatusChanged,
)

talk.register_kinds()


@events.after(TicketCreated)
def tell_of_the_new_ticket(event: TicketCreated) -> None:
    talk.of_new_ticket(ticket_id=event.ticket_id, team_id=event.team_id)


@events.after(TicketStatusChanged)
def tell_of_the_status(event: TicketStatusChanged) -> None:
    talk.of_status(log_id=event.log_id)


@events.after(TicketFollowed)
def tell_of_the_follower(event: TicketFollowed) -> None:
    talk.of_follower(ticket_id=event.ticket_id, member_id=event.member_id)


@events.after(CommentAdded)
def tell_of_the_comment(event: CommentAdded) -> None:
    talk.of_comment(comment_id=event.comment_id)


@events.after(TicketAssigned)
def tell_of_the_assignment(event: TicketAssigned) -> None:
    talk.of_assignment(ticket_id=event.ticket_id, team_id=event.team_id, by_id=event.by_id, occasion=event.occasion)


@events.after(EscalationRequested)
def tell_the_managers(event: EscalationRequested) -> None:
    talk.of_escalation(escalation_id=event.escalation_id)


@events.after(EscalationDecided)
def tell_of_the_decision(event: EscalationDecided) -> None:
    talk.of_decision(escalation_id=event.escalation_id)
