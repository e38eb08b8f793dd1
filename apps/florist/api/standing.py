"""Standing orders (contract florist 6): for managers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from apps.core.errors import Invalid
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.actions import standing
from apps.florist.actions.pricing import MOST_LINES, MOST_PIECES, LineWish
from apps.florist.actions.standing import MOST_DAYS_AHEAD, Contents, Rhythm
from apps.florist.api.base import Body, FloristView, Id, Paging, Phone
from apps.florist.models import Order, StandingOrder
from apps.florist.queries import standing as questions

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
RHYTHM = ("next_day", "every_days", "days_ahead", "ends_on")
YearMonth = Annotated[str, StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]


class StandingPath(Shape):
    """Which one."""

    standing_id: Id


class StandingLineIn(Body):
    """So many pieces of a product, in one of its sizes or as it is."""

    product_id: Id
    quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)]
    variant_id: Id | None = None

    def wish(self) -> LineWish:
        """For the action."""
        return LineWish(self.product_id, self.quantity, self.variant_id)


class ClockWindow(Body):
    """From when until when on the shop's clock, `HH:MM`."""

    from_: Annotated[Clock, Field(alias="from")]
    to: Clock


class StandingDetailsIn(Body):
    """How each order is delivered."""

    delivery_method: Order.Method = Order.Method.DELIVERY
    address: Annotated[str | None, Field(max_length=500)] = None
    recipient_name: Annotated[str | None, Field(max_length=100)] = None
    recipient_phone: Phone | None = None
    zone_id: Id | None = None
    window: ClockWindow | None = None
    delivery_time_text: Annotated[str | None, Field(max_length=100)] = None
    card_text: Annotated[str | None, Field(max_length=500)] = None
    comment: Annotated[str | None, Field(max_length=2000)] = None
    payment_method: Order.PaymentMethod | None = None
    is_anonymous: bool = False


Lines = Annotated[list[StandingLineIn], Field(min_length=1, max_length=MOST_LINES)]
Every = Annotated[int, Field(ge=1, le=366)]
Ahead = Annotated[int, Field(ge=0, le=MOST_DAYS_AHEAD)]


class StandingIn(Body):
    """A new one."""

    customer_id: Id
    items: Lines
    details: StandingDetailsIn = StandingDetailsIn()
    next_day: date
    every_days: Every = 7
    days_ahead: Ahead = 2
    ends_on: date | None = None
    is_invoiced: bool = False


class StandingChange(Body):
    """What changes; `items` and `details` replace the old ones as a whole."""

    items: Lines | None = None
    details: StandingDetailsIn | None = None
    next_day: date | None = None
    every_days: Every | None = None
    days_ahead: Ahead | None = None
    ends_on: date | None = None
    is_invoiced: bool | None = None

    def rhythm(self) -> dict[str, Any]:
        """Days that the caller named; only the last one can be taken away."""
        given = self.model_dump(include=self.model_fields_set & set(RHYTHM))
        return {name: value for name, value in given.items() if value is not None or name == "ends_on"}

    def contents(self, present: dict[str, Any]) -> Contents | None:
        """What is asked for, with the present half where only one was named."""
        if self.items is None and self.details is None:
            return None
        items = tuple(LineWish(**line) for line in present["items"]) if self.items is None else _wishes(self.items)
        details = (
            _details(self.details) if self.details else {k: v for k, v in present["details"].items() if v is not None}
        )
        return Contents(items, details)


class StandingQuery(Paging):
    """Of one status or one buyer."""

    status: StandingOrder.Status | None = None
    customer_id: Id | None = None


class MonthQuery(Shape):
    """`YYYY-MM`."""

    month: YearMonth


class StandingBuyer(Shape):
    """Who."""

    id: int
    name: str | None
    phone: str


class StandingLine(Shape):
    """A line; without `variant_id` it is the product as it is."""

    product_id: int
    quantity: int
    variant_id: int | None = None


class StandingOut(Shape):
    """A standing order; `problem` says why it paused by itself."""

    id: int
    customer_id: int
    customer: StandingBuyer
    status: str
    every_days: int
    days_ahead: int
    next_day: date
    ends_on: date | None
    items: list[StandingLine]
    details: dict[str, Any]
    is_invoiced: bool
    problem: str
    orders_count: int
    created_at: datetime
    updated_at: datetime


class StandingPage(Shape):
    """A page of them."""

    items: list[StandingOut]
    total: int


class InvoicedOrder(Shape):
    """An order on an invoice."""

    id: int
    order_number: str
    status: str
    standing_day: date
    total: float
    paid_amount: float


