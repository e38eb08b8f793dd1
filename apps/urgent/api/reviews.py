"""Reviews and complaints (contract urgent 1.1 rows 20 to 23)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from apps.core.errors import Unauthenticated
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.urgent import errors
from apps.urgent.actions import reviews as actions
from apps.urgent.api.base import UrgentView
from apps.urgent.queries import reviews as queries

Comment = Annotated[str, Field(max_length=500)]
Rating = Annotated[int, Field(ge=1, le=5)]
Reason = Literal["Не отвечал", "Отменил заказ", "Неадекватное поведение", "Ложная информация", "Другое"]


class ReviewIn(Shape):
    """`executor_id` left out: the executor who took the order first."""

    order_id: str
    rating: Rating
    comment: Comment | None = None
    executor_id: int | None = None


class ReviewSaved(Shape):
    success: Literal[True]
    review_id: int


class ComplaintIn(Shape):
    order_id: str
    complaint: Reason
    comment: Comment | None = None


class ComplaintSaved(Shape):
    success: Literal[True]
    complaint_id: int


class ReviewQuery(Shape):
    """`mine`: reviews that I received as executor; `about_me`: those that I wrote as client (the names are the
    original's).
    """

    rating: Rating | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    mine: bool = False
    about_me: bool = False


class ReviewOut(Shape):
    """`author_name` is the reviewer's first name (D10); `contact` is null unless the caller owns or took the order."""

    id: int
    author_name: str
    rating: int
    comment: str | None
    category: str
    created_at: datetime
    order_id: str
    description: str
    contact: str | None
    city: str


class CheckQuery(Shape):
    order_id: str


class CheckOut(Shape):
    submitted: bool
    type: Literal["review", "complaint"] | None


class ClientReviews(UrgentView):
    """Clients rate executors."""

    tag = "reviews"

    @endpoint(
        summary="Review an executor",
        body=ReviewIn,
        login="required",
        answers={200: ReviewSaved},
        refusals=[
            errors.MemberBlocked,
            errors.OrderNotFound,
            errors.ReviewNotOpen,
            errors.NoExecutorToReview,
            errors.ExecutorDidNotTake,
            errors.AlreadyReviewed,
        ],
    )
    def post(self, request: Any, *, body: ReviewIn) -> dict[str, Any]:
        """Once per order and executor, when the order is completed or expired."""
        review = actions.review_executor(
            by=request.member,
            order_id=body.order_id,
            rating=body.rating,
            comment=body.comment,
            executor_id=body.executor_id,
        )
        return {"success": True, "review_id": review.pk}


class ExecutorComplaints(UrgentView):
    """Executors complain about clients."""

    tag = "reviews"

    @endpoint(
        summary="Complain about a client",
        body=ComplaintIn,
        login="required",
        answers={200: ComplaintSaved},
        refusals=[errors.MemberBlocked, errors.DidNotTake, errors.AlreadyComplained],
    )
    def post(self, request: Any, *, body: ComplaintIn) -> dict[str, Any]:
        """Once per order, in any state of it."""
        complaint = actions.complain(
            by=request.member, order_id=body.order_id, complaint=body.complaint, comment=body.comment
        )
        return {"success": True, "complaint_id": complaint.pk}


class Reviews(UrgentView):
    """What people read about executors."""

    tag = "reviews"

    @endpoint(
        summary="List reviews",
        query=ReviewQuery,
        login="optional",
        answers={200: list[ReviewOut]},
        refusals=[Unauthenticated],
    )
    def get(self, request: Any, *, query: ReviewQuery) -> list[dict[str, Any]]:
        """Newest first. `mine` and `about_me` want a valid sign-in (D2)."""
        if request.member is None and (query.mine or query.about_me):
            self.sign_in(request, "required")
        return queries.reviews(
            by=request.member,
            rating=query.rating,
            received=query.mine,
            written=query.about_me,
            limit=query.limit,
            offset=query.offset,
        )


class ReviewCheck(UrgentView):
    """Whether the caller has said something about an order."""

    tag = "reviews"

    @endpoint(summary="Have I reviewed this order", query=CheckQuery, login="required", answers={200: CheckOut})
    def get(self, request: Any, *, query: CheckQuery) -> dict[str, Any]:
        """`type` is null when nothing was submitted."""
        said = queries.what_was_said(by=request.member, order_id=query.order_id)
        return {"submitted": said is not None, "type": said}


urlpatterns = [
    path("api/reviews", Reviews, name="reviews"),
    path("api/reviews/client", ClientReviews, name="review-executor"),
    path("api/reviews/executor", ExecutorComplaints, name="complain"),
    path("api/reviews/check", ReviewCheck, name="review-check"),
]
