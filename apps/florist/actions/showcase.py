"""Bouquets made ahead: assembled out of the stock, sold as a line of an order, or taken apart (contract florist 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum

from apps.core import states
from apps.core.idempotency import KeyReused
from apps.florist import access, errors
from apps.florist.access import employee_of
from apps.florist.actions import shelf, stock
from apps.florist.actions.shelf import Cause, Reason, Shelf
from apps.florist.errors import Shortage
from apps.florist.models import Movement, Order, OrderItem, Product, Shop, ShowcaseBouquet
from apps.florist.queries import recipes

State = ShowcaseBouquet.State
SHOWCASE = "showcase"
"""What movements of these bouquets are about."""


def assemble(*, by: Any, product_id: int, key: str = "") -> ShowcaseBouquet:
    """Make one bouquet for the showcase; its stems leave the stock. The same key makes one.

    Raises `NotEnoughPermissions`, `ProductNotFound`, `NoRecipe`, `StockShort`, `KeyReused` for another product.
    """
    access.ensure_may(by, "warehouse", "read")
    with transaction.atomic():
        product = Product.objects.alive().visible_to(by).filter(pk=product_id).first()
        if product is None:
            raise errors.ProductNotFound()
        needs = recipes.of_product(product_id)
        if not needs:
            raise errors.NoRecipe()
        place = shelf.lock(product.shop, varieties={flower.variety for flower in needs})
        # Behind the lock: the second of two taps has waited there until the first one's bouquet is written.
        if known := _known(product, key):
            return known
        bouquet = ShowcaseBouquet(shop=product.shop, product=product, made_by=employee_of(by), key=shelf.short(key))
        _store(bouquet)
        _take(place, needs, Cause(Reason.SHOWCASE, by=by, words=product.name[:200], about=(SHOWCASE, bouquet.pk)))
        return bouquet


def _known(product: Product, key: str) -> ShowcaseBouquet | None:
    """The bouquet that was made under this key before. Raises `KeyReused` when it was of another product."""
    found = ShowcaseBouquet.objects.filter(shop=product.shop_id, key=shelf.short(key)).first() if key else None
    if found is not None and found.product_id != product.pk:
        raise KeyReused()
    return found


def _store(bouquet: ShowcaseBouquet) -> None:
    """A twin of the same product waits at its batches; who has the key by now has made something else."""
    try:
        with transaction.atomic():
            bouquet.save(force_insert=True)
    except IntegrityError as problem:
        raise KeyReused() from problem


def take_apart(*, by: Any, bouquet_id: int, wilted: Mapping[int, int] | None = None) -> ShowcaseBouquet:
    """Put the stems back where they came from; `wilted` (batch → stems) go on as waste.

    Raises `NotEnoughPermissions`, `BouquetNotFound`, `IllegalBouquetStep`, `NotEnoughStems`.
    """
    access.ensure_may(by, "warehouse", "read")
    with transaction.atomic():
        bouquet = ShowcaseBouquet.objects.visible_to(by).lock(errors.BouquetNotFound, pk=bouquet_id)
        bouquet = states.step(bouquet, State.APART, by=by)
        rows = Movement.objects.filter(reference_type=SHOWCASE, reference_id=bouquet.pk).order_by()
        stems = {pk: -total for pk, total in rows.values_list("warehouse_item").annotate(Sum("quantity")) if total}
        _ensure_part(wilted or {}, stems)
        place = shelf.lock(bouquet.shop, ids=stems)
        about = (SHOWCASE, bouquet.pk)
        for batch_id, qty in sorted(stems.items()):
            place.move(place.get(batch_id), qty, Cause(Reason.SHOWCASE, by=by, about=about))
        for batch_id, qty in sorted((wilted or {}).items()):
            place.move(place.get(batch_id), -qty, Cause(Reason.WASTE_WILTED, by=by, about=about))
        place.write()
        return bouquet


def sell(*, by: Any, bouquet_id: int, order_item_id: int) -> ShowcaseBouquet:
    """A bouquet of the showcase becomes one piece of an order line, which lets the stems of that piece go.

    Raises `NotEnoughPermissions`, `OrderNotFound`, `BouquetNotFound`, `BouquetDoesNotFit`, `IllegalBouquetStep`.
    """
    access.ensure_may(by, "orders")
    with transaction.atomic():
        mine = Order.objects.visible_to(by).filter(items=order_item_id)
        order = mine.first()
        if order is None:
            raise errors.OrderNotFound()
        order = Order.objects.select_related("shop").select_for_update(of=("self",)).get(pk=order.pk)
        item = OrderItem.objects.get(pk=order_item_id)
        theirs = ShowcaseBouquet.objects.visible_to(by).filter(shop=order.shop)
        bouquet = theirs.lock(errors.BouquetNotFound, pk=bouquet_id)
        taken = ShowcaseBouquet.objects.filter(order_item=item).exists()
        if taken or item.is_written_off or item.product_id != bouquet.product_id or order.is_over:
            raise errors.BouquetDoesNotFit()
        holds = item.is_reserved or _holds_stems(order)
        # The step comes first: who loses the race for the bouquet must not wait for batches with its lock in hand.
        bouquet = states.step(bouquet, State.SOLD, by=by)
        stock.release_line(item, by=by)
        bouquet.order_item = item
        bouquet.save(update_fields=["order_item"])
        if holds:
            stock.reserve_line(item, by=by, allow_short=True)
        return bouquet


def _holds_stems(order: Order) -> bool:
    """Whether stems are set aside for such an order, even when a line lacks some."""
    is_held_when_new = order.shop.reserve_at == Shop.ReserveAt.CREATED
    return order.status == Order.Status.PAID or (order.status == Order.Status.NEW and is_held_when_new)


def _take(place: Shelf, needs: recipes.Needs, cause: Cause) -> None:
    taken: Counter[int] = Counter()
    short = []
    for flower, stems in sorted(needs.items(), key=lambda need: need[0].order):
        found = list(place.take(flower, stems))
        for batch, part in found:
            place.hold(batch, part)
            taken[batch.pk] += part
        if (got := sum(part for _batch, part in found)) < stems:
            short.append(Shortage(flower.variety, flower.height_cm, stems, got))
    if short:
        raise errors.StockShort(tuple(short))
    for batch_id, part in sorted(taken.items()):
        place.hold(place.get(batch_id), -part)
        place.move(place.get(batch_id), -part, cause)
    place.write()


def _ensure_part(wilted: Mapping[int, int], stems: Mapping[int, int]) -> None:
    for batch_id, qty in wilted.items():
        if not 0 < qty <= stems.get(batch_id, 0):
            raise errors.NotEnoughStems(available=stems.get(batch_id, 0))
