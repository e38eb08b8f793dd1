"""What a buyer may do behind the link of his order (contract florist 1.3, 3.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.core import events, throttle
from apps.core.access import ensure
from apps.core.throttle import Limit
from apps.florist import errors
from apps.florist.actions import comments, records
from apps.florist.events import OrderEdited, PhotoJudged
from apps.florist.models import Comment, Order, OrderHistory, OrderPhoto
from apps.florist.queries import tracking

DIGITS = 4
"""Of the buyer's phone; the page never shows more than two of them."""
WRONG_DIGITS = Limit(5, 86_400)
"""Wrong tries per order and day: two of the four may be read on the page."""
NUMBERS = Limit(10, 3600)
"""Tries per order number and hour, whoever asks."""
ADDRESS_OPEN = (Order.Status.NEW, Order.Status.PAID)
MOST_COMMENTS = 50
"""Of one buyer on one order; strangers with a link do not fill the disk."""


@dataclass(frozen=True)
class NewAddress:
    """Where the flowers shall go instead; an empty name or phone stays as it was."""

    address: str
    recipient_name: str = ""
    recipient_phone: str = ""

    def changes(self) -> dict[str, str]:
        """Columns of the order."""
        return {name: value for name, value in vars(self).items() if value}


def by_number(number: str, digits: str, *, shop_id: int | None = None) -> Order:
    """The order with this number of a buyer whose phone ends so; tries are counted. Raises `LinkDead`."""
    throttle.hit("florist.number", number, NUMBERS, refusal=errors.DigitsTooOften)
    return tracking.by_number(number, digits, shop_id=shop_id)


def change_address(*, token: str, digits: str, to: NewAddress) -> Order:
    """While nobody has begun to bring it: a new address, for whoever knows the end of the buyer's phone.

    The shop sees a line of history and has the address to be clarified. Raises `LinkDead`, `DigitsWrong`,
    `DigitsTooOften`, `AddressFixed`.
    """
    known = tracking.by_token(token)
    _prove(known, digits)
    with transaction.atomic():
        order = records.lock(None, known.pk)
        is_open = order.status in ADDRESS_OPEN and order.delivery_method == Order.Method.DELIVERY
        ensure(is_open, errors.AddressFixed)
        changes: dict[str, Any] = {**to.changes(), "address_needs_clarification": True}
        records.save(order, **changes)
        what = tuple(sorted(changes))
        records.write(order, OrderHistory.Event.EDITED, by=None, by_text=records.BUYER, comment=", ".join(what))
        events.publish(OrderEdited(order_id=order.pk, shop_id=order.shop_id, what=what))
    return order


def _prove(order: Order, digits: str) -> None:
    """The try is counted before it is compared, and given back when it was right."""
    throttle.hit("florist.digits", order.pk, WRONG_DIGITS, refusal=errors.DigitsTooOften)
    ensure(constant_time_compare(digits, order.customer_phone[-DIGITS:]), errors.DigitsWrong)
    throttle.give_back("florist.digits", order.pk, WRONG_DIGITS)


def say(*, token: str, text: str, name: str) -> Comment:
    """A word of the buyer to the shop. Raises `LinkDead`, `SaidEnough`, `Invalid`."""
    known = tracking.by_token(token)
    with transaction.atomic():
        order = records.lock(None, known.pk)
        said = Comment.objects.filter(order=order, author_type=Comment.Author.CUSTOMER).count()
        ensure(said < MOST_COMMENTS, errors.SaidEnough)
        return comments.add(by=None, order_id=order.pk, text=text, customer_name=name)


def judge(*, token: str, photo_id: int, feedback: str, comment: str = "") -> OrderPhoto:
    """Whether the buyer likes it, once per picture. Raises `LinkDead`, `PhotoNotFound`, `PhotoJudgedAlready`."""
    order = tracking.by_token(token)
    with transaction.atomic():
        shown = tracking.photos(order)
        ensure(shown.filter(pk=photo_id).exists(), errors.PhotoNotFound)
        answer = {
            "customer_feedback": feedback,
            "feedback_comment": comment or None,
            "feedback_date": timezone.now(),
        }
        if not shown.filter(pk=photo_id, customer_feedback=None).update(**answer):
            raise errors.PhotoJudgedAlready()
        events.publish(PhotoJudged(order_id=order.pk, shop_id=order.shop_id, photo_id=photo_id, feedback=feedback))
    return OrderPhoto.objects.get(pk=photo_id)
