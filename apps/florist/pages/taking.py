"""A new order at the desk: one long form that works without JavaScript; or last time's order once more."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.core.errors import Refused
from apps.florist import errors
from apps.florist.actions import orders as taking
from apps.florist.actions.orders import OrderDraft
from apps.florist.actions.pricing import LineWish
from apps.florist.actions.windows import YEARS
from apps.florist.models import Employee, Order
from apps.florist.pages.desk import show, words_of
from apps.florist.pages.forms import LINES, NewOrder
from apps.florist.pages.overview import manages
from apps.florist.queries import boards, seats, windows


@require_http_methods(["GET", "HEAD", "POST"])
@manages
def new(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET, POST /desk/manager/orders/new: client, goods, delivery, payment; `?repeat=<id>` fills it in."""
    if request.method == "POST":
        form = NewOrder(request.POST)
        made = _made(request, form, by) if form.is_valid() else None
        if made is not None:
            messages.success(request, _("Order #%(number)s is taken") % {"number": made.pk})
            return HttpResponseRedirect(reverse("florist-pages:order", args=[made.pk]))
        return _page(request, form, by, [(str(product), str(pieces)) for product, pieces in form.goods()], status=422)
    form, rows = _begun(request, by)
    return _page(request, form, by, rows)


def _made(request: HttpRequest, form: NewOrder, by: Employee) -> Order | None:
    """The order, or nothing with the reason on the form."""
    fields = form.cleaned_data
    try:
        return taking.create(
            by=by, shop=by.shop, draft=_draft(form, fields), key=fields["key"], allow_short=fields["allow_short"]
        )
    except errors.StockShort as refused:
        form.add_error("allow_short", words_of(refused))
    except Refused as refused:
        form.add_error(None, words_of(refused))
    return None


PLAIN = (
    *("customer_phone", "customer_name", "delivery_method", "is_anonymous", "payment_method"),
    *("zone_id", "address", "recipient_name", "recipient_phone", "delivery_time_text", "card_text", "comment"),
)


def _draft(form: NewOrder, fields: dict[str, Any]) -> OrderDraft:
    values = {name: fields[name] for name in PLAIN}
    if fields["delivery_method"] != Order.Method.DELIVERY:
        values |= {"zone_id": None, "address": None}
    items = tuple(LineWish(product_id=product, quantity=pieces) for product, pieces in form.goods())
    return OrderDraft(**values, items=items, window=_window(fields["day"], fields["slot"]))


def _window(day: date | None, slot: str) -> tuple[datetime, datetime] | None:
    """A day and `HH:MM-HH:MM` as a pair on the shop's clock; nothing means "to be agreed"."""
    begins, _dash, ends = slot.partition("-")
    if day is None or not ends:
        return None
    try:
        zone = timezone.get_current_timezone()
        starts, until = time.fromisoformat(begins), time.fromisoformat(ends)
    except ValueError:
        return None
    return datetime.combine(day, starts, zone), datetime.combine(day, until, zone)


def _begun(request: HttpRequest, by: Employee) -> tuple[NewOrder, list[tuple[str, str]]]:
    """An empty form, or one filled in from an order of before; its key stops a second press."""
    day = request.GET.get("day", "")
    initial: dict[str, Any] = {"key": uuid4(), "day": day or windows.today_of(by.shop).isoformat()}
    if product := _id(request.GET.get("product", "")):
        return NewOrder(initial=initial), [(str(product), "1")]
    if not (number := _id(request.GET.get("repeat", ""))):
        return NewOrder(initial=initial), []
    last = boards.order(by, number)
    names = ("customer_phone", "delivery_method", "address", "recipient_name", "recipient_phone", "card_text")
    initial |= {name: getattr(last, name) for name in names}
    initial |= {"customer_name": last.customer.name if last.customer else "", "zone_id": last.delivery_zone_id}
    return NewOrder(initial=initial), [(str(item.product_id), str(item.quantity)) for item in last.items.all()]


def _id(text: str) -> int:
    """A row's number in an address, or nought."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _page(
    request: HttpRequest, form: NewOrder, by: Employee, rows: list[tuple[str, str]], status: int = 200
) -> HttpResponse:
    method = str(form["delivery_method"].value() or Order.Method.DELIVERY)
    day = _day(str(form["day"].value() or ""), by)
    offers = windows.offered(by.shop, day, method if method in Order.Method.values else Order.Method.DELIVERY)
    context: dict[str, Any] = {
        "form": form,
        "rows": (rows + [("", "")] * LINES)[: max(LINES, len(rows))],
        "products": boards.goods(by),
        "zones": windows.zones(by.shop),
        "offers": [(f"{_clock(offer.starts)}-{_clock(offer.ends)}", offer) for offer in offers],
        "people": seats.colleagues(by),
    }
    return show(request, "florist/new_order.html", by=by, here="new-order", status=status, **context)


def _day(text: str, by: Employee) -> date:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return windows.today_of(by.shop)
    return day if day.year in YEARS else windows.today_of(by.shop)


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M}"
