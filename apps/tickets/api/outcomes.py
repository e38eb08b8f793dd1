"""Marks for finished work, requests for the managers (contract tickets 1.4, 1.5)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.tickets import errors
from apps.tickets.actions import escalations, feedback
from apps.tickets.api.base import ManagerView, Paging, StaffView, TicketPath, TicketsView, Verdict
from apps.tickets.api.shapes import Trimmed, without_nulls
from apps.tickets.api.ticket_shapes import Remark
from apps.tickets.models import Escalation
from apps.tickets.queries import escalations as escalation_questions
from apps.tickets.queries import tickets as questions

Rating = Annotated[int, Field(ge=1, le=5)]
Reason = Annotated[str, Trimmed, Field(min_length=10, max_length=2000)]


class EscalationPath(Shape):
    """A request's id."""

    escalation_id: uuid.UUID


class FeedbackIn(Shape):
    """A mark."""

    rating: Rating
    comment: Remark | None = None


class FeedbackChange(Shape):
    """Any part of it."""

    rating: Rating | None = None
    comment: Remark | None = None


class FeedbackOut(Shape):
    """A mark; the name is null for strangers."""

    id: uuid.UUID
    ticket_id: uuid.UUID
    user_id: uuid.UUID | None
    user_name: str | None
    rating: int
    comment: str | None
    created_at: datetime
    updated_at: datetime | None


class EscalationIn(Shape):
    """What the managers should decide."""

    ticket_id: uuid.UUID
    reason: Reason


class EscalationsQuery(Paging):
    """Which requests."""

    status_filter: Verdict | None = None
    ticket_id: uuid.UUID | None = None


class ReviewIn(Shape):
    """What the manager says to it."""

    comment: Remark | None = None


class EscalationOut(Shape):
    """A request and what became of it."""

    id: uuid.UUID
    ticket_id: uuid.UUID
    ticket_title: str
    requester_id: uuid.UUID | None
    requester_name: str | None
    reviewer_id: uuid.UUID | None
    reviewer_name: str | None
    reason: str
    status: Verdict
    review_comment: str | None
    created_at: datetime
    reviewed_at: datetime | None


class EscalationList(Shape):
    items: list[EscalationOut]
    total: int


class FeedbackOfTicket(TicketsView):
    """The mark of a ticket."""

    tag = "feedback"

    @endpoint(
        summary="Rate a ticket",
        path=TicketPath,
        body=FeedbackIn,
        login="required",
        answers={201: FeedbackOut},
        refusals=[errors.TicketNotFound, errors.OnlyTheReporter, errors.NotFinished, errors.FeedbackExists],
    )
    def post(self, request: Any, *, ticket_id: uuid.UUID, body: FeedbackIn) -> Any:
        """By the reporter, once, when it is resolved or closed."""
        feedback.give(by=request.member, ticket_id=ticket_id, rating=body.rating, comment=body.comment)
        return questions.feedback(by=request.member, ticket_id=ticket_id)

    @endpoint(
        summary="Show the mark of a ticket",
        path=TicketPath,
        login="required",
        answers={200: FeedbackOut},
        refusals=[errors.TicketNotFound, errors.FeedbackNotFound],
    )
    def get(self, request: Any, *, ticket_id: uuid.UUID) -> Any:
        """Strangers do not learn whose it is."""
        return questions.feedback(by=request.member, ticket_id=ticket_id)

    @endpoint(
        summary="Change a mark",
        path=TicketPath,
        body=FeedbackChange,
        login="required",
        answers={200: FeedbackOut},
        refusals=[errors.TicketNotFound, errors.FeedbackNotFound, errors.NotTheAuthor, errors.TooLateToChange],
    )
    def patch(self, request: Any, *, ticket_id: uuid.UUID, body: FeedbackChange) -> Any:
        """By its author within a day."""
        changes = without_nulls(body, nullable=frozenset({"comment"}))
        feedback.change(by=request.member, ticket_id=ticket_id, changes=changes)
        return questions.feedback(by=request.member, ticket_id=ticket_id)


class Escalations(StaffView):
    """Requests for the managers."""

    tag = "escalations"

    @endpoint(
        summary="List requests",
        query=EscalationsQuery,
        login="required",
        answers={200: EscalationList},
        refusals=[errors.StaffOnly],
    )
    def get(self, request: Any, *, query: EscalationsQuery) -> dict[str, Any]:
        """Newest first; support sees its own team's."""
        rows, total = escalation_questions.page(
            by=request.member,
            status=query.status_filter,
            ticket_id=query.ticket_id,
            page=query.page,
            page_size=query.page_size,
        )
        return {"items": rows, "total": total}

    @endpoint(
        summary="Ask the managers",
        body=EscalationIn,
        login="required",
        answers={201: EscalationOut},
        refusals=[
            errors.TicketNotFound,
            errors.StaffOnly,
            errors.TicketUnassigned,
            errors.OtherTeamsTicket,
            errors.EscalationWaiting,
            errors.EscalationApproved,
        ],
    )
    def post(self, request: Any, *, body: EscalationIn) -> Any:
        """For one's own team's ticket; it is escalated until the decision."""
        asked = escalations.request(by=request.member, ticket_id=body.ticket_id, reason=body.reason)
        return escalation_questions.one(by=request.member, escalation_id=asked.pk)


class OneEscalation(StaffView):
    """One request."""

    tag = "escalations"

    @endpoint(
        summary="Show a request",
        path=EscalationPath,
        login="required",
        answers={200: EscalationOut},
        refusals=[errors.StaffOnly, errors.EscalationNotFound],
    )
    def get(self, request: Any, *, escalation_id: uuid.UUID) -> Any:
        """Support sees its own team's."""
        return escalation_questions.one(by=request.member, escalation_id=escalation_id)


class Approve(ManagerView):
    """The managers decide."""

    tag = "escalations"
    verdict: ClassVar[Escalation.Status] = Escalation.Status.APPROVED

    @endpoint(
        summary="Decide a request",
        path=EscalationPath,
        body=ReviewIn,
        login="required",
        answers={200: EscalationOut},
        refusals=[errors.ManagersOnly, errors.EscalationNotFound, errors.AlreadyReviewed],
    )
    def patch(self, request: Any, *, escalation_id: uuid.UUID, body: ReviewIn) -> Any:
        """Either way the ticket goes back to work."""
        escalations.decide(by=request.member, escalation_id=escalation_id, verdict=self.verdict, comment=body.comment)
        return escalation_questions.one(by=request.member, escalation_id=escalation_id)


class Reject(Approve):
    """The other way."""

    verdict = Escalation.Status.REJECTED


urlpatterns = [
    path("api/v1/feedback/tickets/<str:ticket_id>", FeedbackOfTicket, name="feedback"),
    path("api/v1/escalations", Escalations, name="escalations"),
    path("api/v1/escalations/<str:escalation_id>", OneEscalation, name="escalation"),
    path("api/v1/escalations/<str:escalation_id>/approve", Approve, name="escalation-approve"),
    path("api/v1/escalations/<str:escalation_id>/reject", Reject, name="escalation-reject"),
]
