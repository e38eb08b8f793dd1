"""Looking at the stock: stem lists, what gets old, what runs low, what is shown (contract florist 3.11)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from apps.florist.models import Batch, Movement, Order, OrderItem, Shop, ShowcaseBouquet, StockReservation
from apps.florist.queries import recipes
from apps.florist.queries.windows import today_of

State = StockReservation.State
REMEMBERED_DAYS = 60
"""A variety that was not delivered for so long is no longer missed."""
SOON_DAYS = 1
"""A batch gets old when its last day is today or this many days ahead."""


# ── What a florist takes for an order line ──────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class StemBatch:
    """Where stems lie."""

    batch_id: int
    sku: str
    batch_code: str
    qty: int


@dataclass(frozen=True)
class Stem:
    """One flower of an order line: how many, out of which batches; `missing` stems lie nowhere. No prices."""

    key: str
    variety: str
    height_cm: int | None
    qty: int
    batches: tuple[StemBatch, ...] = ()
    missing: int = 0
    instead_of: str = ""
    """The recipe's variety when another was taken."""


@dataclass
class _Pile:
    batches: list[StemBatch] = field(default_factory=list)
    instead_of: str = ""


def stem_list(order_item_ids: Collection[int]) -> dict[int, list[Stem]]:
    """Order line → its flowers, by variety. Set aside or written off stems with their batches, then what is missing.

    Four queries.
    """
    items = list(OrderItem.objects.filter(pk__in=order_item_ids).order_by("pk"))
    taken = _taken([item.pk for item in items])
    found: dict[int, list[Stem]] = {}
    for item, needs in zip(items, recipes.needs_of(items), strict=True):
        rows = taken.get(item.pk, [])
        covered = item.is_reserved or item.is_written_off
        stems = [*_lying(item.pk, rows), *([] if covered and rows else _missing(item.pk, needs, rows))]
        found[item.pk] = sorted(stems, key=lambda stem: (stem.variety, stem.height_cm or 0, stem.missing))
    return found


def _taken(item_ids: Collection[int]) -> Mapping[int, list[StockReservation]]:
    rows = StockReservation.objects.filter(order_item__in=item_ids, state__in=(State.HELD, State.WRITTEN_OFF))
    found: dict[int, list[StockReservation]] = defaultdict(list)
    for row in rows.select_related("batch").order_by("pk"):
        found[row.order_item_id].append(row)
    return found


def _lying(item_id: int, rows: Iterable[StockReservation]) -> list[Stem]:
    piles: dict[tuple[str, int], _Pile] = defaultdict(_Pile)
    for row in rows:
        pile = piles[row.batch.variety, row.batch.height_cm]
        pile.batches.append(StemBatch(row.batch_id, row.batch.sku, row.batch.batch_code, row.qty))
        pile.instead_of = row.for_variety if row.for_variety != row.batch.variety else ""
    return [
        Stem(
            key=f"{item_id}:{variety}:{height}",
            variety=variety,
            height_cm=height,
            qty=sum(batch.qty for batch in pile.batches),
            batches=tuple(pile.batches),
            instead_of=pile.instead_of,
        )
        for (variety, height), pile in piles.items()
    ]


def _missing(item_id: int, needs: recipes.Needs, rows: Iterable[StockReservation]) -> list[Stem]:
    had = Counter[recipes.Flower]()
    for row in rows:
        had[recipes.Flower(row.for_variety, row.for_height_cm)] += row.qty
    return [
        Stem(
            key=f"{item_id}:{flower.variety}:{flower.height_cm or 'any'}:missing",
            variety=flower.variety,
            height_cm=flower.height_cm,
            qty=stems,
            missing=stems,
        )
        for flower, stems in (needs - had).items()
    ]


def held_of(item_ids: Collection[int]) -> Counter[str]:
    """Stems by the recipe's variety that are set aside for these lines."""
    rows = StockReservation.objects.filter(order_item__in=item_ids, state=State.HELD).order_by()
    return Counter(dict(rows.values_list("for_variety").annotate(Sum("qty"))))


# ── What gets old, what is shown, what runs low ─────────────────────────────────────────────────────────────────────
def in_stock(shop: Shop) -> QuerySet[Batch]:
    """Batches with stems, sell-first order: those that get old first, then the oldest delivery."""
    rows = Batch.objects.filter(shop=shop, qty__gt=0, hidden=False).select_related("category")
    return rows.order_by(F("expires_on").asc(nulls_last=True), "delivery_date", "pk")


