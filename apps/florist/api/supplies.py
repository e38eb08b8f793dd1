"""Supplies and deliveries over HTTP: two paths of the original, one table (contract florist 1.5, 3.12)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from drf_spectacular.utils import extend_schema
from pydantic import BeforeValidator, Field, WithJsonSchema
from rest_framework.parsers import MultiPartParser

from apps.core.errors import TooLarge
from apps.core.idempotency import KeyReused
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.actions import categories, supplies, uploads
from apps.florist.actions.supplies import NewSupply, Proposal, Row
from apps.florist.api.base import Body, FloristView, Id, Limit, Paging, Skip
from apps.florist.api.products import given
from apps.florist.api.uploads import sent_files
from apps.florist.api.warehouse import Day, Height, Rate, Trimmed, Word, key_of
from apps.florist.models import Currency, Supply
from apps.florist.queries import supplies as questions

MOST_ROWS = 500
Text = Annotated[str, Trimmed, Field(max_length=2000)]
Stems = Annotated[int, Field(gt=0, le=1_000_000)]
Price = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
Keywords = Annotated[str, Trimmed, Field(max_length=1000)]
Percent = Annotated[Decimal, Field(ge=0, le=500, decimal_places=2)]
Days = Annotated[int, Field(ge=1, le=365)]
SupplyStatus = Annotated[Supply.Status, WithJsonSchema({"type": "string", "enum": Supply.Status.values})]
StatusWord = Annotated[SupplyStatus | None, BeforeValidator(lambda word: None if word in ("all", "") else word)]


# ── Shapes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class SupplyPath(Shape):
    """Which supply."""

    supply_id: Id


class CategoryPath(Shape):
    """Which category."""

    category_id: Id


class CategoryOut(Shape):
    """A family of flowers."""

    id: int
    name: str
    markup_percentage: float
    keywords: str | None
    created_at: datetime
    updated_at: datetime


class CategoryIn(Body):
    """A new family; keywords by commas."""

    name: Word
    markup_percentage: Percent
    keywords: Keywords | None = None
    shelf_life_days: Days = 7
    min_stock: Annotated[int, Field(ge=0, le=10_000)] = 15


class CategoryChange(Body):
    """Any part of it."""

    name: Word | None = None
    markup_percentage: Percent | None = None
    keywords: Keywords | None = None
    shelf_life_days: Days | None = None
    min_stock: Annotated[int, Field(ge=0, le=10_000)] | None = None


class ParseIn(Body):
    """A supplier's list, one flower a line: name, height, price, quantity; without a currency in the shop's own."""

    text: Annotated[str, Field(min_length=1, max_length=50_000)]
    supplier: Annotated[str, Trimmed, Field(max_length=100)] | None = None
    currency: Currency | None = None
    rate: Rate = Decimal(1)


class ParsedItem(Shape):
    """A line that was understood."""

    flower_name: str
    height_cm: int
    purchase_price: float
    quantity: int
    category_id: int | None
    category_name: str | None
    retail_price: float


class Parsed(Shape):
    """Lines that were understood, and why the others were not."""

    supplier: str | None
    items: list[ParsedItem]
    total_cost: float
    errors: list[str]


class RowIn(Body):
    """One flower; what `parse` answered may be sent as it is, its price is made anew."""

    flower_name: Word
    height_cm: Annotated[int, Field(ge=10, le=200)]
    purchase_price: Price
    quantity: Stems
    category_id: Id | None = None
    category_name: Annotated[str | None, Field(max_length=100)] = None
    retail_price: Annotated[Decimal | None, Field(ge=0)] = None

    def row(self) -> Row:
        """For the action."""
        return Row(**self.model_dump(exclude={"category_name", "retail_price"}))


class ImportIn(Body):
    """A supply, without a currency in the shop's own; `is_draft` writes it down until it comes."""

    supplier: Word
    items: Annotated[list[RowIn], Field(max_length=MOST_ROWS)]
    farm: Annotated[str, Trimmed, Field(max_length=100)] | None = None
    delivery_date: Day | None = None
    currency: Currency | None = None
    rate: Rate = Decimal(1)
    notes: Text | None = None
    comment: Text | None = None
    is_draft: bool = False


