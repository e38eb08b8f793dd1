"""Questions about orders: the list, one order, what is due.

The list is a read model (design 3.25): one fixed SQL, rows to orjson bytes. Public pages are kept in the cache as bytes
together with the members that appear in them; everybody who does not appear gets the very same bytes. A version is
renewed after each commit that changes orders, so nobody sees yesterday's list, and no entry outlives the earliest due
moment of its rows.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Q

from apps.urgent import errors
from apps.urgent.models import Member, Order, Take
from apps.urgent.queries import cities

ROWS_VERSION = "urgent:orders:rows"
TOTAL_VERSION = "urgent:orders:total"
VERSION_SECONDS = 86_400
HIDDEN_EXECUTOR = 0
"""What third parties read instead of an executor's Telegram id: an integer, because clients count and compare (D13)."""

PUBLIC_STATUSES = frozenset({Order.Status.ACTIVE, Order.Status.EXPIRED, Order.Status.COMPLETED})
LARGEST_OFFSET = 2**31

_COLUMNS = (
    "id, client_id, category, description, city, created_at, expires_in_minutes, status,"
    " customer_responded_at, city_locked, rating, review_comment, due_at"
)
_LIST = """
WITH page AS (SELECT {columns} FROM urgent_order WHERE {where} ORDER BY created_at DESC, id DESC LIMIT %s OFFSET %s)
SELECT page.*, t.executor_id, t.taken_at
FROM page LEFT JOIN urgent_take t ON t.order_id = page.id
ORDER BY page.created_at DESC, page.id DESC, t.slot
"""
_COUNT = "SELECT COUNT(*) FROM urgent_order WHERE {where}"
_TAKEN = "id IN (SELECT order_id FROM urgent_take WHERE executor_id = %s)"
_LIVE = "status = 'active' AND due_at > %s"
_STATUS = {status: f"status = '{status.value}'" for status in Order.Status}
"""Written out, because a partial index serves only a condition that the planner can read."""

_DUE_PAGE = """
SELECT due_at, id FROM urgent_order
WHERE status = 'active' AND due_at <= %s AND due_at >= %s AND (due_at, id) > (%s, %s)
ORDER BY due_at, id LIMIT %s
"""


@dataclass(frozen=True)
class Asked:
    """What a caller wants to see. `status` is `None` when he did not say; `is_plain` when he said nothing at all."""

    category: str | None = None
    city: str | None = None
    status: str | None = None
    mine: bool = False
    taken_by_me: bool = False
    limit: int = 50
    offset: int = 0
    near: tuple[float, float, float] | None = None
    """Latitude, longitude and radius in kilometres."""
    is_plain: bool = False

    @property
    def is_personal(self) -> bool:
        """About the caller's own orders or takes."""
        return self.mine or self.taken_by_me


@dataclass(frozen=True)
class Where:
    """A condition in SQL with its values, put together from fixed pieces only."""

    parts: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    def also(self, part: str, *values: Any) -> Where:
        """Both conditions."""
        return Where((*self.parts, part), (*self.values, *values))

    @property
    def sql(self) -> str:
        """The condition; `1 = 1` when there is none."""
        return " AND ".join(self.parts) or "1 = 1"


@dataclass(frozen=True)
class Page:
    """A finished page: its bytes, and who appears in it."""

    body: bytes
    etag: str
    involved: frozenset[int] = frozenset()
    rows: list[dict[str, Any]] = field(default_factory=list, repr=False)
    total: int = 0
    good_until: datetime | None = None


def page(asked: Asked, *, by: Member | None, now: datetime) -> Page:
    """The list that `by` may see, newest first, with the number of all that match. Contacts are never in it."""
    if by is not None and (asked.is_personal or asked.is_plain):
        return _personal_page(asked, by, now)
    public = _public_page(asked, now)
    return _seen_by(by, public) if by is not None and by.pk in public.involved else public


def _personal_page(asked: Asked, by: Member, now: datetime) -> Page:
    if asked.is_plain:
        return _taken_and_public_page(asked, by, now)
    where = _narrowed(_of_member(asked, by, now), asked)
    return _finished(_rows(where, asked), _counted(where), by)


def _taken_and_public_page(asked: Asked, by: Member, now: datetime) -> Page:
    """The front end's "taken" page asks without any query and filters by itself: the caller's takes in every status

    come first into the page, active orders fill it up (D5).
    """
    taken_by_him = Where().also(_TAKEN, by.pk)
    taken = _rows(taken_by_him, asked)
    public = _public_page(asked, now)
    known = {row["id"] for row in taken}
    rows = [*taken, *(row for row in public.rows if row["id"] not in known)][: asked.limit]
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return _finished(rows, public.total + _counted(taken_by_him.also(f"NOT ({_LIVE})", _stored(now))), by)


