"""Words about orders: the shop's own and the buyer's (contract florist 1.2)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core import events
from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.florist import access, errors
from apps.florist.access import employee_of
from apps.florist.actions import lifecycle, records
from apps.florist.events import CommentAdded
from apps.florist.models import Comment, Employee, Order, OrderHistory

LONGEST = 2000


def add(*, by: Any, order_id: int, text: str, customer_name: str | None = None, is_public: bool = False) -> Comment:
    """Say something about an order. Without `by` it is the buyer, who has shown his link; his words are public.

    Raises `OrderNotFound`, `NotEnoughPermissions` for what is not one's own, `Invalid` for an empty text.
    """
    access.ensure_may(by, "orders", "own")
    author = Comment.Author.CUSTOMER if by is None else Comment.Author.STAFF
    with transaction.atomic():
        order = records.lock(by, order_id)
        ensure_about_own(by, order)
        comment = Comment.objects.create(
            order=order,
            user=employee_of(by),
            text=_words(text),
            author_type=author,
            customer_name=customer_name or None,
            is_public=is_public or by is None,
        )
        who = records.BUYER if by is None else ""
        records.write(order, OrderHistory.Event.COMMENT_ADDED, by=by, by_text=who)
        events.publish(
            CommentAdded(order_id=order.pk, shop_id=order.shop_id, comment_id=comment.pk, author_type=author)
        )
    return comment


def change(*, by: Any, comment_id: int, text: str | None = None, is_public: bool | None = None) -> Comment:
    """Its author thinks again. Raises `CommentNotFound`, `NotEnoughPermissions`, `Invalid`."""
    access.ensure_may(by, "orders", "own")
    with transaction.atomic():
        comment = _lock(by, comment_id)
        ensure(_is_author(by, comment), errors.NotEnoughPermissions)
        if text is not None:
            comment.text = _words(text)
        if is_public is not None:
            comment.is_public = is_public
        comment.updated_at = timezone.now()
        comment.save(update_fields=["text", "is_public", "updated_at"])
    return comment


def remove(*, by: Any, comment_id: int) -> None:
    """By its author; the owner removes anybody's. Raises `CommentNotFound`, `NotEnoughPermissions`."""
    access.ensure_may(by, "orders", "own")
    with transaction.atomic():
        comment = _lock(by, comment_id)
        may = _is_author(by, comment) or getattr(by, "role", Employee.Role.ADMIN) == Employee.Role.ADMIN
        ensure(may, errors.NotEnoughPermissions)
        comment.delete()


def ensure_about_own(by: Any, order: Order) -> None:
    """Florists and couriers deal with what is theirs. Raises `NotEnoughPermissions`."""
    if by is not None and access.level(by, "orders") == "own":
        ensure(lifecycle.is_own(by, order), errors.NotEnoughPermissions)


def _lock(by: Any, comment_id: int) -> Comment:
    rows = Comment.objects.filter(order__in=Order.objects.visible_to(by)).select_related("user")
    comment = rows.select_for_update(of=("self",)).filter(pk=comment_id).first()
    if comment is None:
        raise errors.CommentNotFound()
    return comment


def _is_author(by: Any, comment: Comment) -> bool:
    employee = employee_of(by)
    return employee is not None and comment.user_id == employee.pk


def _words(text: str) -> str:
    words = text.strip()
    if not 1 <= len(words) <= LONGEST:
        raise Invalid.field("text", f"Value error, 1 to {LONGEST} characters")
    return words
