"""Batches of the warehouse: new ones, their words and prices, corrections and counts (contract florist 1.5, 3.11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.florist import access, errors
from apps.florist.access import employee_of
from apps.florist.actions import categories, shelf, stock
from apps.florist.actions.shelf import Cause, Reason, Type
from apps.florist.models import Batch, FlowerCategory, Movement, Shop

TEN = Decimal(10)
LARGEST_PRICE = Decimal(9_999_999_990)
"""What a column of money holds, rounded to ten too."""
MOST_STEMS = 1_000_000
"""Stems of one batch."""
MARKS = frozenset({"on_showcase", "to_write_off"})
"""What a florist may set on a batch."""


@dataclass(frozen=True)
class NewBatch:
    """What somebody typed in; `price` None is the proposed one."""

    sku: str
    batch_code: str
    variety: str
    height_cm: int
    farm: str
    supplier: str
    delivery_date: date
    currency: str
    rate: Decimal
    cost: Decimal
    qty: int
    markup_pct: Decimal = Decimal(100)
    price: Decimal | None = None


def stem_price(cost: Decimal, rate: Decimal, markup_pct: Decimal) -> Decimal:
    """The one price rule: cost × rate × (1 + markup), half up to ten (contract 3.11). Raises `PriceTooLarge`."""
    exact = cost * rate * (1 + markup_pct / 100)
    if exact > LARGEST_PRICE:
        raise errors.PriceTooLarge()
    return (exact / TEN).quantize(Decimal(1), ROUND_HALF_UP) * TEN


def rate_of(shop: Shop, currency: str, rate: Decimal) -> Decimal:
    """How many of the shop's money one unit costs; its own money costs one, whatever was typed."""
    return Decimal(1) if currency == shop.currency else rate


def build(shop: Shop, wanted: NewBatch, category: FlowerCategory | None, **more: Any) -> Batch:
    """The row, unsaved, with its price and its last day. Raises `PriceTooLarge`."""
    rate = rate_of(shop, wanted.currency, wanted.rate)
    proposed = stem_price(wanted.cost, rate, wanted.markup_pct)
    last_day = wanted.delivery_date + timedelta(days=category.shelf_life_days) if category else None
    return Batch(
        shop=shop,
        **{name: getattr(wanted, name) for name in COPIED},
        rate=rate,
        recommended_price=proposed,
        price=proposed if wanted.price is None else wanted.price,
        category=category,
        expires_on=last_day,
        **more,
    )


COPIED = (
    *("sku", "batch_code", "variety", "height_cm", "farm", "supplier"),
    *("delivery_date", "currency", "cost", "qty", "markup_pct"),
)


def create(*, by: Any, shop: Shop, wanted: NewBatch) -> Batch:
    """A batch with the movement that brought it. Raises `NotEnoughPermissions`, `SkuTaken`, `PriceTooLarge`."""
    access.ensure_may(by, "warehouse")
    with transaction.atomic():
        category = categories.recognise(wanted.variety, categories.ensure(shop))
        batch = build(shop, wanted, category, updated_by=employee_of(by))
        return shelf.add(shop, [batch], Cause(Reason.RECEIPT, by=by))[0]


def change(*, by: Any, batch_id: int, values: Mapping[str, Any]) -> Batch:
    """Words, price, marks; another `qty` becomes a movement. Florists set marks only.

    Raises `NotEnoughPermissions`, `BatchNotFound`, `NotEnoughStems`, `ReservedByOrders`.
    """
    access.ensure_may(by, "warehouse", "read" if values.keys() <= MARKS else "write")
    with transaction.atomic():
        place = shelf.lock_visible(by, [batch_id])
        batch = place.get(batch_id)
        words = dict(values)
        if words.pop("reserved_qty", batch.reserved_qty) != batch.reserved_qty:
            raise errors.ReservedByOrders()
        stems = words.pop("qty", batch.qty) - batch.qty
        if stems:
            place.move(batch, stems, Cause(Reason.OTHER, by=by, words="edited", type=Type.ADJUSTMENT))
            place.write()
        for name, value in words.items():
            setattr(batch, name, value)
        batch.updated_at, batch.updated_by = timezone.now(), employee_of(by)
        batch.save(update_fields=[*words, "search_text", "updated_at", "updated_by"])
        return batch


def adjust(*, by: Any, batch_id: int, stems: int, words: str, reason: str = Reason.OTHER, key: str = "") -> Movement:
    """Correct a batch by so many stems; what is reserved cannot be taken away. The same key moves once.

    Raises `NotEnoughPermissions`, `BatchNotFound`, `NotEnoughStems`, `KeyReused`.
    """
    access.ensure_may(by, "warehouse", "read")
    with transaction.atomic():
        place = shelf.lock_visible(by, [batch_id])
        batch = place.get(batch_id)
        if before := shelf.repeated(batch, stems, key):
            return before
        if batch.qty + stems > MOST_STEMS or stems < -batch.available_qty:
            raise errors.NotEnoughStems(available=batch.available_qty)
        movement = place.move(batch, stems, Cause(reason, by=by, words=words, type=Type.ADJUSTMENT, key=key))
        place.write()
        return movement


def count(*, by: Any, shop: Shop, counted: Mapping[int, int], words: str = "", key: str = "") -> list[Movement]:
    """Post a count (batch → stems): each difference becomes an adjustment; reservations of what is gone move to other

    batches. Raises `NotEnoughPermissions`, `BatchNotFound`. The same key posts once.
    """
    access.ensure_may(by, "warehouse", "read")
    with transaction.atomic():
        if key and (posted := _posted(shop, key)):
            return posted
        mine = Batch.objects.visible_to(by).filter(pk__in=counted, shop=shop)
        reserved = dict(mine.values_list("pk", "reserved_qty"))
        if any(counted[pk] < stems for pk, stems in reserved.items()):
            # All of them, not the short ones alone: what moves must fit into what was counted where it goes.
            stock.make_room({pk: counted[pk] for pk in reserved}, by=by)
        place = shelf.lock_visible(by, counted.keys(), shop)
        if key and (posted := _posted(shop, key)):
            return posted
        cause = Cause(Reason.INVENTORY, by=by, words=words, type=Type.ADJUSTMENT)
        made = []
        for batch_id, stems in sorted(counted.items()):
            batch = place.get(batch_id)
            if stems != batch.qty:
                made.append(place.move(batch, stems - batch.qty, cause))
        for number, movement in enumerate(made):
            movement.key = f"{shelf.short(key)}:{number}" if key else ""
        place.write()
        return made


def _posted(shop: Shop, key: str) -> list[Movement]:
    rows = Movement.objects.filter(shop=shop, reason=Reason.INVENTORY, key__startswith=f"{shelf.short(key)}:")
    return list(rows.order_by("pk"))