def of_calculator(shop: Shop) -> QuerySet[Batch]:
    """What a bouquet can be calculated with: batches with stems, the showcase first, then the sell-first order."""
    return in_stock(shop).order_by("-on_showcase", F("expires_on").asc(nulls_last=True), "delivery_date", "pk")


def expiring(shop: Shop, today: date | None = None, days: int = SOON_DAYS) -> QuerySet[Batch]:
    """Batches with stems that are too old or get so within `days`; the sell-first list."""
    last = (today or today_of(shop)) + timedelta(days=days)
    return in_stock(shop).filter(Q(expires_on__lte=last) | Q(to_write_off=True))


def showcase(shop: Shop) -> QuerySet[ShowcaseBouquet]:
    """Bouquets that stand in the showcase, oldest first."""
    shown = ShowcaseBouquet.objects.filter(shop=shop, state=ShowcaseBouquet.State.SHOWN)
    return shown.select_related("product", "made_by").order_by("pk")


@dataclass(frozen=True)
class VarietyStock:
    """Stems of one variety; `minimum` is what the shop wants to have at least."""

    variety: str
    qty: int
    available: int
    minimum: int

    @property
    def is_low(self) -> bool:
        """Fewer free stems than wanted."""
        return self.available < self.minimum


def by_variety(shop: Shop) -> list[VarietyStock]:
    """Stock by variety, of batches that may be sold, sold-out varieties of the last two months included. One query."""
    today = today_of(shop)
    sellable = Q(to_write_off=False) & (Q(expires_on=None) | Q(expires_on__gte=today))
    free = Case(When(sellable, then=F("qty") - F("reserved_qty")), default=Value(0), output_field=IntegerField())
    known = Batch.objects.filter(shop=shop, hidden=False)
    rows = (
        known.filter(Q(qty__gt=0) | Q(delivery_date__gte=today - timedelta(days=REMEMBERED_DAYS)))
        .values("variety")
        .annotate(stems=Sum("qty"), free=Sum(free), least=Max("category__min_stock"))
        .order_by("variety")
    )
    return [
        VarietyStock(row["variety"], row["stems"], row["free"], low_stock() if row["least"] is None else row["least"])
        for row in rows
    ]


def low_stock() -> int:
    """Fewest free stems of a variety without a category of its own."""
    return int(settings.FLORIST.low_stock)


def least() -> Coalesce:
    """Of a batch, the free stems below which it runs low: its category's, or everybody's."""
    return Coalesce(F("category__min_stock"), Value(low_stock()))


# ── Data checks ─────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Fault:
    """Something in the books that does not agree; `kind` is `sum`, `reserved` or `orphan`."""

    kind: str
    shop_id: int
    batch_id: int
    expected: int
    found: int


MOST_FAULTS = 1000
"""How many faults of each kind are listed; one is too many already."""


def faults() -> list[Fault]:
    """Batches whose movements are not their stock, whose reservations are not what is reserved, and reservations

    of orders that are over. Three queries.
    """
    moved = Movement.objects.filter(warehouse_item=OuterRef("pk")).order_by().values("warehouse_item")
    held = StockReservation.objects.filter(batch=OuterRef("pk"), state=State.HELD).order_by().values("batch")
    return [
        *_differing("sum", "qty", moved.annotate(total=Sum("quantity"))),
        *_differing("reserved", "reserved_qty", held.annotate(total=Sum("qty"))),
        *_orphans(),
    ]


def _differing(kind: str, column: str, sums: QuerySet[Any]) -> list[Fault]:
    rows = Batch.objects.annotate(expected=Coalesce(Subquery(sums.values("total")), 0))
    listed = (
        rows.exclude(**{column: F("expected")})
        .order_by("pk")
        .values_list("shop_id", "pk", "expected", column)[:MOST_FAULTS]
    )
    return [Fault(kind, *row) for row in listed]


def _orphans() -> list[Fault]:
    over = Q(order_item__order__status__in=(Order.Status.CANCELLED, *Order.WRITTEN_OFF))
    rows = StockReservation.objects.filter(over | Q(order_item__is_written_off=True), state=State.HELD)
    listed = rows.order_by("pk").values_list("shop_id", "batch_id", "qty")[:MOST_FAULTS]
    return [Fault("orphan", shop_id, batch_id, 0, qty) for shop_id, batch_id, qty in listed]
