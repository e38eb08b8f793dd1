"""Runs at the manager's desk: what waits, who drives, what he brings back in cash (contract florist 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from apps.florist.actions import courier_day, runs
from apps.florist.actions.runs import StopWish
from apps.florist.models import Employee
from apps.florist.pages import forms
from apps.florist.pages.deeds import Deed, perform
from apps.florist.pages.desk import show
from apps.florist.pages.overview import Which, manages
from apps.florist.queries import boards, deliveries, seats, windows


@require_safe
@manages
def board(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/manager/runs/: orders on no run beside the runs of a day."""
    today = windows.today_of(by.shop)
    day, _need = Which(request.GET).chosen(today)
    context: dict[str, Any] = {
        "day": day,
        "today": today,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "waiting": deliveries.to_plan(by=by, day=day),
        "runs": boards.rounds(by, day),
        "people": seats.colleagues(by),
    }
    return show(request, "florist/runs.html", by=by, here="runs", **context)


def _plan(by: Employee, subject: None, fields: dict[str, Any]) -> None:
    """The ticked orders as a run; where their addresses lie, couriers of the shop have found out before."""
    known = boards.places(by, fields["orders"])
    wishes = [StopWish(pk, *known.get(pk, (None, None))) for pk in fields["orders"]]
    runs.plan(by=by, courier_id=fields["courier_id"], stops=wishes, day=fields["day"])


PLAN = {"plan": Deed(_plan, forms.Build, _("The run is planned, its courier has been told"))}


@require_POST
@manages
def plan(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """POST /desk/manager/runs/plan: a run out of the ticked orders, in the proposed order."""
    return perform(request, PLAN, "plan", by=by, subject=None, back=reverse("florist-pages:runs"))


DEEDS = {
    "remove": Deed(
        lambda by, pk, f: runs.remove_stop(by=by, run_id=pk, stop_id=f["stop_id"]),
        forms.StopOfRun,
        _("Taken off the run"),
    ),
    "hand-over": Deed(
        lambda by, pk, f: runs.hand_over(by=by, run_id=pk, courier_id=f["person"]),
        forms.Person,
        _("Another courier has it now"),
    ),
    "cancel": Deed(lambda by, pk, f: runs.cancel(by=by, run_id=pk), said=_("The run is cancelled")),
}
"""Buttons of a run."""


@require_POST
@manages
def deed(request: HttpRequest, run_id: int, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/manager/runs/<id>/<deed>."""
    return perform(request, DEEDS, name, by=by, subject=run_id, back=reverse("florist-pages:runs"))


@require_safe
@manages
def cash(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/manager/cash/: closed days of couriers with what they handed over."""
    found, _total = deliveries.days(by=by, limit=50)
    return show(request, "florist/cash.html", by=by, here="cash", days=found)


DAY_DEEDS = {
    "accept": Deed(lambda by, pk, f: courier_day.accept(by=by, day_id=pk), said=_("The cash is accepted")),
    "reopen": Deed(
        lambda by, pk, f: courier_day.reopen(by=by, day_id=pk, reason=f["reason"]),
        forms.Reason,
        _("The day is open again"),
    ),
}
"""Buttons of a closed day."""


@require_POST
@manages
def day_deed(request: HttpRequest, day_id: int, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/manager/cash/<id>/<deed>."""
    return perform(request, DAY_DEEDS, name, by=by, subject=day_id, back=reverse("florist-pages:cash"))
