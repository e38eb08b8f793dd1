"""Runs over HTTP: planned by managers, driven by couriers (contract florist 4, 6; paths are ours)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from apps.core.access import ensure
from apps.core.idempotency import KeyReused, KeyTooLong
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.access import Area, Level
from apps.florist.actions import runs, uploads
from apps.florist.actions.runs import StopWish
from apps.florist.api.base import Body, FloristView, Id, Paging
from apps.florist.api.order_shapes import PlainDay
from apps.florist.models import DeliveryAttempt, DeliveryRun, Order, Stop
from apps.florist.queries import deliveries, routes

RunStatus = DeliveryRun.Status
LONGEST_KEY = 64
Key = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_KEY)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Ids = Annotated[list[Id], Field(max_length=runs.MOST_STOPS)]


# ── Shapes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class RunPath(Shape):
    """Which run."""

    run_id: Id


class RunStopPath(RunPath):
    """Which stop of which run."""

    stop_id: Id


class Colleague(Shape):
    """Somebody of the shop."""

    id: int
    name: str
    phone: str


class RunRow(Shape):
    """A run as lists show it; cash in the shop's currency."""

    id: int
    day: date
    status: RunStatus
    courier: Colleague
    created_at: datetime
    accepted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    stops_total: int
    stops_open: int
    stops_delivered: int
    stops_failed: int
    cash_due: float
    cash_received: float


class Sender(Shape):
    """Who sends the flowers; hidden when he wants to stay unknown."""

    name: str | None
    phone: str


class AttemptOut(Shape):
    """A door that stayed shut."""

    reason: DeliveryAttempt.Reason
    next_step: DeliveryAttempt.Next
    note: str
    photo_url: str | None
    created_at: datetime


class Goods(Shape):
    """What is brought."""

    product_name: str
    quantity: int


class StopOut(Shape):
    """A stop as its courier sees it: nothing about the buyer's other orders.

    `cash_due` is `cash_received` with what the order still owes in cash at this moment.
    """

    id: int
    run_id: int
    position: int
    status: Stop.Status
    order_id: int
    order_number: str
    order_status: Order.Status
    recipient_name: str | None
    recipient_phone: str | None
    address: str | None
    address_needs_clarification: bool
    zone: str | None
    delivery_window: dict[str, datetime | None] | None
    delivery_time_text: str | None
    comment: str | None
    has_card: bool
    is_anonymous: bool
    sender: Sender | None
    items: list[Goods]
    latitude: float | None
    longitude: float | None
    maps: dict[str, str]
    cash_due: float
    cash_received: float
    picked_up_at: datetime | None
    delivered_at: datetime | None
    failed_at: datetime | None
    receiver_name: str
    left_with: str
    proof_url: str | None
    attempts: list[AttemptOut]


class RunOut(RunRow):
    """A run with its stops in order."""

    stops: list[StopOut]


class RunPage(Shape):
    """A page of runs."""

    items: list[RunRow]
    total: int


class RunFilter(Paging):
    """Which runs."""

    day: PlainDay | None = None
    courier_id: Id | None = None
    status: RunStatus | None = None


class Place(Body):
    """A point on the map."""

    latitude: Latitude
    longitude: Longitude


class StopIn(Body):
    """An order, with its place on the map when it is known."""

    order_id: Id
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class StopsIn(Body):
    """Orders for a run."""

    stops: Annotated[list[StopIn], Field(min_length=1, max_length=runs.MOST_STOPS)]

    def wishes(self) -> list[StopWish]:
        """For the action."""
        return [StopWish(**stop.model_dump()) for stop in self.stops]


class RunIn(StopsIn):
    """A new run; stops are put into the proposed order unless `keeps_order`."""

    courier_id: Id
    day: PlainDay | None = None
    start: Place | None = None
    keeps_order: bool = False


class ProposalIn(StopsIn):
    """Orders to be put in order, and where the courier starts."""

    start: Place | None = None


class Proposal(Shape):
    """Ids of the orders in the proposed order."""

    order_ids: list[int]


