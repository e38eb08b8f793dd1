"""Requests and answers about orders (contract florist 1.0, 1.2)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, ConfigDict, Field

from apps.core.wire import Shape
from apps.florist.actions.orders import OrderDraft
from apps.florist.actions.pricing import LARGEST, MOST_LINES, MOST_PIECES, LineWish
from apps.florist.actions.windows import YEARS, read, words_of
from apps.florist.api.base import Body, Id, Money, Phone, Skip, Trimmed
from apps.florist.models import Comment, Order, OrderHistory, OrderPhoto, Shop
from apps.florist.queries.orders import Filters
from apps.florist.queries.windows import zone_of


def _method(word: Any) -> Any:
    """`pickup` is what storefronts say."""
    return Order.Method.SELF_PICKUP if word == "pickup" else word


def _day_or_moment(given: Any) -> Any:
    """A day, or a moment; both in ISO 8601."""
    if not isinstance(given, str):
        return given
    try:
        return date.fromisoformat(given) if len(given) <= 10 else datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError as problem:
        raise ValueError("a date or a time in ISO 8601 is expected") from problem


def _of_our_time(given: Any) -> Any:
    """Near its ends the calendar runs over when somebody adds a day or a time zone."""
    if given.year not in YEARS:
        raise ValueError(f"a year from {YEARS[0]} to {YEARS[-1]} is expected")
    return given


def _all_is_none(word: Any) -> Any:
    return None if word in ("all", "") else word


Name = Annotated[str, Trimmed, Field(max_length=100)]
Address = Annotated[str, Trimmed, Field(max_length=500)]
Remark = Annotated[str, Trimmed, Field(max_length=2000)]
CardText = Annotated[str, Trimmed, Field(max_length=500)]
Reason = Annotated[str, Trimmed, Field(min_length=1, max_length=500)]
Above = Annotated[Decimal, Field(gt=0, le=LARGEST, max_digits=12, decimal_places=2)]
Method = Annotated[Order.Method, BeforeValidator(_method)]
PlainDay = Annotated[date, AfterValidator(_of_our_time)]
Moment = Annotated[datetime, AfterValidator(_of_our_time)]
Day = Annotated[
    datetime | date, BeforeValidator(_day_or_moment, json_schema_input_type=str), AfterValidator(_of_our_time)
]
Version = Annotated[int | None, Field(ge=1, le=2_147_483_647, description="Refused when the order has another one")]


# ── Requests ────────────────────────────────────────────────────────────────────────────────────────────────────────
class WindowIn(Body):
    """A window in any of the three forms of the clients: from/to, from_time/to_time, date/time (3.7).

    Times without an offset are the shop's; `10:00` needs `date`.
    """

    from_: Annotated[str | None, Field(max_length=40, alias="from")] = None
    to: Annotated[str | None, Field(max_length=40)] = None
    from_time: Annotated[str | None, Field(max_length=40)] = None
    to_time: Annotated[str | None, Field(max_length=40)] = None
    date: Annotated[str | None, Field(max_length=40)] = None
    time: Annotated[str | None, Field(max_length=40)] = None

    def for_shop(self, shop: Shop) -> Any:
        """The canonical pair, or None. Raises `Invalid`."""
        return read(self.model_dump(by_alias=True), shop)

    def words(self, shop: Shop, words: str | None) -> str | None:
        """The wish in words, with the day of a window that has no times."""
        return words_of(self.model_dump(by_alias=True), self.for_shop(shop), words)


class LineIn(Body):
    """Pieces of a product; a client's `price` is not looked at."""

    product_id: Id
    quantity: Annotated[int, Field(ge=1, le=MOST_PIECES)]
    variant_id: Id | None = None
    price: Any = Field(None, description="Not looked at")

    def wish(self) -> LineWish:
        """The same in the words of the rules."""
        return LineWish(self.product_id, self.quantity, self.variant_id)


class Taken(Body):
    """What every form of taking an order has."""

    customer_phone: Phone
    customer_name: Name | None = None
    recipient_phone: Phone | None = None
    recipient_name: Name | None = None
    address: Address | None = None
    address_needs_clarification: bool = False
    delivery_method: Method
    delivery_window: WindowIn | None = None
    delivery_fee: Money | None = None
    delivery_time_text: Name | None = None
    zone_id: Id | None = None
    payment_method: Order.PaymentMethod | None = None
    comment: Remark | None = None
    card_text: CardText | None = None
    is_anonymous: bool = False
    florist_id: Id | None = Field(None, validation_alias=AliasChoices("florist_id", "assigned_florist_id"))
    courier_id: Id | None = None
    courier_phone: Phone | None = None
    courier_name: Name | None = None
    ignore_limits: bool = Field(False, description="Take it although the day, slot or zone is full")

    def draft(self, shop: Shop, **more: Any) -> OrderDraft:
        """The same in the words of the rules."""
        words = self.model_dump(
            exclude={"delivery_window", "ignore_limits", "customer_name", "source", "items", "allow_backorder"}
        )
        if self.delivery_window:
            words["delivery_time_text"] = self.delivery_window.words(shop, self.delivery_time_text)
        return OrderDraft(
            **words,
            customer_name=self.customer_name or "",
            window=self.delivery_window.for_shop(shop) if self.delivery_window else None,
            ignores_limits=self.ignore_limits,
            **more,
        )


