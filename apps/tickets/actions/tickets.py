"""The life of a ticket: reported, edited, moved, handed over, followed (contract tickets 1.4, 3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import events, geo, states
from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.tickets import access, errors
from apps.tickets.actions import routing
from apps.tickets.conf import CITY
from apps.tickets.events import TicketAssigned, TicketCreated, TicketDeleted, TicketFollowed, TicketStatusChanged
from apps.tickets.models import FINISHED, Category, Edit, Escalation, Follow, Member, StatusLog, Team, Ticket
from apps.tickets.queries import districts, kept
from apps.tickets.queries.districts import Place
from apps.tickets.states import NEVER_BY_HAND

Status = Ticket.Status


@dataclass(frozen=True)
class Whereabouts:
    """Where something is broken: a point in degrees, a district, or both."""

    latitude: float | None = None
    longitude: float | None = None
    district_id: uuid.UUID | None = None
    address: str | None = None
    city: str = CITY


def report(*, by: Member, title: str, description: str, category_id: uuid.UUID, where: Whereabouts) -> Ticket:
    """A new ticket, routed to its team; the reporter follows it. A point wins over the district's centre (C9).

    Raises `CategoryNotFound`, `DistrictNotFound`, `Invalid` without a whole point and without a district.
    """
    category = _open_category(category_id)
    place = _place(where)
    latitude, longitude = _point(where, place)
    words = {
        "title": title,
        "description": description,
        "category": category,
        "reporter": by,
        "latitude": latitude,
        "longitude": longitude,
        "h9": geo.cell(latitude, longitude),
        "address": where.address,
        "district_id": place.id if place else None,
        "city": where.city,
    }
    try:
        return _begin(words)
    except IntegrityError:  # the category or the team was deleted in this very moment
        _open_category(category_id)
        return _begin(words)


def _begin(words: Mapping[str, Any]) -> Ticket:
    """The row, its first line of history, its first follower."""
    with transaction.atomic():
        place = routing.Place(words["category"].pk, words["district_id"], words["city"])
        team_id = routing.team_for(place)
        ticket = Ticket.objects.create(**words, team_id=team_id)
        Follow.objects.create(ticket=ticket, member=ticket.reporter, created_at=ticket.created_at)
        StatusLog.objects.create(
            ticket=ticket, new_status=ticket.status, changed_by=ticket.reporter, created_at=ticket.created_at
        )
        events.publish(
            TicketCreated(
                ticket_id=str(ticket.pk),
                reporter_id=str(ticket.reporter_id),
                category_id=str(ticket.category_id),
                team_id=str(team_id) if team_id else None,
            )
        )
    return ticket


def _open_category(category_id: uuid.UUID) -> Category:
    category = Category.objects.filter(pk=category_id, is_active=True).first()
    if category is None:
        raise errors.CategoryNotFound()
    return category


def _place(where: Whereabouts) -> Place | None:
    """The district that was named, else the one around the point."""
    if where.district_id is None:
        known = where.latitude is not None and where.longitude is not None
        return districts.of_point(where.latitude, where.longitude) if known else None  # type: ignore[arg-type]
    place = districts.find(where.district_id)
    if place is None:
        raise errors.DistrictNotFound()
    return place


def _point(where: Whereabouts, place: Place | None) -> tuple[float, float]:
    if where.latitude is not None and where.longitude is not None:
        return where.latitude, where.longitude
    if place is None or (where.latitude, where.longitude) != (None, None):
        raise Invalid.field("location", "Value error, latitude and longitude together, or district_id, are required")
    return place.latitude, place.longitude


def edit(*, by: Member, ticket_id: uuid.UUID, changes: Mapping[str, Any]) -> Ticket:
    """Change title, description or category; every change leaves a trace (D9).

    Raises `TicketNotFound`, `NotYourTicket`, `NotNewAnyMore`, `TicketClosed`, `CategoryNotFound`.
    """
    try:
        return _edited(by, ticket_id, changes)
    except IntegrityError as problem:  # the category was deleted in this very moment
        raise errors.CategoryNotFound() from problem


def _edited(by: Member, ticket_id: uuid.UUID, changes: Mapping[str, Any]) -> Ticket:
    with transaction.atomic():
        ticket = lock(by, ticket_id)
        access.ensure_can("edit", by, ticket)
        if "category_id" in changes and changes["category_id"] != ticket.category_id:
            _open_category(changes["category_id"])
        different = {name: new for name, new in changes.items() if getattr(ticket, name) != new}
        Edit.objects.bulk_create(
            Edit(ticket=ticket, by=by, field=name, old=str(getattr(ticket, name)), new=str(new))
            for name, new in different.items()
        )
        for name, new in different.items():
            setattr(ticket, name, new)
        ticket.updated_at = timezone.now()
        ticket.save(update_fields=[*different, "updated_at"])
        kept.forget()
    return ticket


def delete(*, by: Member, ticket_id: uuid.UUID) -> None:
    """The reporter takes a new ticket back; its pictures go for good after the commit.

    Raises `TicketNotFound`, `NotYourTicket`, `NotNewAnyMore`, `OthersReportedIt`.
    """
    with transaction.atomic():
        ticket = lock(by, ticket_id)
        access.ensure_can("delete", by, ticket)
        ensure(not ticket.duplicates.exists(), errors.OthersReportedIt)
        now = timezone.now()
        Ticket.objects.filter(pk=ticket.pk).update(deleted_at=now, updated_at=now)
        events.publish(TicketDeleted(ticket_id=str(ticket.pk)))
        kept.forget()


def change_status(*, by: Any, ticket_id: uuid.UUID, status: str, comment: str | None = None) -> Ticket:
    """Move a ticket by hand: a member, or staff of the back office. Whoever begins the work of his team without an

    assignee becomes it. Raises `TicketNotFound`, `StaffOnly`, `NotYourRight`, `TicketUnassigned`, `OtherTeamsTicket`,
    `IllegalTransition`.
    """
    with transaction.atomic():
        ticket = lock(by, ticket_id)
        access.ensure_can("change status", by, ticket)
        _ensure_by_hand(ticket, status)
        member = access.member_of(by)
        is_begun = status == Status.IN_PROGRESS and ticket.assignee_id is None
        if is_begun and member is not None and member.team_id == ticket.team_id:
            Ticket.objects.filter(pk=ticket.pk).update(assignee=member)
        return move(ticket, status, by=by, comment=comment)


def _ensure_by_hand(ticket: Ticket, status: str) -> None:
    """What waits for a manager's decision moves by the decision; what is finished is escalated with a reason."""
    waits = ticket.status == Status.ESCALATED and _escalations(ticket).filter(status="PENDING").exists()
    if waits or (ticket.status, status) in NEVER_BY_HAND:
        raise errors.IllegalTransition(from_status=ticket.status, to_status=status)


