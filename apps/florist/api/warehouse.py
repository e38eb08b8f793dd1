"""The warehouse over HTTP: batches, movements, waste, counts (contract florist 1.5, 3.11)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, BeforeValidator, Field, StringConstraints, WithJsonSchema

from apps.core.idempotency import KeyReused, ensure_key
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.access import Area, Level
from apps.florist.actions import batches, waste
from apps.florist.actions.batches import NewBatch
from apps.florist.api.base import Body, FloristView, Id, Limit, Money, Paging, Skip
from apps.florist.api.products import given
from apps.florist.models import Currency, Movement
from apps.florist.queries import stock
from apps.florist.queries import warehouse as questions
from apps.florist.queries.warehouse import Wanted

KEY_HEADERS = ("Idempotency-Key", "X-Idempotency-Key")


def _day(text: Any) -> Any:
    """A day; of a moment its day."""
    return text[:10] if isinstance(text, str) and len(text) > 10 and text[10] in "T " else text


def key_of(request: Any) -> str:
    """The caller's key against sending twice; empty without one. Raises `KeyTooLong`."""
    key = next((request.headers[name] for name in KEY_HEADERS if request.headers.get(name)), "")
    ensure_key(key)
    return key


def _both(snake: str, camel: str, default: Any = None) -> Any:
    """Clients use both spellings."""
    return Field(default=default, validation_alias=AliasChoices(camel, snake))


Trimmed = StringConstraints(strip_whitespace=True)
Word = Annotated[str, Trimmed, Field(min_length=1, max_length=100)]
Part = Annotated[str, Field(max_length=100)]
Reason = Annotated[str, Trimmed, Field(min_length=1, max_length=255)]
Height = Annotated[int, Field(gt=0, le=1000)]
Stems = Annotated[int, Field(ge=0, le=batches.MOST_STEMS)]
SomeStems = Annotated[int, Field(gt=0, le=batches.MOST_STEMS)]
Rate = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=4)]
Markup = Annotated[Decimal, Field(ge=0, le=10_000, decimal_places=2)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31)), BeforeValidator(_day)]

MoveType = Annotated[Movement.Type, WithJsonSchema({"type": "string", "enum": Movement.Type.values})]
MoveReason = Annotated[Movement.Reason, WithJsonSchema({"type": "string", "enum": Movement.Reason.values})]
"""Written out in the documents: other nouns have types and reasons too."""


# ── Shapes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class BatchPath(Shape):
    """Which batch."""

    item_id: Id


class BatchOut(Shape):
    """A batch; prices in the shop's money, `cost` in the supplier's."""

    id: int
    sku: str
    batch_code: str
    variety: str
    height_cm: int
    farm: str
    supplier: str
    delivery_date: date
    currency: Currency
    rate: float
    cost: float
    markup_pct: float
    qty: int
    price: float
    reserved_qty: int
    recommended_price: float
    on_showcase: bool
    to_write_off: bool
    hidden: bool
    created_at: datetime
    updated_at: datetime
    updated_by: str | None
    available_qty: int
    is_critical_stock: bool


class Batches(Shape):
    items: list[BatchOut]
    total: int


class Stats(Shape):
    """What the warehouse holds."""

    total_items: int
    total_value: float
    critical_items: int
    showcase_items: int
    writeoff_items: int
    by_variety: dict[str, int]
    by_supplier: dict[str, int]


class MoveOut(Shape):
    """A movement; `quantity` is signed."""

    id: int
    warehouse_item_id: int
    type: MoveType
    quantity: int
    description: str
    reference_type: str | None
    reference_id: int | None
    created_at: datetime
    created_by: str
    qty_before: int
    qty_after: int


class Moves(Shape):
    items: list[MoveOut]
    total: int


class BatchQuery(Shape):
    """Pages of batches; queries in both spellings."""

    variety: Part = ""
    height_cm: Height | None = _both("height_cm", "heightCm")
    farm: Part = ""
    supplier: Part = ""
    on_showcase: bool | None = _both("on_showcase", "onShowcase")
    to_write_off: bool | None = _both("to_write_off", "toWriteOff")
    search: Part = ""
    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    skip: Skip | None = None
    limit: Limit = 20

    def wanted(self) -> Wanted:
        """For the question; `skip` goes before `page`."""
        skip = (self.page - 1) * self.limit if self.skip is None else self.skip
        return Wanted(skip=skip, **self.model_dump(exclude={"page", "skip"}))


class MovesQuery(Shape):
    """Pages of movements."""

    skip: Skip = 0
    limit: Limit = 50


class BatchIn(Body):
    """A new batch; without `price` it gets the proposed one."""

    sku: Word
    batch_code: Word
    variety: Word
    height_cm: Height
    farm: Word
    supplier: Word
    delivery_date: Day
    currency: Currency
    rate: Rate
    cost: Money
    qty: Stems
    markup_pct: Markup = Decimal(100)
    price: Money | None = None


