"""What strangers see of a shop: its card, products, categories, and whether flowers are there (contract 1.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from apps.florist import errors
from apps.florist.models import Batch, Product, ProductComponent, ProductVariant, Shop
from apps.florist.models.catalogue import searchable
from apps.florist.queries import recipes
from apps.florist.queries.recipes import Needs
from apps.florist.queries.stock import today_of

CARD = ("id", "name", "phone", "whatsapp_number", "address", "city", "description", "business_hours", "shop_logo_url")
PRODUCT = (
    *("id", "name", "category", "description", "image_url", "retail_price", "sale_price"),
    *("is_active", "is_popular", "is_new"),
)
IMAGE = ("id", "product_id", "image_url", "is_primary", "sort_order", "created_at")


@dataclass(frozen=True)
class Wanted:
    """Which products; prices are those that a buyer pays now."""

    skip: int = 0
    limit: int = 20
    category: str | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    search: str = ""
    in_stock: bool | None = None


def shop(shop_id: int) -> Shop:
    """An open shop. Raises `ShopNotFound`."""
    found = Shop.objects.filter(pk=shop_id, is_active=True).first()
    if found is None:
        raise errors.ShopNotFound()
    return found


def card(found: Shop) -> dict[str, Any]:
    """ShopPub (contract 1.0)."""
    return {name: getattr(found, name) for name in CARD}


def products(found: Shop, wanted: Wanted) -> tuple[list[dict[str, Any]], int]:
    """A page of what is on sale, newest first, and how many there are; no cost prices. Four queries."""
    rows = _on_sale(found, wanted)
    page = rows.prefetch_related("images", "variants")[wanted.skip : wanted.skip + wanted.limit]
    return [_public(product) for product in page], rows.count()


def short_products(found: Shop, wanted: Wanted) -> tuple[list[dict[str, Any]], int]:
    """The same in few words, with the truth about the stock. Five queries, six with `in_stock`."""
    rows = _on_sale(found, wanted)
    there: dict[int, bool] = {}
    if wanted.in_stock is not None:
        there = in_stock(found, rows.values_list("pk", flat=True))
        rows = rows.filter(pk__in=[pk for pk, is_there in there.items() if is_there == wanted.in_stock])
    page = list(rows[wanted.skip : wanted.skip + wanted.limit])
    there = there or in_stock(found, [product.pk for product in page])
    return [_short(product, there[product.pk]) for product in page], rows.count()


def categories(found: Shop) -> list[dict[str, Any]]:
    """Categories that have something on sale, by name; an empty shop has none."""
    counted = Counter(Product.objects.on_sale_now().filter(shop=found).order_by().values_list("category", flat=True))
    return [
        {"name": name, "count": count, "display_name": str(Product.Category(name).label)}
        for name, count in sorted(counted.items())
    ]


def in_stock(found: Shop, product_ids: Iterable[int]) -> dict[int, bool]:
    """Product → whether one piece can be made now of what nobody has reserved. Three queries."""
    ids = list(product_ids)
    needs = recipes.of_products(ids)
    free = _free_stems(found, {flower.variety for wanted in needs.values() for flower in wanted})
    lacking = _without_materials(ids)
    return {pk: pk not in lacking and _can_be_made(needs.get(pk, Counter()), free) for pk in ids}


def _can_be_made(needs: Needs, free: Mapping[tuple[str, int | None], int]) -> bool:
    """Exact heights choose first; who takes any height gets what is left."""
    left = Counter(free)
    for flower in sorted(needs, key=lambda flower: flower.order):
        if left[flower.variety, flower.height_cm] < needs[flower]:
            return False
        left[flower.variety, None] -= needs[flower]
        if flower.height_cm is not None:
            left[flower.variety, flower.height_cm] -= needs[flower]
    return True


def _without_materials(product_ids: list[int]) -> set[int]:
    """Those whose recipe names a material that is used up."""
    rows = ProductComponent.objects.filter(product__in=product_ids, material__in_stock=False)
    return set(rows.filter(component_type=ProductComponent.Type.MATERIAL).values_list("product_id", flat=True))


def _free_stems(found: Shop, varieties: set[str]) -> Counter[tuple[str, int | None]]:
    """(variety, height) → stems that may be sold; height None is the variety's sum."""
    rows = Batch.objects.filter(shop=found, variety__in=varieties, hidden=False, to_write_off=False)
    fresh = rows.filter(Q(expires_on=None) | Q(expires_on__gte=today_of(found)))
    free: Counter[tuple[str, int | None]] = Counter()
    for variety, height, stems in (
        fresh.order_by()
        .values_list("variety", "height_cm")
        .annotate(free=Sum(F("qty") - F("reserved_qty")))
        .values_list("variety", "height_cm", "free")
    ):
        free[variety, height] += stems
        free[variety, None] += stems
    return free


def _on_sale(found: Shop, wanted: Wanted) -> QuerySet[Product]:
    rows: QuerySet[Product] = Product.objects.on_sale_now().filter(shop=found)
    if wanted.category:
        rows = rows.filter(category=wanted.category)
    if wanted.search.strip():
        rows = rows.filter(search_text__contains=searchable(wanted.search.strip()))
    pays = Coalesce("sale_price", "retail_price")
    if wanted.min_price is not None:
        rows = rows.filter(GreaterThanOrEqual(pays, wanted.min_price))
    if wanted.max_price is not None:
        rows = rows.filter(LessThanOrEqual(pays, wanted.max_price))
    return rows.order_by("-created_at", "-id")


def _public(product: Product) -> dict[str, Any]:
    return {
        **{name: getattr(product, name) for name in PRODUCT},
        "images": [{name: getattr(image, name) for name in IMAGE} for image in product.images.all()],
        "variants": [_variant(product, size) for size in product.variants.all()],
    }


def _variant(product: Product, size: ProductVariant) -> dict[str, Any]:
    size.product = product  # its price is the product's, which is at hand
    return {"id": size.pk, "name": size.name, "price": size.price, "is_default": size.is_default}


def _short(product: Product, is_there: bool) -> dict[str, Any]:
    return {
        "id": product.pk,
        "name": product.name,
        "description": product.description,
        "price": int(product.current_price),
        "category": product.category,
        "image_url": product.image_url,
        "in_stock": is_there,
        "shop_id": product.shop_id,
    }