def _escalations(ticket: Ticket) -> Any:
    return Escalation.objects.filter(ticket=ticket)


def move(ticket: Ticket, status: str, *, by: Any, comment: str | None = None, reason: str = "") -> Ticket:
    """One step of a locked ticket with its line of history; reopening clears `resolved_at` (D25) and undoes a merge.

    The comment is read by the street; a `reason` beside it only by the back office, among the steps.
    Raises `IllegalTransition`.
    """
    old, member = ticket.status, access.member_of(by)
    moved = states.step(ticket, status, by=by, reason=reason or comment or "")
    if old in FINISHED and status not in FINISHED:
        Ticket.objects.filter(pk=moved.pk).update(resolved_at=None, duplicate_of=None)
        moved.resolved_at = moved.duplicate_of = None
    line = StatusLog.objects.create(
        ticket=moved, old_status=old, new_status=status, changed_by=member, comment=comment or None
    )
    events.publish(
        TicketStatusChanged(
            ticket_id=str(moved.pk),
            log_id=str(line.pk),
            old_status=old,
            new_status=str(status),
            by_id=str(member.pk) if member else None,
        )
    )
    return moved


def assign(*, by: Any, ticket_id: uuid.UUID, team_id: uuid.UUID) -> Ticket:
    """Give a ticket to a team: managers and the back office any; support claims a free one or hands its own over (C4).

    Assigning it to the team that has it changes nothing.
    Raises `TicketNotFound`, `StaffOnly`, `NotYourRight`, `TicketUnassigned`, `OtherTeamsTicket`, `TeamNotFound`.
    """
    try:
        with transaction.atomic():
            ticket = lock(by, ticket_id)
            access.ensure_can("assign", by, ticket)
            member = access.member_of(by)
            is_claim = ticket.team_id is None and member is not None and not member.is_manager
            ensure(not is_claim or team_id == by.team_id, errors.OtherTeamsTicket)
            if not Team.objects.filter(pk=team_id).exists():
                raise errors.TeamNotFound()
            if ticket.team_id != team_id:
                _hand_over(ticket, team_id, by=member, assignee=member if is_claim else None)
            return ticket
    except IntegrityError as problem:  # the team was deleted in this very moment
        raise errors.TeamNotFound() from problem


def _hand_over(ticket: Ticket, team_id: uuid.UUID, *, by: Member | None, assignee: Member | None) -> None:
    ticket.team_id, ticket.assignee, ticket.updated_at = team_id, assignee, timezone.now()
    ticket.save(update_fields=["team", "assignee", "updated_at"])
    occasion = ticket.updated_at.isoformat()
    by_id = str(by.pk) if by else None
    events.publish(TicketAssigned(ticket_id=str(ticket.pk), team_id=str(team_id), by_id=by_id, occasion=occasion))


def follow(*, by: Member, ticket_id: uuid.UUID) -> bool:
    """Hear of a ticket from now on; returns whether that is new. Raises `TicketNotFound`."""
    ticket = seen(by, ticket_id)
    with transaction.atomic():
        _, is_new = Follow.objects.get_or_create(ticket=ticket, member=by)
        if is_new and ticket.reporter_id != by.pk:
            events.publish(TicketFollowed(ticket_id=str(ticket.pk), member_id=str(by.pk)))
    return is_new


def unfollow(*, by: Member, ticket_id: uuid.UUID) -> None:
    """Hear of it no more; always fine."""
    Follow.objects.filter(ticket_id=ticket_id, member=by).delete()


def seen(by: Any, ticket_id: uuid.UUID) -> Ticket:
    """The living ticket. Raises `TicketNotFound`."""
    ticket = Ticket.objects.visible_to(by).filter(pk=ticket_id).first()
    if ticket is None:
        raise errors.TicketNotFound()
    return ticket


def lock(by: Any, ticket_id: uuid.UUID) -> Ticket:
    """The living ticket, locked. Raises `TicketNotFound`."""
    return Ticket.objects.visible_to(by).lock(errors.TicketNotFound, pk=ticket_id)
