"""What order lines need by their recipes, in stems (contract florist 2, 3.11)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from apps.florist.models import ProductComponent, ShowcaseBouquet


class Line(Protocol):
    """An order line, or the wish for one: so many pieces of a product, in a size."""

    @property
    def pk(self) -> int | None: ...

    @property
    def product_id(self) -> int: ...

    @property
    def quantity(self) -> int: ...

    @property
    def factor(self) -> Decimal: ...


@dataclass(frozen=True)
class Flower:
    """What a recipe asks for; `height_cm` None is any height."""

    variety: str
    height_cm: int | None

    @property
    def order(self) -> tuple[bool, str, int]:
        """Exact heights choose before those who take any; then by name, for everybody alike."""
        return self.height_cm is None, self.variety, self.height_cm or 0


Needs = Counter[Flower]
"""Flower → stems."""


def needs_of(lines: Sequence[Line]) -> list[Needs]:
    """What each line needs, in the order of `lines`: recipe × pieces × size, rounded up per flower and line.

    A piece that was sold off the showcase needs nothing more. Two queries.
    """
    recipes = _recipes({line.product_id for line in lines})
    ids = [line.pk for line in lines if line.pk]
    sold = ShowcaseBouquet.objects.filter(order_item__in=ids).values_list("order_item_id", flat=True)
    shown: Counter[int | None] = Counter(sold)
    return [_needs(recipes[line.product_id], (line.quantity - shown[line.pk]) * line.factor) for line in lines]


def of_product(product_id: int, pieces: Decimal = Decimal(1)) -> Needs:
    """What so many pieces of one product need."""
    return _needs(_recipes({product_id})[product_id], pieces)


def of_products(product_ids: Iterable[int]) -> dict[int, Needs]:
    """What one piece of each product needs; products without flowers are left out. One query."""
    return {pk: _needs(recipe, Decimal(1)) for pk, recipe in _recipes(set(product_ids)).items()}


def _recipes(product_ids: set[int]) -> Mapping[int, list[tuple[Flower, Decimal]]]:
    rows = ProductComponent.objects.filter(
        product__in=product_ids, component_type=ProductComponent.Type.FLOWER
    ).exclude(variety="")
    found: dict[int, list[tuple[Flower, Decimal]]] = defaultdict(list)
    for product_id, variety, height, quantity in rows.values_list("product_id", "variety", "height_cm", "quantity"):
        found[product_id].append((Flower(variety, height), quantity))
    return found


def _needs(recipe: list[tuple[Flower, Decimal]], pieces: Decimal) -> Needs:
    exact: dict[Flower, Decimal] = defaultdict(Decimal)
    for flower, quantity in recipe:
        exact[flower] += quantity * pieces
    return Counter({flower: math.ceil(stems) for flower, stems in exact.items() if stems > 0})
