"""The only writer of stock: batches locked in the order of their ids, each change a movement (contract florist 3.11).

Lock order of the shop: payments of an order, the order, batches by id. PostgreSQL waits at the lock; SQLite has one
writer at a time. On both a row is written only where it still is what was read, and constraints guard the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.core.idempotency import KeyReused
from apps.florist import errors
from apps.florist.access import employee_of
from apps.florist.models import Batch, Movement, Shop
from apps.florist.queries.recipes import Flower
from apps.florist.queries.stock import today_of

Type, Reason = Movement.Type, Movement.Reason
KEY_LETTERS = 40


@dataclass(frozen=True)
class Cause:
    """Why stock changes, and who did it."""

    reason: str
    by: Any = None
    words: str = ""
    about: tuple[str, int] | None = None
    """What it belongs to: a kind and an id."""
    type: str = ""
    """`in`, `out` or `adjustment`; empty: by the sign."""
    photo_url: str = ""
    key: str = ""
    """Stops a form that is sent twice."""


class Shelf:
    """Batches that this transaction has locked. Changes wait for `write`, which makes them in a few statements."""

    def __init__(self, shop: Shop, batches: Iterable[Batch]) -> None:
        self.shop = shop
        self.batches = {batch.pk: batch for batch in batches}
        self.today = today_of(shop)
        self._read = {pk: (batch.qty, batch.reserved_qty) for pk, batch in self.batches.items()}
        self._movements: list[Movement] = []

    def get(self, batch_id: int) -> Batch:
        """One of the locked batches. Raises `BatchNotFound`."""
        if batch_id not in self.batches:
            raise errors.BatchNotFound()
        return self.batches[batch_id]

    def take(self, flower: Flower, stems: int) -> Iterator[tuple[Batch, int]]:
        """Free stems for a flower, oldest delivery first, as far as they reach; the caller holds them at once."""
        for batch in sorted(self.batches.values(), key=lambda batch: (batch.delivery_date, batch.pk)):
            if stems > 0 and batch.available_qty > 0 and fits(batch, flower) and is_sellable(batch, self.today):
                found = min(stems, batch.available_qty)
                stems -= found
                yield batch, found

    def hold(self, batch: Batch, stems: int) -> None:
        """Set stems aside; negative lets them go."""
        batch.reserved_qty += stems

    def move(self, batch: Batch, stems: int, cause: Cause) -> Movement:
        """Stems come (+) or go (−), with their movement."""
        movement = Movement(
            shop=self.shop,
            warehouse_item=batch,
            type=cause.type or (Type.IN if stems > 0 else Type.OUT),
            reason=cause.reason,
            quantity=stems,
            unit_cost=batch.stem_cost,
            description=cause.words,
            reference_type=cause.about[0] if cause.about else None,
            reference_id=cause.about[1] if cause.about else None,
            created_by=employee_of(cause.by),
            photo_url=cause.photo_url,
            key=short(cause.key),
            qty_before=batch.qty,
            qty_after=max(batch.qty + stems, 0),
        )
        batch.qty += stems
        self._movements.append(movement)
        return movement

    def write(self) -> None:
        """Write what has changed. Raises `NotEnoughStems` when more was taken than is free, `ChangedMeanwhile`."""
        for pk, (qty, reserved) in sorted(self._read.items()):
            batch = self.batches[pk]
            if (batch.qty, batch.reserved_qty) == (qty, reserved):
                continue
            if not 0 <= batch.reserved_qty <= batch.qty:
                raise errors.NotEnoughStems(available=max(qty - reserved, 0))
            batch.updated_at = timezone.now()
            still = Batch.objects.filter(pk=pk, qty=qty, reserved_qty=reserved)
            changed = {"qty": batch.qty, "reserved_qty": batch.reserved_qty, "updated_at": batch.updated_at}
            if not still.update(**changed):
                raise errors.ChangedMeanwhile()
            self._read[pk] = (batch.qty, batch.reserved_qty)
        try:
            Movement.objects.bulk_create(self._movements)
        except IntegrityError as problem:  # the key of a form that is sent twice at the same moment
            raise errors.ChangedMeanwhile() from problem
        self._movements = []


def lock(shop: Shop, *, ids: Collection[int] = (), varieties: Collection[str] = ()) -> Shelf:
    """Lock these batches, and all of these varieties that hold free stems, in the order of their ids."""
    wanted = Q(pk__in=ids)
    if varieties:
        wanted |= Q(variety__in=varieties, qty__gt=F("reserved_qty"), hidden=False, to_write_off=False)
    return Shelf(shop, _in_order(Batch.objects.filter(wanted, shop=shop)))


def lock_visible(by: Any, ids: Collection[int], shop: Shop | None = None) -> Shelf:
    """Lock batches that `by` may see; all of one shop. Raises `BatchNotFound` when one of them is not."""
    mine = Batch.objects.visible_to(by).filter(pk__in=ids)
    found = list(_in_order(mine.filter(shop=shop) if shop else mine))
    if len(found) != len(set(ids)) or len({batch.shop_id for batch in found}) != 1:
        raise errors.BatchNotFound()
    return Shelf(shop or found[0].shop, found)


def fits(batch: Batch, flower: Flower) -> bool:
    """Whether the batch is such a flower."""
    return batch.variety == flower.variety and flower.height_cm in (None, batch.height_cm)


def is_sellable(batch: Batch, today: date) -> bool:
    """Neither too old, nor to be written off, nor hidden."""
    return not (batch.hidden or batch.to_write_off or batch.is_expired(today))


def _in_order(rows: QuerySet[Batch]) -> QuerySet[Batch]:
    return rows.order_by("pk").select_for_update(of=("self",))


def add(shop: Shop, batches: list[Batch], cause: Cause) -> list[Batch]:
    """New batches with the movements that brought their stems. Raises `SkuTaken`."""
    try:
        with transaction.atomic():
            made = Batch.objects.bulk_create(batches)
    except IntegrityError as problem:
        raise errors.SkuTaken() from problem
    place = Shelf(shop, made)
    for batch in made:
        stems, batch.qty = batch.qty, 0
        if stems:
            place.move(batch, stems, cause)
    place.write()
    return made


def short(key: str) -> str:
    """A caller's key as columns keep it: a long one by its hash; a number may follow."""
    return key if len(key) <= KEY_LETTERS else hashlib.sha256(key.encode()).hexdigest()[:KEY_LETTERS]


def repeated(batch: Batch, stems: int, key: str) -> Movement | None:
    """The movement that was made under this key before, if any. Raises `KeyReused` when it was another one."""
    if not key:
        return None
    found = Movement.objects.filter(shop=batch.shop_id, key=short(key)).first()
    if found and (found.warehouse_item_id, found.quantity) != (batch.pk, stems):
        raise KeyReused()
    return found
