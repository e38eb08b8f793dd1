"""A courier at the door and at the end of the day (contract florist 4, 6; paths are ours)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from drf_spectacular.utils import extend_schema
from pydantic import Field, StringConstraints
from rest_framework.parsers import MultiPartParser

from apps.core.errors import Invalid, TooLarge
from apps.core.idempotency import KeyReused
from apps.core.routing import path
from apps.core.wire import Shape, endpoint, read_json, read_shape, refuse_nul
from apps.florist import errors
from apps.florist.access import Area, Level
from apps.florist.actions import courier_day, stops
from apps.florist.actions.stops import Proof
from apps.florist.api.base import Body, Id, Paging
from apps.florist.api.order_shapes import PlainDay
from apps.florist.api.queue import Days
from apps.florist.api.runs import Colleague, Key, Latitude, Longitude, RunsView, StopOut, sent_key, stop_row
from apps.florist.api.task_shapes import Moment
from apps.florist.api.uploads import sent_files
from apps.florist.models import CourierDay, DeliveryAttempt
from apps.florist.queries import deliveries

Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Money = Annotated[Decimal, Field(max_digits=12, decimal_places=2, allow_inf_nan=False)]


# ── Shapes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class StopPath(Shape):
    """Which stop."""

    stop_id: Id


class DayPath(Shape):
    """Which closed day."""

    day_id: Id


class Happened(Body):
    """When, by the phone's clock, and the key that makes a repeat free; without a network both are kept with it."""

    key: Key = ""
    happened_at: Moment | None = None


class Delivered(Happened):
    """To whom, and where the courier stood."""

    receiver_name: Name = ""
    left_with: Name = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class Failed(Happened):
    """Why nobody took it, and what next."""

    reason: DeliveryAttempt.Reason
    next_step: DeliveryAttempt.Next
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class Cash(Body):
    """How much."""

    amount: Annotated[Money, Field(gt=0)]
    key: Key = ""


class DayFilter(Shape):
    """Which day; today by default."""

    day: PlainDay | None = None


