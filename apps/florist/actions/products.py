"""The catalogue: products, their pictures and sizes (contract florist 1.4, 3.19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.florist import access, errors
from apps.florist.models import Product, ProductImage, ProductVariant, Shop


@dataclass(frozen=True)
class Size:
    """A size with its factor on price and stems."""

    name: str
    factor: Decimal
    is_default: bool = False


USUAL_SIZES = (
    Size("mini", Decimal("0.7")),
    Size("standard", Decimal(1)),
    Size("premium", Decimal("1.4"), is_default=True),
    Size("deluxe", Decimal("1.8")),
    Size("VIP", Decimal("2.5")),
)
"""What the storefront offers (contract 3.19)."""


def create(*, by: Any, shop: Shop, values: Mapping[str, Any]) -> Product:
    """A new product. Raises `NotEnoughPermissions`, `SaleAboveRetail`."""
    access.ensure_may(by, "catalogue")
    product = Product(shop=shop, **values)
    _ensure_sale_below(product)
    product.save(force_insert=True)
    return product


def change(*, by: Any, product_id: int, values: Mapping[str, Any]) -> Product:
    """Words, prices, flags; orders keep what they were sold at.

    Raises `NotEnoughPermissions`, `ProductNotFound`, `SaleAboveRetail`.
    """
    access.ensure_may(by, "catalogue")
    with transaction.atomic():
        product = lock(by, product_id)
        for name, value in values.items():
            setattr(product, name, value)
        _ensure_sale_below(product)
        return _saved(product)


def remove(*, by: Any, product_id: int) -> Product:
    """Out of the catalogue for good; orders keep it. Raises `NotEnoughPermissions`, `ProductNotFound`."""
    access.ensure_may(by, "catalogue")
    with transaction.atomic():
        product = lock(by, product_id)
        product.deleted_at, product.is_active = timezone.now(), False
        return _saved(product)


def bring_back(*, by: Any, product_id: int) -> Product:
    """Undo `remove`; it is not on sale yet. Raises `NotEnoughPermissions`, `ProductNotFound`."""
    access.ensure_may(by, "catalogue")
    with transaction.atomic():
        product = Product.objects.visible_to(by).lock(errors.ProductNotFound, pk=product_id)
        product.deleted_at = None
        return _saved(product)


def toggle(*, by: Any, product_id: int) -> Product:
    """On sale or off; a florist who is out of flowers may only take it off.

    Raises `NotEnoughPermissions`, `ProductNotFound`.
    """
    access.ensure_may(by, "warehouse", "read")
    with transaction.atomic():
        product = lock(by, product_id)
        access.ensure_may(by, "catalogue", "read" if product.is_active else "write")
        product.is_active = not product.is_active
        return _saved(product)


def set_images(*, by: Any, product_id: int, urls: Sequence[str]) -> Product:
    """Replace the pictures; the first is the primary one. Raises `NotEnoughPermissions`, `ProductNotFound`."""
    access.ensure_may(by, "catalogue")
    with transaction.atomic():
        product = lock(by, product_id)
        product.images.all().delete()
        ProductImage.objects.bulk_create(
            ProductImage(product=product, image_url=url, is_primary=number == 0, sort_order=number)
            for number, url in enumerate(urls)
        )
        product.image_url = urls[0] if urls else None
        return _saved(product)


def set_sizes(*, by: Any, product_id: int, sizes: Sequence[Size]) -> Product:
    """Replace the sizes; those that keep their name keep their id. Raises `NotEnoughPermissions`, `ProductNotFound`,

    `TwoDefaultSizes`.
    """
    access.ensure_may(by, "catalogue")
    names = {size.name for size in sizes}
    if len(names) != len(sizes) or sum(size.is_default for size in sizes) > 1:
        raise errors.TwoDefaultSizes()
    with transaction.atomic():
        product = lock(by, product_id)
        product.variants.exclude(name__in=names).delete()
        for size in sizes:
            ProductVariant.objects.update_or_create(
                product=product, name=size.name, defaults={"factor": size.factor, "is_default": size.is_default}
            )
        return _saved(product)


def lock(by: Any, product_id: int) -> Product:
    """A product of the catalogue that `by` sees. Raises `ProductNotFound`."""
    return Product.objects.visible_to(by).filter(deleted_at=None).lock(errors.ProductNotFound, pk=product_id)


def _ensure_sale_below(product: Product) -> None:
    if product.sale_price is not None and product.sale_price >= product.retail_price:
        raise errors.SaleAboveRetail()


def _saved(product: Product) -> Product:
    product.updated_at = timezone.now()
    product.save()
    return product