class BareOrderIn(Taken):
    """An order without lines: the desk names its sums. `total` below goods and delivery is a discount."""

    flower_sum: Money
    total: Money
    payment_method: Order.PaymentMethod | None = Order.PaymentMethod.CASH
    source: Annotated[str, Trimmed, Field(min_length=1, max_length=30)] = "api"


class OrderIn(Taken):
    """An order with lines at the shop's prices."""

    items: Annotated[list[LineIn], Field(min_length=1, max_length=MOST_LINES)]
    source: Annotated[str, Trimmed, Field(min_length=1, max_length=30)] = "crm"
    allow_backorder: bool = Field(False, description="Take it although stems are missing")


class OrderPatch(Body):
    """Any of it; what is not named stays."""

    customer_phone: Phone | None = None
    recipient_phone: Phone | None = None
    recipient_name: Name | None = None
    address: Address | None = None
    address_needs_clarification: bool | None = None
    delivery_method: Method | None = None
    delivery_window: WindowIn | None = None
    zone_id: Id | None = None
    flower_sum: Money | None = None
    delivery_fee: Money | None = None
    total: Money | None = None
    payment_method: Order.PaymentMethod | None = None
    payment_date: Moment | None = None
    comment: Remark | None = None
    card_text: CardText | None = None
    is_anonymous: bool | None = None
    delivery_time_text: Name | None = None
    ignore_limits: bool = False
    version: Version = None

    def changes(self, shop: Shop) -> dict[str, Any]:
        """What was named; null empties only what may be empty."""
        named = self.model_dump(exclude_unset=True, exclude={"ignore_limits", "version", "delivery_window"})
        found = {name: value for name, value in named.items() if value is not None or name in EMPTIED}
        if (paid_at := self.payment_date) is not None:
            found["payment_date"] = (paid_at if paid_at.tzinfo else paid_at.replace(tzinfo=zone_of(shop))).astimezone(
                UTC
            )
        if "delivery_window" in self.model_fields_set:
            found["window"] = self.delivery_window.for_shop(shop) if self.delivery_window else None
        if self.delivery_window and (words := self.delivery_window.words(shop, self.delivery_time_text)):
            found["delivery_time_text"] = words
        return found


EMPTIED = frozenset(
    {"recipient_phone", "recipient_name", "address", "payment_method", "payment_date", "comment", "card_text",
     "delivery_time_text", "zone_id"}
)  # fmt: skip
"""Fields that null empties."""


class OrdersQuery(Shape):
    """Which orders; camelCase and snake_case are both known."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    skip: Skip = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    page: Annotated[int | None, Field(ge=1, le=100_000)] = None
    status: Annotated[Order.Status | None, BeforeValidator(_all_is_none, json_schema_input_type=str)] = None
    search: Annotated[str, Field(max_length=100)] = ""
    date_from: Day | None = Field(None, validation_alias=AliasChoices("dateFrom", "date_from"))
    date_to: Day | None = Field(None, validation_alias=AliasChoices("dateTo", "date_to"))
    delivery_date: PlainDay | None = None
    florist_id: Id | None = None
    courier_id: Id | None = None
    source: Annotated[str | None, Field(max_length=30)] = None

    @property
    def first(self) -> int:
        """How many rows come before the page."""
        return self.skip if self.page is None else (self.page - 1) * self.limit

    def filters(self) -> Filters:
        """The same in the words of the rules."""
        return Filters(
            status=self.status,
            search=self.search,
            created_from=self.date_from,
            created_to=self.date_to,
            delivery_date=self.delivery_date,
            florist_id=self.florist_id,
            courier_id=self.courier_id,
            source=self.source,
        )


class OrderPath(Shape):
    """The id in an address."""

    order_id: Id


class ItemPath(OrderPath):
    """A line of an order."""

    item_id: Id


class StatusIn(Body):
    """Where to."""

    status: Order.Status
    comment: Annotated[str, Trimmed, Field(max_length=500)] = ""
    version: Version = None


class IssueIn(Body):
    """What is wrong; the CRM says `issueType`."""

    issue_type: Order.Issue = Field(validation_alias=AliasChoices("issue_type", "issueType"))
    comment: Annotated[str, Trimmed, Field(min_length=1, max_length=2000)]


class RollbackIn(Body):
    """Back to where, and why."""

    target_status: Order.Status
    reason: Reason
    version: Version = None


class CancelIn(Body):
    """Why."""

    cancellation_reason: Reason
    version: Version = None


class FloristIn(Body):
    """Who makes it; in the query or in the body."""

    florist_id: Id | None = None


class CourierIn(Body):
    """One of ours by id, or somebody from outside."""

    courier_id: Id | None = None
    courier_phone: Phone | None = None
    courier_name: Name | None = Field(None, validation_alias=AliasChoices("courier_name", "name"))


class NewItem(LineIn):
    """One more line."""

    allow_backorder: bool = False


class ItemPatch(Body):
    """How many."""

    quantity: Annotated[int | None, Field(ge=1, le=MOST_PIECES)] = None
    allow_backorder: bool = False


class NoticeIn(Body):
    """Kaspi's word."""

    payment_method: Annotated[str, Field(pattern="^kaspi$")] = "kaspi"
    payment_id: Annotated[str, Trimmed, Field(min_length=1, max_length=150)]
    amount: Above
    status: Annotated[str, Field(max_length=30)] = "success"


