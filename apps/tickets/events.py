"""Facts of the tickets. All carry ids and small values; words of people and phones never travel in them."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


# ── People, life cycle, teams ───────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class TicketCreated(Event):
    """Somebody has reported an issue; it is routed already."""

    ticket_id: str
    reporter_id: str
    category_id: str
    team_id: str | None


@dataclass(frozen=True)
class TicketDeleted(Event):
    """The reporter has taken a new ticket back."""

    ticket_id: str


@dataclass(frozen=True)
class TicketStatusChanged(Event):
    """A ticket has moved; `by_id` is None for the system."""

    ticket_id: str
    log_id: str
    old_status: str
    new_status: str
    by_id: str | None


@dataclass(frozen=True)
class TicketAssigned(Event):
    """A ticket is another team's now; `occasion` tells this time from the next."""

    ticket_id: str
    team_id: str
    by_id: str | None
    occasion: str


@dataclass(frozen=True)
class MemberRegistered(Event):
    """Somebody has registered by e-mail and has to prove the address."""

    member_id: str


@dataclass(frozen=True)
class MemberInvited(Event):
    """A manager has made an account for somebody who has to choose a password."""

    member_id: str


@dataclass(frozen=True)
class PasswordForgotten(Event):
    """Somebody wants a link to choose a new password."""

    member_id: str


@dataclass(frozen=True)
class TicketFollowed(Event):
    """Somebody else than the reporter follows a ticket."""

    ticket_id: str
    member_id: str


@dataclass(frozen=True)
class CommentAdded(Event):
    """Something was said about a ticket."""

    comment_id: str


@dataclass(frozen=True)
class EscalationRequested(Event):
    """A team has asked the managers to decide."""

    escalation_id: str


@dataclass(frozen=True)
class EscalationDecided(Event):
    """A manager has approved or rejected a request."""

    escalation_id: str
    status: str


# ── Geo, photos, analytics, clocks, Open311 ─────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class PromiseBroken(Event):
    """A clock ran out before its ticket was answered or solved."""

    clock_id: int
    ticket_id: str
    kind: str
