"""What a bouquet costs and what it should: all sums are made here, never by a client (contract florist 1.4, 3.13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.florist import access, errors
from apps.florist.actions import batches, products
from apps.florist.models import Batch, CalculatorSettings, Material, Product, ProductComponent, Shop
from apps.florist.queries import stock as shelves

Type = ProductComponent.Type
CENT, HUNDRED = Decimal("0.01"), Decimal(100)
LEVELS = ("below_minimum", "minimum", "recommended", "premium")


@dataclass(frozen=True)
class FlowerWish:
    """So many stems of a batch, of a variety, or of any flower of a category (by name or id)."""

    qty: int
    warehouse_item_id: int | None = None
    name: str | None = None
    height_cm: int | None = None
    category: str | None = None


@dataclass(frozen=True)
class MaterialWish:
    """So much of a material, by id or by name."""

    qty: Decimal
    material_id: int | None = None
    name: str | None = None


@dataclass(frozen=True)
class Bouquet:
    """What goes into it; `labor_cost` None is the shop's usual, `target_margin` is a wish in per cent."""

    flowers: Sequence[FlowerWish] = ()
    materials: Sequence[MaterialWish] = ()
    labor_cost: Decimal | None = None
    target_margin: Decimal | None = None


@dataclass(frozen=True)
class FlowerLine:
    """Stems with the batch that they are priced by."""

    batch: Batch
    qty: int
    available: int
    """Free stems of the variety and height."""

    @property
    def is_available(self) -> bool:
        """Whether there are enough."""
        return self.available >= self.qty


@dataclass(frozen=True)
class MaterialLine:
    """A material and how much of it."""

    material: Material
    qty: Decimal


@dataclass(frozen=True)
class Quote:
    """The answer. Per cents are of the cost; `suggested_price` reaches the wished or the recommended margin."""

    flowers: tuple[FlowerLine, ...]
    materials: tuple[MaterialLine, ...]
    labor_cost: Decimal
    cost: Decimal
    price: Decimal
    suggested_price: Decimal
    level: str
    figures: CalculatorSettings

    @property
    def margin(self) -> Decimal:
        """Price minus cost."""
        return self.price - self.cost

    @property
    def margin_percentage(self) -> Decimal:
        """Margin in per cent of the cost."""
        return _percent(self.price, self.cost)

    @property
    def is_available(self) -> bool:
        """Whether it can be made now."""
        return all(line.is_available for line in self.flowers) and all(row.material.in_stock for row in self.materials)

    @property
    def name(self) -> str:
        """Up to two flowers by name, else the first and how many others."""
        names = list(dict.fromkeys(line.batch.variety for line in self.flowers))
        if len(names) > 2:
            return _("{first} and {count} more").format(first=names[0], count=len(names) - 1)[:200]
        return " + ".join(names)[:200] or _("Bouquet")

    @property
    def description(self) -> str:
        """Stems and decor."""
        stems = [f"{line.batch.variety} × {line.qty}" for line in self.flowers]
        decor = [row.material.name for row in self.materials]
        return ", ".join([*stems, *decor])[:2000]


def figures_of(shop: Shop) -> CalculatorSettings:
    """The shop's labour and margins; made on the first question."""
    return CalculatorSettings.objects.get_or_create(shop=shop)[0]


def change_figures(*, by: Any, shop: Shop, values: Mapping[str, Any]) -> CalculatorSettings:
    """Raises `NotEnoughPermissions`."""
    access.ensure_may(by, "settings")
    with transaction.atomic():
        figures_of(shop)
        figures = CalculatorSettings.objects.select_for_update().get(shop=shop)
        for name, value in values.items():
            setattr(figures, name, value)
        figures.updated_at = timezone.now()
        figures.save()
        return figures


def quote(*, by: Any, shop: Shop, bouquet: Bouquet) -> Quote:
    """Cost, price, margin and whether there are the flowers; nothing is set aside.

    Raises `NotEnoughPermissions`, `BatchNotFound`, `MaterialNotFound`, `PriceTooLarge`.
    """
    access.ensure_may(by, "warehouse", "read")
    figures = figures_of(shop)
    flowers = _flowers(shop, bouquet.flowers)
    materials = _materials(shop, bouquet.materials)
    labor = figures.default_labor_cost if bouquet.labor_cost is None else bouquet.labor_cost
    decor = sum((row.material.price * row.qty for row in materials), labor)
    cost = sum((line.batch.stem_cost * line.qty for line in flowers), decor).quantize(CENT, ROUND_HALF_UP)
    price = sum((line.batch.price * line.qty for line in flowers), decor).quantize(CENT, ROUND_HALF_UP)
    if max(cost, price) > batches.LARGEST_PRICE:
        raise errors.PriceTooLarge()
    wish = figures.recommended_margin_percent if bouquet.target_margin is None else bouquet.target_margin
    return Quote(
        flowers=flowers,
        materials=materials,
        labor_cost=labor,
        cost=cost,
        price=price,
        suggested_price=batches.stem_price(cost, Decimal(1), wish),
        level=_level(_percent(price, cost), figures),
        figures=figures,
    )


