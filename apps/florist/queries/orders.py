"""Orders as clients see them: lists, one with everything, and the shapes of the contract (florist 1.0, 1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast

from apps.core import phones
from apps.florist import access, errors
from apps.florist.actions import uploads
from apps.florist.models import Comment, Employee, Order, OrderHistory, OrderItem, OrderPayment, OrderPhoto, Shop
from apps.florist.models.catalogue import searchable
from apps.florist.queries import windows

MOST_HISTORY = 500
MOST_COMMENTS = 1000
SYSTEM = "System"
"""Who changed an order when it was nobody; the word that clients show."""


@dataclass(frozen=True)
class Filters:
    """Which orders. `created_from` and `created_to` are days of the shop, whole, or moments; both are inclusive."""

    status: str | None = None
    search: str = ""
    created_from: date | datetime | None = None
    created_to: date | datetime | None = None
    delivery_date: date | None = None
    florist_id: int | None = None
    courier_id: int | None = None
    customer_id: int | None = None
    source: str | None = None


def of_shop(by: Any) -> QuerySet[Order]:
    """What `by` may see, with buyer, florist and courier."""
    return Order.objects.visible_to(by).select_related("customer", "assigned_florist", "courier")


def listed(*, by: Any, shop: Shop, filters: Filters, skip: int = 0, limit: int = 20) -> tuple[list[Order], int]:
    """One page, newest first, with lines, and how many there are in all. Three queries."""
    rows = narrowed(Order.objects.visible_to(by), shop, filters)
    page = rows.select_related("customer", "assigned_florist", "courier").prefetch_related("items")
    return list(page.order_by("-created_at", "-id")[skip : skip + limit]), rows.count()


def narrowed(rows: QuerySet[Order], shop: Shop, filters: Filters) -> QuerySet[Order]:
    """The rows that fit all the filters."""
    same = {
        "status": filters.status,
        "assigned_florist_id": filters.florist_id,
        "courier_id": filters.courier_id,
        "customer_id": filters.customer_id,
        "source": filters.source,
    }
    rows = rows.filter(**{name: value for name, value in same.items() if value is not None})
    if filters.created_from is not None:
        rows = rows.filter(created_at__gte=_moment(shop, filters.created_from))
    if filters.created_to is not None:
        rows = _until(rows, shop, filters.created_to)
    if filters.delivery_date is not None:
        starts, ends = windows.day_bounds(shop, filters.delivery_date)
        rows = rows.filter(delivery_from__gte=starts, delivery_from__lt=ends)
    return found_by(rows, filters.search)


def _moment(shop: Shop, given: date | datetime) -> datetime:
    if not isinstance(given, datetime):
        return windows.day_bounds(shop, given)[0]
    return given if given.tzinfo else given.replace(tzinfo=windows.zone_of(shop))


def _until(rows: QuerySet[Order], shop: Shop, given: date | datetime) -> QuerySet[Order]:
    """A day is meant whole, which the original cut off."""
    if isinstance(given, datetime):
        return rows.filter(created_at__lte=_moment(shop, given))
    return rows.filter(created_at__lt=_moment(shop, given + timedelta(days=1)))


def found_by(rows: QuerySet[Order], text: str) -> QuerySet[Order]:
    """Part of a phone in any spelling, of the recipient's name, of the order's id or number."""
    words = searchable(text.strip())
    if not words:
        return rows
    wanted = Q(search_text__contains=words)
    digits = "".join(filter(str.isdigit, words))
    if len(digits) == 11 and digits[0] in "78":
        wanted |= Q(search_text__contains=digits[1:])
    elif len(digits) >= 3:
        wanted |= Q(search_text__contains=digits)
    if words.removeprefix("#").isdigit() and len(words) < 10:
        rows = rows.annotate(id_text=Cast("id", CharField()))
        wanted |= Q(id_text__contains=words.removeprefix("#"))
    return rows.filter(wanted)


def one(*, by: Any, order_id: int) -> Order:
    """The order with its people and lines. Two queries. Raises `OrderNotFound`."""
    order = of_shop(by).prefetch_related("items").filter(pk=order_id).first()
    if order is None:
        raise errors.OrderNotFound()
    return order


def items_of(*, by: Any, order_id: int) -> list[OrderItem]:
    """Its lines, oldest first. Raises `OrderNotFound`."""
    return list(one(by=by, order_id=order_id).items.all())


def history_of(order: Order) -> list[OrderHistory]:
    """What happened, oldest first. One query."""
    return list(order.history.select_related("by").order_by("id")[:MOST_HISTORY])


def comments_of(order: Order, *, skip: int = 0, limit: int = MOST_COMMENTS) -> tuple[list[Comment], int]:
    """What was said, oldest first, and how much in all. Two queries."""
    rows = order.comments.select_related("user").order_by("id")
    return list(rows[skip : skip + limit]), rows.count()


def photos_of(order: Order) -> list[OrderPhoto]:
    """Its pictures, oldest first. One query."""
    return list(order.photos.order_by("id"))


def payments_of(order: Order) -> list[OrderPayment]:
    """Money that came and went, oldest first. One query."""
    return list(order.payments.select_related("by").order_by("id"))


# ── Shapes of the contract ──────────────────────────────────────────────────────────────────────────────────────────
def row(order: Order) -> dict[str, Any]:
    """OrderOut (1.0)."""
    return {
        "id": order.pk,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "status": order.status,
        "customer_phone": order.customer_phone,
        "recipient_phone": order.recipient_phone,
        "recipient_name": order.recipient_name,
        "address": order.address,
        "address_needs_clarification": order.address_needs_clarification,
        "delivery_method": order.delivery_method,
        "delivery_window": window_out(order),
        "flower_sum": order.flower_sum,
        "delivery_fee": order.delivery_fee,
        "total": order.total,
        "has_pre_delivery_photos": order.has_pre_delivery_photos,
        "has_issue": order.has_issue,
        "issue_type": order.issue_type,
        "issue_comment": order.issue_comment,
        "tracking_token": order.tracking_token,
        "payment_method": order.payment_method,
        "payment_date": order.payment_date,
        "card_text": order.card_text,
        "delivery_time_text": order.delivery_time_text,
        "source": order.source,
    }


def window_out(order: Order) -> dict[str, Any] | None:
    """`{from, to}` in UTC, or null."""
    return {"from": order.delivery_from, "to": order.delivery_to} if order.delivery_from else None


def item_out(item: OrderItem) -> dict[str, Any]:
    """OrderItemOut (1.0)."""
    names = ("id", "order_id", "product_id", "quantity", "price", "total", "product_name", "product_category")
    return {name: getattr(item, name) for name in names}


def full(order: Order, *, by: Any) -> dict[str, Any]:
    """OrderFull (1.0). A courier sees no buyer: neither his history nor, of a secret gift, his phone (3.2)."""
    shown = {
        **row(order),
        "customer_id": order.customer_id,
        "customer": _customer(order),
        "items": [item_out(item) for item in order.items.all()],
        "assigned_florist": _person(order.assigned_florist),
        "courier": _person(order.courier) or _stranger(order),
    }
    if _is_courier(by):
        shown |= {"customer_id": None, "customer": None}
        if order.is_anonymous:
            shown["customer_phone"] = phones.mask(order.customer_phone)
    return shown


def shown_to(order: Order, *, by: Any) -> dict[str, Any]:
    """OrderOut as `by` may see it."""
    whole = row(order)
    if _is_courier(by) and order.is_anonymous:
        whole["customer_phone"] = phones.mask(order.customer_phone)
    return whole


def detail(order: Order, *, by: Any) -> dict[str, Any]:
    """OrderDetail (1.0): with history, comments and pictures. Four more queries."""
    said, _total = comments_of(order)
    return {
        **full(order, by=by),
        "history": [_event(line) for line in history_of(order)],
        "comments": [comment_in_detail(word) for word in said],
        "photos": [photo_out(photo) for photo in photos_of(order)],
    }


def _is_courier(by: Any) -> bool:
    return getattr(by, "role", "") == Employee.Role.COURIER and access.level(by, "orders") == "own"


def _customer(order: Order) -> dict[str, Any] | None:
    known = order.customer
    if known is None:
        return None
    names = ("id", "name", "phone", "email", "orders_count", "total_spent")
    return {name: getattr(known, name) for name in names}


def _person(employee: Employee | None) -> dict[str, Any] | None:
    return {"id": employee.pk, "name": employee.name, "phone": employee.phone} if employee else None


def _stranger(order: Order) -> dict[str, Any] | None:
    """A courier from outside has no row."""
    if not order.courier_phone:
        return None
    return {"id": None, "name": order.courier_name or "", "phone": order.courier_phone}


def _event(line: OrderHistory) -> dict[str, Any]:
    return {
        "id": line.pk,
        "event_type": line.event_type,
        "old_status": line.old_status,
        "new_status": line.new_status,
        "comment": line.comment,
        "created_at": line.created_at,
        "user": line.by.name if line.by else line.by_text or SYSTEM,
    }


def comment_in_detail(word: Comment) -> dict[str, Any]:
    """A comment within an order."""
    return {
        "id": word.pk,
        "text": word.text,
        "created_at": word.created_at,
        "author_type": word.author_type,
        "user": {"id": word.user.pk, "name": word.user.name} if word.user else None,
    }


def comment_out(word: Comment, *, by: Any) -> dict[str, Any]:
    """A comment on its own path (1.2). A courier does not read who sends a secret gift."""
    is_hidden = _is_courier(by) and word.order.is_anonymous
    return {
        **comment_in_detail(word),
        "order_id": word.order_id,
        "user_id": word.user_id,
        "customer_name": None if is_hidden else word.customer_name,
        "is_public": word.is_public,
        "updated_at": word.updated_at,
    }


def photo_out(photo: OrderPhoto) -> dict[str, Any]:
    """A picture; its address is signed and lives for some hours."""
    return {
        "id": photo.pk,
        "photo_url": uploads.link(photo.photo_url),
        "photo_type": photo.photo_type,
        "description": photo.description,
        "customer_feedback": photo.customer_feedback,
        "feedback_comment": photo.feedback_comment,
        "created_at": photo.created_at,
    }


def money_out(order: Order, rows: Iterable[OrderPayment], methods: list[str]) -> dict[str, Any]:
    """What was paid and went back, and how the rest can be paid."""
    return {
        "order_id": order.pk,
        "total": order.total,
        "paid_amount": order.paid_amount,
        "outstanding": order.outstanding,
        "refund_due": order.refund_due,
        "methods": methods,
        "items": [
            {
                "id": money.pk,
                "source": money.source,
                "method": money.method,
                "amount": money.amount,
                "created_at": money.created_at,
                "user": money.by.name if money.by else SYSTEM,
            }
            for money in rows
        ],
    }
