"""The catalogue that managers keep, partly filled from the restaurant's own menu (contract loyalty 2)."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Category(models.Model):
    """A shelf. `external_id` is set for shelves that came from the restaurant's menu."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    image_url = models.CharField(_("picture"), max_length=500, null=True, blank=True)
    external_id = models.CharField(_("id in the menu"), max_length=128, null=True, blank=True, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("menu category")
        verbose_name_plural = _("menu categories")

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """A dish. Those with an `external_id` follow the restaurant's menu and leave with it; the others are ours."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="products", verbose_name=_("category"))
    name = models.CharField(_("name"), max_length=255)
    price = models.DecimalField(
        _("price"), max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    image_url = models.CharField(_("picture"), max_length=500, null=True, blank=True)
    external_id = models.CharField(_("id in the menu"), max_length=128, null=True, blank=True)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("dish")
        verbose_name_plural = _("dishes")
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="loyalty_price_above_zero"),
            models.UniqueConstraint(fields=["category", "external_id"], name="loyalty_one_dish_per_shelf"),
        ]
        indexes = [models.Index(fields=["name", "id"], name="loyalty_dishes_by_name")]

    def __str__(self) -> str:
        return self.name
