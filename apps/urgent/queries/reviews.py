"""Reviews as read models: one statement per list (contract urgent 1.1 row 22, 3.5)."""

from __future__ import annotations

from typing import Any

from django.db.models import Avg, Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When

from apps.urgent.models import Complaint, Member, Review, Take

NO_NAME = ""


def reviews(
    *,
    by: Member | None,
    rating: int | None = None,
    received: bool = False,
    written: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Shown reviews, newest first.

    `received` and `written` narrow to `by`; the contact is for owner and takers only.
    """
    rows = Review.objects.shown()
    if rating is not None:
        rows = rows.filter(rating=rating)
    if received:
        rows = rows.filter(executor=by)
    if written:
        rows = rows.filter(client=by)
    return list(_as_rows(rows, by).order_by("-id")[offset : offset + limit])


def _as_rows(rows: QuerySet[Review], by: Member | None) -> QuerySet[Any, Any]:
    return rows.values(
        "id",
        "rating",
        "comment",
        "created_at",
        "order_id",
        author_name=F("client__user__first_name"),
        category=F("order__category"),
        description=F("order__description"),
        city=F("order__city"),
        contact=_contact_for(by),
    )


def _contact_for(by: Member | None) -> Case | Value:
    """The paid secret only for those who own or bought it (contract urgent 3.2, 8.1)."""
    if by is None:
        return Value(None, output_field=CharField(null=True))
    took_it = Exists(Take.objects.filter(order=OuterRef("order"), executor=by))
    return Case(
        When(Q(order__client=by) | took_it, then=F("order__contact")),
        default=Value(None),
        output_field=CharField(null=True),
    )


def what_was_said(*, by: Member, order_id: str) -> str | None:
    """`review`, `complaint` or nothing: what `by` has submitted about the order."""
    if Review.objects.filter(order_id=order_id, client=by).exists():
        return "review"
    if Complaint.objects.filter(order_id=order_id, executor=by).exists():
        return "complaint"
    return None


def mean_of(executor_id: int) -> float:
    """Arithmetic mean of the shown reviews, two decimals; 0.0 without any."""
    mean = Review.objects.shown().filter(executor_id=executor_id).aggregate(mean=Avg("rating"))["mean"]
    return round(float(mean), 2) if mean is not None else 0.0


def first_of(order_id: str) -> Review | None:
    """The first shown review of the order: the one that the order itself carries."""
    return Review.objects.shown().filter(order_id=order_id).order_by("id").first()
