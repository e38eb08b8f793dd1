"""What a buyer sees behind the link of his order: masked, with times, dead a month after its end (contract 3.8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.florist import errors
from apps.florist.actions import uploads
from apps.florist.actions.orders import STOREFRONT
from apps.florist.models import Comment, Order, OrderHistory, OrderItem, OrderPhoto
from apps.florist.queries import masking

Status, Photo = Order.Status, OrderPhoto.Type
LINK_LIVES = timedelta(days=30)
"""After the order is completed or cancelled."""
PROOF_LIVES = timedelta(days=7)
"""How long the picture of the handing over is shown."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,100}")
DIGITS = re.compile(r"[0-9]{4}")
"""The end of a phone; fewer would fit too many."""
MOST_COMMENTS = 100
MOST_PHOTOS = 20

FRONT_END: dict[str, str] = {
    Status.NEW: "preparing",
    Status.PAID: "preparing",
    Status.ASSEMBLED: "ready",
    Status.SELF_PICKUP: "ready",
    Status.DELIVERY: "in_transit",
    Status.DELIVERED: "delivered",
    Status.COMPLETED: "delivered",
    Status.CANCELLED: "cancelled",
}
"""The storefront's four words, and one that it did not have (contract 3.8)."""


def living(now: datetime | None = None) -> QuerySet[Order]:
    """Orders whose links still open."""
    over = (now or timezone.now()) - LINK_LIVES
    ended = Coalesce("completed_at", "cancelled_at")
    rows = Order.objects.filter(shop__is_active=True).alias(ended=ended)
    return rows.filter(Q(ended=None) | Q(ended__gt=over) | ~Q(status__in=(Status.COMPLETED, Status.CANCELLED)))


def by_token(token: str, *, now: datetime | None = None) -> Order:
    """The order behind a link, with its shop and buyer. Raises `LinkDead`."""
    rows = living(now).select_related("shop", "customer")
    found = rows.filter(tracking_token=token).first() if TOKEN.fullmatch(token) else None
    if found is None:
        raise errors.LinkDead()
    return found


def by_number(number: str, digits: str, *, shop_id: int | None = None) -> Order:
    """The one living order with this number of a buyer whose phone ends so. Raises `LinkDead`, also for several."""
    if not DIGITS.fullmatch(digits):
        raise errors.LinkDead()
    rows = living().filter(order_number=number, customer_phone__endswith=digits)
    found = list((rows.filter(shop=shop_id) if shop_id else rows).select_related("shop", "customer")[:2])
    if len(found) != 1:
        raise errors.LinkDead()
    return found[0]


# ── shapes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def masked(order: Order) -> dict[str, Any]:
    """Tracking (contract 1.0), with the steps and their times."""
    return {
        "order_number": order.order_number,
        "status": order.status,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "delivery_method": order.delivery_method,
        "delivery_window": window(order),
        "delivery_fee": order.delivery_fee,
        "total": order.total,
        "recipient_name": masking.name(order.recipient_name),
        "recipient_phone": masking.phone(order.recipient_phone),
        "address": masking.address(order.address),
        "items": list(lines(order).values("product_name", "quantity", "price")),
        "tracking_token": order.tracking_token,
        "steps": steps(order),
    }


def storefront(order: Order) -> dict[str, Any]:
    """The same in the words of the storefront's front end (contract 1.3)."""
    zone = ZoneInfo(order.shop.timezone)
    begins = order.delivery_from.astimezone(zone) if order.delivery_from else None
    ends = order.delivery_to.astimezone(zone) if order.delivery_to else None
    picture = photos(order).filter(photo_type=Photo.PRE_DELIVERY).last()
    return {
        "id": order.pk,
        "orderNumber": order.order_number,
        "status": FRONT_END.get(_present(order), "preparing"),
        "orderDate": order.created_at,
        "deliveryDate": begins.date() if begins else None,
        "deliveryTime": f"{begins:%H:%M}-{ends:%H:%M}" if begins and ends else order.delivery_time_text,
        "estimatedTime": f"{ends:%H:%M}" if ends and order.status == Status.DELIVERY else None,
        "total": order.total,
        "deliveryFee": order.delivery_fee,
        "deliveryMethod": order.delivery_method,
        "items": [_storefront_line(line) for line in lines(order).select_related("product")],
        "customerData": _people(order),
        "bouquetPhoto": uploads.link(picture.photo_url) if picture else None,
        "photoRating": picture.customer_feedback if picture else None,
    }


def _storefront_line(line: OrderItem) -> dict[str, Any]:
    return {
        "id": line.pk,
        "title": line.product_name,
        "image": line.product.image_url,
        "price": line.price,
        "quantity": line.quantity,
    }


