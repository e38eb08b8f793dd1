"""Two reports of one trouble become one (contract tickets 3; the duplicate stays readable and says where it went)."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core.access import ensure
from apps.tickets import access, errors
from apps.tickets.actions import tickets
from apps.tickets.models import Escalation, Follow, Ticket
from apps.tickets.queries import kept

LOGGED = "Duplicate of {title} ({id})"
"""The line of history. Everybody may read it, so why a manager thinks so stands among the steps only."""


def merge(*, by: Any, duplicate_id: uuid.UUID, original_id: uuid.UUID, reason: str = "") -> Ticket:
    """Close a duplicate with a link to its original; returns the original. Merging the same two again changes nothing.

    Followers follow the original from now on. Comments, photos and history stay on the duplicate, and with it on the
    pages of the original. What had been merged into the duplicate belongs to the original then. `reason` is kept for
    the back office.

    Raises `MergeIntoItself`, `TicketNotFound`, `ManagersOnly`, `NotYourRight`, `AlreadyMerged`, and `EscalationWaiting`
    when a request about the duplicate waits for its decision.
    """
    access.ensure_can("merge", by)
    ensure(duplicate_id != original_id, errors.MergeIntoItself)
    with transaction.atomic():
        duplicate, original = _locked(by, duplicate_id, original_id)
        if duplicate.duplicate_of_id == original.pk:
            return original
        ensure(duplicate.duplicate_of_id is None and original.duplicate_of_id is None, errors.AlreadyMerged)
        waiting = Escalation.objects.filter(ticket=duplicate, status=Escalation.Status.PENDING)
        ensure(not waiting.exists(), errors.EscalationWaiting)
        _close(duplicate, original, by=by, reason=reason)
        _bring_followers(duplicate, original)
        kept.forget()
    return original


def _locked(by: Any, duplicate_id: uuid.UUID, original_id: uuid.UUID) -> tuple[Ticket, Ticket]:
    """Both, locked in the order of their ids, so that merging crosswise never waits in a circle."""
    found = {pk: tickets.lock(by, pk) for pk in sorted((duplicate_id, original_id))}
    return found[duplicate_id], found[original_id]


def _close(duplicate: Ticket, original: Ticket, *, by: Any, reason: str) -> None:
    if duplicate.status != Ticket.Status.CLOSED:
        words = LOGGED.format(title=original.title, id=original.pk)
        tickets.move(duplicate, Ticket.Status.CLOSED, by=by, comment=words, reason=reason)
    now = timezone.now()
    Ticket.objects.filter(pk=duplicate.pk).update(duplicate_of=original, updated_at=now)
    Ticket.objects.filter(duplicate_of=duplicate).update(duplicate_of=original, updated_at=now)


def _bring_followers(duplicate: Ticket, original: Ticket) -> None:
    """Whoever follows both follows once."""
    followers = Follow.objects.filter(ticket=duplicate).values_list("member_id", flat=True)
    Follow.objects.bulk_create((Follow(ticket=original, member_id=pk) for pk in followers), ignore_conflicts=True)
