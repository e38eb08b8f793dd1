"""Who may see and do what: roles, the matrix, and the questions that actions ask (contract tickets 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from apps.core.access import ensure
from apps.core.errors import Refused
from apps.core.throttle import Limit
from apps.tickets import errors
from apps.tickets.models import Member, Ticket

Rank = Literal["staff", "manager"]

PUBLIC_READS = Limit(120, 60)
"""Lists and windows of the map per address: hundreds of rows for nobody in particular are not free (D19)."""


# ── People, life cycle, teams ───────────────────────────────────────────────────────────────────────────────────────
Role = Member.Role
When = Literal["always", "never", "own", "own and new", "not closed", "team", "team or free"]
Deed = Literal[
    "read",
    "follow",
    "comment",
    "comment internally",
    "list all",
    "edit",
    "delete",
    "change status",
    "assign",
    "merge",
    "upload a report",
    "upload a proof",
    "give feedback",
    "escalate",
    "see an escalation",
    "decide an escalation",
    "see the dashboard",
    "manage",
]

MATRIX: dict[Deed, dict[str, When]] = {
    "read": {Role.CITIZEN: "always", Role.SUPPORT: "always", Role.MANAGER: "always"},
    "follow": {Role.CITIZEN: "always", Role.SUPPORT: "always", Role.MANAGER: "always"},
    "comment": {Role.CITIZEN: "always", Role.SUPPORT: "always", Role.MANAGER: "always"},
    "comment internally": {Role.CITIZEN: "never", Role.SUPPORT: "always", Role.MANAGER: "always"},
    "list all": {Role.CITIZEN: "never", Role.SUPPORT: "always", Role.MANAGER: "always"},
    "edit": {Role.CITIZEN: "own and new", Role.SUPPORT: "not closed", Role.MANAGER: "not closed"},
    "delete": {Role.CITIZEN: "own and new", Role.SUPPORT: "own and new", Role.MANAGER: "own and new"},
    "change status": {Role.CITIZEN: "never", Role.SUPPORT: "team", Role.MANAGER: "always"},
    "assign": {Role.CITIZEN: "never", Role.SUPPORT: "team or free", Role.MANAGER: "always"},
    "merge": {Role.CITIZEN: "never", Role.SUPPORT: "never", Role.MANAGER: "always"},
    "upload a report": {Role.CITIZEN: "own", Role.SUPPORT: "own", Role.MANAGER: "own"},
    "upload a proof": {Role.CITIZEN: "never", Role.SUPPORT: "team", Role.MANAGER: "always"},
    "give feedback": {Role.CITIZEN: "own", Role.SUPPORT: "own", Role.MANAGER: "own"},
    "escalate": {Role.CITIZEN: "never", Role.SUPPORT: "team", Role.MANAGER: "team"},
    "see an escalation": {Role.CITIZEN: "never", Role.SUPPORT: "team", Role.MANAGER: "always"},
    "decide an escalation": {Role.CITIZEN: "never", Role.SUPPORT: "never", Role.MANAGER: "always"},
    "see the dashboard": {Role.CITIZEN: "never", Role.SUPPORT: "always", Role.MANAGER: "always"},
    "manage": {Role.CITIZEN: "never", Role.SUPPORT: "never", Role.MANAGER: "always"},
}
"""Deed → role → when. `manage` is users, teams, categories and the other figures."""

CONDITIONS: dict[When, Callable[[Member, Any], bool]] = {
    "always": lambda by, ticket: True,
    "never": lambda by, ticket: False,
    "own": lambda by, ticket: ticket.reporter_id == by.pk,
    "own and new": lambda by, ticket: ticket.reporter_id == by.pk and ticket.status == Ticket.Status.NEW,
    "not closed": lambda by, ticket: ticket.status != Ticket.Status.CLOSED,
    "team": lambda by, ticket: ticket.team_id is not None and ticket.team_id == by.team_id,
    "team or free": lambda by, ticket: by.team_id is not None and ticket.team_id in (None, by.team_id),
}

NEVER: dict[Deed, type[Refused]] = {
    "comment internally": errors.InternalForStaff,
    "decide an escalation": errors.ManagersOnly,
    "merge": errors.ManagersOnly,
    "manage": errors.ManagersOnly,
}
"""What a role is told that never may; everything else is for staff."""


OFFICE: dict[Deed, str] = {
    "comment internally": "tickets.handle_ticket",
    "change status": "tickets.handle_ticket",
    "assign": "tickets.handle_ticket",
    "merge": "tickets.handle_ticket",
    "decide an escalation": "tickets.decide_escalation",
    "manage": "tickets.manage_city",
}
"""Deed → right of the back office's staff, who need no membership; they may nothing else."""


def member_of(by: Any) -> Member | None:
    """The member who did it, for columns that name one; nobody for the back office and the system."""
    return by if isinstance(by, Member) else None


def can(deed: Deed, by: Any, ticket: Ticket | None = None) -> bool:
    """Look up the matrix, for staff of the back office their right; `None` is the system and may everything."""
    if by is None:
        return True
    if isinstance(by, Member):
        return CONDITIONS[MATRIX[deed][by.role]](by, ticket)
    return deed in OFFICE and bool(by.is_active and by.has_perm(OFFICE[deed]))


def ensure_can(deed: Deed, by: Any, ticket: Ticket | None = None) -> None:
    """Raise the deed's refusal unless the matrix, or the right of staff, allows it."""
    if can(deed, by, ticket):
        return
    if not isinstance(by, Member):
        raise errors.NotYourRight()
    raise _refusal(deed, MATRIX[deed][by.role], by, ticket)


def _refusal(deed: Deed, when: When, by: Member, ticket: Any) -> Refused:
    if when == "never":
        return NEVER.get(deed, errors.StaffOnly)()
    if when == "not closed":
        return errors.TicketClosed()
    if when == "own" and deed == "give feedback":
        return errors.OnlyTheReporter()
    if when in ("own", "own and new"):
        return errors.NotNewAnyMore() if ticket.reporter_id == by.pk else errors.NotYourTicket()
    return errors.TicketUnassigned() if ticket.team_id is None else errors.OtherTeamsTicket()


def is_about_escalation(line: Mapping[str, Any]) -> bool:
    """A line of history whose words staff and managers wrote to each other: into or out of ESCALATED (D9)."""
    return Ticket.Status.ESCALATED in (line["old_status"], line["new_status"])


def sees_everything(by: Member, ticket: Ticket) -> bool:
    """Staff and the reporter; other citizens get a ticket without the names of its people (C6)."""
    return by.is_staff_member or ticket.reporter_id == by.pk


def ensure_rank(by: Member, rank: Rank) -> None:
    """Support or manager, or manager alone: asked before a request is looked at. Raises `StaffOnly`, `ManagersOnly`."""
    if rank == "manager":
        ensure(by.is_manager, errors.ManagersOnly)
    ensure(by.is_staff_member, errors.StaffOnly)


# ── Geo, photos, analytics, clocks, Open311 ─────────────────────────────────────────────────────────────────────────