class DayIn(Body):
    """What the courier hands over."""

    cash_handed: Annotated[Money, Field(ge=0)]
    day: PlainDay | None = None
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class DayReason(Body):
    """Why a day is opened again."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ClosedDay(Shape):
    """A day that its courier has closed; `difference` is what was handed over too much, or below zero too little.

    `cash_taken` of `cash_handed` had been accepted before the day was opened again.
    """

    id: int
    day: date
    courier: Colleague
    delivered: int
    failed: int
    cash_expected: float
    cash_handed: float
    difference: float
    note: str
    created_at: datetime
    accepted_at: datetime | None
    accepted_by: Colleague | None
    cash_taken: float
    reopened_at: datetime | None
    reopen_reason: str


class MyDay(Shape):
    """A day as its courier sees it; `closed` once it is. `cash_taken` was handed over before it was opened again."""

    day: date
    delivered: int
    failed: int
    open: int
    cash_expected: float
    cash_taken: float
    closed: ClosedDay | None


class ClosedDays(Shape):
    """A page of closed days."""

    items: list[ClosedDay]
    total: int


class ClosedDayFilter(Paging):
    """Which days."""

    day: PlainDay | None = None
    courier_id: Id | None = None
    is_accepted: bool | None = None


class CourierRow(Shape):
    """What a courier did in a time."""

    courier_id: int
    name: str
    delivered: int
    failed: int
    on_time: int
    cash: float


class CourierPage(Shape):
    """Couriers, who delivered most first."""

    items: list[CourierRow]
    total: int


def _closed(found: CourierDay) -> dict[str, Any]:
    plain = (
        *("id", "day", "delivered", "failed", "cash_expected", "cash_handed", "note"),
        *("created_at", "accepted_at", "cash_taken", "reopened_at", "reopen_reason"),
    )
    return {
        **{name: getattr(found, name) for name in plain},
        "courier": Colleague.model_validate(found.courier),
        "difference": found.cash_handed - found.cash_expected,
        "accepted_by": Colleague.model_validate(found.accepted_by) if found.accepted_by else None,
    }


def _form(shape: type[Happened]) -> dict[str, Any]:
    """How a form with a picture looks in the document; JSON does without one."""
    schema = shape.model_json_schema()
    photo = {"photo": {"type": "string", "format": "binary"}}
    text = {name: {"type": "string"} for name in schema["properties"]}
    form = {"type": "object", "properties": {**text, **photo}, "required": schema.get("required", [])}
    return {"multipart/form-data": form, "application/json": shape}


# ── At the door ─────────────────────────────────────────────────────────────────────────────────────────────────────
AT_THE_DOOR = (errors.StopNotFound, errors.IllegalStopStep, errors.IllegalTransition, KeyReused)


class StopsView(RunsView):
    """One stop, for its courier or a manager."""

    parser_classes = (MultiPartParser,)

    def shown(self, request: Any, stop_id: int) -> dict[str, Any]:
        """The stop as it is now."""
        return stop_row(deliveries.stop(by=request.member, stop_id=stop_id))


class OneStop(StopsView):
    """Looking at a stop."""

    @endpoint(
        path=StopPath, login="required", answers={200: StopOut}, refusals=[errors.StopNotFound], summary="Show a stop"
    )
    def get(self, request: Any, *, stop_id: int) -> dict[str, Any]:
        """Its courier, or a manager."""
        return self.shown(request, stop_id)


class PickUp(StopsView):
    """Taking the flowers along."""

    @endpoint(
        path=StopPath,
        body=Happened,
        body_optional=True,
        login="required",
        answers={200: StopOut},
        refusals=AT_THE_DOOR,
        summary="Picked up",
    )
    def post(self, request: Any, *, stop_id: int, body: Happened) -> dict[str, Any]:
        """The order is on its way; begins the run too."""
        key = sent_key(request, body.key)
        stops.pick_up(by=request.member, stop_id=stop_id, key=key, happened_at=body.happened_at)
        return self.shown(request, stop_id)


class Deliver(StopsView):
    """Handing over."""

    @extend_schema(request=_form(Delivered))
    @endpoint(
        path=StopPath,
        login="required",
        answers={200: StopOut},
        refusals=[*AT_THE_DOOR, errors.ProofMissing, TooLarge, Invalid],
        summary="Delivered",
    )
    def post(self, request: Any, *, stop_id: int) -> dict[str, Any]:
        """Multipart with `photo`, or JSON; a picture, a receiver or a neighbour is needed. Repeating is free."""
        sent, photo = _sent(request, Delivered)
        place = {"latitude": sent.latitude, "longitude": sent.longitude}
        proof = Proof(receiver_name=sent.receiver_name, left_with=sent.left_with, photo=photo, **place)
        stops.deliver(
            by=request.member,
            stop_id=stop_id,
            proof=proof,
            key=sent_key(request, sent.key),
            happened_at=sent.happened_at,
        )
        return self.shown(request, stop_id)


class Fail(StopsView):
    """Nobody took it."""

    @extend_schema(request=_form(Failed))
    @endpoint(
        path=StopPath,
        login="required",
        answers={200: StopOut},
        refusals=[*AT_THE_DOOR, TooLarge, Invalid],
        summary="Could not be delivered",
    )
    def post(self, request: Any, *, stop_id: int) -> dict[str, Any]:
        """Multipart with `photo`, or JSON. `retry` keeps the stop open, else the order has a problem."""
        sent, photo = _sent(request, Failed)
        given = sent.model_dump(exclude={"key"})
        key = sent_key(request, sent.key)
        stops.fail(by=request.member, stop_id=stop_id, photo=photo, key=key, **given)
        return self.shown(request, stop_id)


class TakeCash(StopsView):
    """Cash at the door."""

    @endpoint(
        path=StopPath,
        body=Cash,
        login="required",
        answers={200: StopOut},
        refusals=[*AT_THE_DOOR, errors.NothingToPay, errors.DayAccepted, Invalid],
        summary="Cash received",
    )
    def post(self, request: Any, *, stop_id: int, body: Cash) -> dict[str, Any]:
        """At most what the order still owes."""
        key = sent_key(request, body.key)
        stops.receive_cash(by=request.member, stop_id=stop_id, amount=body.amount, key=key)
        return self.shown(request, stop_id)


def _sent(request: Any, shape: type[Any]) -> tuple[Any, Any]:
    """The fields of a form with its picture, or of a JSON body without one."""
    if request.content_type.startswith("multipart/"):
        photos = sent_files(request, "photo", least=0)
        fields = {name: value for name, value in request.POST.items() if value != ""}
        refuse_nul(fields, ("body",))
        return read_shape(shape, fields, "body"), photos[0] if photos else None
    return read_shape(shape, read_json(request), "body"), None


# ── The day ─────────────────────────────────────────────────────────────────────────────────────────────────────────
class Today(RunsView):
    """A courier's own day."""

    @endpoint(query=DayFilter, login="required", answers={200: MyDay}, refusals=[errors.NotACourier], summary="My day")
    def get(self, request: Any, *, query: DayFilter) -> dict[str, Any]:
        """Delivered, failed, cash to hand over."""
        found = deliveries.my_day(by=request.member, day=query.day)
        sums = {name: getattr(found.sums, name) for name in ("delivered", "failed", "open")}
        closed = _closed(found.closed) if found.closed else None
        money = {"cash_expected": found.sums.cash, "cash_taken": found.taken}
        return {"day": found.day, **sums, **money, "closed": closed}


