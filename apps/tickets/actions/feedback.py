"""The reporter's mark for finished work (contract tickets 1.4, 3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.access import ensure
from apps.tickets import access, errors
from apps.tickets.actions import tickets
from apps.tickets.models import FINISHED, Feedback, Member
from apps.tickets.queries import kept


def give(*, by: Member, ticket_id: uuid.UUID, rating: int, comment: str | None = None) -> Feedback:
    """Rate a resolved or closed ticket, once.

    Raises `TicketNotFound`, `OnlyTheReporter`, `NotFinished`, `FeedbackExists`.
    """
    with transaction.atomic():
        ticket = tickets.lock(by, ticket_id)
        access.ensure_can("give feedback", by, ticket)
        ensure(ticket.status in FINISHED, errors.NotFinished)
        kept.forget()
        try:
            with transaction.atomic():
                return Feedback.objects.create(ticket=ticket, author=by, rating=rating, comment=comment)
        except IntegrityError as problem:
            raise errors.FeedbackExists() from problem


def change(*, by: Member, ticket_id: uuid.UUID, changes: Mapping[str, Any]) -> Feedback:
    """The author changes mark or words within a day of giving them.

    Raises `TicketNotFound`, `FeedbackNotFound`, `NotTheAuthor`, `TooLateToChange`.
    """
    hours = settings.TICKETS.feedback_edit_hours
    with transaction.atomic():
        ticket = tickets.seen(by, ticket_id)
        found = Feedback.objects.select_for_update(of=("self",)).filter(ticket=ticket).first()
        if found is None:
            raise errors.FeedbackNotFound()
        ensure(found.author_id == by.pk, errors.NotTheAuthor)
        now = timezone.now()
        ensure(now - found.created_at <= timedelta(hours=hours), errors.TooLateToChange, hours=hours)
        for name, value in changes.items():
            setattr(found, name, value)
        found.updated_at = now
        found.save(update_fields=[*changes, "updated_at"])
        kept.forget()
    return found
