"""What a product is made of: ingredients (a batch's flower) and components (flower, material, work); contract 1.4."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from apps.florist import access, errors
from apps.florist.actions import products
from apps.florist.models import Batch, Material, Product, ProductComponent

Type = ProductComponent.Type
MOST_LINES = 100
"""Lines of a recipe."""


def add_ingredient(
    *, by: Any, product_id: int, warehouse_item_id: int, quantity: Decimal = Decimal(1), notes: str | None = None
) -> ProductComponent:
    """The batch's variety and height belong to the recipe, whatever batch they come from later.

    Raises `NotEnoughPermissions`, `ProductNotFound`, `BatchNotFound`, `IngredientTwice`, `RecipeFull`.
    """
    access.ensure_may(by, "catalogue")
    try:
        with transaction.atomic():
            product = _with_room(by, product_id)
            batch = _batch(product, warehouse_item_id)
            return ProductComponent.objects.create(
                product=product, quantity=quantity, notes=notes, is_ingredient=True, **_of_batch(batch)
            )
    except IntegrityError as problem:
        raise errors.IngredientTwice() from problem


def change_ingredient(*, by: Any, product_id: int, ingredient_id: int, values: Mapping[str, Any]) -> ProductComponent:
    """Quantity, notes, or another batch's flower.

    Raises `NotEnoughPermissions`, `ProductNotFound`, `IngredientNotFound`, `BatchNotFound`, `IngredientTwice`.
    """
    access.ensure_may(by, "catalogue")
    try:
        with transaction.atomic():
            product = products.lock(by, product_id)
            line = _line(product, errors.IngredientNotFound, pk=ingredient_id, is_ingredient=True)
            given = dict(values)
            if batch_id := given.pop("warehouse_item_id", None):
                given |= _of_batch(_batch(product, batch_id))
            return _written(line, given)
    except IntegrityError as problem:
        raise errors.IngredientTwice() from problem


def remove_ingredient(*, by: Any, product_id: int, ingredient_id: int) -> None:
    """Raises `NotEnoughPermissions`, `ProductNotFound`, `IngredientNotFound`."""
    access.ensure_may(by, "catalogue")
    with transaction.atomic():
        product = products.lock(by, product_id)
        _line(product, errors.IngredientNotFound, pk=ingredient_id, is_ingredient=True).delete()


def add_component(*, by: Any, product_id: int, values: Mapping[str, Any]) -> ProductComponent:
    """A line of the recipe; a flower that the shop has in stock by that name is taken from the stock.

    Raises `NotEnoughPermissions`, `ProductNotFound`, `MaterialNotFound`, `BatchNotFound`, `RecipeFull`.
    """
    access.ensure_may(by, "catalogue")
    with transaction.atomic():
        product = _with_room(by, product_id)
        return _written(ProductComponent(product=product), _linked(product, values))


def change_component(*, by: Any, product_id: int, component_id: int, values: Mapping[str, Any]) -> ProductComponent:
    """Raises `NotEnoughPermissions`, `ProductNotFound`, `ComponentNotFound`, `MaterialNotFound`, `BatchNotFound`."""
    access.ensure_may(by, "catalogue")
    with transaction.atomic():
        product = products.lock(by, product_id)
        line = _line(product, errors.ComponentNotFound, pk=component_id, is_ingredient=False)
        kept = {name: getattr(line, name) for name in ("component_type", "name", "height_cm")}
        kept |= {"variety": line.variety} if "name" not in values else {}
        return _written(line, _linked(product, {**kept, **values}))


def remove_component(*, by: Any, product_id: int, component_id: int) -> None:
    """Raises `NotEnoughPermissions`, `ProductNotFound`, `ComponentNotFound`."""
    access.ensure_may(by, "catalogue")
    with transaction.atomic():
        product = products.lock(by, product_id)
        _line(product, errors.ComponentNotFound, pk=component_id, is_ingredient=False).delete()


def _with_room(by: Any, product_id: int) -> Product:
    product = products.lock(by, product_id)
    if product.components.count() >= MOST_LINES:
        raise errors.RecipeFull(most=MOST_LINES)
    return product


def _line(product: Product, refusal: type[errors.Gone], **where: Any) -> ProductComponent:
    found = ProductComponent.objects.filter(product=product, **where).first()
    if found is None:
        raise refusal()
    return found


def _batch(product: Product, batch_id: int) -> Batch:
    found = Batch.objects.filter(shop=product.shop_id, pk=batch_id).first()
    if found is None:
        raise errors.BatchNotFound()
    return found


def _of_batch(batch: Batch) -> dict[str, Any]:
    return {
        "component_type": Type.FLOWER,
        "name": batch.variety,
        "variety": batch.variety,
        "height_cm": batch.height_cm,
        "unit_cost": batch.stem_cost,
        "unit_price": batch.price,
        "warehouse_item": batch,
    }


def _linked(product: Product, values: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed in, with the flower or material that it means. Rows of other shops are not found."""
    given = dict(values)
    if (batch_id := given.pop("warehouse_item_id", None)) is not None:
        batch = _batch(product, batch_id)
        given |= {"warehouse_item": batch, "variety": batch.variety, "height_cm": batch.height_cm}
    if (material_id := given.pop("material_id", None)) is not None:
        given["material"] = Material.objects.filter(shop=product.shop_id, pk=material_id).first()
        if given["material"] is None:
            raise errors.MaterialNotFound()
    if given["component_type"] != Type.FLOWER:
        return {**given, "variety": "", "height_cm": None}
    if not given.get("variety"):
        known = Batch.objects.filter(shop=product.shop_id, variety=given["name"]).exists()
        given["variety"] = given["name"] if known else ""
    return given


def _written(line: ProductComponent, values: Mapping[str, Any]) -> ProductComponent:
    for name, value in values.items():
        setattr(line, name, value)
    line.save()
    return line
