"""What is for sale: the list, one product, categories, pictures. Fixed SQL, rows to JSON, no serializers (design 3.25).

The same text runs on both databases; SQLite hands decimals out as floats, exact for two places.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

from apps.core.kept import Kept
from apps.core.wire import JSON_OPTIONS
from apps.shop import errors
from apps.shop.models import Category, Slipper, SlipperImage
from apps.shop.models.catalogue import searchable
from apps.shop.queries import cached

ORDERS = {
    "id_asc": "s.id",
    "id_desc": "s.id DESC",
    "name_asc": "s.name, s.id",
    "name_desc": "s.name DESC, s.id DESC",
    "price_asc": "s.price, s.id",
    "price_desc": "s.price DESC, s.id DESC",
    "created_asc": "s.created_at, s.id",
    "created_desc": "s.created_at DESC, s.id DESC",
}
DEFAULT_SORT = "id_desc"
UNKNOWN_SORT = "name_asc"
"""What the original does with a word that it does not know."""

FIELDS = "s.id, s.name, s.size, s.price, s.quantity, s.category_id, c.name, s.image"
DATES = "s.created_at, s.updated_at"
"""Of one product only: reading them costs a list more than all else in its rows."""

FROM = "FROM shop_slipper s LEFT JOIN shop_category c ON c.id = s.category_id"
IMAGES = "SELECT slipper_id, id, image_path, is_primary, alt_text, order_index FROM shop_slipperimage WHERE slipper_id"
IMAGE_ORDER = "ORDER BY slipper_id, is_primary DESC, order_index"
CATEGORY_FIELDS = ("id", "name", "description", "is_active", "created_at", "updated_at")


@dataclass(frozen=True)
class Wanted:
    """One question to the catalogue."""

    skip: int = 0
    limit: int = 20
    category_id: int | None = None
    search: str = ""
    sort: str = DEFAULT_SORT
    include_images: bool = True

    @property
    def filter_key(self) -> str:
        """What decides how many there are."""
        return f"{self.category_id}|{self.search.strip().lower()}"

    @property
    def key(self) -> str:
        """What decides every byte of the answer."""
        return f"{self.skip}|{self.limit}|{self.sort}|{self.include_images}|{self.filter_key}"


def listed(wanted: Wanted) -> Kept:
    """A page of products as JSON: no query when it is known, three at most when not."""
    return cached.SLIPPERS.answer(
        f"list|{wanted.key}", lambda version: (_dump(_page(wanted, version)), cached.SLIPPERS_SECONDS)
    )


def one(slipper_id: int, *, include_images: bool = True) -> Kept:
    """One product as JSON. Raises `SlipperNotFound`, which is not kept."""
    return cached.SLIPPERS.answer(
        f"one|{slipper_id}|{include_images}",
        lambda _: (_dump(_detail(slipper_id, include_images)), cached.SLIPPER_SECONDS),
    )


def categories(*, skip: int = 0, limit: int = 100) -> Kept:
    """Categories as a bare array, inactive ones included, oldest first."""
    rows = Category.objects.order_by("id").values(*CATEGORY_FIELDS)
    return cached.CATEGORIES.answer(
        f"list|{skip}|{limit}", lambda _: (_dump(list(rows[skip : skip + limit])), cached.CATEGORY_SECONDS)
    )


def category(category_id: int) -> Kept:
    """One category. Raises `CategoryNotFound`."""
    return cached.CATEGORIES.answer(
        f"one|{category_id}", lambda _: (_dump(_category(category_id)), cached.CATEGORY_SECONDS)
    )


def images(slipper_id: int) -> dict[str, Any]:
    """The pictures of a product by their place. Raises `SlipperNotFound`."""
    ensure_exists(slipper_id)
    names = ("id", "image_path", "is_primary", "alt_text", "order_index", "created_at")
    rows = list(SlipperImage.objects.filter(slipper_id=slipper_id).order_by("order_index").values(*names))
    return {"slipper_id": slipper_id, "images": rows, "total_images": len(rows)}


def ensure_exists(slipper_id: int) -> None:
    """Raises `SlipperNotFound` for what is not in the catalogue."""
    if not Slipper.objects.alive().filter(pk=slipper_id).exists():
        raise errors.SlipperNotFound()


def written(slipper: Slipper) -> dict[str, Any]:
    """What the admin's writing paths answer."""
    return {
        "id": slipper.pk,
        "name": slipper.name,
        "size": slipper.size,
        "price": slipper.price,
        "quantity": slipper.quantity,
        "category_id": slipper.category_id,
        "image": slipper.image,
    }


