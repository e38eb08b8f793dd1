"""The life of an order (contract urgent 3.3): the only table that says what may follow what."""

from __future__ import annotations

from typing import Any

from apps.core import states
from apps.core.states import Machine, Step
from apps.urgent.errors import AlreadyDecided, OrderNotActive
from apps.urgent.events import ComplaintDecided, OrderFinished, ReviewModerated
from apps.urgent.models import Complaint, Order, Review

Status = Order.Status


def _finished(order: Order, by: Any, reason: str) -> OrderFinished:
    return OrderFinished(
        order_id=order.pk,
        client_id=order.client_id,
        status=order.status,
        category=order.category,
        city=order.city,
        by_timer=by is None,
    )


ORDER = Machine(
    steps={
        (Status.ACTIVE, Status.EXPIRED): Step(
            stamp="finished_at", event=_finished, who="timer", note="lifetime is over; goes before the next row"
        ),
        (Status.ACTIVE, Status.CLOSED_NO_RESPONSE): Step(
            stamp="finished_at", event=_finished, who="timer, client", note="taken but not answered in time; or closed"
        ),
        (Status.ACTIVE, Status.COMPLETED): Step(
            stamp="finished_at", event=_finished, who="client", note="at least one take"
        ),
        (Status.ACTIVE, Status.DELETED): Step(stamp="deleted_at", event=_finished, who="client", note="no takes"),
        (Status.EXPIRED, Status.DELETED): Step(stamp="deleted_at", event=_finished, who="client", note="no takes"),
    },
    refusal=OrderNotActive,
)

states.register(Order, ORDER)


def _moderated(review: Review, by: Any, reason: str) -> ReviewModerated:
    return ReviewModerated(review_id=review.pk, executor_id=review.executor_id, status=review.status)


REVIEW = Machine(
    steps={
        (Review.Status.SHOWN, Review.Status.HIDDEN): Step(
            stamp="hidden_at", event=_moderated, who="moderator", note="no longer counts in the mean"
        ),
        (Review.Status.HIDDEN, Review.Status.SHOWN): Step(event=_moderated, who="moderator", note="counts again"),
    },
    refusal=AlreadyDecided,
)

states.register(Review, REVIEW)


def _decided(complaint: Complaint, by: Any, reason: str) -> ComplaintDecided:
    return ComplaintDecided(
        complaint_id=complaint.pk,
        order_id=complaint.order_id,
        executor_id=complaint.executor_id,
        status=complaint.status,
    )


COMPLAINT = Machine(
    steps={
        (Complaint.Status.OPEN, Complaint.Status.RESOLVED): Step(
            stamp="decided_at", event=_decided, who="moderator", note="the executor was right"
        ),
        (Complaint.Status.OPEN, Complaint.Status.DISMISSED): Step(
            stamp="decided_at", event=_decided, who="moderator", note="the executor was not right"
        ),
    },
    refusal=AlreadyDecided,
)

states.register(Complaint, COMPLAINT)