def sender(order: Order) -> str | None:
    """The buyer's first name as the shop knows it. Never of a storefront's order: whoever placed it typed any phone."""
    is_told = order.customer is not None and not order.is_anonymous and order.source != STOREFRONT
    return masking.name(order.customer.name) if is_told and order.customer else None


def _people(order: Order) -> dict[str, Any]:
    """Masked; who sends anonymously is not named at all."""
    return {
        "name": sender(order),
        "phone": None if order.is_anonymous else masking.phone(order.customer_phone),
        "address": masking.address(order.address),
        "recipientName": masking.name(order.recipient_name),
        "recipientPhone": masking.phone(order.recipient_phone),
    }


def window(order: Order) -> dict[str, datetime | None] | None:
    """From when until when."""
    if order.delivery_from is None:
        return None
    return {"from": order.delivery_from, "to": order.delivery_to}


def lines(order: Order) -> QuerySet[OrderItem]:
    """What was ordered."""
    return OrderItem.objects.filter(order=order).order_by("pk")


# ── the way of an order ─────────────────────────────────────────────────────────────────────────────────────────────
def steps(order: Order) -> list[dict[str, Any]]:
    """new → paid → assembled → delivery or self_pickup → delivered; `at` is empty for what is still to come."""
    leaves = Status.SELF_PICKUP if order.delivery_method == Order.Method.SELF_PICKUP else Status.DELIVERY
    way: Sequence[str] = (Status.NEW, Status.PAID, Status.ASSEMBLED, leaves, Status.DELIVERED)
    present = Status.DELIVERED if _present(order) == Status.COMPLETED else _present(order)
    reached = way.index(present) if present in way else -1
    times = _times(order)
    return [
        {"status": str(status), "at": times.get(status) if place <= reached else None}
        for place, status in enumerate(way)
    ]


def _present(order: Order) -> str:
    """Where an order with a problem stood before it."""
    return order.status_before_issue if order.status == Status.ISSUE else order.status


def _times(order: Order) -> dict[str, datetime | None]:
    """When each status was entered last; a step that was jumped over has the time of the next one."""
    rows = OrderHistory.objects.filter(order=order, new_status__isnull=False).order_by("pk")
    entered: dict[str | None, datetime] = dict(rows.values_list("new_status", "created_at"))
    left, done = order.dispatched_at, order.delivered_at or order.completed_at
    return {
        Status.NEW: order.created_at,
        Status.PAID: entered.get(Status.PAID) or order.payment_date or order.assembled_at,
        Status.ASSEMBLED: order.assembled_at or entered.get(Status.ASSEMBLED) or left,
        Status.DELIVERY: left or entered.get(Status.DELIVERY) or done,
        Status.SELF_PICKUP: left or entered.get(Status.SELF_PICKUP) or done,
        Status.DELIVERED: done or entered.get(Status.DELIVERED),
    }


# ── words and pictures ──────────────────────────────────────────────────────────────────────────────────────────────
def comments(order: Order) -> QuerySet[Comment]:
    """The buyer's own words and what the shop says to him; internal ones stay inside (contract 1.3)."""
    mine = Q(author_type=Comment.Author.CUSTOMER) | Q(is_public=True)
    return Comment.objects.filter(mine, order=order).select_related("user").order_by("pk")


def comment_row(comment: Comment) -> dict[str, Any]:
    """A comment without more of the shop's people than a first name."""
    staff = masking.name(comment.user.name) if comment.user else None
    return {
        "id": comment.pk,
        "text": comment.text,
        "author_type": comment.author_type,
        "author_name": comment.customer_name if comment.author_type == Comment.Author.CUSTOMER else staff,
        "created_at": comment.created_at,
    }


def photos(order: Order, *, now: datetime | None = None) -> QuerySet[OrderPhoto]:
    """Pictures for the buyer: the finished bouquet, and for a week the handing over; none of the work."""
    fresh = (now or timezone.now()) - PROOF_LIVES
    shown = Q(photo_type__in=(Photo.PRE_DELIVERY, Photo.COMPLETION))
    shown |= Q(photo_type=Photo.DELIVERY_PROOF, created_at__gt=fresh)
    return OrderPhoto.objects.filter(shown, order=order).order_by("pk")


def photo_row(photo: OrderPhoto) -> dict[str, Any]:
    """A picture behind a signed link."""
    return {
        "id": photo.pk,
        "photo_url": uploads.link(photo.photo_url),
        "photo_type": photo.photo_type,
        "description": photo.description,
        "customer_feedback": photo.customer_feedback,
        "feedback_comment": photo.feedback_comment,
        "created_at": photo.created_at,
    }
