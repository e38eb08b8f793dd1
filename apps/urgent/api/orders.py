"""Orders over HTTP (contract urgent 1.1, rows 1 to 9). Shapes only; rules live in the actions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from django.utils import timezone
from pydantic import AfterValidator, Field, model_validator

from apps.core.errors import Unauthenticated
from apps.core.wire import Shape, endpoint
from apps.urgent import errors
from apps.urgent.actions import orders, takes, timer
from apps.urgent.api.base import UrgentView
from apps.urgent.models import Member, Order
from apps.urgent.queries import orders as questions

NEAR_DEFAULT_KM = 25.0
NEAR_MAX_KM = 1000.0


def _say_something(text: str) -> str:
    """Spaces alone say nothing (contract urgent 8.18)."""
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Description = Annotated[str, Field(min_length=20, max_length=1000), AfterValidator(_say_something)]
Contact = Annotated[str, Field(min_length=3, max_length=100), AfterValidator(_say_something)]


class OrderCreate(Shape):
    """A new order; nothing is trimmed."""

    category: Order.Category
    description: Description
    city: str = Field(min_length=2, max_length=100)
    contact: Contact


class OrderUpdate(Shape):
    """Changes; null or missing leaves a field as it is. The city never changes."""

    category: Order.Category | None = None
    description: Description | None = None
    contact: Contact | None = None


class OrderQuery(Shape):
    """Filters of the list. `lat` and `lon` come together; with them the answer has `distance_km`."""

    category: str | None = None
    city: str | None = None
    status: Order.Status | None = None
    limit: int = Field(50, ge=1, le=100)
    offset: int = Field(0, ge=0)
    mine: bool = False
    taken_by_me: bool = False
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    radius_km: float = Field(NEAR_DEFAULT_KM, gt=0, le=NEAR_MAX_KM, allow_inf_nan=False)

    @model_validator(mode="after")
    def place_is_whole(self) -> OrderQuery:
        """Half a place is no place."""
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon are given together")
        return self


class TakenBy(Shape):
    """One taker. The id is 0 for those whom it does not concern (D13)."""

    executor_id: int
    taken_at: datetime


class OrderOut(Shape):
    """An order. `contact` is null for all but its owner and its takers."""

    id: str
    category: str
    description: str
    city: str
    contact: str | None
    created_at: datetime
    expires_in_minutes: int
    status: Order.Status
    taken_by: list[TakenBy]
    customer_responded_at: datetime | None
    city_locked: bool
    rating: int | None
    review_comment: str | None


class ListedOrder(OrderOut):
    """An order in a list; the distance only when a place was asked for."""

    distance_km: float | None = None


class OrderList(Shape):
    """A page of orders, newest first."""

    orders: list[ListedOrder]
    total: int


class TakeOut(Shape):
    """What the price of a take buys."""

    success: bool
    contact: str
    executor_count: int
    new_balance: int


class OrderPath(Shape):
    """Ids may begin with `-` or `_`."""

    order_id: str


FINISHING = (errors.OrderNotFound, errors.NotTheClient, errors.OrderNotActive, errors.OrderExpired, errors.NobodyTookIt)


class Orders(UrgentView):
    """The market's list, and posting to it."""

    @endpoint(
        query=OrderQuery,
        login="optional",
        answers={200: OrderList},
        refusals=[Unauthenticated],
        summary="List orders",
    )
    def get(self, request: Any, *, query: OrderQuery) -> HttpResponse:
        """Newest first. `mine` and `taken_by_me` need a valid sign-in (D2)."""
        asked = _asked(query, is_plain=not request.GET)
        if asked.is_personal and request.member is None:
            self.sign_in(request, "required")
        return _page(self, request, asked)

    @endpoint(
        body=OrderCreate,
        login="required",
        answers={201: OrderOut},
        refusals=[errors.ContactInUse, errors.UnknownCity, errors.MemberBlocked, errors.TooManyOrders],
        summary="Post an order",
    )
    def post(self, request: Any, *, body: OrderCreate) -> dict[str, Any]:
        """Free of charge; the order runs out by itself."""
        order = orders.place(by=request.member, **body.model_dump())
        return questions.shown(order, by=request.member)


def _asked(query: OrderQuery, *, is_plain: bool) -> questions.Asked:
    near = None if query.lat is None or query.lon is None else (query.lat, query.lon, query.radius_km)
    plain = query.model_dump(exclude={"lat", "lon", "radius_km"})
    return questions.Asked(**plain, near=near, is_plain=is_plain)