class PlanFilter(Shape):
    """Which day; today by default."""

    day: PlainDay | None = None


class Unplanned(Shape):
    """An order that is on no run."""

    order_id: int
    order_number: str
    status: Order.Status
    address: str | None
    address_needs_clarification: bool
    zone: str | None
    delivery_window: dict[str, datetime | None] | None
    delivery_time_text: str | None
    cash_due: float
    courier: Colleague | None


class UnplannedPage(Shape):
    """Orders that wait for a run."""

    items: list[Unplanned]
    total: int


class Sorting(Body):
    """All open stops of the run in the wanted order."""

    stop_ids: Ids


class HandOver(Body):
    """To whom, and which stops; all open ones when none is named."""

    courier_id: Id
    stop_ids: Annotated[Ids | None, Field(min_length=1)] = None


class Keyed(Body):
    """A key makes a repeat free; it may also stand in the header `Idempotency-Key`."""

    key: Key = ""


class Why(Body):
    """Why, for the log."""

    reason: Annotated[str, StringConstraints(max_length=500)] = ""


def run_row(run: Any) -> dict[str, Any]:
    """A run without its stops."""
    plain = set(RunRow.model_fields) - {"courier"}
    return {**{name: getattr(run, name) for name in plain}, "courier": Colleague.model_validate(run.courier)}


def run_whole(run: Any) -> dict[str, Any]:
    """A run with its stops."""
    return {**run_row(run), "stops": [stop_row(stop) for stop in run.stops_in_order]}


def stop_row(stop: Stop) -> dict[str, Any]:
    """A stop for its courier."""
    plain = (
        *("id", "run_id", "position", "status", "order_id", "latitude", "longitude", "cash_due", "cash_received"),
        *("picked_up_at", "delivered_at", "failed_at", "receiver_name", "left_with"),
    )
    return {
        **{name: getattr(stop, name) for name in plain},
        **_order_part(stop.order),
        "maps": _maps(stop),
        "proof_url": uploads.url_of(stop.proof) if stop.proof else None,
        "attempts": [_attempt(attempt) for attempt in stop.attempts.all()],
    }


def _order_part(order: Order) -> dict[str, Any]:
    plain = (
        *("order_number", "recipient_name", "recipient_phone", "address", "address_needs_clarification"),
        *("delivery_time_text", "comment", "is_anonymous"),
    )
    return {
        **{name: getattr(order, name) for name in plain},
        "order_status": order.status,
        "zone": order.delivery_zone.name if order.delivery_zone else None,
        "delivery_window": window(order),
        "has_card": bool(order.card_text),
        "sender": None if order.is_anonymous else _sender(order),
        "items": [{"product_name": item.product_name, "quantity": item.quantity} for item in order.items.all()],
    }


def _sender(order: Order) -> dict[str, Any]:
    return {"name": order.customer.name if order.customer else None, "phone": order.customer_phone}


def window(order: Order) -> dict[str, datetime | None] | None:
    """`{from, to}`, or nothing when none was agreed."""
    if order.delivery_from is None and order.delivery_to is None:
        return None
    return {"from": order.delivery_from, "to": order.delivery_to}


def _maps(stop: Stop) -> dict[str, str]:
    return routes.maps(stop.run.shop.city, stop.order.address, stop.latitude, stop.longitude)


def _attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    return {
        **{name: getattr(attempt, name) for name in ("reason", "next_step", "note", "created_at")},
        "photo_url": uploads.url_of(attempt.photo) if attempt.photo else None,
    }


def _unplanned(order: Order) -> dict[str, Any]:
    plain = ("order_number", "status", "address", "address_needs_clarification", "delivery_time_text")
    return {
        **{name: getattr(order, name) for name in plain},
        "order_id": order.pk,
        "zone": order.delivery_zone.name if order.delivery_zone else None,
        "delivery_window": window(order),
        "cash_due": order.cash_to_collect,
        "courier": Colleague.model_validate(order.courier) if order.courier else None,
    }