class BatchChange(Body):
    """Any part of it; `updated_by` is who is signed in, whatever is sent."""

    variety: Word | None = None
    height_cm: Height | None = None
    farm: Word | None = None
    supplier: Word | None = None
    price: Money | None = None
    qty: Annotated[Stems | None, Field(validation_alias=AliasChoices("qty", "quantity"))] = None
    reserved_qty: Stems | None = None
    on_showcase: bool | None = None
    to_write_off: bool | None = None
    hidden: bool | None = None
    updated_by: Annotated[str | None, Field(max_length=200)] = None


class Adjustment(Body):
    """So many stems more or less; `created_by` is who is signed in, whatever is sent."""

    adjustment: Annotated[int, Field(ge=-batches.MOST_STEMS, le=batches.MOST_STEMS)]
    reason: Reason
    reason_code: MoveReason = Movement.Reason.OTHER
    created_by: Annotated[str | None, Field(max_length=200)] = None


class Waste(Body):
    """Stems that nobody will buy."""

    qty: SomeStems
    reason: MoveReason = Movement.Reason.WASTE_WILTED
    comment: Annotated[str, Trimmed, Field(max_length=255)] = ""
    photo_url: Annotated[str, Trimmed, Field(max_length=500)] = ""


class Counted(Body):
    """What lies there."""

    warehouse_item_id: Id
    counted: Stems


class Count(Body):
    """A count of some batches."""

    items: Annotated[list[Counted], Field(min_length=1, max_length=500)]
    comment: Annotated[str, Trimmed, Field(max_length=255)] = ""


class WasteQuery(Paging):
    """Days of the shop's calendar, both included."""

    date_from: Day | None = _both("date_from", "dateFrom")
    date_to: Day | None = _both("date_to", "dateTo")


class WasteRow(MoveOut):
    """A movement with its flower and what it cost."""

    reason: MoveReason
    variety: str
    supplier: str
    cost: float
    photo_url: str


class WasteActOut(Shape):
    """The act of write-off."""

    items: list[WasteRow]
    total: int
    stems: int
    cost: float
    by_reason: dict[str, int]


class ExpiringQuery(Shape):
    """How many days ahead."""

    days: Annotated[int, Field(ge=0, le=60)] = stock.SOON_DAYS


class ExpiringOut(BatchOut):
    """A batch that is to be sold first."""

    expires_on: date | None
    age_days: int
    days_left: int | None


class ExpiringList(Shape):
    items: list[ExpiringOut]
    total: int


# ── Batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────
class WarehouseView(FloristView):
    """Florists read, count and throw away; managers do everything."""

    tag = "warehouse"
    needs: ClassVar[tuple[Area, Level] | None] = ("warehouse", "read")
    refusals = (errors.NotEnoughPermissions,)


class AllBatches(WarehouseView):
    """The warehouse."""

    @endpoint(summary="List batches", query=BatchQuery, login="required", answers={200: Batches})
    def get(self, request: Any, *, query: BatchQuery) -> dict[str, Any]:
        """Newest first; hidden ones are left out."""
        return self.wire.paged(*questions.page(request.member, query.wanted()))

    @endpoint(
        summary="Add a batch",
        body=BatchIn,
        login="required",
        answers={201: BatchOut},
        refusals=[errors.SkuTaken, errors.PriceTooLarge],
    )
    def post(self, request: Any, *, body: BatchIn) -> dict[str, Any]:
        """Managers only; its stems come with a movement."""
        member = request.member
        made = batches.create(by=member, shop=member.shop, wanted=NewBatch(**body.model_dump()))
        return questions.one(member, made.pk)


class WarehouseStats(WarehouseView):
    """Figures of the warehouse."""

    needs = ("warehouse", "write")

    @endpoint(summary="What the warehouse holds", login="required", answers={200: Stats})
    def get(self, request: Any) -> dict[str, Any]:
        """Batches, their value at selling prices, stems by variety and supplier."""
        return questions.stats(request.member.shop)


class OneBatch(WarehouseView):
    """One batch."""

    @endpoint(
        summary="Show a batch",
        path=BatchPath,
        login="required",
        answers={200: BatchOut},
        refusals=[errors.BatchNotFound],
    )
    def get(self, request: Any, *, item_id: int) -> dict[str, Any]:
        """Hidden or not."""
        return questions.one(request.member, item_id)

    @endpoint(
        summary="Change a batch",
        path=BatchPath,
        body=BatchChange,
        login="required",
        answers={200: BatchOut},
        refusals=[errors.BatchNotFound, errors.NotEnoughStems, errors.ReservedByOrders],
    )
    def patch(self, request: Any, *, item_id: int, body: BatchChange) -> dict[str, Any]:
        """Another `qty` becomes a movement; florists change the two marks only."""
        values = given(body)
        values.pop("updated_by", None)
        batches.change(by=request.member, batch_id=item_id, values=values)
        return questions.one(request.member, item_id)


