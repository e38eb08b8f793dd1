"""Flowers that nobody will buy: two taps, a reason, the cost, a picture (contract florist 3.11, 6)."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.florist import access, errors
from apps.florist.actions import shelf, stock
from apps.florist.actions.shelf import Cause, Reason
from apps.florist.models import Batch, Movement


def write_off(
    *,
    by: Any,
    batch_id: int,
    qty: int,
    reason: str = Reason.WASTE_WILTED,
    words: str = "",
    photo_url: str = "",
    key: str = "",
) -> Movement:
    """Throw stems away; `reason` is one of `Movement.WASTE`. Reserved stems count too: their orders get others where

    there are some. The same key throws away once. Raises `NotEnoughPermissions`, `BatchNotFound`, `NotEnoughStems`,
    `NotAWasteReason`, `KeyReused`.
    """
    access.ensure_may(by, "warehouse", "read")
    if reason not in Movement.WASTE:
        raise errors.NotAWasteReason()
    with transaction.atomic():
        batch = Batch.objects.visible_to(by).filter(pk=batch_id).first()
        if batch is None:
            raise errors.BatchNotFound()
        if before := shelf.repeated(batch, -qty, key):
            return before
        _ensure_some(batch, qty)
        if batch.available_qty < qty:
            stock.make_room({batch_id: batch.qty - qty}, by=by)
        place = shelf.lock_visible(by, [batch_id])
        if before := shelf.repeated(batch, -qty, key):
            return before
        batch = place.get(batch_id)
        _ensure_some(batch, qty)
        movement = place.move(batch, -qty, Cause(reason, by=by, words=words, photo_url=photo_url, key=key))
        place.write()
        return movement


def _ensure_some(batch: Batch, qty: int) -> None:
    if not 0 < qty <= batch.qty:
        raise errors.NotEnoughStems(available=batch.qty)
