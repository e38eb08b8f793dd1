"""Clocks of promised times: started by the report, stopped by the answer and the resolution, swept when due.

A clock is a row with a due moment; nothing waits in a queue. Who works on a ticket may change the promise: then the
running clocks get the new one, counted from the same start.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps.core import events
from apps.tickets import access, errors
from apps.tickets.events import PromiseBroken
from apps.tickets.models import Category, Comment, SlaClock, SlaPolicy, Team, Ticket
from apps.tickets.queries import kept, sla
from apps.tickets.queries.sla import Promise

log = logging.getLogger(__name__)

Kind = SlaClock.Kind
DONE = frozenset({Ticket.Status.RESOLVED, Ticket.Status.CLOSED})
BATCH = 200


# Promises -------------------------------------------------------------------------------------------------------------


def promise(
    *,
    by: Any,
    category_id: UUID | None,
    team_id: UUID | None,
    first_response_minutes: int,
    resolution_minutes: int,
) -> SlaPolicy:
    """A new promise for a category, a team, or both. It counts for tickets that are reported or assigned from now on.

    Raises `ManagersOnly`, `NotYourRight`, `CategoryNotFound`, `TeamNotFound`, `PolicyExists`.
    """
    access.ensure_can("manage", by)
    if category_id and not Category.objects.filter(pk=category_id).exists():
        raise errors.CategoryNotFound()
    if team_id and not Team.objects.filter(pk=team_id).exists():
        raise errors.TeamNotFound()
    try:
        with transaction.atomic():
            return SlaPolicy.objects.create(
                category_id=category_id,
                team_id=team_id,
                first_response_minutes=first_response_minutes,
                resolution_minutes=resolution_minutes,
            )
    except IntegrityError as problem:
        raise errors.PolicyExists() from problem


def change(*, by: Any, policy_id: UUID, first_response_minutes: int, resolution_minutes: int) -> SlaPolicy:
    """Other figures for a promise; running clocks keep theirs. Raises `ManagersOnly`, `PolicyNotFound`."""
    access.ensure_can("manage", by)
    with transaction.atomic():
        policy = SlaPolicy.objects.select_for_update(of=("self",)).filter(pk=policy_id).first()
        if policy is None:
            raise errors.PolicyNotFound()
        policy.first_response_minutes, policy.resolution_minutes = first_response_minutes, resolution_minutes
        policy.save(update_fields=["first_response_minutes", "resolution_minutes", "updated_at"])
    return policy


def withdraw(*, by: Any, policy_id: UUID) -> None:
    """No such promise any more; running clocks keep theirs. Raises `ManagersOnly`, `PolicyNotFound`."""
    access.ensure_can("manage", by)
    if not SlaPolicy.objects.filter(pk=policy_id).delete()[0]:
        raise errors.PolicyNotFound()


# Clocks ---------------------------------------------------------------------------------------------------------------


def start(*, ticket_id: str) -> None:
    """Both clocks of a new ticket; repeating changes nothing."""
    ticket = _ticket(ticket_id)
    _start(ticket, Kind, ticket.created_at)


def follow_status(*, ticket_id: str, old_status: str, new_status: str, now: datetime | None = None) -> None:
    """Staff have moved it: that answers the citizen. A done ticket stops its clocks, a reopened one starts anew."""
    moment = now or timezone.now()
    _stop(ticket_id, Kind.FIRST_RESPONSE, moment)
    if new_status in DONE:
        _stop(ticket_id, Kind.RESOLUTION, moment)
    elif old_status in DONE:
        _start(_ticket(ticket_id), [Kind.RESOLUTION], moment)


def follow_comment(*, comment_id: str) -> None:
    """A public comment of staff is an answer, unless they comment on a ticket of their own."""
    comment = Comment.objects.select_related("author", "ticket").get(pk=comment_id)
    author = comment.author
    if comment.is_internal or author is None or not author.is_staff_member:
        return
    if author.pk != comment.ticket.reporter_id:
        _stop(comment.ticket_id, Kind.FIRST_RESPONSE, comment.created_at)


def follow_team(*, ticket_id: str) -> None:
    """Another team, another promise: running clocks that are not late yet get it, counted from their start."""
    ticket = _ticket(ticket_id)
    _promise_anew(SlaClock.objects.filter(ticket=ticket), _promised(ticket))
    kept.forget()


def follow_route(*, moved: QuerySet[Ticket]) -> None:
    """The same for all tickets of a team that is gone; a few statements for each category and new team."""
    for category_id, team_id in moved.order_by().values_list("category_id", "team_id").distinct():
        alike = moved.filter(category_id=category_id, team_id=team_id).order_by()
        promised = sla.promise_for(category_id=category_id, team_id=team_id)
        _promise_anew(SlaClock.objects.filter(ticket__in=alike), promised)
    kept.forget()


def _ticket(ticket_id: str) -> Ticket:
    """What clocks depend on."""
    return Ticket.objects.only("category_id", "team_id", "created_at").get(pk=ticket_id)


def _promised(ticket: Ticket) -> Promise:
    return sla.promise_for(category_id=ticket.category_id, team_id=ticket.team_id)


def _promise_anew(clocks: QuerySet[SlaClock], promised: Promise) -> None:
    """Another due moment for those of the clocks that run and are not late yet; what is answered or solved stays."""
    running = clocks.filter(stopped_at=None, breached_at=None)
    for kind in Kind:
        running.filter(kind=kind).update(due_at=F("started_at") + timedelta(minutes=promised.minutes(kind)))


def _start(ticket: Ticket, kinds: Iterable[Kind], since: datetime) -> None:
    promised = _promised(ticket)
    clocks = [
        SlaClock(ticket=ticket, kind=kind, started_at=since, due_at=since + timedelta(minutes=promised.minutes(kind)))
        for kind in kinds
    ]
    SlaClock.objects.bulk_create(clocks, ignore_conflicts=True)
    kept.forget()


def _stop(ticket_id: Any, kind: Kind, now: datetime) -> None:
    SlaClock.objects.filter(ticket_id=ticket_id, kind=kind, stopped_at=None).update(stopped_at=now)
    kept.forget()


def sweep(*, now: datetime | None = None, limit: int = 5000) -> int:
    """Mark clocks that have run out and announce each once; returns how many. Safe side by side."""
    moment = now or timezone.now()
    done = 0
    while done < limit and (batch := _sweep_batch(moment)):
        done += batch
    if done:
        log.info("promised times ran out", extra={"count": done})
    return done


def _sweep_batch(now: datetime) -> int:
    with transaction.atomic():
        due = SlaClock.objects.filter(stopped_at=None, breached_at=None, due_at__lte=now).select_related("ticket")
        skip = connection.features.has_select_for_update_skip_locked
        clocks = list(due.select_for_update(of=("self",), skip_locked=skip).order_by("due_at", "id")[:BATCH])
        gone = [clock.pk for clock in clocks if clock.ticket.deleted_at]
        SlaClock.objects.filter(pk__in=gone).update(stopped_at=now)
        late = [clock for clock in clocks if not clock.ticket.deleted_at]
        SlaClock.objects.filter(pk__in=[clock.pk for clock in late]).update(breached_at=now)
        events.publish(
            *(PromiseBroken(clock_id=clock.pk, ticket_id=str(clock.ticket_id), kind=clock.kind) for clock in late)
        )
    return len(clocks)
