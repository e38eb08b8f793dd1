"""Refusals about supplies, batches and reservations."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Invalid
from apps.florist.errors.base import BadRequest, Gone


@dataclass(frozen=True)
class Shortage:
    """Stems that are missing; `height_cm` None is any height."""

    variety: str
    height_cm: int | None
    needed: int
    available: int


class BatchNotFound(Gone):
    """404."""

    code = "warehouse_item_not_found"
    detail = "Warehouse item not found"
    message = _("There is no such batch")


class NotEnoughStems(BadRequest):
    """More than there is, or more than nobody has reserved: 400, as in the original."""

    code = "not_enough_stems"
    detail = "Not enough stock, available: {available}"
    message = _("There are only {available} free stems")


class SkuTaken(Conflict):
    """409; the original broke here."""

    code = "sku_taken"
    detail = "SKU already exists"
    message = _("There is a batch with this SKU already")


class NothingToSubstitute(Conflict):
    """The order line holds fewer stems of that batch: 409."""

    code = "nothing_to_substitute"
    detail = "The order line does not hold that many stems of this batch"
    message = _("This bouquet does not have so many stems of that batch")


class SupplyNotFound(Gone):
    """404."""

    code = "supply_not_found"
    detail = "Supply not found"
    message = _("There is no such supply")


class IllegalSupplyStep(Conflict):
    """409."""

    code = "illegal_supply_step"
    detail = "Cannot change supply status from {from_status} to {to_status}"
    message = _("This supply cannot do that now")


class CategoryNotFound(Gone):
    """404."""

    code = "category_not_found"
    detail = "Category not found"
    message = _("There is no such category")


class CategoryNameTaken(BadRequest):
    """The original answers 400."""

    code = "category_name_taken"
    detail = "Category with this name already exists"
    message = _("There is a category with this name already")


class EmptySupply(BadRequest):
    """The original answers 400."""

    code = "empty_supply"
    detail = "Supply must contain at least one item"
    message = _("A supply needs at least one line")


class PriceTooLarge(Invalid):
    """Cost × rate × markup does not fit: 422."""

    code = "price_too_large"
    detail = "Price is too large"
    message = _("This price is too large. Look at the rate")


class BouquetNotFound(Gone):
    """404."""

    code = "bouquet_not_found"
    detail = "Showcase bouquet not found"
    message = _("There is no such bouquet in the showcase")


class IllegalBouquetStep(Conflict):
    """409."""

    code = "illegal_bouquet_step"
    detail = "Cannot change bouquet state from {from_status} to {to_status}"
    message = _("This bouquet cannot do that now")


class NoRecipe(Conflict):
    """Nothing can be taken from the stock for it: 409."""

    code = "no_recipe"
    detail = "The product has no flowers in its recipe"
    message = _("This product has no recipe of flowers")


class BouquetDoesNotFit(Conflict):
    """Another product, a line that is made already or has its bouquet: 409."""

    code = "bouquet_does_not_fit"
    detail = "The bouquet does not fit this order line"
    message = _("This bouquet does not fit this line of the order")


class ReservedByOrders(Conflict):
    """What is reserved follows from orders and is not typed in: 409."""

    code = "reserved_by_orders"
    detail = "Reserved stock is changed by orders only"
    message = _("Only orders reserve flowers")


class NotAWasteReason(BadRequest):
    """400."""

    code = "not_a_waste_reason"
    detail = "Unknown waste reason"
    message = _("Choose why the flowers are thrown away")


class StockShort(Conflict):
    """Not enough stems; the wire adds `shortages`: 409. A manager may take the order as a backorder."""

    code = "stock_short"
    detail = "Not enough stock"
    message = _("There are not enough flowers")

    def __init__(self, shortages: tuple[Shortage, ...] = ()) -> None:
        super().__init__()
        self.shortages = shortages
