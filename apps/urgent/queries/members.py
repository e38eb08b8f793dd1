"""Questions about members: the profile, and whether cached figures still equal what they count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count, QuerySet

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.ledger import queries as ledger
from apps.urgent import conf
from apps.urgent.models import Member, Order, Review, Take


@dataclass(frozen=True)
class Mismatch:
    """A cached figure that differs from the count: `figure` is the field's name."""

    member_id: int
    figure: str
    stored: float
    counted: float


def holder_of(member: Member) -> User:
    """Whose purse the member's money is in: after merges (design 3.8) the person who is left."""
    user = member.user
    return user if user.merged_into_id is None else accounts.person(pk=user.pk) or user


def roubles(member: Member) -> int:
    """The prepaid balance in whole roubles."""
    return int(ledger.balance(member.user, conf.BOOK, conf.CURRENCY))


def profile(member: Member) -> dict[str, Any]:
    """`GET /api/users/me` (contract urgent 1.2)."""
    person = member.user
    return {
        "id": member.pk,
        "first_name": person.first_name,
        "last_name": person.last_name or None,
        "username": person.telegram_username or None,
        "completed_orders": member.completed_orders_count,
        "active_orders": member.active_orders_count,
        "rating": float(member.average_rating),
        "balance": roubles(member),
    }


def mismatches(*, member_id: int | None = None) -> list[Mismatch]:
    """Figures that are off, of one member or of all. Five grouped queries, whatever the number of members."""
    members = Member.objects.order_by("pk")
    if member_id is not None:
        members = members.filter(pk=member_id)
    stored = members.values_list("pk", "active_orders_count", "completed_orders_count", "average_rating")
    active, completed, means = _counted(Order.Status.ACTIVE), _counted(Order.Status.COMPLETED), _means()
    return [
        wrong
        for pk, has_active, has_completed, rating in stored.iterator(chunk_size=5000)
        for wrong in _compared(
            pk,
            {
                "active_orders_count": (has_active, active.get(pk, 0)),
                "completed_orders_count": (has_completed, completed.get(pk, 0)),
                "average_rating": (rating, means.get(pk, 0.0)),
            },
        )
    ]


def _compared(pk: int, figures: dict[str, tuple[float, float]]) -> Iterator[Mismatch]:
    for name, (stored, counted) in figures.items():
        if abs(stored - counted) > 0.001:
            yield Mismatch(pk, name, stored, counted)


def _counted(status: Order.Status) -> dict[int, int]:
    """Own orders plus taken orders in a status, by member."""
    figures: dict[int, int] = {}
    for rows in (_orders_of_clients(status), _orders_of_takers(status)):
        for pk, count in rows:
            figures[pk] = figures.get(pk, 0) + count
    return figures


def _orders_of_clients(status: Order.Status) -> QuerySet[Order, tuple[int, int]]:
    return Order.objects.filter(status=status).values_list("client_id").annotate(n=Count("pk")).order_by()


def _orders_of_takers(status: Order.Status) -> QuerySet[Take, tuple[int, int]]:
    return Take.objects.filter(order__status=status).values_list("executor_id").annotate(n=Count("pk")).order_by()


def _means() -> dict[int, float]:
    """Mean of shown reviews by executor, rounded as it is stored."""
    rows = Review.objects.filter(status=Review.Status.SHOWN).values_list("executor_id").annotate(mean=Avg("rating"))
    return {pk: round(float(mean), 2) for pk, mean in rows.order_by()}
