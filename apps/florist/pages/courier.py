"""The courier's pages: his run in its order, one stop, the end of the day; made for bad connections (contract 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.access import ensure
from apps.florist import errors
from apps.florist.actions import courier_day, runs, stops, uploads
from apps.florist.actions.stops import Proof
from apps.florist.models import DeliveryAttempt, Employee, Shop, Stop
from apps.florist.pages import forms
from apps.florist.pages.deeds import Deed, perform
from apps.florist.pages.desk import for_staff, show
from apps.florist.queries import boards, deliveries, routes

TONE = {
    Stop.Status.WAITING: "warm",
    Stop.Status.PICKED_UP: "live",
    Stop.Status.DELIVERED: "good",
    Stop.Status.FAILED: "bad",
    Stop.Status.REMOVED: "",
}


@dataclass(frozen=True)
class StopCard:
    """A stop as a list shows it; `is_first` and `is_last` are among those that may still be moved."""

    stop: Stop
    shop: Shop
    is_next: bool = False
    is_first: bool = False
    is_last: bool = False

    @property
    def tone(self) -> str:
        """Colour of its status."""
        return TONE[Stop.Status(self.stop.status)]

    @property
    def is_open(self) -> bool:
        """Still to be done."""
        return self.stop.status in Stop.OPEN

    @property
    def maps(self) -> dict[str, str]:
        """2GIS, and Google Maps for whoever has none: the place, or the address in words."""
        return routes.maps(self.shop.city, self.stop.order.address, self.stop.latitude, self.stop.longitude)


def cards(way: Iterable[Stop], shop: Shop) -> list[StopCard]:
    """In the order of the way; the first open one is next."""
    rows = list(way)
    still = [stop.pk for stop in rows if stop.status in Stop.OPEN]
    return [
        StopCard(
            stop,
            shop,
            is_next=still[:1] == [stop.pk],
            is_first=still[:1] == [stop.pk],
            is_last=still[-1:] == [stop.pk],
        )
        for stop in rows
    ]


# ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────
brings = for_staff(("orders", "own"))


def _ensure_courier(by: Employee) -> None:
    """The pages are of whoever drives. Raises `NotEnoughPermissions`."""
    ensure(by.role == Employee.Role.COURIER, errors.NotEnoughPermissions)


@require_safe
@brings
def run(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/courier/: own stops in the order of the way, with cash and map links."""
    _ensure_courier(by)
    rounds = [_round(one, by.shop) for one in deliveries.driving(by=by)]
    return show(request, "florist/run.html", by=by, here="run", rounds=rounds, key=uuid4())


def _round(one: Any, shop: Shop) -> dict[str, Any]:
    shown = cards(one.stops_in_order, shop)
    still = [card for card in shown if card.is_open]
    return {
        "run": one,
        "stops": shown,
        "left": len(still),
        "cash": sum((card.stop.cash_left for card in still), Decimal(0)),
    }


@require_safe
@brings
def stop(request: HttpRequest, stop_id: int, *, by: Employee) -> HttpResponse:
    """GET /desk/courier/stops/<id>/: whom, where, what to collect, and what happened."""
    _ensure_courier(by)
    found = deliveries.stop(by=by, stop_id=stop_id)
    context: dict[str, Any] = {
        "stop": found,
        "card": StopCard(found, by.shop),
        "attempts": found.attempts.all(),
        "proof": uploads.url_of(found.proof) if found.proof else "",
        "reasons": DeliveryAttempt.Reason.choices,
        "next_steps": DeliveryAttempt.Next.choices,
        "key": uuid4(),
    }
    return show(request, "florist/stop.html", by=by, here="run", **context)


@require_safe
@brings
def day(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/courier/day/: delivered, failed, the cash to hand over, the end of the day; an earlier day first

    while its cash is in no closed one.
    """
    mine = deliveries.my_day(by=by, day=deliveries.day_to_close(by=by))
    context: dict[str, Any] = {
        "day": mine.day,
        "sums": mine.sums,
        "closed": mine.closed,
        "taken": mine.taken,
        "stops": [StopCard(one, by.shop) for one in boards.stops_done(by, mine.day)],
        "key": uuid4(),
    }
    return show(request, "florist/day.html", by=by, here="day", **context)


# ── Buttons ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _move(by: Employee, run_id: int, fields: dict[str, Any]) -> None:
    """One place earlier or later among the open stops."""
    ids = [one.pk for one in deliveries.run(by=by, run_id=run_id).stops_in_order if one.status in Stop.OPEN]  # type: ignore[attr-defined]
    ensure(fields["stop_id"] in ids, errors.StopNotFound)
    here = ids.index(fields["stop_id"])
    there = max(0, min(len(ids) - 1, here + (-1 if fields["to"] == "up" else 1)))
    ids.insert(there, ids.pop(here))
    runs.reorder(by=by, run_id=run_id, stop_ids=ids)


RUN_DEEDS = {
    "accept": Deed(
        lambda by, pk, f: runs.accept(by=by, run_id=pk, key=f["key"]), forms.Keyed, _("The run is accepted")
    ),
    "start": Deed(lambda by, pk, f: runs.start(by=by, run_id=pk, key=f["key"]), forms.Keyed, _("Drive carefully")),
    "move": Deed(_move, forms.StopOfRun),
}
"""Buttons of a run."""


@require_POST
@brings
def run_deed(request: HttpRequest, run_id: int, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/courier/runs/<id>/<deed>."""
    _ensure_courier(by)
    return perform(request, RUN_DEEDS, name, by=by, subject=run_id, back=reverse("florist-pages:run"))


def _deliver(by: Employee, stop_id: int, f: dict[str, Any]) -> None:
    names = ("receiver_name", "left_with", "latitude", "longitude")
    proof = Proof(photo=f["file"], **{name: f[name] for name in names})
    stops.deliver(by=by, stop_id=stop_id, proof=proof, key=f["key"], happened_at=f["done_at"])


def _fail(by: Employee, stop_id: int, f: dict[str, Any]) -> None:
    told = {name: f[name] for name in ("reason", "next_step", "note", "key")}
    stops.fail(by=by, stop_id=stop_id, photo=f["file"], happened_at=f["done_at"], **told)


STOP_DEEDS = {
    "picked": Deed(
        lambda by, pk, f: stops.pick_up(by=by, stop_id=pk, key=f["key"], happened_at=f["done_at"]),
        forms.Keyed,
        _("Picked up"),
    ),
    "delivered": Deed(_deliver, forms.Delivered, _("Delivered")),
    "failed": Deed(_fail, forms.Failed, _("Written down")),
    "cash": Deed(
        lambda by, pk, f: stops.receive_cash(by=by, stop_id=pk, amount=f["amount"], key=f["key"]),
        forms.Taken,
        _("The money is written down"),
    ),
}
"""Buttons of a stop."""


@require_POST
@brings
def stop_deed(request: HttpRequest, stop_id: int, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/courier/stops/<id>/<deed>."""
    _ensure_courier(by)
    back = reverse("florist-pages:stop", args=[stop_id])
    return perform(request, STOP_DEEDS, name, by=by, subject=stop_id, back=back)


DAY_DEEDS = {
    "close": Deed(
        lambda by, pk, f: courier_day.close(by=by, cash_handed=f["cash_handed"], day=f["day"], note=f["note"]),
        forms.Close,
        _("The day is closed"),
    )
}
"""The button of the day."""


@require_POST
@brings
def close_day(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """POST /desk/courier/day/close."""
    return perform(request, DAY_DEEDS, "close", by=by, subject=None, back=reverse("florist-pages:day"))
