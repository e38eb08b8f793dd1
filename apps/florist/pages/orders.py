"""The manager's orders: the list, one with everything that can be done to it, the buttons (contract florist 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.access import ensure
from apps.florist import errors
from apps.florist.actions import comments, items, lifecycle, payments, photos, production, stops, uploads
from apps.florist.actions import orders as taking
from apps.florist.actions.pricing import LineWish
from apps.florist.models import Employee, Order, OrderPhoto, ProductionTask
from apps.florist.pages import forms, words
from apps.florist.pages.deeds import Deed, perform
from apps.florist.pages.desk import show
from apps.florist.pages.overview import manages
from apps.florist.queries import boards, seats
from apps.florist.queries import orders as archive
from apps.florist.states import CANCEL, ISSUE, ROLLBACK

ON_A_PAGE = 20
STATUSES = dict(Order.Status.choices)


@require_safe
@manages
def listed(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/manager/orders/: newest first, by status, day, or a part of a phone, name or number."""
    form = forms.Search(request.GET)
    form.is_valid()
    given = form.cleaned_data
    number = given.get("page") or 1
    wanted = archive.Filters(
        status=given.get("status") or None, search=given.get("search") or "", delivery_date=given.get("day")
    )
    skip = (number - 1) * ON_A_PAGE
    rows, total = archive.listed(by=by, shop=by.shop, filters=wanted, skip=skip, limit=ON_A_PAGE)
    kept = request.GET.copy()
    kept.pop("page", None)
    context: dict[str, Any] = {
        "form": form,
        "cards": words.cards(rows),
        "total": total,
        "number": number,
        "has_more": number * ON_A_PAGE < total,
        "query": kept.urlencode(),
    }
    return show(request, "florist/orders.html", by=by, here="orders", **context)


@require_safe
@manages
def one(request: HttpRequest, order_id: int, *, by: Employee) -> HttpResponse:
    """GET /desk/manager/orders/<id>/: client, goods, where and when, money, pictures, words, history, all buttons."""
    order = boards.order(by, order_id)
    context: dict[str, Any] = {
        "order": order,
        "card": words.cards([order])[0],
        "people": seats.colleagues(by),
        "photos": [(photo, uploads.link(photo.photo_url)) for photo in order.photos.all()],
        "tracking": request.build_absolute_uri(f"/track/{order.tracking_token}"),
        "key": uuid4(),
        "where": forms.Where(initial=_where(order)),
        "history": [(row, STATUSES.get(row.new_status or "", "")) for row in order.history.all()],
        "is_editable": order.status in items.EDITABLE,
        "products": boards.goods(by) if order.status in items.EDITABLE else [],
        **_choices(order),
    }
    return show(request, "florist/order.html", by=by, here="orders", **context)


def _choices(order: Order) -> dict[str, Any]:
    """What the tables of states allow from here."""
    return {
        "rollbacks": [(to, STATUSES[to]) for start, to in ROLLBACK if start == order.status],
        "may_cancel": any(start == order.status for start, _to in CANCEL),
        "may_report": any(start == order.status for start, _to in ISSUE),
        "issues": Order.Issue.choices,
        "photo_types": OrderPhoto.Type.choices,
    }


def _where(order: Order) -> dict[str, Any]:
    starts = timezone.localtime(order.delivery_from) if order.delivery_from else None
    ends = timezone.localtime(order.delivery_to) if order.delivery_to else None
    return {
        "address": order.address,
        "address_needs_clarification": order.address_needs_clarification,
        "recipient_name": order.recipient_name,
        "recipient_phone": order.recipient_phone,
        "day": starts.date().isoformat() if starts else None,
        "begins": f"{starts:%H:%M}" if starts else None,
        "ends": f"{ends:%H:%M}" if ends else None,
    }


def _edit(by: Employee, order_id: int, fields: dict[str, Any]) -> None:
    """Address, recipient and window; a day without times leaves the window as it is."""
    day, begins, ends, version = (fields.pop(name) for name in ("day", "begins", "ends", "version"))
    changes = {name: value if isinstance(value, bool) else value or None for name, value in fields.items()}
    if day and begins and ends:
        zone = timezone.get_current_timezone()
        changes["window"] = (datetime.combine(day, begins, zone), datetime.combine(day, ends, zone))
    taking.edit(by=by, order_id=order_id, changes=changes, version=version)


def _name_courier(by: Employee, order_id: int, fields: dict[str, Any]) -> None:
    lifecycle.assign_courier(by=by, order_id=order_id, **fields)


def _add_line(by: Employee, order_id: int, fields: dict[str, Any]) -> None:
    wish = LineWish(product_id=fields["product_id"], quantity=fields["quantity"])
    items.add(by=by, order_id=order_id, wish=wish, allow_short=fields["allow_short"])


def _change_line(by: Employee, order_id: int, fields: dict[str, Any]) -> None:
    """Nought takes the line out."""
    if fields["quantity"]:
        items.change(by=by, order_id=order_id, item_id=fields["item_id"], quantity=fields["quantity"])
    else:
        items.remove(by=by, order_id=order_id, item_id=fields["item_id"])


def _make(by: Employee, order_id: int, fields: dict[str, Any]) -> None:
    """Raises `NothingLeftToMake` rather than say that something waits."""
    tasks = production.create_from_order(order_id=order_id, by=by)
    ensure(any(task.status not in ProductionTask.CLOSED for task in tasks), errors.NothingLeftToMake)


DONE = _("Done")
DEEDS = {
    "move": Deed(lambda by, pk, f: lifecycle.move(by=by, order_id=pk, **f), forms.Move, DONE),
    "rollback": Deed(lambda by, pk, f: lifecycle.rollback(by=by, order_id=pk, **f), forms.Rollback, DONE),
    "cancel": Deed(
        lambda by, pk, f: lifecycle.cancel(by=by, order_id=pk, **f), forms.Reason, _("The order is cancelled")
    ),
    "issue": Deed(
        lambda by, pk, f: lifecycle.report_issue(by=by, order_id=pk, **f), forms.Issue, _("The problem is written down")
    ),
    "florist": Deed(
        lambda by, pk, f: lifecycle.assign_florist(by=by, order_id=pk, florist_id=f["person"]),
        forms.Person,
        _("The florist is named"),
    ),
    "courier": Deed(_name_courier, forms.Courier, _("The courier is named")),
    "comment": Deed(lambda by, pk, f: comments.add(by=by, order_id=pk, **f), forms.Word, _("Written down")),
    "photo": Deed(lambda by, pk, f: photos.add(by=by, order_id=pk, **f), forms.OrderPicture, _("The picture is kept")),
    "edit": Deed(_edit, forms.Where, _("Changed")),
    "cash": Deed(
        lambda by, pk, f: stops.take_cash(by=by, order_id=pk, **f), forms.Cash, _("The money is written down")
    ),
    "pay-back": Deed(
        lambda by, pk, f: payments.pay_back(by=by, order_id=pk, **f), forms.Cash, _("The money is written down")
    ),
    "add-line": Deed(_add_line, forms.NewLine, _("Changed")),
    "line": Deed(_change_line, forms.Line, _("Changed")),
    "tasks": Deed(_make, said=_("The work is in the queue")),
}
"""Buttons of an order."""


@require_POST
@manages
def deed(request: HttpRequest, order_id: int, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/manager/orders/<id>/<deed>."""
    back = reverse("florist-pages:order", args=[order_id])
    return perform(request, DEEDS, name, by=by, subject=order_id, back=back)
