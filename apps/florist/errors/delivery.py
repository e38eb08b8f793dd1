"""Refusals about runs, stops and couriers' days."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Invalid
from apps.florist.errors.base import Gone


class RunNotFound(Gone):
    """404."""

    code = "run_not_found"
    detail = "Run not found"
    message = _("There is no such run")


class StopNotFound(Gone):
    """404."""

    code = "stop_not_found"
    detail = "Stop not found"
    message = _("There is no such stop")


class CourierDayNotFound(Gone):
    """404."""

    code = "courier_day_not_found"
    detail = "Courier day not found"
    message = _("There is no such day")


class IllegalRunStep(Conflict):
    """409."""

    code = "illegal_run_step"
    detail = "Cannot change run status from {from_status} to {to_status}"
    message = _("This run cannot do that now")


class IllegalStopStep(Conflict):
    """409."""

    code = "illegal_stop_step"
    detail = "Cannot change stop status from {from_status} to {to_status}"
    message = _("This stop cannot do that now")


class OrderNotDeliverable(Conflict):
    """Picked up by the buyer, not accepted yet, or over: 409."""

    code = "order_not_deliverable"
    detail = "Order {order_id} cannot be put on a run"
    message = _("Order {order_id} cannot be delivered now")


class OrderOnARun(Conflict):
    """An order is on one run at a time: 409."""

    code = "order_on_a_run"
    detail = "Order {order_id} is on another run"
    message = _("Order {order_id} is on another run already")


class TooManyStops(Conflict):
    """A run has a limit: 409."""

    code = "too_many_stops"
    detail = "A run has at most {most} stops"
    message = _("A run has at most {most} stops")


class OpenStopsLeft(Conflict):
    """Something is still to be delivered: 409."""

    code = "open_stops_left"
    detail = "{count} stops are still open"
    message = _("{count} stops are still open")


class ProofMissing(Invalid):
    """A delivery is proved by a picture or by the receiver's name: 422."""

    code = "proof_missing"
    detail = "A photo or the receiver's name is required"
    message = _("Take a picture or write who received it")


class CashTooMuch(Conflict):
    """More cash than the order owes: 409."""

    code = "cash_too_much"
    detail = "The order owes {due}"
    message = _("Only {due} is to be collected")


class CashWithoutStop(Conflict):
    """A courier's cash is counted by his stops, and this order is none of them: 409."""

    code = "cash_without_stop"
    detail = "The order is on no run of this courier"
    message = _("This order is on no run of yours, ask the manager to plan it")


class DayClosed(Conflict):
    """The courier has closed this day: 409."""

    code = "day_closed"
    detail = "The day is closed"
    message = _("This day is closed already")


class DayOpenedAgain(Conflict):
    """A manager has opened that day again: 409."""

    code = "day_opened_again"
    detail = "The day has been opened again"
    message = _("This day was opened again; wait until it is closed anew")


class DayAccepted(Conflict):
    """The manager has taken the cash of that day: 409."""

    code = "day_accepted"
    detail = "The cash of that day has been accepted"
    message = _("The cash of that day has been accepted, ask the manager")
