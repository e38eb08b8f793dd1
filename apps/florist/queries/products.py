"""Looking at the catalogue (contract florist 1.0, 1.4): a constant number of queries each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from apps.florist import access, errors
from apps.florist.models import Order, OrderItem, Product, ProductComponent
from apps.florist.models.catalogue import searchable

FIELDS = (
    *("id", "name", "category", "description", "image_url", "cost_price", "retail_price", "sale_price"),
    *("is_active", "is_popular", "is_new", "created_at", "updated_at"),
)
IMAGE = ("id", "product_id", "image_url", "is_primary", "sort_order", "created_at")
COMPONENT = (
    *("id", "product_id", "component_type", "name", "description"),
    *("quantity", "unit", "unit_cost", "unit_price"),
)


@dataclass(frozen=True)
class Wanted:
    """Which products; prices are those that a buyer pays now. `is_active` None is both."""

    skip: int = 0
    limit: int = 100
    search: str = ""
    category: str | None = None
    is_active: bool | None = True
    is_popular: bool | None = None
    is_new: bool | None = None
    on_sale: bool | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None


def page(by: Any, wanted: Wanted) -> tuple[list[dict[str, Any]], int]:
    """Products as ProductOut, newest first, and how many there are. Four queries."""
    rows = _found(by, wanted)
    shown = _with_parts(rows)[wanted.skip : wanted.skip + wanted.limit]
    with_costs = access.may(by, "warehouse", "read")
    return [_out(product, with_costs) for product in shown], rows.count()


def one(by: Any, product_id: int) -> dict[str, Any]:
    """One product as ProductOut. Raises `ProductNotFound`."""
    return _out(_whole(by, Product.objects.alive(), product_id), access.may(by, "warehouse", "read"))


def removed(by: Any, product_id: int) -> dict[str, Any]:
    """A product that was just deleted, as ProductOut. Raises `ProductNotFound`."""
    return _out(_whole(by, Product.objects.all(), product_id), True)


def with_stats(by: Any, product_id: int) -> dict[str, Any]:
    """ProductStats: with how many orders were sold and for how much. Raises `ProductNotFound`."""
    sold = OrderItem.objects.filter(product=product_id, order__status__in=Order.PAID_OR_LATER).aggregate(
        orders=Count("order", distinct=True), revenue=Coalesce(Sum("total"), Decimal(0))
    )
    return {**one(by, product_id), "total_orders": sold["orders"], "total_revenue": sold["revenue"]}


def components(by: Any, product_id: int) -> list[dict[str, Any]]:
    """Comp with totals, without ingredients. Raises `ProductNotFound`."""
    _visible(by, product_id)
    return [component(row) for row in ProductComponent.objects.filter(product=product_id, is_ingredient=False)]


def ingredients(by: Any, product_id: int) -> list[dict[str, Any]]:
    """IngrDetail. Raises `ProductNotFound`."""
    _visible(by, product_id)
    rows = ProductComponent.objects.filter(product=product_id, is_ingredient=True).select_related("warehouse_item")
    return [ingredient(row) for row in rows]


def sizes(by: Any, product_id: int) -> list[dict[str, Any]]:
    """Sizes with their prices. Raises `ProductNotFound`."""
    product = _whole(by, Product.objects.alive(), product_id)
    return [
        {"id": row.pk, "name": row.name, "factor": row.factor, "price": row.price, "is_default": row.is_default}
        for row in product.variants.select_related("product")
    ]


def component(row: ProductComponent) -> dict[str, Any]:
    """One line of a recipe with its totals."""
    return {**_named(row, COMPONENT), "total_cost": row.total_cost, "total_price": row.total_price}


def ingredient(row: ProductComponent) -> dict[str, Any]:
    """One ingredient with what its batch says."""
    batch = row.warehouse_item
    return {
        **_named(row, ("id", "product_id", "warehouse_item_id", "quantity", "notes", "variety", "height_cm")),
        "supplier": batch.supplier if batch else "",
        "farm": batch.farm if batch else "",
        "available_qty": batch.available_qty if batch else 0,
        "price": batch.price if batch else row.unit_price,
    }


def _visible(by: Any, product_id: int) -> None:
    if not Product.objects.alive().visible_to(by).filter(pk=product_id).exists():
        raise errors.ProductNotFound()


def _found(by: Any, wanted: Wanted) -> QuerySet[Product]:
    rows = Product.objects.alive().visible_to(by).annotate(now=Coalesce("sale_price", "retail_price"))
    where = Q()
    for name in ("category", "is_active", "is_popular", "is_new"):
        if (value := getattr(wanted, name)) is not None:
            where &= Q(**{name: value})
    if wanted.on_sale is not None:
        where &= Q(sale_price__isnull=not wanted.on_sale)
    if wanted.min_price is not None:
        where &= Q(now__gte=wanted.min_price)
    if wanted.max_price is not None:
        where &= Q(now__lte=wanted.max_price)
    if text := searchable(wanted.search.strip()):
        where &= Q(search_text__contains=text)
    return rows.filter(where).order_by(F("created_at").desc(), F("pk").desc())


def _with_parts(rows: QuerySet[Product]) -> QuerySet[Product]:
    lines = ProductComponent.objects.select_related("warehouse_item")
    return rows.prefetch_related("images", Prefetch("components", queryset=lines))


def _whole(by: Any, rows: Any, product_id: int) -> Product:
    found: Product | None = _with_parts(rows.visible_to(by)).filter(pk=product_id).first()
    if found is None:
        raise errors.ProductNotFound()
    return found


def _out(product: Product, with_costs: bool) -> dict[str, Any]:
    """ProductOut. Those who have no business in the warehouse (couriers) see neither costs nor recipes."""
    lines: Iterable[ProductComponent] = product.components.all() if with_costs else ()
    return {
        **_named(product, FIELDS),
        "cost_price": product.cost_price if with_costs else None,
        "images": [_named(image, IMAGE) for image in product.images.all()],
        "ingredients": [ingredient(line) for line in lines if line.is_ingredient],
        "components": [
            _named(line, (*COMPONENT, "warehouse_item_id", "material_id")) for line in lines if not line.is_ingredient
        ],
        "current_price": product.current_price,
        "discount_percentage": product.discount_percentage,
    }


def _named(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
