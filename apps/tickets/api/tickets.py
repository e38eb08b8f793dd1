"""Tickets, their followers and comments (contract tickets 1.4)."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from apps.core.errors import Invalid
from apps.core.routing import path
from apps.core.wire import endpoint
from apps.tickets import access, errors
from apps.tickets.actions import comments, tickets
from apps.tickets.api.base import RoleView, StaffView, TicketPath, TicketsView
from apps.tickets.api.shapes import Message, without_nulls
from apps.tickets.api.ticket_shapes import (
    AssignIn,
    CommentIn,
    CommentList,
    CommentOut,
    CommentsQuery,
    MyQuery,
    NewTicket,
    StatusIn,
    TicketChange,
    TicketDetail,
    TicketIn,
    TicketOut,
    TicketPage,
    TicketsQuery,
)
from apps.tickets.models import Member
from apps.tickets.queries import maps
from apps.tickets.queries import tickets as questions
from apps.tickets.queries.tickets import Scope, Wanted


class Tickets(TicketsView):
    """Reporting, and the list of all tickets."""

    @endpoint(
        summary="List all tickets",
        query=TicketsQuery,
        login="required",
        answers={200: TicketPage},
        refusals=[errors.StaffOnly],
    )
    def get(self, request: Any, *, query: TicketsQuery) -> dict[str, Any]:
        """For staff; newest first."""
        access.ensure_rank(request.member, "staff")
        return listed(self, "all tickets", query, by=request.member, team_id=query.team_id)

    @endpoint(
        summary="Report an issue",
        body=TicketIn,
        login="required",
        answers={201: NewTicket},
        refusals=[errors.CategoryNotFound, errors.DistrictNotFound, Invalid],
    )
    def post(self, request: Any, *, body: TicketIn) -> Any:
        """Routed to its team at once; the reporter follows it. Open ones of its kind nearby may be the same trouble."""
        ticket = tickets.report(
            by=request.member,
            title=body.title,
            description=body.description,
            category_id=body.category_id,
            where=body.location.whereabouts(),
        )
        shown = questions.one(by=request.member, ticket_id=ticket.pk)
        return {**shown, "possible_duplicates": maps.duplicates_of(ticket)}


def listed(
    view: TicketsView, scope: Scope, query: MyQuery, *, by: Member, team_id: uuid.UUID | None = None
) -> dict[str, Any]:
    """One page of a list of tickets."""
    wanted = Wanted(scope, query.status_filter, query.category_id, team_id, query.page, query.page_size)
    rows, total = questions.page(wanted, by=by)
    return view.wire.paged(rows, total, page=query.page, page_size=query.page_size)


class MyTickets(TicketsView):
    """What concerns me."""

    scope: ClassVar[Scope] = "reported"

    @endpoint(summary="List my tickets", query=MyQuery, login="required", answers={200: TicketPage})
    def get(self, request: Any, *, query: MyQuery) -> dict[str, Any]:
        """Newest first."""
        return listed(self, self.scope, query, by=request.member)


class Followed(MyTickets):
    """What I follow and somebody else reported."""

    scope = "followed"


class Mine(MyTickets):
    """What I reported or follow."""

    scope = "mine"


class Assigned(StaffView):
    """What my team has to do; without a team nothing (D8)."""

    @endpoint(
        summary="List my team's tickets",
        query=MyQuery,
        login="required",
        answers={200: TicketPage},
        refusals=[errors.StaffOnly],
    )
    def get(self, request: Any, *, query: MyQuery) -> dict[str, Any]:
        """Newest first."""
        return listed(self, "assigned", query, by=request.member)


class OneTicket(TicketsView):
    """One ticket."""

    @endpoint(
        summary="Show a ticket",
        path=TicketPath,
        login="required",
        answers={200: TicketDetail},
        refusals=[errors.TicketNotFound],
    )
    def get(self, request: Any, *, ticket_id: uuid.UUID) -> Any:
        """With photos, comments and history."""
        return questions.whole(by=request.member, ticket_id=ticket_id)

    @endpoint(
        summary="Edit a ticket",
        path=TicketPath,
        body=TicketChange,
        login="required",
        answers={200: TicketOut},
        refusals=[
            errors.TicketNotFound,
            errors.NotYourTicket,
            errors.NotNewAnyMore,
            errors.TicketClosed,
            errors.CategoryNotFound,
        ],
    )
    def patch(self, request: Any, *, ticket_id: uuid.UUID, body: TicketChange) -> Any:
        """The reporter while it is new, staff until it is closed."""
        tickets.edit(by=request.member, ticket_id=ticket_id, changes=without_nulls(body))
        return questions.one(by=request.member, ticket_id=ticket_id)

    @endpoint(
        summary="Delete a ticket",
        path=TicketPath,
        login="required",
        answers={204: None},
        refusals=[errors.TicketNotFound, errors.NotYourTicket, errors.NotNewAnyMore, errors.OthersReportedIt],
    )
    def delete(self, request: Any, *, ticket_id: uuid.UUID) -> None:
        """The reporter while it is new."""
        tickets.delete(by=request.member, ticket_id=ticket_id)


class TicketStatus(RoleView):
    """Where a ticket stands."""

    needs = "staff"

    @endpoint(
        summary="Change a ticket's status",
        path=TicketPath,
        body=StatusIn,
        login="required",
        answers={200: TicketOut},
        refusals=[
            errors.TicketNotFound,
            errors.StaffOnly,
            errors.TicketUnassigned,
            errors.OtherTeamsTicket,
            errors.IllegalTransition,
        ],
    )
    def patch(self, request: Any, *, ticket_id: uuid.UUID, body: StatusIn) -> Any:
        """Managers any ticket, support its team's."""
        tickets.change_status(by=request.member, ticket_id=ticket_id, status=body.status, comment=body.comment)
        return questions.one(by=request.member, ticket_id=ticket_id)