def sent_key(request: Any, key: str) -> str:
    """The body's key, or the header's. Raises `KeyTooLong`."""
    found = key or request.headers.get("Idempotency-Key", "").strip()
    ensure(len(found) <= LONGEST_KEY, KeyTooLong)
    return found


# ── Views ───────────────────────────────────────────────────────────────────────────────────────────────────────────
RUN = (errors.RunNotFound, errors.IllegalRunStep)
PLANNING = (
    *(errors.EmployeeNotFound, errors.NotACourier, errors.OrderNotFound, errors.OrderNotDeliverable),
    *(errors.OrderOnARun, errors.TooManyStops, errors.DayClosed),
)


class RunsView(FloristView):
    """Couriers see their own runs; planning is the managers'."""

    tag = "florist delivery"
    needs: ClassVar[tuple[Area, Level] | None] = ("orders", "own")
    refusals = (errors.NotEnoughPermissions,)

    def shown(self, request: Any, run_id: int) -> dict[str, Any]:
        """The run as it is now."""
        return run_whole(deliveries.run(by=request.member, run_id=run_id))


class Runs(RunsView):
    """All runs."""

    @endpoint(query=RunFilter, login="required", answers={200: RunPage}, summary="List runs")
    def get(self, request: Any, *, query: RunFilter) -> dict[str, Any]:
        """Newest first; couriers see their own."""
        rows, total = deliveries.runs(by=request.member, **query.model_dump())
        return self.wire.paged([run_row(run) for run in rows], total)

    @endpoint(body=RunIn, login="required", answers={201: RunOut}, refusals=PLANNING, summary="Plan a run")
    def post(self, request: Any, *, body: RunIn) -> dict[str, Any]:
        """The courier becomes the courier of these orders."""
        run = runs.plan(
            by=request.member,
            courier_id=body.courier_id,
            stops=body.wishes(),
            day=body.day,
            start=_point(body.start),
            keeps_order=body.keeps_order,
        )
        return self.shown(request, run.pk)


def _point(place: Place | None) -> routes.Place | None:
    return (place.latitude, place.longitude) if place else None


class Propose(RunsView):
    """A proposal without a run."""

    needs: ClassVar[tuple[Area, Level] | None] = ("orders", "write")

    @endpoint(
        body=ProposalIn,
        login="required",
        answers={200: Proposal},
        refusals=[errors.OrderNotFound],
        summary="Propose an order of stops",
    )
    def post(self, request: Any, *, body: ProposalIn) -> dict[str, Any]:
        """By window, then to the nearest, else by zone."""
        found = runs.proposal(by=request.member, stops=body.wishes(), start=_point(body.start))
        return {"order_ids": [wish.order_id for wish in found]}


class ToPlan(RunsView):
    """Orders that wait for a run."""

    needs: ClassVar[tuple[Area, Level] | None] = ("orders", "write")

    @endpoint(query=PlanFilter, login="required", answers={200: UnplannedPage}, summary="Orders on no run")
    def get(self, request: Any, *, query: PlanFilter) -> dict[str, Any]:
        """By window and zone."""
        rows = [_unplanned(order) for order in deliveries.to_plan(by=request.member, day=query.day)]
        return self.wire.paged(rows, len(rows))


class OneRun(RunsView):
    """One run."""

    @endpoint(
        path=RunPath, login="required", answers={200: RunOut}, refusals=[errors.RunNotFound], summary="Show a run"
    )
    def get(self, request: Any, *, run_id: int) -> dict[str, Any]:
        """With its stops in order."""
        return self.shown(request, run_id)


