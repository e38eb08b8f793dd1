"""Orders as clients read them (contract shop 1.6). One fixed statement for any list, rows to JSON (design 3.25)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from apps.shop import access, errors
from apps.shop.models import Customer, Order
from apps.shop.queries.catalogue import number

CLOCK = ZoneInfo("Asia/Tashkent")
"""Orders show the shop's own time, whatever zone the server keeps."""

MOST = 500
"""Orders of one answer (D20)."""

_SQL = """
SELECT o.id, o.customer_id, c.name, c.surname, o.status, o.total_amount, o.created_at, o.updated_at, o.notes,
       i.id, i.slipper_id, i.quantity, i.unit_price, i.total_price, i.notes, i.name, i.size, i.image
FROM (SELECT * FROM shop_order WHERE {where} ORDER BY created_at DESC, id DESC LIMIT %s OFFSET %s) o
JOIN shop_customer c ON c.id = o.customer_id
LEFT JOIN shop_orderitem i ON i.order_id = o.id
ORDER BY o.created_at DESC, o.id DESC, i.id
"""
_ALL = _SQL.format(where="deleted_at IS NULL")
_OWN = _SQL.format(where="deleted_at IS NULL AND customer_id = %s")
_ONE = _SQL.format(where="id = %s")


def listed(*, by: Customer, skip: int = 0, limit: int = MOST) -> list[dict[str, Any]]:
    """Own orders, all for an administrator; newest first, at most 500. One query."""
    if access.is_admin(by):
        return _grouped(_rows(_ALL, [limit, skip]), _listed, _line)
    return _grouped(_rows(_OWN, [by.pk, limit, skip]), _listed, _line)


def by_ids(ids: Sequence[int]) -> list[dict[str, Any]]:
    """These orders as the list shows them. One query."""
    if not ids:
        return []
    sql = _SQL.format(where=f"id IN ({', '.join(['%s'] * len(ids))})")
    return _grouped(_rows(sql, [*ids, len(ids), 0]), _listed, _line)


def one(*, by: Customer, order_id: int) -> dict[str, Any]:
    """One order with its notes. Raises `OrderNotFound`, `OrderOfAnother`."""
    order = Order.objects.filter(pk=order_id, deleted_at=None).first()
    if order is None:
        raise errors.OrderNotFound()
    access.ensure_own(by, order)
    return shown(order_id)


def shown(order_id: int) -> dict[str, Any]:
    """An order that the caller may see, as it stands now. One query."""
    return _grouped(_rows(_ONE, [order_id, 1, 0]), _detail, _detail_line)[0]


def placed(order_id: int) -> dict[str, Any]:
    """What ordering answers. One query."""
    return _grouped(_rows(_ONE, [order_id, 1, 0]), _placed, _placed_line)[0]


def _rows(sql: str, given: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall())


def _grouped(
    rows: list[tuple[Any, ...]],
    head: Callable[[tuple[Any, ...]], dict[str, Any]],
    line: Callable[[tuple[Any, ...]], dict[str, Any]],
) -> list[dict[str, Any]]:
    """Joined rows of orders and lines, one dictionary per order."""
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        order = found.get(row[0]) or found.setdefault(row[0], {**head(row), "items": []})
        if row[9] is not None:
            order["items"].append(line(row))
    return list(found.values())


def _placed(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "id": row[0],
        "order_id": str(row[0]),
        "status": row[4],
        "total_amount": number(row[5]),
        "notes": row[8],
        "created_at": _clock(row[6]),
    }


def _listed(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "id": row[0],
        "order_id": str(row[0]),
        "user_id": row[1],
        "user_name": f"{row[2]} {row[3]}".strip(),
        "status": row[4],
        "total_amount": number(row[5]),
        "created_at": _clock(row[6]),
        "updated_at": _clock(row[7]),
    }


def _detail(row: tuple[Any, ...]) -> dict[str, Any]:
    return {**_listed(row), "notes": row[8]}


def _line(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "slipper_id": row[10],
        "quantity": row[11],
        "unit_price": number(row[12]),
        "total_price": number(row[13]),
        "name": row[15],
        "size": row[16],
        "image": row[17],
    }


def _placed_line(row: tuple[Any, ...]) -> dict[str, Any]:
    return {**_line(row), "notes": row[14]}


def _detail_line(row: tuple[Any, ...]) -> dict[str, Any]:
    return {**_placed_line(row), "id": row[9]}


def _clock(value: Any) -> str:
    """`YYYY-MM-DD HH:MM` by the shop's clock. SQLite hands times out as texts or without a zone, always in UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(CLOCK).strftime("%Y-%m-%d %H:%M")
