"""Questions about managers and waiters."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet

from apps.accounts.models import User
from apps.loyalty.models import Client, Staff

MOST_CLIENTS = 100
"""Guests that come along with a waiter's sign-in."""


def person_of_phone(phone: str) -> User | None:
    """The person of the member of staff with exactly this phone."""
    found = Staff.objects.living().select_related("user").filter(phone=phone).first()
    return found.user if found else None


def with_counts() -> QuerySet[Staff]:
    """Living staff, each with `clients_count`: the living guests he brought."""
    living = Count("clients", filter=Q(clients__is_deleted=False))
    return Staff.objects.living().annotate(clients_count=living).order_by("-created_at", "-id")


def one(staff_id: int) -> Staff | None:
    """A living member of staff with the count."""
    return with_counts().filter(pk=staff_id).first()


def matching(text: str, *, branch_id: int | None = None, waiters_only: bool = False) -> QuerySet[Staff]:
    """Staff whose name or phone contains `text`, newest first."""
    found = with_counts()
    if text:
        found = found.filter(Q(name__icontains=text) | Q(phone__icontains=text))
    if branch_id is not None:
        found = found.filter(branch_id=branch_id)
    return found.filter(role=Staff.Role.WAITER) if waiters_only else found


def clients_of(waiter: Staff) -> Sequence[Client]:
    """The newest living guests of a waiter, with their cards."""
    return list(Client.objects.visible_to(waiter).prefetch_related("cards")[:MOST_CLIENTS])