class SupplyItemOut(Shape):
    """A line of a supply and what is left of it."""

    id: int
    supply_id: int
    flower_name: str
    height_cm: int
    purchase_price: float
    quantity: int
    category_id: int | None
    remaining_quantity: int
    retail_price: float
    total_cost: float
    created_at: datetime
    category: CategoryOut | None


class SupplyOut(Shape):
    """What a supplier brought."""

    id: int
    supplier: str
    farm: str | None
    delivery_date: date
    currency: Currency
    rate: float
    notes: str | None
    comment: str | None
    status: SupplyStatus
    total_cost: float
    created_at: datetime
    created_by: str | None
    items: list[SupplyItemOut]


class Supplies(Shape):
    items: list[SupplyOut]
    total: int


class SupplyQuery(Paging):
    """`active` are those in use, also received drafts."""

    status: StatusWord = None


class PositionIn(Body):
    """One flower of a delivery."""

    variety: Word
    height_cm: Height
    qty: Stems
    cost_per_stem: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]


class DeliveryIn(Body):
    """A delivery of one farm."""

    supplier: Word
    farm: Word
    delivery_date: Day
    currency: Currency
    rate: Rate
    positions: Annotated[list[PositionIn], Field(min_length=1, max_length=MOST_ROWS)]
    comment: Text | None = None


class PositionOut(Shape):
    """One flower of a delivery."""

    id: int
    delivery_id: int
    variety: str
    height_cm: int
    qty: int
    cost_per_stem: float
    total_cost: float


class DeliveryOut(Shape):
    """A supply as a delivery."""

    id: int
    supplier: str
    farm: str
    delivery_date: date
    currency: Currency
    rate: float
    comment: str | None
    cost_total: float
    created_at: datetime
    created_by: str | None
    positions: list[PositionOut]


class Deliveries(Shape):
    items: list[DeliveryOut]
    total: int


class DeliveryQuery(Shape):
    """Pages of twenty."""

    skip: Skip = 0
    limit: Limit = 20


class InvoiceOut(Shape):
    """Where the picture is."""

    supply_id: int
    invoice_url: str


class PriceQuery(Shape):
    """Parts of names."""

    flower: Annotated[str, Field(max_length=100)] = ""
    supplier: Annotated[str, Field(max_length=100)] = ""
    limit: Limit = 100


class PriceOut(Shape):
    """What a flower cost then."""

    flower_name: str
    height_cm: int
    supplier: str
    delivery_date: date
    purchase_price: float
    currency: Currency
    rate: float


class QualityQuery(Shape):
    """How far back."""

    days: Days = 90


class QualityOut(Shape):
    """How much of a supplier's flowers was thrown away."""

    supplier: str
    received: int
    wasted: int
    waste_percentage: float
    waste_cost: float


class PlanQuery(Shape):
    """For how long."""

    days: Annotated[int, Field(ge=1, le=30)] = 3


class PurchaseOut(Shape):
    """What to buy of a variety."""

    variety: str
    available: int
    lacking: int
    used_per_day: float
    to_buy: int


# ── Categories ──────────────────────────────────────────────────────────────────────────────────────────────────────
class SupplyView(FloristView):
    """Purchasing is the managers'."""

    tag = "supplies"
    needs = ("warehouse", "write")
    refusals = (errors.NotEnoughPermissions,)


class Categories(SupplyView):
    """Families of flowers."""

    @endpoint(summary="Categories of flowers", login="required", answers={200: list[CategoryOut]})
    def get(self, request: Any) -> list[dict[str, Any]]:
        """By name; a new shop has the usual six."""
        found = categories.ensure(request.member.shop)
        return [questions.category(row) for row in sorted(found, key=lambda row: row.name)]

    @endpoint(
        summary="Add a category",
        body=CategoryIn,
        login="required",
        answers={201: CategoryOut},
        refusals=[errors.CategoryNameTaken],
    )
    def post(self, request: Any, *, body: CategoryIn) -> dict[str, Any]:
        """Its keywords recognise varieties."""
        member = request.member
        return questions.category(categories.create(by=member, shop=member.shop, values=body.model_dump()))


class OneCategory(SupplyView):
    """One family."""

    @endpoint(
        summary="Change a category",
        path=CategoryPath,
        body=CategoryChange,
        login="required",
        answers={200: CategoryOut},
        refusals=[errors.CategoryNotFound, errors.CategoryNameTaken],
    )
    def put(self, request: Any, *, category_id: int, body: CategoryChange) -> dict[str, Any]:
        """Batches keep the price that they have."""
        values = given(body, "keywords")
        return questions.category(categories.change(by=request.member, category_id=category_id, values=values))