class RunStops(RunsView):
    """Stops of a run."""

    @endpoint(
        path=RunPath,
        body=StopsIn,
        login="required",
        answers={201: RunOut},
        refusals=[*RUN, *PLANNING],
        summary="Add orders to a run",
    )
    def post(self, request: Any, *, run_id: int, body: StopsIn) -> dict[str, Any]:
        """At its end; managers."""
        runs.add_stops(by=request.member, run_id=run_id, stops=body.wishes())
        return self.shown(request, run_id)

    @endpoint(
        path=RunPath,
        body=Sorting,
        login="required",
        answers={200: RunOut},
        refusals=[*RUN, errors.ChangedMeanwhile],
        summary="Sort the open stops",
    )
    def put(self, request: Any, *, run_id: int, body: Sorting) -> dict[str, Any]:
        """By hand, its courier or a manager."""
        runs.reorder(by=request.member, run_id=run_id, stop_ids=body.stop_ids)
        return self.shown(request, run_id)


class RunStop(RunsView):
    """One stop of a run."""

    @endpoint(
        path=RunStopPath,
        login="required",
        answers={200: RunOut},
        refusals=[errors.StopNotFound, errors.IllegalStopStep],
        summary="Take an order off a run",
    )
    def delete(self, request: Any, *, run_id: int, stop_id: int) -> dict[str, Any]:
        """While it lies in the shop; managers."""
        runs.remove_stop(by=request.member, stop_id=stop_id, run_id=run_id)
        return self.shown(request, run_id)


class _Driving(RunsView):
    """A step of a run, by its courier or a manager."""

    deed: Any = None

    @endpoint(
        path=RunPath,
        body=Keyed,
        body_optional=True,
        login="required",
        answers={200: RunOut},
        refusals=[*RUN, errors.OpenStopsLeft, KeyReused],
        summary="Move a run on",
    )
    def post(self, request: Any, *, run_id: int, body: Keyed) -> dict[str, Any]:
        """What is done already changes nothing."""
        type(self).deed(by=request.member, run_id=run_id, key=sent_key(request, body.key))
        return self.shown(request, run_id)


class Accept(_Driving):
    """Seen."""

    deed = staticmethod(runs.accept)


class Start(_Driving):
    """Off."""

    deed = staticmethod(runs.start)


class Finish(_Driving):
    """Back."""

    deed = staticmethod(runs.finish)


class Cancel(RunsView):
    """Giving a run up."""

    @endpoint(
        path=RunPath,
        body=Why,
        body_optional=True,
        login="required",
        answers={200: RunOut},
        refusals=RUN,
        summary="Cancel a run",
    )
    def post(self, request: Any, *, run_id: int, body: Why) -> dict[str, Any]:
        """Before it began; its orders are free again. Managers."""
        runs.cancel(by=request.member, run_id=run_id, reason=body.reason)
        return self.shown(request, run_id)


class HandOvers(RunsView):
    """From courier to courier."""

    @endpoint(
        path=RunPath,
        body=HandOver,
        login="required",
        answers={201: RunOut},
        refusals=[*RUN, errors.StopNotFound, errors.EmployeeNotFound, errors.NotACourier, errors.DayClosed],
        summary="Hand stops over to another courier",
    )
    def post(self, request: Any, *, run_id: int, body: HandOver) -> dict[str, Any]:
        """Answers the run that is left to the one who hands over."""
        runs.hand_over(by=request.member, run_id=run_id, courier_id=body.courier_id, stop_ids=body.stop_ids)
        return self.shown(request, run_id)


urlpatterns = [
    path("api/runs/", Runs, name="runs"),
    path("api/runs/propose", Propose, name="runs-propose"),
    path("api/runs/to-plan", ToPlan, name="runs-to-plan"),
    path("api/runs/<str:run_id>", OneRun, name="run"),
    path("api/runs/<str:run_id>/stops", RunStops, name="run-stops"),
    path("api/runs/<str:run_id>/stops/<str:stop_id>", RunStop, name="run-stop"),
    path("api/runs/<str:run_id>/accept", Accept, name="run-accept"),
    path("api/runs/<str:run_id>/start", Start, name="run-start"),
    path("api/runs/<str:run_id>/finish", Finish, name="run-finish"),
    path("api/runs/<str:run_id>/cancel", Cancel, name="run-cancel"),
    path("api/runs/<str:run_id>/hand-over", HandOvers, name="run-hand-over"),
]