class CloseDay(RunsView):
    """The end of a courier's day."""

    @endpoint(
        body=DayIn,
        login="required",
        answers={201: ClosedDay},
        refusals=[errors.NotACourier, errors.OpenStopsLeft, errors.DayClosed, Invalid],
        summary="Close my day",
    )
    def post(self, request: Any, *, body: DayIn) -> dict[str, Any]:
        """With no stop open; the same sum again is free."""
        return _closed(courier_day.close(by=request.member, **body.model_dump()))


class ClosedDaysOf(RunsView):
    """Closed days."""

    @endpoint(query=ClosedDayFilter, login="required", answers={200: ClosedDays}, summary="Closed days")
    def get(self, request: Any, *, query: ClosedDayFilter) -> dict[str, Any]:
        """Newest first; couriers see their own."""
        rows, total = deliveries.days(by=request.member, **query.model_dump())
        return self.wire.paged([_closed(found) for found in rows], total)


class AcceptDay(RunsView):
    """Taking a courier's cash."""

    @endpoint(
        path=DayPath,
        login="required",
        answers={200: ClosedDay},
        refusals=[errors.CourierDayNotFound, errors.DayOpenedAgain],
        summary="Accept a day's cash",
    )
    def post(self, request: Any, *, day_id: int) -> dict[str, Any]:
        """Managers; repeating is free."""
        return _closed(courier_day.accept(by=request.member, day_id=day_id))


class ReopenDay(RunsView):
    """Opening a day that was closed by mistake."""

    @endpoint(
        path=DayPath,
        body=DayReason,
        login="required",
        answers={200: ClosedDay},
        refusals=[errors.CourierDayNotFound, Invalid],
        summary="Open a closed day again",
    )
    def post(self, request: Any, *, day_id: int, body: DayReason) -> dict[str, Any]:
        """Managers; the courier goes on and closes it anew with the whole day's cash. Repeating is free."""
        return _closed(courier_day.reopen(by=request.member, day_id=day_id, reason=body.reason))


class Figures(RunsView):
    """Couriers in figures."""

    needs: ClassVar[tuple[Area, Level] | None] = ("orders", "write")

    @endpoint(query=Days, login="required", answers={200: CourierPage}, summary="Couriers' work in a time")
    def get(self, request: Any, *, query: Days) -> dict[str, Any]:
        """Delivered, failed, on time; for managers."""
        shop = request.member.shop
        since, until = query.between(shop)
        rows = deliveries.figures(shop=shop, since=since, until=until)
        names = CourierRow.model_fields
        return self.wire.paged([{name: getattr(row, name) for name in names} for row in rows], len(rows))


urlpatterns = [
    path("api/stops/<str:stop_id>", OneStop, name="stop"),
    path("api/stops/<str:stop_id>/picked-up", PickUp, name="stop-picked-up"),
    path("api/stops/<str:stop_id>/delivered", Deliver, name="stop-delivered"),
    path("api/stops/<str:stop_id>/failed", Fail, name="stop-failed"),
    path("api/stops/<str:stop_id>/cash", TakeCash, name="stop-cash"),
    path("api/courier/day", Today, name="courier-day"),
    path("api/courier/day/close", CloseDay, name="courier-day-close"),
    path("api/courier/days", ClosedDaysOf, name="courier-days"),
    path("api/courier/days/<str:day_id>/accept", AcceptDay, name="courier-day-accept"),
    path("api/courier/days/<str:day_id>/reopen", ReopenDay, name="courier-day-reopen"),
    path("api/courier/figures", Figures, name="courier-figures"),
]
