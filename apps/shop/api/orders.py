"""Orders (contract shop 1.6)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BeforeValidator, Field

from apps.core.errors import Invalid
from apps.core.idempotency import KeyReused
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.shop import errors
from apps.shop.actions import orders, placing
from apps.shop.actions.placing import Wish
from apps.shop.api.base import ShopView
from apps.shop.api.users import Deleted, Id, Skip
from apps.shop.models import Order
from apps.shop.queries import finance
from apps.shop.queries import orders as questions

KEY_HEADER, MERGE_HEADER = "X-Idempotency-Key", "X-Merge-With-Latest"
YES = ("1", "true", "yes")
OLD_STATUSES = {"paid": Order.Status.CONFIRMED}
"""Words of the original; `pending` and `refunded` are still ours (contract shop 3.4)."""

FINANCE = "paid_refunded"

KEY_DOCUMENT = OpenApiParameter(
    KEY_HEADER,
    {"type": "string", "maxLength": placing.LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="The same key and body give the same order",
)
MERGE_DOCUMENT = OpenApiParameter(
    MERGE_HEADER,
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="1, true or yes: add to my newest unpaid order of the last minutes",
)


def _status(word: Any) -> Any:
    """Any case, old names too."""
    if not isinstance(word, str):
        return word
    plain = word.strip().lower()
    return OLD_STATUSES.get(plain, plain)


StatusWord = Annotated[Order.Status, BeforeValidator(_status, json_schema_input_type=str)]
Notes = Annotated[str | None, Field(max_length=500)]


class NewLine(Shape):
    """So many pieces of one product; how many are allowed is the operator's figure."""

    slipper_id: Id
    quantity: Annotated[int, Field(ge=1, le=2_147_483_647)]
    notes: Annotated[str | None, Field(max_length=255)] = None


class NewOrder(Shape):
    """What to order. `user_id` is read for administrators only (K7)."""

    items: Annotated[list[NewLine], Field(min_length=1)]
    notes: Notes = None
    user_id: Id | None = None


class OrderChanges(Shape):
    """What changes; `total_amount` is not read (D7). `reason` goes into the history."""

    status: StatusWord | None = None
    notes: Notes = None
    reason: Annotated[str, Field(max_length=500)] = ""

    def given(self) -> dict[str, Any]:
        """What the caller named."""
        return self.model_dump(include=self.model_fields_set & {"status", "notes"})


class OrderFilters(Shape):
    """`finance=paid_refunded` shows orders by their money; any other word filters nothing."""

    finance: str = ""
    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=questions.MOST)] = questions.MOST


class FromCart(Shape):
    """Whether the cart is emptied now."""

    clear_cart: bool = False


class OrderPath(Shape):
    """Which order."""

    order_id: Id


class OrderLine(Shape):
    """A product of an order as it was sold."""

    slipper_id: int | None
    quantity: int
    unit_price: float
    total_price: float
    name: str
    size: str
    image: str


class PlacedOrderLine(OrderLine):
    """With what the buyer wrote."""

    notes: str | None


class OrderDetailLine(PlacedOrderLine):
    """With its number."""

    id: int


class OrderHead(Shape):
    """What every answer tells of an order. Times are `YYYY-MM-DD HH:MM` in Tashkent."""

    id: int
    order_id: str
    status: Order.Status
    total_amount: float
    created_at: str


class PlacedOrder(OrderHead):
    """What ordering answers."""

    notes: str | None
    items: list[PlacedOrderLine]


class ListedOrder(OrderHead):
    """An order in the list; `payment_status` only with `finance`."""

    user_id: int
    user_name: str
    updated_at: str
    items: list[OrderLine]
    payment_status: Literal["success", "refunded"] | None = None


class OrderDetail(OrderHead):
    """One order."""

    user_id: int
    user_name: str
    updated_at: str
    notes: str | None
    items: list[OrderDetailLine]


ORDERING = (errors.SlipperNotFound, errors.NotEnoughStock, KeyReused)
OWN = (errors.OrderNotFound, errors.OrderOfAnother)