class PayIn(Body):
    """By which gateway, and where the buyer comes back to."""

    method: Annotated[str, Field(max_length=20)]
    return_url: Annotated[str, Field(max_length=500, pattern=r"^https?://\S+$")] | None = None


class MoneyIn(Body):
    """Money that somebody of the shop has seen."""

    method: Order.PaymentMethod = Order.PaymentMethod.CASH
    amount: Above


class BackIn(Body):
    """How much goes back; all that is due when nothing is said. `by_hand`: not through the gateway that has it."""

    amount: Above | None = None
    by_hand: bool = False


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────
class WindowOut(Shape):
    """UTC."""

    from_: datetime = Field(alias="from")
    to: datetime


class OrderOut(Shape):
    """An order."""

    id: int
    created_at: datetime
    updated_at: datetime
    status: Order.Status
    customer_phone: str
    recipient_phone: str | None
    recipient_name: str | None
    address: str | None
    address_needs_clarification: bool
    delivery_method: Order.Method
    delivery_window: WindowOut | None
    flower_sum: float
    delivery_fee: float
    total: float
    has_pre_delivery_photos: bool
    has_issue: bool
    issue_type: Order.Issue | None
    issue_comment: str | None
    tracking_token: str
    payment_method: Order.PaymentMethod | None
    payment_date: datetime | None
    card_text: str | None
    delivery_time_text: str | None
    source: str | None


class OrderItemOut(Shape):
    """A line as it was sold."""

    id: int
    order_id: int
    product_id: int
    quantity: int
    price: float
    total: float
    product_name: str
    product_category: str


class BuyerOut(Shape):
    """Who ordered."""

    id: int
    name: str | None
    phone: str
    email: str | None
    orders_count: int
    total_spent: float


class PersonOut(Shape):
    """A florist or courier; a courier from outside has no id."""

    id: int | None
    name: str
    phone: str


class OrderFull(OrderOut):
    """With its people and lines; couriers see no buyer."""

    customer_id: int | None
    customer: BuyerOut | None
    items: list[OrderItemOut]
    assigned_florist: PersonOut | None
    courier: PersonOut | None


class EventOut(Shape):
    """A line of history."""

    id: int
    event_type: OrderHistory.Event
    old_status: str | None
    new_status: str | None
    comment: str | None
    created_at: datetime
    user: str


class AuthorOut(Shape):
    """Who of the shop."""

    id: int
    name: str


class RemarkOut(Shape):
    """A comment within an order."""

    id: int
    text: str
    created_at: datetime
    author_type: Comment.Author
    user: AuthorOut | None


class CommentOut(RemarkOut):
    """A comment; the buyer sees public ones."""

    order_id: int
    user_id: int | None
    customer_name: str | None
    is_public: bool
    updated_at: datetime


class PhotoOut(Shape):
    """A picture; its address is signed and opens for some hours."""

    id: int
    photo_url: str
    photo_type: OrderPhoto.Type
    description: str | None
    customer_feedback: OrderPhoto.Feedback | None
    feedback_comment: str | None
    created_at: datetime


class OrderDetail(OrderFull):
    """With all that happened."""

    history: list[EventOut]
    comments: list[RemarkOut]
    photos: list[PhotoOut]


class OrderList(Shape):
    items: list[OrderFull]
    total: int


class CommentList(Shape):
    items: list[CommentOut]
    total: int


class Message(Shape):
    """Done."""

    detail: str


class NoticeOut(Shape):
    """Taken down."""

    status: str
    order_id: int
    payment_status: str
    order_status: Order.Status


class PayOut(Shape):
    """Send the buyer to `pay_url`."""

    order_id: int
    payment_id: int
    method: str
    status: str
    amount: float
    currency: str
    pay_url: str


class MoneyRow(Shape):
    """Money that came, or below zero went back."""

    id: int
    source: str
    method: str
    amount: float
    created_at: datetime
    user: str


class MoneyOut(Shape):
    """An order's money; `methods` are the gateways that its buyer can pay by."""

    order_id: int
    total: float
    paid_amount: float
    outstanding: float
    refund_due: float
    methods: list[str]
    items: list[MoneyRow]


class OfferOut(Shape):
    """A window of a day. `reason` says why strangers cannot choose it."""

    from_: datetime = Field(alias="from")
    to: datetime
    surcharge: float
    left: int | None
    is_open: bool
    reason: str | None


class OfferedZone(Shape):
    """Where the shop delivers, and for how much."""

    id: int
    name: str
    price: float
    min_order: float


class OfferList(Shape):
    """Windows of a day, and the zones."""

    items: list[OfferOut]
    total: int
    zones: list[OfferedZone]
