"""Pictures follow their ticket."""

from __future__ import annotations

from uuid import UUID

from apps.core import events
from apps.tickets.actions import photos
from apps.tickets.events import TicketDeleted


@events.after(TicketDeleted)
def remove_the_pictures(event: TicketDeleted) -> None:
    """Their addresses are public; a storage that is away is asked again."""
    photos.forget(ticket_id=UUID(event.ticket_id))
