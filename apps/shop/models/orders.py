"""Orders and their lines (contract shop 2, 3.3, 3.4)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet


class OrderQuerySet(VisibleQuerySet["Order"]):
    """Orders."""

    def visible_to(self, by: Any) -> OrderQuerySet:
        """An admin sees all, a customer his own."""
        if by is None:
            return self.none()
        return self.all() if by.is_admin else self.filter(customer_id=by.pk)


class Order(models.Model):
    """A purchase. `status` is written by `states` only; `total_amount` is the sum of the lines and never changes."""

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting for payment")
        CONFIRMED = "confirmed", _("paid")
        PREPARING = "preparing", _("being prepared")
        READY = "ready", _("ready")
        DELIVERED = "delivered", _("delivered")
        CANCELLED = "cancelled", _("cancelled")
        REFUNDED = "refunded", _("paid back")

    customer = models.ForeignKey(
        "shop.Customer", models.PROTECT, related_name="orders", db_index=False, verbose_name=_("customer")
    )
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.PENDING)
    total_amount = models.DecimalField(_("total"), max_digits=14, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default="UZS")
    notes = models.CharField(_("notes"), max_length=500, null=True, blank=True)
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, editable=False)
    request_hash = models.CharField(max_length=64, blank=True, editable=False)
    stock_reserved_until = models.DateTimeField(_("goods are kept until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    refunded_at = models.DateTimeField(_("paid back at"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="shop_one_order_per_key",
            ),
            models.CheckConstraint(condition=models.Q(total_amount__gte=0), name="shop_total_not_negative"),
        ]
        indexes = [
            models.Index(fields=["customer", "-created_at", "-id"], name="shop_orders_of_customer"),
            models.Index(fields=["-created_at", "-id"], name="shop_orders_newest"),
            models.Index(
                fields=["stock_reserved_until", "id"], name="shop_orders_due", condition=models.Q(status="pending")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


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
