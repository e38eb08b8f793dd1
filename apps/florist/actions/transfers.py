"""Stems handed from one shop of an owner to another (contract florist 6)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from apps.core.idempotency import KeyReused
from apps.florist import access, errors
from apps.florist.actions import shelf
from apps.florist.actions.shelf import Cause, Reason
from apps.florist.models import Batch, Shop, StockTransfer


def hand_over(*, by: Any, batch_id: int, to_shop_id: int, qty: int, key: str = "") -> StockTransfer:
    """Free stems of a batch become a batch of the other shop, at what they cost. The same key hands over once.

    Raises `NotEnoughPermissions`, `BatchNotFound`, `ShopNotFound`, `NotEnoughStems`, `KeyReused`.
    """
    access.ensure_may(by, "warehouse")
    who = access.employee_of(by)
    if who is None:
        raise errors.NotEnoughPermissions()
    with transaction.atomic():
        place = shelf.lock_visible(by, [batch_id])
        batch = place.get(batch_id)
        key = f"{batch.shop_id}:{shelf.short(key or uuid4().hex)}"
        if before := StockTransfer.objects.filter(key=key).first():
            if (before.from_batch_id, before.to_shop_id, before.qty) != (batch_id, to_shop_id, qty):
                raise KeyReused()
            return before
        there = _sister(batch.shop, to_shop_id)
        if not 0 < qty <= batch.available_qty:
            raise errors.NotEnoughStems(available=batch.available_qty)
        about = ("transfer", batch.pk)
        place.move(batch, -qty, Cause(Reason.TRANSFER, by=by, words=there.name, about=about))
        place.write()
        [arrived] = shelf.add(
            there, [_copy(batch, there, qty)], Cause(Reason.TRANSFER, words=batch.shop.name, about=about)
        )
        made = StockTransfer(from_batch=batch, to_batch=arrived, qty=qty, created_by=who, key=key)
        made.from_shop, made.to_shop = batch.shop, there
        return _store(made)


def _store(made: StockTransfer) -> StockTransfer:
    """A twin of the same batch waits at its lock; who has the key by now has handed over another one."""
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as problem:
        raise KeyReused() from problem
    return made


def _sister(shop: Shop, to_shop_id: int) -> Shop:
    """Another open shop of the same owner with the same money; shops of others do not exist."""
    found = Shop.objects.filter(pk=to_shop_id, is_active=True, currency=shop.currency).exclude(pk=shop.pk).first()
    if found is None or shop.owner_id is None or found.owner_id != shop.owner_id:
        raise errors.ShopNotFound()
    return found


def _copy(batch: Batch, there: Shop, qty: int) -> Batch:
    number = StockTransfer.objects.filter(from_batch=batch).count() + 1
    names = ("batch_code", "variety", "height_cm", "farm", "supplier", "delivery_date", "expires_on", "currency")
    prices = ("rate", "cost", "markup_pct", "recommended_price", "price")
    copied = {name: getattr(batch, name) for name in (*names, *prices)}
    return Batch(shop=there, sku=f"{batch.sku[:80]}-T{batch.shop_id}-{number}", qty=qty, **copied)