def category_row(found: Category) -> dict[str, Any]:
    """A category as it stands on the wire."""
    return {name: getattr(found, name) for name in CATEGORY_FIELDS}


def _category(category_id: int) -> dict[str, Any]:
    row = Category.objects.filter(pk=category_id).values(*CATEGORY_FIELDS).first()
    if row is None:
        raise errors.CategoryNotFound()
    return row


def _page(wanted: Wanted, version: int) -> dict[str, Any]:
    where, given = _where(wanted)
    sort = wanted.sort if wanted.sort in ORDERS else UNKNOWN_SORT
    rows = _rows(
        f"SELECT {FIELDS} {FROM} WHERE {where} ORDER BY {ORDERS[sort]} LIMIT %s OFFSET %s",  # noqa: S608 - no text of callers
        [*given, wanted.limit, wanted.skip],
    )
    items = [_item(row) for row in rows]
    if wanted.include_images:
        _hang_pictures(items, wanted.limit)
    total = _total(wanted, where, given, version)
    return {
        "items": items,
        "total": total,
        "page": wanted.skip // wanted.limit + 1,
        "pages": -(-total // wanted.limit),
        "has_next": wanted.skip + wanted.limit < total,
        "has_prev": wanted.skip > 0,
        "sort": wanted.sort,
    }


def _where(wanted: Wanted) -> tuple[str, list[Any]]:
    parts: list[str] = ["NOT s.is_deleted"]
    given: list[Any] = []
    if wanted.category_id is not None:
        parts.append("s.category_id = %s")
        given.append(wanted.category_id)
    if text := searchable(wanted.search.strip()):
        parts.append("s.search_text LIKE %s ESCAPE '!'")
        given.append(f"%{_escaped(text)}%")
    return " AND ".join(parts), given


def _escaped(text: str) -> str:
    """Percent and underscore are letters like others to people who search."""
    for letter in "!%_":
        text = text.replace(letter, f"!{letter}")
    return text


def _total(wanted: Wanted, where: str, given: list[Any], version: int) -> int:
    sql = f"SELECT count(*) FROM shop_slipper s WHERE {where}"  # noqa: S608 - no text of callers
    return cached.SLIPPERS.number(
        version, wanted.filter_key, lambda: _rows(sql, given)[0][0], settings.SHOP.count_cache_seconds
    )


def _detail(slipper_id: int, include_images: bool) -> dict[str, Any]:
    rows = _rows(f"SELECT {FIELDS}, {DATES} {FROM} WHERE s.id = %s AND NOT s.is_deleted", [slipper_id])  # noqa: S608
    if not rows:
        raise errors.SlipperNotFound()
    item = _item(rows[0])
    if include_images:
        _hang_pictures([item], 1)
    return {**item, "created_at": rows[0][8], "updated_at": rows[0][9]}


def _item(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "id": row[0],
        "name": row[1],
        "size": row[2],
        "price": number(row[3]),
        "quantity": row[4],
        "category_id": row[5],
        "category_name": row[6],
        "image": row[7],
        "is_available": row[4] > 0,
    }


def _hang_pictures(items: list[dict[str, Any]], places: int) -> None:
    """One query for all products of the page; padded so that the text of the query, and its plan, stay the same."""
    found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    if items:
        ids = [item["id"] for item in items] + [0] * (places - len(items))
        marks = ", ".join(["%s"] * places)
        for row in _rows(f"{IMAGES} IN ({marks}) {IMAGE_ORDER}", ids):
            found[row[0]].append(
                {
                    "id": row[1],
                    "image_path": row[2],
                    "is_primary": bool(row[3]),
                    "alt_text": row[4],
                    "order_index": row[5],
                }
            )
    for item in items:
        pictures = found[item["id"]]
        item["images"] = pictures
        item["image_gallery"] = [picture["image_path"] for picture in pictures]
        item["primary_image"] = _primary(pictures) or item["image"] or None


def _primary(pictures: list[dict[str, Any]]) -> str | None:
    return next((picture["image_path"] for picture in pictures if picture["is_primary"]), None)


def _rows(sql: str, given: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall())


def number(value: Any) -> int | float:
    """A sum as a database hands it out; whole ones without a point, as `Wire.number` writes them."""
    return int(value) if value == int(value) else round(float(value), 2)


def _dump(value: Any) -> bytes:
    return orjson.dumps(value, option=JSON_OPTIONS)
