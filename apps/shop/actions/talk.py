"""What buyers are told about their orders: one row per step, which `notifications` carries to where the buyer reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.notifications import actions as notifications
from apps.notifications.channels import BOT, INBOX, MAIL, PUSH, SOCKET, register_kind, register_segment
from apps.shop.conf import PRODUCT
from apps.shop.models import Order

ORDER_STEP = "order_step"

TITLES = {
    Order.Status.CONFIRMED: _("Order {number} is paid"),
    Order.Status.PREPARING: _("Order {number} is being prepared"),
    Order.Status.READY: _("Order {number} is ready"),
    Order.Status.DELIVERED: _("Order {number} is delivered"),
    Order.Status.CANCELLED: _("Order {number} is cancelled"),
    Order.Status.REFUNDED: _("The money for order {number} went back"),
}
"""Status that a buyer wants to hear of → words."""


def register() -> None:
    """The kind of message, and whom staff may write to in a broadcast."""
    register_kind(ORDER_STEP, (INBOX, SOCKET, BOT, PUSH, MAIL), _("My order moves on"), product=PRODUCT)
    register_segment("buyers", _("Everybody who ever paid for an order"), _buyers, product=PRODUCT)


def tell_of_step(*, order_id: int, status: str) -> None:
    """Tell the buyer that an order reached `status`, once however often it is called."""
    order = Order.objects.select_related("customer__user").filter(pk=order_id).first()
    title = TITLES.get(Order.Status(status))
    if order is None or title is None or order.customer.deleted_at:
        return
    notifications.tell(
        user=order.customer.user,
        product=PRODUCT,
        kind=ORDER_STEP,
        title=title,
        facts={"number": order.pk},
        payload={"order_id": order.pk, "status": status},
        key=f"order:{order.pk}:{status}",
    )


def _buyers(facts: Mapping[str, Any]) -> QuerySet[User]:
    paid = Order.objects.filter(paid_at__isnull=False, customer__deleted_at=None)
    return User.objects.filter(pk__in=paid.values("customer__user_id"), is_active=True)