# ── Supplies ────────────────────────────────────────────────────────────────────────────────────────────────────────
class Parse(SupplyView):
    """Reading a list."""

    @endpoint(
        summary="Read a supplier's list",
        body=ParseIn,
        login="required",
        answers={200: Parsed},
        refusals=[errors.PriceTooLarge],
    )
    def post(self, request: Any, *, body: ParseIn) -> dict[str, Any]:
        """Good lines are kept, bad ones reported with their number; nothing is written."""
        member = request.member
        found, problems = supplies.parse(
            by=member, shop=member.shop, text=body.text, currency=body.currency, rate=body.rate
        )
        total = sum((row.row.purchase_price * row.row.quantity for row in found), Decimal(0))
        items = [_proposal(row) for row in found]
        return {"supplier": body.supplier, "items": items, "total_cost": total, "errors": problems}


class Import(SupplyView):
    """Bringing in a list."""

    @endpoint(
        summary="Bring a supply in",
        body=ImportIn,
        login="required",
        answers={201: SupplyOut},
        refusals=[errors.EmptySupply, errors.CategoryNotFound, errors.PriceTooLarge, KeyReused],
    )
    def post(self, request: Any, *, body: ImportIn) -> dict[str, Any]:
        """One batch a line; `Idempotency-Key` makes a form sent twice one supply."""
        member = request.member
        wanted = NewSupply(rows=[row.row() for row in body.items], **body.model_dump(exclude={"items"}))
        made = supplies.bring(by=member, shop=member.shop, wanted=wanted, key=key_of(request))
        return questions.as_supply(questions.one(member, made.pk))


class AllSupplies(SupplyView):
    """Supplies."""

    @endpoint(summary="List supplies", query=SupplyQuery, login="required", answers={200: Supplies})
    def get(self, request: Any, *, query: SupplyQuery) -> dict[str, Any]:
        """Newest first."""
        rows, total = questions.page(request.member, **query.model_dump())
        return self.wire.paged([questions.as_supply(row) for row in rows], total)


class OneSupply(SupplyView):
    """One supply."""

    @endpoint(
        summary="Show a supply",
        path=SupplyPath,
        login="required",
        answers={200: SupplyOut},
        refusals=[errors.SupplyNotFound],
    )
    def get(self, request: Any, *, supply_id: int) -> dict[str, Any]:
        """With what is left of each line."""
        return questions.as_supply(questions.one(request.member, supply_id))


class Archive(SupplyView):
    """Putting a supply away."""

    @endpoint(
        summary="Archive a supply",
        path=SupplyPath,
        login="required",
        answers={200: SupplyOut},
        refusals=[errors.SupplyNotFound],
    )
    def put(self, request: Any, *, supply_id: int) -> dict[str, Any]:
        """Its batches stay."""
        supplies.archive(by=request.member, supply_id=supply_id)
        return questions.as_supply(questions.one(request.member, supply_id))


class Receive(SupplyView):
    """A draft that has come."""

    @endpoint(
        summary="Receive a draft",
        path=SupplyPath,
        login="required",
        answers={200: SupplyOut},
        refusals=[errors.SupplyNotFound, errors.IllegalSupplyStep],
    )
    def put(self, request: Any, *, supply_id: int) -> dict[str, Any]:
        """Its lines become batches."""
        supplies.receive(by=request.member, supply_id=supply_id)
        return questions.as_supply(questions.one(request.member, supply_id))


class Invoice(SupplyView):
    """The supplier's paper."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        }
    )
    @endpoint(
        summary="Keep a picture of the invoice",
        path=SupplyPath,
        login="required",
        answers={201: InvoiceOut},
        refusals=[errors.SupplyNotFound, errors.FileUnreadable, errors.FilesUnavailable, TooLarge],
    )
    def post(self, request: Any, *, supply_id: int) -> dict[str, Any]:
        """Multipart, field `file`; only the shop's own people see it."""
        file = sent_files(request, "file")[0]
        kept = supplies.attach_invoice(by=request.member, supply_id=supply_id, file=file)
        return {"supply_id": kept.pk, "invoice_url": uploads.link(kept.invoice_url)}


