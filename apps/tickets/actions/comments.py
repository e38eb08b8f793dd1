"""What is said about a ticket (contract tickets 1.4, 3)."""

from __future__ import annotations

import uuid

from django.db import transaction

from apps.core import events
from apps.tickets import access
from apps.tickets.actions import tickets
from apps.tickets.events import CommentAdded
from apps.tickets.models import Comment, Member


def add(*, by: Member, ticket_id: uuid.UUID, content: str, is_internal: bool = False) -> Comment:
    """Say something; internal words are for staff alone. Raises `TicketNotFound`, `InternalForStaff`."""
    with transaction.atomic():
        ticket = tickets.seen(by, ticket_id)
        access.ensure_can("comment internally" if is_internal else "comment", by, ticket)
        comment = Comment.objects.create(ticket=ticket, author=by, content=content, is_internal=is_internal)
        events.publish(CommentAdded(comment_id=str(comment.pk)))
    return comment
