"""Products with pictures and recipes, materials, and the calculator's figures (contract florist 1.4, 2, 3.13)."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.florist.models.base import MONEY, OfShop, ShopQuerySet


class SearchText(models.TextField):  # type: ignore[type-arg]
    """The row's `search_words` in lower case, filled on every save: one column to search, Cyrillic included.

    PostgreSQL has a trigram index on the products' one; SQLite's own LIKE knows only ASCII letters.
    """

    def pre_save(self, instance: Any, add: bool) -> str:
        """What `LIKE` looks into; the line breaks keep a match from running over two words."""
        text = searchable("\n".join(word for word in instance.search_words if word))
        setattr(instance, self.attname, text)
        return text


def searchable(text: str) -> str:
    """Text as it is compared."""
    return text.lower()


def says(column: str, text: str) -> Q:
    """Rows in whose column this stands, in any case: `icontains` knows the case of Latin letters only on SQLite."""
    return Q(**{f"{column}__iregex": re.escape(text)})


class FlowerCategory(OfShop):
    """A family of flowers with its markup and how long it lives (contract 3.12)."""

    name = models.CharField(_("name"), max_length=100)
    markup_percentage = models.DecimalField(_("markup, %"), max_digits=5, decimal_places=2, default=Decimal(100))
    keywords = models.TextField(_("keywords"), max_length=1000, null=True, blank=True, help_text=_("By commas"))
    shelf_life_days = models.PositiveSmallIntegerField(_("shelf life, days"), default=7)
    min_stock = models.PositiveSmallIntegerField(_("smallest stock"), default=15)

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("flower category")
        verbose_name_plural = _("flower categories")
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="florist_one_category_per_name")]

    def __str__(self) -> str:
        return self.name


class Material(OfShop):
    """Ribbon, paper, card: whatever is no flower."""

    class Category(models.TextChoices):
        PACKAGING = "packaging", _("packaging")
        RIBBON = "ribbon", _("ribbon")
        CARD = "card", _("card")
        TOPPER = "topper", _("topper")
        OTHER = "other", _("other")

    name = models.CharField(_("name"), max_length=100)
    category = models.CharField(_("category"), max_length=9, choices=Category, null=True, blank=True)
    price = models.DecimalField(_("price"), **MONEY)
    unit = models.CharField(_("unit"), max_length=20, default="шт")
    is_active = models.BooleanField(_("in use"), default=True)
    in_stock = models.BooleanField(_("in stock"), default=True)

    objects = ShopQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("material")
        verbose_name_plural = _("materials")
        indexes = [models.Index(fields=["shop", "name"], name="florist_materials_by_name")]

    def __str__(self) -> str:
        return self.name


class CalculatorSettings(OfShop):
    """Labour and margins that the calculator proposes; one row a shop."""

    default_labor_cost = models.DecimalField(_("labour"), default=Decimal(2000), **MONEY)
    min_margin_percent = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(30))
    recommended_margin_percent = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(50))
    premium_margin_percent = models.DecimalField(max_digits=6, decimal_places=2, default=Decimal(100))

    objects = ShopQuerySet.as_manager()

    class Meta:
        verbose_name = _("figures of the calculator")
        verbose_name_plural = _("figures of the calculator")
        constraints = [models.UniqueConstraint(fields=["shop"], name="florist_one_calculator_per_shop")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ProductQuerySet(ShopQuerySet["Product"]):
    """Products."""

    def alive(self) -> ProductQuerySet:
        """Without those that were deleted; orders keep their names."""
        return self.filter(deleted_at=None)

    def on_sale_now(self) -> ProductQuerySet:
        """What buyers may order."""
        return self.alive().filter(is_active=True)


class Product(OfShop):
    """A bouquet or composition that the shop sells; prices are the shop's, never a client's."""

    class Category(models.TextChoices):
        BOUQUET = "bouquet", _("bouquet")
        COMPOSITION = "composition", _("composition")
        POTTED = "potted", _("potted plant")
        OTHER = "other", _("other")

    name = models.CharField(_("name"), max_length=200)
    category = models.CharField(_("category"), max_length=11, choices=Category)
    description = models.TextField(_("description"), max_length=2000, null=True, blank=True)
    image_url = models.CharField(_("picture"), max_length=500, null=True, blank=True)
    cost_price = models.DecimalField(_("cost"), **MONEY)
    retail_price = models.DecimalField(_("price"), **MONEY)
    sale_price = models.DecimalField(_("sale price"), null=True, blank=True, **MONEY)
    is_active = models.BooleanField(_("on sale"), default=True)
    is_popular = models.BooleanField(_("popular"), default=False)
    is_new = models.BooleanField(_("new"), default=False)
    search_text = SearchText(editable=False, default="")
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            models.CheckConstraint(
                condition=Q(cost_price__gt=0, retail_price__gt=0), name="florist_product_prices_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(sale_price=None) | Q(sale_price__gt=0, sale_price__lt=models.F("retail_price")),
                name="florist_sale_below_retail",
                violation_error_message=_("The sale price must be below the usual price"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["shop", "-created_at", "-id"], name="florist_products_newest", condition=Q(deleted_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def search_words(self) -> tuple[str | None, ...]:
        """What people search products by."""
        return self.name, self.description

    @property
    def current_price(self) -> Decimal:
        """What a buyer pays now."""
        return self.sale_price if self.sale_price is not None else self.retail_price

    @property
    def discount_percentage(self) -> int:
        """Per cent off, rounded half up (contract 3.6)."""
        if self.sale_price is None:
            return 0
        off = (1 - self.sale_price / self.retail_price) * 100
        return int(off.quantize(Decimal(1), ROUND_HALF_UP))


class ProductImage(models.Model):
    """A picture of a product; the first is the primary one."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="images", verbose_name=_("product"))
    image_url = models.CharField(_("address"), max_length=500)
    is_primary = models.BooleanField(_("primary"), default=False)
    sort_order = models.PositiveSmallIntegerField(_("order"), default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["sort_order", "id"]
        verbose_name = _("picture of a product")
        verbose_name_plural = _("pictures of products")

    def __str__(self) -> str:
        return self.image_url


class ProductVariant(models.Model):
    """A size of a product (mini to VIP) with its factor on price and stems (contract 3.19)."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="variants", verbose_name=_("product"))
    name = models.CharField(_("name"), max_length=40)
    factor = models.DecimalField(_("factor"), max_digits=4, decimal_places=2)
    is_default = models.BooleanField(_("proposed"), default=False)

    class Meta:
        ordering = ["factor", "id"]
        verbose_name = _("size of a product")
        verbose_name_plural = _("sizes of products")
        constraints = [
            models.UniqueConstraint(fields=["product", "name"], name="florist_one_variant_per_name"),
            models.CheckConstraint(condition=Q(factor__gt=0), name="florist_variant_factor_above_zero"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def price(self) -> Decimal:
        """What a buyer pays for this size, half up to a whole unit."""
        return (self.product.current_price * self.factor).quantize(Decimal(1), ROUND_HALF_UP)


class ProductComponent(models.Model):
    """One line of a recipe: flowers of a variety and height, a material, or work.

    A flower line with a variety takes stems from the stock; `quantity` is per piece and may be a fraction (metres of
    ribbon, half a branch); stems are rounded up for the whole order line.
    A line that names a batch (the original's ingredient) means that batch's variety and height.
    """

    class Type(models.TextChoices):
        FLOWER = "flower", _("flower")
        MATERIAL = "material", _("material")
        SERVICE = "service", _("work")

    product = models.ForeignKey(Product, models.CASCADE, related_name="components", verbose_name=_("product"))
    component_type = models.CharField(_("kind"), max_length=8, choices=Type)
    name = models.CharField(_("name"), max_length=200)
    description = models.CharField(_("description"), max_length=500, null=True, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=10, decimal_places=3, default=Decimal(1))
    unit = models.CharField(_("unit"), max_length=20, default="шт")
    unit_cost = models.DecimalField(_("cost of one"), default=Decimal(0), **MONEY)
    unit_price = models.DecimalField(_("price of one"), default=Decimal(0), **MONEY)
    variety = models.CharField(_("variety"), max_length=100, blank=True)
    height_cm = models.PositiveSmallIntegerField(_("height, cm"), null=True, blank=True, help_text=_("Empty: any"))
    material = models.ForeignKey(Material, models.SET_NULL, null=True, blank=True, verbose_name=_("material"))
    warehouse_item = models.ForeignKey(
        "florist.Batch", models.SET_NULL, null=True, blank=True, related_name="ingredients", verbose_name=_("batch")
    )
    is_ingredient = models.BooleanField(default=False, editable=False)
    notes = models.CharField(_("notes"), max_length=500, null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("line of a recipe")
        verbose_name_plural = _("lines of recipes")
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="florist_component_quantity_above_zero"),
            models.CheckConstraint(
                condition=Q(unit_cost__gte=0, unit_price__gte=0), name="florist_component_prices_not_negative"
            ),
            models.UniqueConstraint(
                fields=["product", "warehouse_item"],
                condition=Q(is_ingredient=True),
                name="florist_one_ingredient_per_batch",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def total_cost(self) -> Decimal:
        """Cost in one piece."""
        return self._sum(self.unit_cost)

    @property
    def total_price(self) -> Decimal:
        """Price in one piece."""
        return self._sum(self.unit_price)

    def _sum(self, of_one: Decimal) -> Decimal:
        return (of_one * self.quantity).quantize(Decimal("0.01"), ROUND_HALF_UP)
