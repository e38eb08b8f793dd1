"""Filling the catalogue: categories, products, prices, stock in bulk (contract shop 1.3, 1.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from apps.shop import access, errors
from apps.shop.actions import stock_watch
from apps.shop.models import Category, PriceChange, Slipper
from apps.shop.queries import cached

TIYIN = Decimal("0.01")
LARGEST_PRICE = Decimal("9999999999.99")
LARGEST_STOCK = 2_147_483_647
"""Pieces that the column holds."""


# ── Categories ──────────────────────────────────────────────────────────────────────────────────────────────────────
def add_category(*, by: Any, name: str, description: str | None = None, is_active: bool = True) -> Category:
    """A new shelf. Raises `NotAnAdmin`, `CategoryNameTaken`."""
    access.ensure_can_edit_catalogue(by, "shop.add_category")
    return _save_category(Category(name=name, description=description, is_active=is_active))


def change_category(*, by: Any, category_id: int, changes: Mapping[str, Any]) -> Category:
    """Only what is given changes. Raises `NotAnAdmin`, `CategoryNotFound`, `CategoryNameTaken`."""
    access.ensure_can_edit_catalogue(by, "shop.change_category")
    with transaction.atomic():
        category = Category.objects.select_for_update().filter(pk=category_id).first()
        if category is None:
            raise errors.CategoryNotFound()
        for name, value in changes.items():
            setattr(category, name, value)
        return _save_category(category)


def _save_category(category: Category) -> Category:
    category.updated_at = timezone.now()
    try:
        with transaction.atomic():
            category.save()
            cached.CATEGORIES.forget()
            cached.SLIPPERS.forget()
    except IntegrityError as problem:
        raise errors.CategoryNameTaken() from problem
    return category


def delete_category(*, by: Any, category_id: int) -> None:
    """Its products live on without a category (D17). Raises `NotAnAdmin`, `CategoryNotFound`."""
    access.ensure_can_edit_catalogue(by, "shop.delete_category")
    with transaction.atomic():
        deleted, _ = Category.objects.filter(pk=category_id).delete()
        if not deleted:
            raise errors.CategoryNotFound()
        cached.CATEGORIES.forget()
        cached.SLIPPERS.forget()


# ── Products ────────────────────────────────────────────────────────────────────────────────────────────────────────
def add(
    *,
    by: Any,
    name: str,
    size: str,
    price: Decimal,
    quantity: int = 0,
    category_id: int | None = None,
    **more: Any,
) -> Slipper:
    """A new product; `more` holds image, spic, package_code. Raises `NotAnAdmin`, `CategoryNotFound`."""
    access.ensure_can_edit_catalogue(by, "shop.add_slipper")
    with transaction.atomic():
        _ensure_category(category_id)
        slipper = Slipper.objects.create(
            name=name, size=size, price=price, quantity=quantity, category_id=category_id, **more
        )
        _note_price(slipper, None, by)
        cached.SLIPPERS.forget()
    return slipper


def change(*, by: Any, slipper_id: int, changes: Mapping[str, Any]) -> Slipper:
    """Only what is given changes; a new price is written into the history.

    Raises `NotAnAdmin`, `SlipperNotFound`, `CategoryNotFound`.
    """
    access.ensure_can_edit_catalogue(by)
    with transaction.atomic():
        slipper = lock(slipper_id)
        old_price = slipper.price
        if "category_id" in changes:
            _ensure_category(changes["category_id"])
        for name, value in changes.items():
            setattr(slipper, name, value)
        _save(slipper, old_price, by)
    return slipper


def _save(slipper: Slipper, old_price: Decimal, by: Any) -> None:
    slipper.updated_at = timezone.now()
    slipper.save()
    if slipper.price != old_price:
        _note_price(slipper, old_price, by)
    stock_watch.look([slipper.pk])
    cached.SLIPPERS.forget()


def restock(*, by: Any, slipper_id: int, delta: int) -> Slipper:
    """Put pieces on the shelf, or take them off; what was sold in the meantime stays sold.

    Raises `MayNotEditCatalogue`, `SlipperNotFound`, `StockChanged` when fewer are left than should go.
    """
    access.ensure_can_edit_catalogue(by)
    with transaction.atomic():
        slipper = lock(slipper_id)
        if not 0 <= slipper.quantity + delta <= LARGEST_STOCK:
            raise errors.StockChanged()
        slipper.quantity += delta
        _save(slipper, slipper.price, by)
    return slipper


def take_out(*, by: Any, slipper_id: int) -> Slipper:
    """Out of the catalogue, out of every cart; past orders keep it (D17). Raises `NotAnAdmin`, `SlipperNotFound`."""
    access.ensure_can_edit_catalogue(by, "shop.delete_slipper")
    with transaction.atomic():
        slipper = lock(slipper_id)
        slipper.is_deleted, slipper.deleted_at = True, timezone.now()
        slipper.save(update_fields=["is_deleted", "deleted_at"])
        slipper.cart_items.all().delete()
        cached.SLIPPERS.forget()
    return slipper


def bring_back(*, by: Any, slipper_id: int) -> Slipper:
    """Into the catalogue again; repeating changes nothing. Raises `NotAnAdmin`, `SlipperNotFound`."""
    access.ensure_can_edit_catalogue(by, "shop.delete_slipper")
    with transaction.atomic():
        slipper = Slipper.objects.lock(errors.SlipperNotFound, pk=slipper_id)
        slipper.is_deleted, slipper.deleted_at = False, None
        slipper.save(update_fields=["is_deleted", "deleted_at"])
        cached.SLIPPERS.forget()
    return slipper


def lock(slipper_id: int) -> Slipper:
    """A product of the catalogue, locked. Raises `SlipperNotFound`."""
    return Slipper.objects.lock(errors.SlipperNotFound, pk=slipper_id, is_deleted=False)


def _ensure_category(category_id: int | None) -> None:
    if category_id is not None and not Category.objects.filter(pk=category_id).exists():
        raise errors.CategoryNotFound()


def _note_price(slipper: Slipper, old: Decimal | None, by: Any) -> None:
    PriceChange.objects.create(slipper=slipper, old_price=old, new_price=slipper.price, by=access.person_of(by))


# ── In bulk ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class BulkEdit:
    """What happens to every chosen product; None leaves a figure alone. A price wins over a percentage."""

    price: Decimal | None = None
    percent: Decimal | None = None
    """Change of the price in percent, rounded to two places; never below 0.01."""
    add_stock: int = 0
    """Pieces to add, or to take off; never below nothing."""
    stock: int | None = None


def edit_many(*, by: Any, ids: Iterable[int], edit: BulkEdit) -> int:
    """Prices and stock of many products at once; locks in id order. Returns how many. Raises `MayNotEditCatalogue`."""
    access.ensure_can_edit_catalogue(by, "shop.edit_stock")
    with transaction.atomic():
        chosen = list(Slipper.objects.alive().filter(pk__in=list(ids)).order_by("pk").select_for_update(of=("self",)))
        for slipper in chosen:
            _reprice(slipper, edit, by)
        _restock([slipper.pk for slipper in chosen], edit)
        stock_watch.look([slipper.pk for slipper in chosen])
        cached.SLIPPERS.forget()
    return len(chosen)


def _reprice(slipper: Slipper, edit: BulkEdit, by: Any) -> None:
    old, new = slipper.price, _new_price(slipper.price, edit)
    if new == old:
        return
    slipper.price = new
    Slipper.objects.filter(pk=slipper.pk).update(price=new, updated_at=timezone.now())
    _note_price(slipper, old, by)


def _new_price(old: Decimal, edit: BulkEdit) -> Decimal:
    if edit.price is not None:
        return edit.price
    if edit.percent is None:
        return old
    wanted = (old * (100 + edit.percent) / 100).quantize(TIYIN, ROUND_HALF_UP)
    return min(max(wanted, TIYIN), LARGEST_PRICE)


def _restock(ids: list[int], edit: BulkEdit) -> None:
    rows = Slipper.objects.filter(pk__in=ids)
    if edit.stock is not None:
        rows.update(quantity=edit.stock, updated_at=timezone.now())
    elif edit.add_stock:
        rows.update(quantity=_moved(edit.add_stock), updated_at=timezone.now())


def _moved(by: int) -> Combinable:
    """The stock moved by so many pieces, held between nothing and the most before it is added: a sum may overflow."""
    if by < 0:
        return Greatest(F("quantity") + by, 0)
    return Least(F("quantity"), max(LARGEST_STOCK - by, 0)) + min(by, LARGEST_STOCK)
