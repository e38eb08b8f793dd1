"""Bouquets of the showcase and stems for the owner's other shops over HTTP (contract florist 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from apps.core.idempotency import KeyReused
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.actions import showcase, transfers
from apps.florist.api.base import Body, Id, Paging
from apps.florist.api.warehouse import SomeStems, WarehouseView, key_of
from apps.florist.models import ShowcaseBouquet, StockTransfer
from apps.florist.queries import stock
from apps.florist.queries import warehouse as questions

BouquetState = Annotated[
    ShowcaseBouquet.State, WithJsonSchema({"type": "string", "enum": ShowcaseBouquet.State.values})
]


class BouquetPath(Shape):
    """Which bouquet of the showcase."""

    bouquet_id: Id


class TransferIn(Body):
    """Stems for another shop of the owner."""

    warehouse_item_id: Id
    to_shop_id: Id
    qty: SomeStems


class TransferOut(Shape):
    """Stems that went from one shop to another."""

    id: int
    from_shop_id: int
    to_shop_id: int
    from_batch_id: int
    to_batch_id: int
    variety: str
    qty: int
    created_at: datetime


class Transfers(Shape):
    items: list[TransferOut]
    total: int


class BouquetIn(Body):
    """What to make."""

    product_id: Id


class Wilted(Body):
    """Stems of a bouquet that go to waste."""

    warehouse_item_id: Id
    qty: SomeStems


class Apart(Body):
    """What is wilted; the rest goes back."""

    wilted: Annotated[list[Wilted], Field(max_length=50)] = []


class Sale(Body):
    """The order line that it becomes."""

    order_item_id: Id


class BouquetOut(Shape):
    """A bouquet of the showcase."""

    id: int
    product_id: int
    product_name: str
    price: float
    state: BouquetState
    order_item_id: int | None
    made_by: str | None
    created_at: datetime


class Bouquets(Shape):
    items: list[BouquetOut]
    total: int


# ── Views ──────────────────────────────────────────────────────────────────────────────────────
class AllTransfers(WarehouseView):
    """Between shops of one owner."""

    needs = ("warehouse", "write")

    @endpoint(summary="Transfers between shops", query=Paging, login="required", answers={200: Transfers})
    def get(self, request: Any, *, query: Paging) -> dict[str, Any]:
        """From and to this shop, newest first."""
        rows, total = questions.transfers(request.member, skip=query.skip, limit=query.limit)
        return self.wire.paged([_transfer(row) for row in rows], total)

    @endpoint(
        summary="Hand stems to another shop",
        body=TransferIn,
        login="required",
        answers={201: TransferOut},
        refusals=[errors.BatchNotFound, errors.ShopNotFound, errors.NotEnoughStems, KeyReused],
    )
    def post(self, request: Any, *, body: TransferIn) -> dict[str, Any]:
        """At what they cost; they become a batch there."""
        made = transfers.hand_over(
            by=request.member,
            batch_id=body.warehouse_item_id,
            to_shop_id=body.to_shop_id,
            qty=body.qty,
            key=key_of(request),
        )
        return _transfer(made)


class Showcase(WarehouseView):
    """Bouquets made ahead."""

    @endpoint(summary="Bouquets of the showcase", login="required", answers={200: Bouquets})
    def get(self, request: Any) -> dict[str, Any]:
        """The oldest first, at most 500."""
        items = [_bouquet(row) for row in stock.showcase(request.member.shop)[:500]]
        return self.wire.paged(items, len(items))

    @endpoint(
        summary="Make a bouquet for the showcase",
        body=BouquetIn,
        login="required",
        answers={201: BouquetOut},
        refusals=[errors.ProductNotFound, errors.NoRecipe, errors.StockShort, KeyReused],
    )
    def post(self, request: Any, *, body: BouquetIn) -> dict[str, Any]:
        """Its stems leave the stock. The same `Idempotency-Key` makes one."""
        return _bouquet(showcase.assemble(by=request.member, product_id=body.product_id, key=key_of(request)))


class TakeApart(WarehouseView):
    """A bouquet that nobody bought."""

    @endpoint(
        summary="Take a bouquet apart",
        path=BouquetPath,
        body=Apart,
        body_optional=True,
        login="required",
        answers={200: BouquetOut},
        refusals=[errors.BouquetNotFound, errors.IllegalBouquetStep, errors.NotEnoughStems],
    )
    def post(self, request: Any, *, bouquet_id: int, body: Apart) -> dict[str, Any]:
        """Stems go back to their batches, wilted ones to waste."""
        wilted = {row.warehouse_item_id: row.qty for row in body.wilted}
        return _bouquet(showcase.take_apart(by=request.member, bouquet_id=bouquet_id, wilted=wilted))


class SellBouquet(WarehouseView):
    """A bouquet that somebody bought."""

    needs = ("orders", "write")

    @endpoint(
        summary="Sell a bouquet of the showcase",
        path=BouquetPath,
        body=Sale,
        login="required",
        answers={200: BouquetOut},
        refusals=[
            errors.BouquetNotFound,
            errors.OrderNotFound,
            errors.BouquetDoesNotFit,
            errors.IllegalBouquetStep,
        ],
    )
    def post(self, request: Any, *, bouquet_id: int, body: Sale) -> dict[str, Any]:
        """It becomes one piece of an order line of the same product."""
        sold = showcase.sell(by=request.member, bouquet_id=bouquet_id, order_item_id=body.order_item_id)
        return _bouquet(sold)


def _transfer(row: StockTransfer) -> dict[str, Any]:
    names = ("id", "from_shop_id", "to_shop_id", "from_batch_id", "to_batch_id", "qty", "created_at")
    return {**{name: getattr(row, name) for name in names}, "variety": row.from_batch.variety}


def _bouquet(row: ShowcaseBouquet) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("id", "product_id", "state", "order_item_id", "created_at")},
        "product_name": row.product.name,
        "price": row.product.current_price,
        "made_by": row.made_by.name if row.made_by else None,
    }


urlpatterns = [
    path("api/warehouse/transfers", AllTransfers, name="warehouse-transfers"),
    path("api/warehouse/showcase", Showcase, name="showcase"),
    path("api/warehouse/showcase/<str:bouquet_id>/take-apart", TakeApart, name="showcase-apart"),
    path("api/warehouse/showcase/<str:bouquet_id>/sell", SellBouquet, name="showcase-sell"),
]