class StandingInvoice(Shape):
    """One month."""

    standing_order_id: int
    customer: StandingBuyer
    month: str
    orders: list[InvoicedOrder]
    total: float
    paid: float


CONTENT_REFUSALS = (
    *(errors.ProductNotFound, errors.VariantNotFound, errors.ProductNotForSale, errors.ZoneNotFound),
    Invalid,
)


def _wishes(lines: list[StandingLineIn]) -> tuple[LineWish, ...]:
    return tuple(line.wish() for line in lines)


def _details(given: StandingDetailsIn) -> dict[str, Any]:
    return given.model_dump(mode="json", by_alias=True, exclude_none=True)


class StandingView(FloristView):
    """For managers."""

    needs = ("orders", "write")


class StandingOrders(StandingView):
    """All of the shop."""

    @endpoint(summary="List standing orders", query=StandingQuery, login="required", answers={200: StandingPage})
    def get(self, request: Any, *, query: StandingQuery) -> Any:
        """The next delivery first."""
        return self.wire.paged(*questions.listed(by=request.member, **query.model_dump()))

    @endpoint(
        summary="Create a standing order",
        body=StandingIn,
        login="required",
        answers={201: StandingOut},
        refusals=[errors.CustomerNotFound, *CONTENT_REFUSALS],
    )
    def post(self, request: Any, *, body: StandingIn) -> Any:
        """The first order is made `days_ahead` before `next_day`."""
        made = standing.create(
            by=request.member,
            shop=request.member.shop,
            customer_id=body.customer_id,
            rhythm=Rhythm(**body.model_dump(include=set(RHYTHM))),
            contents=Contents(_wishes(body.items), _details(body.details)),
            is_invoiced=body.is_invoiced,
        )
        return questions.one(by=request.member, standing_id=made.pk)


class OneStanding(StandingView):
    """One of them."""

    @endpoint(
        summary="Show a standing order",
        path=StandingPath,
        login="required",
        answers={200: StandingOut},
        refusals=[errors.StandingOrderNotFound],
    )
    def get(self, request: Any, *, standing_id: int) -> Any:
        """With how many orders it has made."""
        return questions.one(by=request.member, standing_id=standing_id)

    @endpoint(
        summary="Change a standing order",
        path=StandingPath,
        body=StandingChange,
        login="required",
        answers={200: StandingOut},
        refusals=[errors.StandingOrderNotFound, errors.StandingOrderEnded, *CONTENT_REFUSALS],
    )
    def patch(self, request: Any, *, standing_id: int, body: StandingChange) -> Any:
        """Orders that are made already stay as they are."""
        present = questions.one(by=request.member, standing_id=standing_id)
        standing.edit(
            by=request.member,
            standing_id=standing_id,
            rhythm=body.rhythm(),
            contents=body.contents(present),
            is_invoiced=body.is_invoiced,
        )
        return questions.one(by=request.member, standing_id=standing_id)


class Invoice(StandingView):
    """For companies that pay by the month."""

    @endpoint(
        summary="Show a month of a standing order",
        path=StandingPath,
        query=MonthQuery,
        login="required",
        answers={200: StandingInvoice},
        refusals=[errors.StandingOrderNotFound],
    )
    def get(self, request: Any, *, standing_id: int, query: MonthQuery) -> Any:
        """Deliveries of the month and their sum."""
        year, month = map(int, query.month.split("-"))
        return questions.invoice(by=request.member, standing_id=standing_id, year=year, month=month)


def _step(deed: Callable[..., StandingOrder], words: str) -> type[StandingView]:
    """A path that does one thing with one of them."""

    class Step(StandingView):
        @endpoint(
            summary=f"{words} a standing order",
            path=StandingPath,
            login="required",
            answers={200: StandingOut},
            refusals=[errors.StandingOrderNotFound, errors.StandingOrderEnded, errors.IllegalStandingStep],
        )
        def post(self, request: Any, *, standing_id: int) -> Any:
            deed(by=request.member, standing_id=standing_id)
            return questions.one(by=request.member, standing_id=standing_id)

    Step.__name__ = f"{words}Standing"
    Step.__doc__ = deed.__doc__
    return Step


urlpatterns = [
    path("api/standing-orders/", StandingOrders, name="standing-orders"),
    path("api/standing-orders/<str:standing_id>", OneStanding, name="standing-order"),
    path("api/standing-orders/<str:standing_id>/invoice", Invoice, name="standing-order-invoice"),
    *(
        path(f"api/standing-orders/<str:standing_id>/{word}", _step(deed, word.title()), name=f"standing-order-{word}")
        for word, deed in (
            ("skip", standing.skip),
            ("pause", standing.pause),
            ("resume", standing.resume),
            ("end", standing.end),
        )
    ),
]