def _of_member(asked: Asked, by: Member, now: datetime) -> Where:
    """Own orders in every status unless one is asked for (D4); taken ones in the asked status, else active."""
    where = Where()
    if asked.mine:
        where = where.also("client_id = %s", by.pk)
    if asked.taken_by_me:
        where = where.also(_TAKEN, by.pk)
    status = asked.status or (None if asked.mine else Order.Status.ACTIVE)
    return where if status is None else _with_status(where, status, now)


def _with_status(where: Where, status: str, now: datetime) -> Where:
    """Active means: and not past its time, even when the timer has not been there yet."""
    if status == Order.Status.ACTIVE:
        return where.also(_LIVE, _stored(now))
    return where.also(_STATUS[Order.Status(status)])


def _narrowed(where: Where, asked: Asked) -> Where:
    if asked.category is not None:
        where = where.also("category = %s", asked.category)
    if asked.city is not None:
        where = where.also("city = %s", asked.city)
    if asked.near:
        names = sorted(_near(asked))
        where = where.also(f"city IN ({', '.join(['%s'] * len(names))})", *names) if names else where.also("1 = 0")
    return where


def _near(asked: Asked) -> dict[str, float]:
    if asked.near is None:
        return {}
    latitude, longitude, radius_km = asked.near
    return cities.within(latitude=latitude, longitude=longitude, radius_km=radius_km)


def _public_page(asked: Asked, now: datetime) -> Page:
    """From the cache when nothing has changed since; one round trip to the cache, no query."""
    slot = _slot(asked)
    total_slot = _total_slot(asked)
    found = cache.get_many([ROWS_VERSION, TOTAL_VERSION, slot, total_slot])
    version = found.get(ROWS_VERSION) or _renew(ROWS_VERSION)
    kept = found.get(slot)
    if kept and kept[0] == version and now < kept[1].good_until:
        return kept[1]  # type: ignore[no-any-return]
    built = _build(asked, now, found.get(TOTAL_VERSION) or _renew(TOTAL_VERSION), found.get(total_slot))
    cache.set(slot, (version, built), timeout=settings.URGENT.list_cache_seconds + 1)
    return built


def _build(asked: Asked, now: datetime, version: str, kept_total: Any) -> Page:
    where = _narrowed(_with_status(Where(), _public_status(asked), now), asked)
    rows = _rows(where, asked)
    good_until = now + timedelta(seconds=settings.URGENT.list_cache_seconds)
    if kept_total and kept_total[0] == version and now < kept_total[1]:
        total = kept_total[2]
    else:
        total = _counted(where)
        cache.set(_total_slot(asked), (version, good_until, total), timeout=settings.URGENT.list_cache_seconds + 1)
    ends = [row["due_at"] for row in rows if row["status"] == Order.Status.ACTIVE]
    return _finished(rows, total, None, good_until=min([good_until, *ends]))


def _public_status(asked: Asked) -> str:
    """What everybody may list; any other wish means active (contract urgent 1.1)."""
    return str(asked.status if asked.status in PUBLIC_STATUSES else Order.Status.ACTIVE)


def _finished(rows: list[dict[str, Any]], total: int, by: Member | None, good_until: datetime | None = None) -> Page:
    viewer = by.pk if by else None
    body = orjson.dumps({"orders": [_listed(row, viewer) for row in rows], "total": total}, option=orjson.OPT_UTC_Z)
    involved = frozenset(pk for row in rows for pk in (row["client_id"], *(pk for pk, _ in row["takes"])))
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    return Page(body, etag, involved, rows, total, good_until)


def _seen_by(by: Member, public: Page) -> Page:
    """The same page for somebody who appears in it: he recognises his own takes."""
    return _finished(public.rows, public.total, by)


def _slot(asked: Asked) -> str:
    words = (asked.category, asked.city, _public_status(asked), asked.limit, asked.offset, asked.near)
    return "urgent:orders:" + hashlib.blake2b(repr(words).encode(), digest_size=16).hexdigest()


def _total_slot(asked: Asked) -> str:
    """Every page of the same filter has the same total: it is counted once for all of them."""
    words = (asked.category, asked.city, _public_status(asked), asked.near)
    return "urgent:orders:total:" + hashlib.blake2b(repr(words).encode(), digest_size=16).hexdigest()


def _renew(name: str) -> str:
    """A new version, unless another process has set one at the same time."""
    mark = secrets.token_hex(8)
    cache.add(name, mark, timeout=VERSION_SECONDS)
    return str(cache.get(name, mark))


def forget() -> None:
    """Orders came, went or changed: kept pages and totals no longer hold. Called after commit."""
    cache.set_many({ROWS_VERSION: secrets.token_hex(8), TOTAL_VERSION: secrets.token_hex(8)}, timeout=VERSION_SECONDS)


def forget_rows() -> None:
    """Rows changed, but not which orders there are: kept totals still hold. Called after commit."""
    cache.set(ROWS_VERSION, secrets.token_hex(8), timeout=VERSION_SECONDS)


