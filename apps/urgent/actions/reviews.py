"""Stars from clients, complaints from executors, and what moderators do with them (contract urgent 3.5)."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import events, states
from apps.urgent import access, errors
from apps.urgent.actions import timer
from apps.urgent.events import ReviewLeft
from apps.urgent.models import Complaint, Member, Order, Review, Take
from apps.urgent.queries import reviews as queries


def review_executor(
    *, by: Member, order_id: str, rating: int, comment: str | None = None, executor_id: int | None = None
) -> Review:
    """The client rates one executor; without a name, the one who took the order first.

    Raises, in this order: `OrderNotFound`, `ReviewNotOpen`, `NoExecutorToReview`, `ExecutorDidNotTake`,
    `AlreadyReviewed`.
    """
    access.ensure_not_blocked(by)
    timer.settle(order_id=order_id)
    with transaction.atomic():
        order = Order.objects.filter(client=by).lock(errors.OrderNotFound, pk=order_id)
        access.ensure(order.status in (Order.Status.COMPLETED, Order.Status.EXPIRED), errors.ReviewNotOpen)
        executor = _executor_of(order, executor_id)
        review = _write_review(order, by, executor, rating, comment)
        _recount(order.pk, executor.pk)
        events.publish(
            ReviewLeft(review_id=review.pk, order_id=order.pk, executor_id=executor.pk, rating=review.rating)
        )
    return review


def _executor_of(order: Order, executor_id: int | None) -> Member:
    """The executor meant, locked: two reviews of one person must count each other."""
    taken_by = list(order.takes.order_by("slot").values_list("executor_id", flat=True))
    access.ensure(bool(taken_by), errors.NoExecutorToReview)
    chosen = taken_by[0] if executor_id is None else executor_id
    access.ensure(chosen in taken_by, errors.ExecutorDidNotTake)
    return Member.objects.select_for_update(of=("self",)).get(pk=chosen)


def _write_review(order: Order, by: Member, executor: Member, rating: int, comment: str | None) -> Review:
    try:
        with transaction.atomic():
            return Review.objects.create(order=order, client=by, executor=executor, rating=rating, comment=comment)
    except IntegrityError as problem:
        raise errors.AlreadyReviewed() from problem


def _recount(order_id: str, executor_id: int) -> None:
    """The mean of the executor and the stars on the order, from the shown reviews.

    Both rows are locked by the caller.
    """
    now = timezone.now()
    Member.objects.filter(pk=executor_id).update(average_rating=queries.mean_of(executor_id), updated_at=now)
    first = queries.first_of(order_id)
    Order.objects.filter(pk=order_id).update(
        rating=first.rating if first else None, review_comment=first.comment if first else None
    )


def complain(*, by: Member, order_id: str, complaint: str, comment: str | None = None) -> Complaint:
    """A taker complains about the client, once per order, in any state of it.

    Raises `DidNotTake`, `AlreadyComplained`.
    """
    access.ensure_not_blocked(by)
    take = Take.objects.filter(order_id=order_id, executor=by).select_related("order").first()
    if take is None:
        raise errors.DidNotTake()
    try:
        with transaction.atomic():
            return Complaint.objects.create(
                order=take.order, executor=by, client_id=take.order.client_id, complaint=complaint, comment=comment
            )
    except IntegrityError as problem:
        raise errors.AlreadyComplained() from problem


def hide(*, by: Any, review: Review, reason: str) -> Review:
    """Moderator: nobody reads it any more and it leaves the mean.

    Raises `NotAModerator`, `ReasonNeeded`, `AlreadyDecided`.
    """
    return _moderate(by, review, Review.Status.HIDDEN, reason)


def restore(*, by: Any, review: Review, reason: str) -> Review:
    """Moderator: it is read and counts again. Raises as `hide` does."""
    return _moderate(by, review, Review.Status.SHOWN, reason)


def _moderate(by: Any, review: Review, status: str, reason: str) -> Review:
    access.ensure_can_moderate(by)
    access.ensure_reason(reason)
    with transaction.atomic():
        Order.objects.select_for_update(of=("self",)).get(pk=review.order_id)
        Member.objects.select_for_update(of=("self",)).get(pk=review.executor_id)
        moderated = states.step(review, status, by=by, reason=reason)
        _recount(review.order_id, review.executor_id)
    return moderated


def resolve(*, by: Any, complaint: Complaint, reason: str) -> Complaint:
    """Moderator: the executor was right. Raises `NotAModerator`, `ReasonNeeded`, `AlreadyDecided`."""
    return _decide(by, complaint, Complaint.Status.RESOLVED, reason)


def dismiss(*, by: Any, complaint: Complaint, reason: str) -> Complaint:
    """Moderator: the executor was not right. Raises as `resolve` does."""
    return _decide(by, complaint, Complaint.Status.DISMISSED, reason)


def _decide(by: Any, complaint: Complaint, status: str, reason: str) -> Complaint:
    access.ensure_can_moderate(by)
    access.ensure_reason(reason)
    return states.step(complaint, status, by=by, reason=reason)
