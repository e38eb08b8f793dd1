"""The catalogue as bytes: two fixed lists, a statement each (contract loyalty 1.5, 3.12)."""

from __future__ import annotations

from typing import Any

import orjson
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from apps.core.kept import Kept
from apps.loyalty.models import Category, Product
from apps.loyalty.queries import cached

MOST_CATEGORIES, MOST_PRODUCTS = 500, 2000
"""The clients get these lists whole; a catalogue beyond this is not one of a restaurant."""


def categories() -> Kept:
    """Shelves by name; a shelf without a picture shows that of its first dish."""
    return cached.CATALOGUE.answer("categories", lambda _: _sealed(_categories()))


def _categories() -> list[dict[str, Any]]:
    first = Product.objects.filter(category=OuterRef("pk")).exclude(image_url=None).order_by("name", "id")
    shelves = Category.objects.annotate(picture=Coalesce("image_url", Subquery(first.values("image_url")[:1])))
    rows = shelves.order_by("name", "id").values_list("id", "name", "picture")[:MOST_CATEGORIES]
    return [{"id": pk, "name": name, "image_url": picture} for pk, name, picture in rows]


def products(category_id: int | None = None) -> Kept:
    """Dishes by name, all or of one shelf."""
    question = f"products:{category_id or 'all'}"
    return cached.CATALOGUE.answer(question, lambda _: _sealed(_products(category_id)))


def _products(category_id: int | None) -> list[dict[str, Any]]:
    rows = Product.objects.filter(category_id=category_id) if category_id else Product.objects.all()
    found = rows.order_by("name", "id").values_list("id", "category_id", "name", "price", "image_url")
    names = ("id", "category_id", "name", "price", "image_url")
    return [dict(zip(names, row, strict=True)) for row in found[:MOST_PRODUCTS]]


def _sealed(rows: list[dict[str, Any]]) -> tuple[bytes, float]:
    return orjson.dumps(rows, default=float), cached.SECONDS