class BatchMovements(WarehouseView):
    """History of a batch."""

    @endpoint(
        summary="Movements of a batch",
        path=BatchPath,
        query=MovesQuery,
        login="required",
        answers={200: Moves},
        refusals=[errors.BatchNotFound],
    )
    def get(self, request: Any, *, item_id: int, query: MovesQuery) -> dict[str, Any]:
        """Newest first."""
        return self.wire.paged(*questions.movements(request.member, item_id, **query.model_dump()))


class AdjustStock(WarehouseView):
    """Corrections."""

    @endpoint(
        summary="Correct a batch",
        path=BatchPath,
        body=Adjustment,
        login="required",
        answers={200: MoveOut},
        refusals=[errors.BatchNotFound, errors.NotEnoughStems, KeyReused],
    )
    def post(self, request: Any, *, item_id: int, body: Adjustment) -> dict[str, Any]:
        """Reserved stems cannot be taken away; `Idempotency-Key` makes a repeat harmless."""
        made = batches.adjust(
            by=request.member,
            batch_id=item_id,
            stems=body.adjustment,
            words=body.reason,
            reason=body.reason_code,
            key=key_of(request),
        )
        return questions.movement(made)


# ── Waste, counts, what gets old ────────────────────────────────────────────────────────────────────────────────────
class BatchWaste(WarehouseView):
    """Throwing away."""

    @endpoint(
        summary="Throw stems away",
        path=BatchPath,
        body=Waste,
        login="required",
        answers={201: MoveOut},
        refusals=[errors.BatchNotFound, errors.NotEnoughStems, errors.NotAWasteReason, KeyReused],
    )
    def post(self, request: Any, *, item_id: int, body: Waste) -> dict[str, Any]:
        """Orders that had reserved them get others where there are some."""
        made = waste.write_off(
            by=request.member,
            batch_id=item_id,
            qty=body.qty,
            reason=body.reason,
            words=body.comment,
            photo_url=body.photo_url,
            key=key_of(request),
        )
        return questions.movement(made)


class WasteAct(WarehouseView):
    """The act of write-off."""

    needs = ("warehouse", "write")

    @endpoint(summary="What was thrown away", query=WasteQuery, login="required", answers={200: WasteActOut})
    def get(self, request: Any, *, query: WasteQuery) -> dict[str, Any]:
        """Newest first, with costs, sums over all pages."""
        act = questions.waste_of(
            request.member.shop, query.date_from, query.date_to, skip=query.skip, limit=query.limit
        )
        sums = {"stems": act.stems, "cost": act.cost, "by_reason": act.by_reason}
        return {"items": [_waste_row(row) for row in act.rows], "total": act.total, **sums}


class Inventory(WarehouseView):
    """A count."""

    @endpoint(
        summary="Post a count",
        body=Count,
        login="required",
        answers={201: Moves},
        refusals=[errors.BatchNotFound, errors.NotEnoughStems],
    )
    def post(self, request: Any, *, body: Count) -> dict[str, Any]:
        """Each difference becomes an adjustment; batches that agree move nothing."""
        member = request.member
        counted = {row.warehouse_item_id: row.counted for row in body.items}
        made = batches.count(by=member, shop=member.shop, counted=counted, words=body.comment, key=key_of(request))
        return self.wire.paged([questions.movement(row) for row in made], len(made))


class Expiring(WarehouseView):
    """What is to be sold first."""

    @endpoint(summary="What gets old", query=ExpiringQuery, login="required", answers={200: ExpiringList})
    def get(self, request: Any, *, query: ExpiringQuery) -> dict[str, Any]:
        """Too old already, or within so many days; the oldest first, at most 500."""
        shop = request.member.shop
        today = stock.today_of(shop)
        rows = stock.expiring(shop, today, query.days).select_related("updated_by")[:500]
        items = [_expiring(row, today) for row in rows]
        return self.wire.paged(items, len(items))


def _waste_row(row: Movement) -> dict[str, Any]:
    batch = row.warehouse_item
    return {
        **questions.movement(row),
        "reason": row.reason,
        "variety": batch.variety,
        "supplier": batch.supplier,
        "cost": -row.quantity * row.unit_cost,
        "photo_url": row.photo_url,
    }


def _expiring(row: Any, today: date) -> dict[str, Any]:
    return {
        **questions.batch(row),
        "expires_on": row.expires_on,
        "age_days": (today - row.delivery_date).days,
        "days_left": (row.expires_on - today).days if row.expires_on else None,
    }


urlpatterns = [
    path("api/warehouse/", AllBatches, name="warehouse"),
    path("api/warehouse/stats", WarehouseStats, name="warehouse-stats"),
    path("api/warehouse/waste", WasteAct, name="warehouse-waste"),
    path("api/warehouse/inventory", Inventory, name="warehouse-inventory"),
    path("api/warehouse/expiring", Expiring, name="warehouse-expiring"),
    path("api/warehouse/<str:item_id>", OneBatch, name="batch"),
    path("api/warehouse/<str:item_id>/movements", BatchMovements, name="batch-movements"),
    path("api/warehouse/<str:item_id>/adjust-stock", AdjustStock, name="batch-adjust"),
    path("api/warehouse/<str:item_id>/waste", BatchWaste, name="batch-waste"),
]