def _proposal(found: Proposal) -> dict[str, Any]:
    names = ("flower_name", "height_cm", "purchase_price", "quantity", "category_id")
    return {
        **{name: getattr(found.row, name) for name in names},
        "category_name": found.category.name if found.category else None,
        "retail_price": found.retail_price,
    }


# ── Deliveries ──────────────────────────────────────────────────────────────────────────────────────────────────────
class AllDeliveries(SupplyView):
    """Supplies under their other name."""

    tag = "warehouse"

    @endpoint(summary="List deliveries", query=DeliveryQuery, login="required", answers={200: Deliveries})
    def get(self, request: Any, *, query: DeliveryQuery) -> dict[str, Any]:
        """Newest first."""
        rows, total = questions.page(request.member, status=None, **query.model_dump())
        return self.wire.paged([questions.as_delivery(row) for row in rows], total)

    @endpoint(
        summary="Receive a delivery",
        body=DeliveryIn,
        login="required",
        answers={201: DeliveryOut},
        refusals=[errors.PriceTooLarge, KeyReused],
    )
    def post(self, request: Any, *, body: DeliveryIn) -> dict[str, Any]:
        """One new batch a position, and no others."""
        member = request.member
        rows = [Row(row.variety, row.height_cm, row.cost_per_stem, row.qty) for row in body.positions]
        wanted = NewSupply(rows=rows, **body.model_dump(exclude={"positions"}))
        made = supplies.bring(by=member, shop=member.shop, wanted=wanted, key=key_of(request))
        return questions.as_delivery(questions.one(member, made.pk))


# ── Figures for buying ──────────────────────────────────────────────────────────────────────────────────────────────
class Prices(SupplyView):
    """What flowers cost before."""

    @endpoint(summary="Prices of suppliers", query=PriceQuery, login="required", answers={200: list[PriceOut]})
    def get(self, request: Any, *, query: PriceQuery) -> list[dict[str, Any]]:
        """The newest first."""
        rows = questions.price_history(request.member, **query.model_dump())
        own = ("flower_name", "height_cm", "purchase_price")
        of_supply = ("supplier", "delivery_date", "currency", "rate")
        return [
            {name: getattr(row, name) for name in own} | {name: getattr(row.supply, name) for name in of_supply}
            for row in rows
        ]


class Quality(SupplyView):
    """Whose flowers wilt."""

    @endpoint(summary="Waste by supplier", query=QualityQuery, login="required", answers={200: list[QualityOut]})
    def get(self, request: Any, *, query: QualityQuery) -> list[dict[str, Any]]:
        """The worst first."""
        rows = questions.quality(request.member.shop, query.days)
        return [{name: getattr(row, name) for name in QualityOut.model_fields} for row in rows]


class Plan(SupplyView):
    """What to buy."""

    @endpoint(summary="What to buy", query=PlanQuery, login="required", answers={200: list[PurchaseOut]})
    def get(self, request: Any, *, query: PlanQuery) -> list[dict[str, Any]]:
        """What open orders lack, usual use and the smallest stock, minus what is free."""
        rows = questions.plan(request.member.shop, query.days)
        return [{name: getattr(row, name) for name in PurchaseOut.model_fields} for row in rows]


urlpatterns = [
    path("api/warehouse/deliveries", AllDeliveries, name="deliveries"),
    path("api/supplies/categories", Categories, name="flower-categories"),
    path("api/supplies/categories/<str:category_id>", OneCategory, name="flower-category"),
    path("api/supplies/parse", Parse, name="supplies-parse"),
    path("api/supplies/import", Import, name="supplies-import"),
    path("api/supplies/prices", Prices, name="supplies-prices"),
    path("api/supplies/quality", Quality, name="supplies-quality"),
    path("api/supplies/plan", Plan, name="supplies-plan"),
    path("api/supplies/", AllSupplies, name="supplies"),
    path("api/supplies/<str:supply_id>", OneSupply, name="supply"),
    path("api/supplies/<str:supply_id>/archive", Archive, name="supply-archive"),
    path("api/supplies/<str:supply_id>/receive", Receive, name="supply-receive"),
    path("api/supplies/<str:supply_id>/invoice", Invoice, name="supply-invoice"),
]