def _rows(where: Where, asked: Asked) -> list[dict[str, Any]]:
    sql = _LIST.format(columns=_COLUMNS, where=where.sql)
    values = [*where.values, asked.limit, min(asked.offset, LARGEST_OFFSET)]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found = _grouped(cursor.fetchall())
    if asked.near:
        distances = _near(asked)
        for row in found:
            row["distance_km"] = distances.get(row["city"])
    return found


def _grouped(found: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Joined rows of orders and takes, one dictionary per order."""
    rows: dict[str, dict[str, Any]] = {}
    for values in found:
        row = rows.get(values[0]) or rows.setdefault(values[0], _row(values))
        if values[13] is not None:
            row["takes"].append((values[13], _moment(values[14])))
    return list(rows.values())


def _row(values: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": values[0],
        "client_id": values[1],
        "category": values[2],
        "description": values[3],
        "city": values[4],
        "created_at": _moment(values[5]),
        "expires_in_minutes": values[6],
        "status": values[7],
        "customer_responded_at": _moment(values[8]),
        "city_locked": bool(values[9]),
        "rating": values[10],
        "review_comment": values[11],
        "due_at": _moment(values[12]),
        "takes": [],
    }


def _listed(row: dict[str, Any], viewer: int | None) -> dict[str, Any]:
    """One order on the wire; `contact` is null in every list, also for the owner (contract urgent 3.2)."""
    return wired(row, viewer=viewer, contact=None)


def wired(row: dict[str, Any], *, viewer: int | None, contact: str | None) -> dict[str, Any]:
    """An order as clients know it (contract urgent 1.2). Executors' ids are for the owner and for themselves (D13)."""
    sees_all = viewer is not None and viewer == row["client_id"]
    shown = {
        "id": row["id"],
        "category": row["category"],
        "description": row["description"],
        "city": row["city"],
        "contact": contact,
        "created_at": row["created_at"],
        "expires_in_minutes": row["expires_in_minutes"],
        "status": row["status"],
        "taken_by": [
            {"executor_id": pk if sees_all or pk == viewer else HIDDEN_EXECUTOR, "taken_at": at}
            for pk, at in row["takes"]
        ],
        "customer_responded_at": row["customer_responded_at"],
        "city_locked": row["city_locked"],
        "rating": row["rating"],
        "review_comment": row["review_comment"],
    }
    if "distance_km" in row:
        shown["distance_km"] = row["distance_km"]
    return shown


def visible(order_id: str, *, by: Member | None) -> Order:
    """One order that `by` may see. Raises `OrderNotFound`."""
    order = Order.objects.visible_to(by).filter(pk=order_id).first()
    if order is None:
        raise errors.OrderNotFound()
    return order


def shown(order: Order, *, by: Member | None) -> dict[str, Any]:
    """One order as `by` may see it: the contact only for its owner and its takers (contract urgent 3.2)."""
    takes = list(Take.objects.filter(order=order).order_by("slot").values_list("executor_id", "taken_at"))
    viewer = by.pk if by else None
    may_call = viewer is not None and (order.client_id == viewer or any(pk == viewer for pk, _ in takes))
    row = {name: getattr(order, name) for name in _FIELDS} | {"takes": takes}
    return wired(row, viewer=viewer, contact=order.contact if may_call else None)


_FIELDS = (
    *("id", "client_id", "category", "description", "city", "created_at", "expires_in_minutes", "status"),
    *("customer_responded_at", "city_locked", "rating", "review_comment"),
)


def _counted(where: Where) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(where=where.sql), list(where.values))
        return int(cursor.fetchone()[0])


def _stored(moment: datetime) -> Any:
    """A time as the database keeps it: SQLite has texts."""
    return connection.ops.adapt_datetimefield_value(moment)


def _moment(value: Any) -> datetime | None:
    """A time as the database gave it: SQLite's are UTC without saying so, and texts where the column's type is lost."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def active_with_contact(contact_normalized: str) -> str | None:
    """The id of the active order with this contact."""
    held = Order.objects.filter(status=Order.Status.ACTIVE, contact_normalized=contact_normalized)
    return held.values_list("pk", flat=True).first()


def due_ids_of(member_id: int, now: datetime) -> list[str]:
    """Due orders that a member has posted or taken."""
    own_or_taken = Q(client_id=member_id) | Q(takes__executor_id=member_id)
    return list(Order.objects.due(now).filter(own_or_taken).distinct().order_by("pk").values_list("pk", flat=True))


def due_page(now: datetime, *, after: tuple[datetime, str] | None, size: int) -> list[tuple[datetime, str]]:
    """The next due orders in the partial index's own order, after a place in it."""
    since, order_id = after or (datetime.min.replace(tzinfo=UTC, year=1970), "")
    with connection.cursor() as cursor:
        cursor.execute(_DUE_PAGE, [_stored(now), _stored(since), _stored(since), order_id, size])
        return [(_required(at), pk) for at, pk in cursor.fetchall()]


def _required(value: Any) -> datetime:
    moment = _moment(value)
    if moment is None:
        raise ValueError("a due order has a due moment")
    return moment
