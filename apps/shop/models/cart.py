"""What a customer is about to buy (contract shop 2, Cart)."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Cart(models.Model):
    """One per customer, made on first use."""

    customer = models.OneToOneField("shop.Customer", models.PROTECT, related_name="cart", verbose_name=_("customer"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("cart")
        verbose_name_plural = _("carts")

    def __str__(self) -> str:
        return f"#{self.pk}"


class CartItem(models.Model):
    """So many pieces of one product."""

    cart = models.ForeignKey(Cart, models.CASCADE, related_name="items", db_index=False, verbose_name=_("cart"))
    slipper = models.ForeignKey("shop.Slipper", models.CASCADE, related_name="cart_items", verbose_name=_("product"))
    quantity = models.PositiveSmallIntegerField(_("pieces"))
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("cart line")
        verbose_name_plural = _("cart lines")
        constraints = [
            models.UniqueConstraint(fields=["cart", "slipper"], name="shop_one_cart_line_per_product"),
            models.CheckConstraint(condition=models.Q(quantity__range=(1, 999)), name="shop_cart_line_1_to_999"),
        ]

    def __str__(self) -> str:
        return f"{self.slipper_id} × {self.quantity}"
