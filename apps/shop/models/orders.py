"""Orders, their lines, and the keys under which they were asked for (contract shop 2, 3.3, 3.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet


class OrderQuerySet(VisibleQuerySet["Order"]):
    """Orders."""

    def visible_to(self, by: Any) -> OrderQuerySet:
        """An admin sees all, a customer his own; deleted ones nobody."""
        if by is None:
            return self.none()
        alive = self.filter(deleted_at=None)
        return alive if by.is_admin else alive.filter(customer_id=by.pk)

    def due(self, now: datetime) -> OrderQuerySet:
        """Unpaid orders whose goods were kept long enough; served by a partial index."""
        return self.filter(status=Order.Status.PENDING, stock_reserved_until__lte=now)


class Order(models.Model):
    """A purchase. `status` is written by `states` only; `total_amount` is the sum of the lines, never a caller's word.

    The goods of every order that is neither cancelled nor paid back are off the shelf (`Slipper.quantity`).
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting for payment")
        CONFIRMED = "confirmed", _("paid")
        PREPARING = "preparing", _("being prepared")
        READY = "ready", _("ready")
        DELIVERED = "delivered", _("delivered")
        CANCELLED = "cancelled", _("cancelled")
        REFUNDED = "refunded", _("paid back")

    class CancelledBy(models.TextChoices):
        """Who gave the order up: late money revives only what the clock ended."""

        BUYER = "buyer", _("the buyer")
        STAFF = "staff", _("the shop")
        TIMER = "timer", _("the clock")

    PAID = (Status.CONFIRMED, Status.PREPARING, Status.READY, Status.DELIVERED)

    customer = models.ForeignKey(
        "shop.Customer", models.PROTECT, related_name="orders", db_index=False, verbose_name=_("customer")
    )
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.PENDING)
    total_amount = models.DecimalField(_("total"), max_digits=14, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="UZS")
    notes = models.CharField(_("notes"), max_length=500, null=True, blank=True)
    stock_reserved_until = models.DateTimeField(
        _("goods are kept until"), help_text=_("When the clock looks at an unpaid order")
    )
    payment_begun_at = models.DateTimeField(
        _("payment begun"), null=True, blank=True, help_text=_("From then on nothing is added to the order")
    )
    cart_cleared_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When its pieces left the cart; they leave it once")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    cancelled_by = models.CharField(_("cancelled by"), max_length=5, choices=CancelledBy.choices, blank=True)
    refunded_at = models.DateTimeField(_("paid back at"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [
            ("advance_order", "Can move orders on and cancel them"),
            ("override_order", "Can set orders paid or paid back by hand"),
            ("export_order", "Can export orders"),
            ("view_finance", "Can see the figures of the shop"),
        ]
        constraints = [models.CheckConstraint(condition=models.Q(total_amount__gt=0), name="shop_total_above_zero")]
        indexes = [
            models.Index(fields=["customer", "-created_at", "-id"], name="shop_orders_of_customer"),
            models.Index(fields=["-created_at", "-id"], name="shop_orders_newest"),
            models.Index(
                fields=["stock_reserved_until", "id"], name="shop_orders_due", condition=models.Q(status="pending")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_paid(self) -> bool:
        """Money is here, and was not given back in full."""
        return self.status in self.PAID


class OrderItem(models.Model):
    """One product of an order with its name, size, picture and price on that day."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="items", db_index=False, verbose_name=_("order"))
    slipper = models.ForeignKey(
        "shop.Slipper", models.SET_NULL, null=True, related_name="order_items", verbose_name=_("product")
    )
    quantity = models.PositiveSmallIntegerField(_("pieces"))
    unit_price = models.DecimalField(_("price"), max_digits=12, decimal_places=2)
    total_price = models.DecimalField(_("sum"), max_digits=14, decimal_places=2)
    notes = models.CharField(_("notes"), max_length=255, null=True, blank=True)
    name = models.CharField(_("name"), max_length=100)
    size = models.CharField(_("size"), max_length=20)
    image = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.UniqueConstraint(fields=["order", "slipper"], name="shop_one_order_line_per_product"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="shop_order_line_at_least_one"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.size} × {self.quantity}"


class OrderRequest(models.Model):
    """A key under which a customer asked for an order, so that asking again gives the same one (D22).

    A table of its own and not two columns of the order: a merged order was asked for under several keys.
    """

    customer = models.ForeignKey("shop.Customer", models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    request_hash = models.CharField(max_length=64)
    order = models.ForeignKey(Order, models.CASCADE, related_name="requests")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("order request")
        verbose_name_plural = _("order requests")
        constraints = [models.UniqueConstraint(fields=["customer", "key"], name="shop_one_order_per_key")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.key}"