class OrdersView(ShopView):
    """Own orders, all for administrators."""

    tag = "orders"

    def key(self, request: Any) -> str:
        """The caller's idempotency key, or an empty text. Raises `Invalid` for one that cannot be kept."""
        given = request.headers.get(KEY_HEADER, "").strip()
        if len(given) > placing.LONGEST_KEY or not given.isprintable():
            msg = f"Value error, at most {placing.LONGEST_KEY} printable characters"
            raise Invalid.field(KEY_HEADER, msg, where="header", given=given[: placing.LONGEST_KEY])
        return given


class Orders(OrdersView):
    """The list, and ordering."""

    @endpoint(query=OrderFilters, login="required", answers={200: list[ListedOrder]}, summary="Orders")
    def get(self, request: Any, *, query: OrderFilters) -> list[dict[str, Any]]:
        """A bare array, newest first."""
        ask = finance.listed if query.finance.strip().lower() == FINANCE else questions.listed
        return ask(by=request.member, skip=query.skip, limit=query.limit)

    @extend_schema(parameters=[KEY_DOCUMENT, MERGE_DOCUMENT])
    @endpoint(
        body=NewOrder,
        login="required",
        answers={200: PlacedOrder},
        refusals=[*ORDERING, errors.CustomerNotFound],
        summary="Order goods",
    )
    def post(self, request: Any, *, body: NewOrder) -> dict[str, Any]:
        """The goods are off the shelf for half an hour, or what the operator says; prices are those of this moment."""
        order = placing.place(
            by=request.member,
            wishes=[Wish(line.slipper_id, line.quantity, line.notes) for line in body.items],
            notes=body.notes,
            customer_id=body.user_id,
            key=self.key(request),
            merge=request.headers.get(MERGE_HEADER, "").strip().lower() in YES,
        )
        return questions.placed(order.pk)


class OrderFromCart(OrdersView):
    """Ordering the cart."""

    @extend_schema(parameters=[KEY_DOCUMENT])
    @endpoint(
        query=FromCart,
        login="required",
        answers={200: PlacedOrder},
        refusals=[*ORDERING, errors.CartEmpty],
        summary="Order my cart",
    )
    def post(self, request: Any, *, query: FromCart) -> dict[str, Any]:
        """Without `clear_cart` the pieces leave the cart when they are paid."""
        order = placing.place_from_cart(by=request.member, clear_cart=query.clear_cart, key=self.key(request))
        return questions.placed(order.pk)


class OneOrder(OrdersView):
    """An order."""

    @endpoint(path=OrderPath, login="required", answers={200: OrderDetail}, refusals=OWN, summary="An order")
    def get(self, request: Any, *, order_id: int) -> dict[str, Any]:
        """For its buyer and administrators."""
        return questions.one(by=request.member, order_id=order_id)

    @endpoint(
        path=OrderPath,
        body=OrderChanges,
        login="required",
        answers={200: OrderDetail},
        refusals=[
            *OWN,
            errors.MayNotHandleOrders,
            errors.OrderNotPending,
            errors.IllegalOrderStep,
            errors.OnlyPaymentSetsStatus,
        ],
        summary="Change an order",
    )
    def put(self, request: Any, *, order_id: int, body: OrderChanges) -> dict[str, Any]:
        """A buyer: notes, and `status: cancelled`, while it is pending. An administrator: the table of states."""
        orders.change(by=request.member, order_id=order_id, changes=body.given(), reason=body.reason)
        return questions.shown(order_id)

    @endpoint(
        path=OrderPath,
        login="required",
        answers={200: Deleted},
        refusals=[*OWN, errors.OrderNotPending, errors.OrderHasPayment],
        summary="Delete an order",
    )
    def delete(self, request: Any, *, order_id: int) -> dict[str, str]:
        """Pending or cancelled, and without a payment that came or may come; its goods return to the shelf."""
        orders.delete(by=request.member, order_id=order_id)
        return {"msg": "Order deleted successfully"}


urlpatterns = [
    path("orders", Orders, name="orders"),
    path("orders/from-cart", OrderFromCart, name="order-from-cart"),
    path("orders/<str:order_id>", OneOrder, name="order"),
]
