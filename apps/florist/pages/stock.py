"""The stock in the florist's hand: what gets old first, waste in two taps, counts, supplies, labels, the showcase."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.florist.access import may
from apps.florist.actions import batches, showcase, supplies, uploads, waste
from apps.florist.models import Batch, Employee
from apps.florist.models.catalogue import says
from apps.florist.pages import forms
from apps.florist.pages.deeds import Deed, perform
from apps.florist.pages.desk import did, for_staff, show
from apps.florist.queries import boards, warehouse
from apps.florist.queries import stock as shelves

SHOWN = 200
sees = for_staff(("warehouse", "read"))
receives = for_staff(("warehouse", "write"))


@require_safe
@sees
def stock(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/florist/stock/: batches, sell-first; `?search=` a variety; the showcase below."""
    today, search = shelves.today_of(by.shop), request.GET.get("search", "").strip()[:100]
    rows = shelves.in_stock(by.shop)
    rows = rows.filter(says("variety", search)) if search and "\x00" not in search else rows
    context: dict[str, Any] = {
        "batches": [_row(batch, today) for batch in rows[:SHOWN]],
        "varieties": shelves.by_variety(by.shop),
        "bouquets": shelves.showcase(by.shop)[:100],
        "products": boards.goods(by),
        "search": search,
        "wastes": forms.WASTE,
        "may_receive": may(by, "warehouse"),
        "key": uuid4(),
    }
    return show(request, "florist/stock.html", by=by, here="stock", **context)


def _row(batch: Batch, today: date) -> dict[str, Any]:
    """A batch with its age and the days that it still may be sold."""
    left = (batch.expires_on - today).days if batch.expires_on else None
    return {
        "batch": batch,
        "age": (today - batch.delivery_date).days,
        "left": left,
        "is_old": batch.to_write_off or (left is not None and left < 0),
        "is_ageing": left is not None and 0 <= left <= shelves.SOON_DAYS,
    }


def _waste(by: Employee, batch_id: int, fields: dict[str, Any]) -> None:
    """The picture is proved before any stem moves."""
    photo = fields.pop("file")
    url = uploads.path_of(uploads.store(by=by, shop=by.shop, file=photo, is_public=False)) if photo else ""
    waste.write_off(by=by, batch_id=batch_id, photo_url=url, **fields)


def _count(by: Employee, batch_id: int, fields: dict[str, Any]) -> None:
    batches.count(by=by, shop=by.shop, counted={batch_id: fields["qty"]}, key=fields["key"])


def _show_off(by: Employee, batch_id: int, fields: dict[str, Any]) -> None:
    batches.change(by=by, batch_id=batch_id, values={"on_showcase": fields["is_on"]})


DEEDS = {
    "waste": Deed(_waste, forms.Waste, _("Thrown away and written down")),
    "count": Deed(_count, forms.Counted, _("The count is posted")),
    "showcase": Deed(_show_off, forms.Switch, _("Changed")),
}
"""Buttons of a batch."""


@require_POST
@sees
def deed(request: HttpRequest, batch_id: int, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/florist/stock/<id>/<deed>."""
    return perform(request, DEEDS, name, by=by, subject=batch_id, back=reverse("florist-pages:stock"))


BOUQUETS = {
    "assemble": Deed(
        lambda by, pk, f: showcase.assemble(by=by, product_id=pk, key=f["key"]),
        forms.Once,
        _("The bouquet stands in the showcase"),
    ),
    "apart": Deed(
        lambda by, pk, f: showcase.take_apart(by=by, bouquet_id=pk), said=_("The flowers are back in the stock")
    ),
}
"""Buttons of the showcase."""


@require_POST
@sees
def bouquet(request: HttpRequest, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/florist/showcase/<deed>: `subject` is the product to be made or the bouquet."""
    form = forms.Subject(request.POST)
    subject = form.cleaned_data["subject"] if form.is_valid() else 0
    return perform(request, BOUQUETS, name, by=by, subject=subject, back=reverse("florist-pages:stock"))


@require_http_methods(["GET", "HEAD", "POST"])
@receives
def receive(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET, POST /desk/florist/stock/receive: a supplier's list as text; first a look at it, then the stems."""
    if request.method != "POST":
        return _receiving(request, forms.Receive(initial={"key": uuid4()}), by)
    form = forms.Receive(request.POST)
    if not form.is_valid():
        return _receiving(request, form, by, status=422)
    fields = form.cleaned_data
    found, problems = supplies.parse(by=by, shop=by.shop, text=fields["text"])
    if "bring" not in request.POST or problems:
        status = 422 if problems and "bring" in request.POST else 200
        return _receiving(request, form, by, status=status, found=found, problems=problems)
    wanted = supplies.NewSupply(supplier=fields["supplier"], rows=[proposal.row for proposal in found])
    if not did(request, lambda: supplies.bring(by=by, shop=by.shop, wanted=wanted, key=fields["key"]), ""):
        return _receiving(request, form, by, status=422, found=found)
    messages.success(request, say("The supply is in the stock"))
    return HttpResponseRedirect(reverse("florist-pages:stock"))


def _receiving(request: HttpRequest, form: forms.Receive, by: Employee, status: int = 200, **more: Any) -> HttpResponse:
    return show(request, "florist/receive.html", by=by, here="stock", status=status, form=form, **more)


@require_safe
@sees
def label(request: HttpRequest, batch_id: int, *, by: Employee) -> HttpResponse:
    """GET /desk/florist/stock/<id>/label: a price label for paper of 58 mm. Raises `BatchNotFound`."""
    return show(request, "florist/price_label.html", by=by, here="stock", batch=warehouse.one(by, batch_id))