def create_product(
    *, by: Any, shop: Shop, bouquet: Bouquet, name: str = "", description: str = "", category: str = "bouquet"
) -> Product:
    """A product out of a calculation: cost and price are ours, its recipe takes flowers from the stock.

    With `target_margin` the price reaches it, without it is the sum of its parts. Raises like `quote`, and
    `NothingCalculated`.
    """
    access.ensure_may(by, "warehouse", "read")
    made = quote(by=by, shop=shop, bouquet=bouquet)
    price = made.price if bouquet.target_margin is None else made.suggested_price
    if made.cost <= 0 or price <= 0:
        raise errors.NothingCalculated()
    with transaction.atomic():
        # A florist may save what he has calculated, though the catalogue is not his.
        product = products.create(
            by=None,
            shop=shop,
            values={
                "name": name or made.name,
                "description": description or made.description or None,
                "category": category,
                "cost_price": made.cost,
                "retail_price": price,
            },
        )
        ProductComponent.objects.bulk_create(_components(product, made))
        return product


def _components(product: Product, made: Quote) -> list[ProductComponent]:
    flowers = [
        ProductComponent(
            product=product,
            component_type=Type.FLOWER,
            name=line.batch.variety,
            variety=line.batch.variety,
            height_cm=line.batch.height_cm,
            quantity=Decimal(line.qty),
            unit_cost=line.batch.stem_cost,
            unit_price=line.batch.price,
        )
        for line in made.flowers
    ]
    decor = [
        ProductComponent(
            product=product,
            component_type=Type.MATERIAL,
            name=row.material.name,
            material=row.material,
            quantity=row.qty,
            unit=row.material.unit,
            unit_cost=row.material.price,
            unit_price=row.material.price,
        )
        for row in made.materials
    ]
    work = ProductComponent(
        product=product,
        component_type=Type.SERVICE,
        name=_("Labour"),
        unit_cost=made.labor_cost,
        unit_price=made.labor_cost,
    )
    return [*flowers, *decor, *([work] if made.labor_cost else [])]


def _flowers(shop: Shop, wishes: Sequence[FlowerWish]) -> tuple[FlowerLine, ...]:
    """Each wish with the batch that is to be sold first. One query."""
    if not wishes:
        return ()
    today = shelves.today_of(shop)
    rows = list(shelves.of_calculator(shop))
    sellable = [batch for batch in rows if not batch.to_write_off and not batch.is_expired(today)]
    found = []
    for wish in wishes:
        options = [batch for batch in (rows if wish.warehouse_item_id else sellable) if _is_meant(batch, wish)]
        if not options:
            raise errors.BatchNotFound()
        batch = next((one for one in options if one.available_qty >= wish.qty), options[0])
        alike = (one for one in sellable if (one.variety, one.height_cm) == (batch.variety, batch.height_cm))
        found.append(FlowerLine(batch, wish.qty, sum(one.available_qty for one in alike)))
    return tuple(found)


def _is_meant(batch: Batch, wish: FlowerWish) -> bool:
    if wish.warehouse_item_id is not None:
        return batch.pk == wish.warehouse_item_id
    if wish.category is not None:
        return batch.category is not None and wish.category in (batch.category.name, str(batch.category.pk))
    return batch.variety == wish.name and wish.height_cm in (None, batch.height_cm)


def _materials(shop: Shop, wishes: Sequence[MaterialWish]) -> tuple[MaterialLine, ...]:
    if not wishes:
        return ()
    rows = Material.objects.filter(shop=shop, is_active=True).order_by("pk")
    by_id = {row.pk: row for row in rows}
    by_name = {row.name: row for row in reversed(rows)}
    found = []
    for wish in wishes:
        material = by_id.get(wish.material_id) if wish.material_id is not None else by_name.get(wish.name or "")
        if material is None:
            raise errors.MaterialNotFound()
        found.append(MaterialLine(material, wish.qty))
    return tuple(found)


def _percent(price: Decimal, cost: Decimal) -> Decimal:
    return ((price - cost) / cost * HUNDRED).quantize(CENT, ROUND_HALF_UP) if cost else Decimal(0)


def _level(percent: Decimal, figures: CalculatorSettings) -> str:
    """The highest level that is reached."""
    steps = (figures.min_margin_percent, figures.recommended_margin_percent, figures.premium_margin_percent)
    return LEVELS[sum(percent >= step for step in steps)]
