"""The catalogue: what managers write, and what the restaurant's menu writes over it (contract loyalty 1.5, 3.13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from apps.loyalty import access, errors
from apps.loyalty.actions import menu
from apps.loyalty.models import Category, Product
from apps.loyalty.queries import cached

LARGEST_PRICE = Decimal("99999999.99")


@dataclass(frozen=True)
class Synced:
    """What one synchronisation did."""

    categories_created: int = 0
    categories_updated: int = 0
    products_created: int = 0
    products_updated: int = 0
    products_removed: int = 0


# Shelves ------------------------------------------------------------------------------------------------------------


def add_category(*, by: Any, name: str, image_url: str | None = None) -> Category:
    """Put up a shelf. Raises `ManagersOnly`, `CategoryTaken`."""
    access.ensure_manager(by, "loyalty.add_category")
    return _save(Category(name=name, image_url=image_url or None))


def change_category(*, by: Any, category_id: int, changes: Mapping[str, Any]) -> Category:
    """Only what is given changes. Raises `ManagersOnly`, `CategoryNotFound`, `CategoryTaken`."""
    access.ensure_manager(by, "loyalty.change_category")
    with transaction.atomic():
        category = Category.objects.select_for_update().filter(pk=category_id).first()
        if category is None:
            raise errors.CategoryNotFound()
        for name, value in changes.items():
            setattr(category, name, value)
        return _save(category)


def _save(category: Category) -> Category:
    try:
        with transaction.atomic():
            category.save()
            cached.CATALOGUE.forget()
    except IntegrityError as problem:
        raise errors.CategoryTaken() from problem
    return category


def remove_category(*, by: Any, category_id: int) -> None:
    """Take an empty shelf down. Raises `ManagersOnly`, `CategoryNotFound`, `CategoryNotEmpty`."""
    access.ensure_manager(by, "loyalty.delete_category")
    try:
        with transaction.atomic():
            if not Category.objects.filter(pk=category_id).delete()[0]:
                raise errors.CategoryNotFound()
            cached.CATALOGUE.forget()
    except (ProtectedError, IntegrityError) as problem:  # a dish may come between our look and the delete
        raise errors.CategoryNotEmpty() from problem


# Dishes -------------------------------------------------------------------------------------------------------------


def add_product(*, by: Any, category_id: int, name: str, price: Decimal, image_url: str | None = None) -> Product:
    """Put a dish on a shelf. Raises `ManagersOnly`, `CategoryNotFound`."""
    access.ensure_manager(by, "loyalty.add_product")
    with transaction.atomic():
        _ensure_category(category_id)
        product = Product.objects.create(category_id=category_id, name=name, price=price, image_url=image_url or None)
        cached.CATALOGUE.forget()
    return product


def change_product(*, by: Any, product_id: int, changes: Mapping[str, Any]) -> Product:
    """Only what is given changes. Raises `ManagersOnly`, `ProductNotFound`, `CategoryNotFound`."""
    access.ensure_manager(by, "loyalty.change_product")
    with transaction.atomic():
        product = Product.objects.select_for_update().filter(pk=product_id).first()
        if product is None:
            raise errors.ProductNotFound()
        for name, value in changes.items():
            setattr(product, name, value)
        _ensure_category(product.category_id)
        product.updated_at = timezone.now()
        product.save()
        cached.CATALOGUE.forget()
    return product


def remove_product(*, by: Any, product_id: int) -> None:
    """Take a dish away. Raises `ManagersOnly`, `ProductNotFound`."""
    access.ensure_manager(by, "loyalty.delete_product")
    with transaction.atomic():
        if not Product.objects.filter(pk=product_id).delete()[0]:
            raise errors.ProductNotFound()
        cached.CATALOGUE.forget()


def _ensure_category(category_id: int) -> None:
    if not Category.objects.select_for_update().filter(pk=category_id).exists():
        raise errors.CategoryNotFound()


# The restaurant's menu ----------------------------------------------------------------------------------------------


def sync(*, by: Any) -> Synced:
    """Bring the restaurant's menu into the catalogue: by its own ids, else by name.

    Dishes that came from the menu and are in it no more go, unless a source did not answer: what it sells is unknown
    then. Shelves and dishes of our own stay. Raises `ManagersOnly`, `MenuUnavailable`.
    """
    access.ensure_manager(by, "loyalty.change_product")
    shelves, is_complete = menu.merged(is_forced=True)
    if not any(shelf["items"] for shelf in shelves):
        raise errors.MenuUnavailable()
    with transaction.atomic():
        done = _write(shelves, is_complete)
        cached.CATALOGUE.forget()
    return done


def _write(shelves: menu.Merged, is_complete: bool) -> Synced:
    categories = list(Category.objects.select_for_update().order_by("pk"))
    known = {category.external_id: category for category in categories if category.external_id}
    named = {category.name: category for category in categories}
    counts = dict.fromkeys(Synced.__dataclass_fields__, 0)
    seen: set[int] = set()
    for shelf in shelves:
        category = known.get(_id_of(shelf)) or named.get(shelf["name"][:150])
        category = _write_category(category, shelf, counts, named)
        seen |= _write_products(category, shelf["items"], counts)
    if is_complete:
        gone = Product.objects.exclude(external_id=None).exclude(pk__in=seen)
        counts["products_removed"] = gone.delete()[0]
    return Synced(**counts)


def _id_of(shelf: Mapping[str, Any]) -> str:
    return str(shelf["slug"] or shelf["id"])[:128]


def _write_category(
    category: Category | None, shelf: Mapping[str, Any], counts: dict[str, int], named: dict[str, Category]
) -> Category:
    """The shelf under the menu's name, unless another shelf of ours has that name."""
    name = shelf["name"][:150]
    if category is None:
        counts["categories_created"] += 1
        named[name] = Category.objects.create(name=name, external_id=_id_of(shelf))
        return named[name]
    wanted = {"external_id": _id_of(shelf), "name": category.name if name in named else name}
    if any(getattr(category, field) != value for field, value in wanted.items()):
        counts["categories_updated"] += 1
        Category.objects.filter(pk=category.pk).update(**wanted)
    return category


def _write_products(category: Category, items: list[dict[str, Any]], counts: dict[str, int]) -> set[int]:
    """The shelf's dishes, in a few statements; returns the rows that the menu stands for."""
    rows = list(Product.objects.filter(category=category))
    known = {row.external_id: row for row in rows if row.external_id}
    named = {row.name: row for row in rows if not row.external_id}
    new, changed, kept = [], [], []
    for item in items:
        wanted = _product_of(item)
        row = known.get(wanted["external_id"]) or named.pop(wanted["name"], None)
        if wanted["price"] <= 0:
            continue
        if row is None:
            new.append(Product(category=category, **wanted))
            continue
        kept.append(row)
        if any(getattr(row, field) != value for field, value in wanted.items()):
            changed.append(row)
            for field, value in {**wanted, "updated_at": timezone.now()}.items():
                setattr(row, field, value)
    Product.objects.bulk_update(changed, ["name", "price", "image_url", "external_id", "updated_at"])
    made = Product.objects.bulk_create(new)
    counts["products_created"] += len(made)
    counts["products_updated"] += len(changed)
    return {row.pk for row in (*kept, *made)}


def _product_of(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "external_id": str(item["id"])[:128],
        "name": item["name"][:255],
        "price": min(Decimal(item["prices"][0]["price"]), LARGEST_PRICE),
        "image_url": (item["images"][0][:500] if item["images"] else None),
    }
