"""What is for sale: categories, products, pictures and what products cost before (contract shop 2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.access import VisibleQuerySet


class Category(models.Model):
    """A shelf. Deleting one leaves its products without a category."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=255, null=True, blank=True)
    is_active = models.BooleanField(_("shown"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class SearchText(models.TextField):  # type: ignore[type-arg]
    """Name and size in lower case, filled on every save: one column to search on both databases, Cyrillic included.

    PostgreSQL has a trigram index on it; SQLite's own LIKE knows only ASCII letters.
    """

    def pre_save(self, instance: Any, add: bool) -> str:
        """What `LIKE` looks into; the line break keeps a match from running over both."""
        text = searchable(f"{instance.name}\n{instance.size}")
        setattr(instance, self.attname, text)
        return text


def searchable(text: str) -> str:
    """Text as it is compared."""
    return text.lower()


class SlipperQuerySet(VisibleQuerySet["Slipper"]):
    """Products."""

    def visible_to(self, by: Any) -> SlipperQuerySet:
        """Everybody sees what is for sale; what was taken out of the catalogue lives on in orders only."""
        return self.alive()

    def alive(self) -> SlipperQuerySet:
        """Not deleted."""
        return self.filter(is_deleted=False)


class Slipper(models.Model):
    """A product in one size. `quantity` is what can still be sold: reserved pieces are off it already."""

    name = models.CharField(_("name"), max_length=100)
    size = models.CharField(_("size"), max_length=20)
    price = models.DecimalField(
        _("price"), max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    quantity = models.PositiveIntegerField(_("in stock"), default=0)
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="slippers", verbose_name=_("category")
    )
    image = models.CharField(
        _("main picture"), max_length=255, blank=True, help_text=_("Path of the primary picture, or an address")
    )
    spic = models.CharField(_("SPIC"), max_length=20, blank=True, help_text=_("Tax code of the product for receipts"))
    package_code = models.CharField(_("package code"), max_length=20, blank=True)
    search_text = SearchText(editable=False)
    is_deleted = models.BooleanField(_("out of the catalogue"), default=False)
    deleted_at = models.DateTimeField(_("taken out"), null=True, blank=True, editable=False)
    low_stock_at = models.DateTimeField(
        _("ran low"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When staff were told; empty while there is enough"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    objects = SlipperQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("product")
        verbose_name_plural = _("products")
        permissions = [
            ("edit_stock", "Can change prices and stock in bulk"),
            ("import_slipper", "Can import products"),
            ("export_slipper", "Can export products"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gt=0), name="shop_price_above_zero"),
            models.CheckConstraint(condition=models.Q(quantity__gte=0), name="shop_stock_not_negative"),
        ]
        indexes = [
            models.Index(fields=["-id"], name="shop_slippers_newest", condition=models.Q(is_deleted=False)),
            models.Index(fields=["name", "id"], name="shop_slippers_by_name", condition=models.Q(is_deleted=False)),
            models.Index(fields=["price", "id"], name="shop_slippers_by_price", condition=models.Q(is_deleted=False)),
            models.Index(
                fields=["created_at", "id"], name="shop_slippers_by_age", condition=models.Q(is_deleted=False)
            ),
            models.Index(
                fields=["category", "-id"], name="shop_slippers_of_category", condition=models.Q(is_deleted=False)
            ),
            models.Index(
                fields=["quantity"], name="shop_slippers_low", condition=models.Q(is_deleted=False, low_stock_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.size}"

    @property
    def is_available(self) -> bool:
        """Can be bought now (contract shop 3.2)."""
        return self.quantity > 0 and not self.is_deleted


class SlipperImage(models.Model):
    """One picture of a product. `image_path` is what clients load; the file's storage name follows from it."""

    slipper = models.ForeignKey(
        Slipper, models.CASCADE, related_name="images", db_index=False, verbose_name=_("product")
    )
    image_path = models.CharField(_("path"), max_length=255)
    is_primary = models.BooleanField(_("main picture"), default=False)
    alt_text = models.CharField(_("text for the blind"), max_length=255, null=True, blank=True)
    order_index = models.PositiveSmallIntegerField(_("place"), default=0)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["slipper", "order_index"]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        constraints = [
            models.UniqueConstraint(fields=["slipper", "order_index"], name="shop_one_picture_per_place"),
            models.UniqueConstraint(
                fields=["slipper"], condition=models.Q(is_primary=True), name="shop_one_main_picture"
            ),
        ]

    def __str__(self) -> str:
        return self.image_path


class PriceChange(models.Model):
    """What a product cost before and after, and who changed it. Written by the catalogue's actions, never edited."""

    slipper = models.ForeignKey(
        Slipper, models.CASCADE, related_name="price_changes", db_index=False, verbose_name=_("product")
    )
    old_price = models.DecimalField(_("before"), max_digits=12, decimal_places=2, null=True)
    new_price = models.DecimalField(_("after"), max_digits=12, decimal_places=2)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("changed by")
    )
    changed_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("price change")
        verbose_name_plural = _("price changes")
        indexes = [models.Index(fields=["slipper", "-id"], name="shop_prices_of_slipper")]

    def __str__(self) -> str:
        return f"{self.old_price or '–'} → {self.new_price}"