class TicketTeam(RoleView):
    """Whose a ticket is."""

    needs = "staff"

    @endpoint(
        summary="Assign a ticket",
        path=TicketPath,
        body=AssignIn,
        login="required",
        answers={200: TicketOut},
        refusals=[
            errors.TicketNotFound,
            errors.TeamNotFound,
            errors.StaffOnly,
            errors.TicketUnassigned,
            errors.OtherTeamsTicket,
        ],
    )
    def patch(self, request: Any, *, ticket_id: uuid.UUID, body: AssignIn) -> Any:
        """Managers any; support claims a free ticket or hands its own over (C4)."""
        tickets.assign(by=request.member, ticket_id=ticket_id, team_id=body.team_id)
        return questions.one(by=request.member, ticket_id=ticket_id)


class Follow(TicketsView):
    """Hearing of a ticket."""

    @endpoint(
        summary="Follow a ticket",
        path=TicketPath,
        login="required",
        answers={201: Message},
        refusals=[errors.TicketNotFound],
    )
    def post(self, request: Any, *, ticket_id: uuid.UUID) -> dict[str, str]:
        """Again is fine."""
        is_new = tickets.follow(by=request.member, ticket_id=ticket_id)
        return {"message": "Now following this ticket" if is_new else "Already following this ticket"}

    @endpoint(summary="Unfollow a ticket", path=TicketPath, login="required", answers={204: None})
    def delete(self, request: Any, *, ticket_id: uuid.UUID) -> None:
        """Always fine."""
        tickets.unfollow(by=request.member, ticket_id=ticket_id)


class Comments(TicketsView):
    """What is said about a ticket."""

    @endpoint(
        summary="List comments",
        path=TicketPath,
        query=CommentsQuery,
        login="required",
        answers={200: CommentList},
        refusals=[errors.TicketNotFound],
    )
    def get(self, request: Any, *, ticket_id: uuid.UUID, query: CommentsQuery) -> dict[str, Any]:
        """Newest first; internal ones for staff only."""
        rows, total = questions.comments(
            by=request.member, ticket_id=ticket_id, page=query.page, page_size=query.page_size
        )
        return {"items": rows, "total": total}

    @endpoint(
        summary="Comment on a ticket",
        path=TicketPath,
        body=CommentIn,
        login="required",
        answers={201: CommentOut},
        refusals=[errors.TicketNotFound, errors.InternalForStaff],
    )
    def post(self, request: Any, *, ticket_id: uuid.UUID, body: CommentIn) -> Any:
        """Internal ones by staff only."""
        said = comments.add(by=request.member, ticket_id=ticket_id, content=body.content, is_internal=body.is_internal)
        return questions.own_comment(said, by=request.member)


urlpatterns = [
    path("api/v1/tickets/", Tickets, name="tickets"),
    path("api/v1/tickets/my", MyTickets, name="tickets-my"),
    path("api/v1/tickets/assigned", Assigned, name="tickets-assigned"),
    path("api/v1/tickets/followed", Followed, name="tickets-followed"),
    path("api/v1/tickets/all", Mine, name="tickets-all"),
    path("api/v1/tickets/<str:ticket_id>", OneTicket, name="ticket"),
    path("api/v1/tickets/<str:ticket_id>/status", TicketStatus, name="ticket-status"),
    path("api/v1/tickets/<str:ticket_id>/assign", TicketTeam, name="ticket-assign"),
    path("api/v1/tickets/<str:ticket_id>/follow", Follow, name="ticket-follow"),
    path("api/v1/tickets/<str:ticket_id>/comments", Comments, name="ticket-comments"),
]