def _page(view: UrgentView, request: Any, asked: questions.Asked) -> HttpResponse:
    """The page, or 304 when the caller has it already."""
    now = timezone.now()
    if request.member is not None and (asked.is_personal or asked.is_plain):
        timer.settle_for(member_id=request.member.pk, now=now)
    page = questions.page(asked, by=request.member, now=now)
    headers = {"ETag": page.etag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if request.headers.get("If-None-Match") == page.etag:
        return HttpResponse(status=304, headers=headers)
    return view.reply(page.body, 200, headers)


class OneOrder(UrgentView):
    """One order: read, change, delete."""

    @endpoint(
        path=OrderPath,
        login="optional",
        answers={200: OrderOut},
        refusals=[errors.OrderNotFound],
        summary="Read an order",
    )
    def get(self, request: Any, *, order_id: str) -> dict[str, Any]:
        """The contact is shown to the owner and to those who have paid for it."""
        return _current(order_id, request.member)

    @endpoint(
        path=OrderPath,
        body=OrderUpdate,
        login="required",
        answers={200: OrderOut},
        refusals=[
            errors.OrderNotFound,
            errors.MemberBlocked,
            errors.EditAfterTake,
            errors.OrderExpired,
            errors.OrderNotActive,
            errors.ContactInUse,
        ],
        summary="Change an order",
    )
    def put(self, request: Any, *, order_id: str, body: OrderUpdate) -> dict[str, Any]:
        """Until somebody takes it."""
        order = orders.edit(by=request.member, order_id=order_id, **body.model_dump())
        return questions.shown(order, by=request.member)

    @endpoint(
        path=OrderPath,
        login="required",
        answers={204: None},
        refusals=[errors.OrderNotFound, errors.DeleteAfterTake],
        summary="Delete an order",
    )
    def delete(self, request: Any, *, order_id: str) -> None:
        """Until somebody takes it; also after it ran out."""
        orders.delete(by=request.member, order_id=order_id)


def _current(order_id: str, member: Member | None) -> dict[str, Any]:
    """The order as it is now: when it is due, time does its work first."""
    order = questions.visible(order_id, by=member)
    if order.is_due(timezone.now()):
        timer.settle(order_id=order_id)
        order = questions.visible(order_id, by=member)
    return questions.shown(order, by=member)


class Take(UrgentView):
    """Buying the contact."""

    @endpoint(
        path=OrderPath,
        login="required",
        answers={200: TakeOut},
        refusals=[
            *(errors.OrderNotFound, errors.OrderNotActive, errors.OrderExpired, errors.OwnOrder, errors.MemberBlocked),
            *(errors.OrderFull, errors.NotEnoughBalance, errors.TooManyTakes),
        ],
        summary="Take an order",
    )
    def post(self, request: Any, *, order_id: str) -> dict[str, Any]:
        """Pays the price once and reveals the contact; repeating is free."""
        taken = takes.take(by=request.member, order_id=order_id)
        return {
            "success": True,
            "contact": taken.contact,
            "executor_count": taken.executor_count,
            "new_balance": taken.new_balance,
        }


class Respond(UrgentView):
    """The client has called his executors."""

    @endpoint(
        path=OrderPath,
        login="required",
        answers={200: OrderOut},
        refusals=[*FINISHING, errors.AlreadyResponded],
        summary="Say that the takers were answered",
    )
    def post(self, request: Any, *, order_id: str) -> dict[str, Any]:
        """Once; stops the no-response timer."""
        return questions.shown(orders.respond(by=request.member, order_id=order_id), by=request.member)


class Close(UrgentView):
    """The client gives up."""

    @endpoint(path=OrderPath, login="required", answers={204: None}, refusals=FINISHING, summary="Close an order")
    def post(self, request: Any, *, order_id: str) -> None:
        """Takers without an answer are paid back (D6)."""
        orders.close(by=request.member, order_id=order_id)


class Complete(UrgentView):
    """The work is done."""

    @endpoint(
        path=OrderPath, login="required", answers={200: OrderOut}, refusals=FINISHING, summary="Complete an order"
    )
    def post(self, request: Any, *, order_id: str) -> dict[str, Any]:
        """Counts for the client and for every taker."""
        return questions.shown(orders.complete(by=request.member, order_id=order_id), by=request.member)
