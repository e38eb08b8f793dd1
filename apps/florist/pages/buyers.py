"""The manager's buyers: found, written down, remembered; their standing orders (contract florist 4, 1.4; defect 18)."""

from __future__ import annotations

import dataclasses
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.errors import Refused
from apps.florist.actions import customers, standing
from apps.florist.actions.customers import AddressWish, DateWish
from apps.florist.actions.pricing import MOST_PIECES, LineWish
from apps.florist.actions.standing import MOST_DAYS_AHEAD, Contents, Rhythm
from apps.florist.models import Customer, Employee, Order, StandingOrder
from apps.florist.models.customers import ensure_month_day
from apps.florist.pages import words
from apps.florist.pages.deeds import Deed, perform
from apps.florist.pages.desk import for_staff, show, words_of
from apps.florist.pages.forms import PhoneField, Text
from apps.florist.queries import boards
from apps.florist.queries import customers as questions
from apps.florist.queries import standing as subscriptions

ON_A_PAGE = 20
LAST_ORDERS = 10
keeps = for_staff(("customers", "write"))


class Search(forms.Form):
    """Which buyers; nonsense counts as nothing."""

    search = forms.CharField(label=_("Name, phone or e-mail"), max_length=100, required=False)
    page = forms.IntegerField(min_value=1, max_value=5000, required=False)


class Profile(forms.Form):
    """What the shop knows of a buyer."""

    name = forms.CharField(label=_("Name"), max_length=100, required=False)
    phone = PhoneField(label=_("Phone"))
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)
    preferences = Text(label=_("Likes, dislikes, allergies"), max_length=customers.LONGEST_TEXT, required=False)
    notes = Text(label=_("Notes"), max_length=customers.LONGEST_TEXT, required=False)
    agrees_to_reminders = forms.BooleanField(label=_("Wants to be reminded of dates"), required=False, initial=True)

    def columns(self) -> dict[str, Any]:
        """Empty words are nothing."""
        return columns(self.cleaned_data)


class Address(forms.Form):
    """Where to."""

    address = forms.CharField(label=_("Address"), max_length=500)
    label = forms.CharField(label=_("Label"), max_length=100, required=False)
    is_primary = forms.BooleanField(label=_("The usual one"), required=False)


class ImportantDay(forms.Form):
    """A day that comes every year."""

    date = forms.CharField(
        label=_("Day, MM-DD"),
        max_length=5,
        validators=[ensure_month_day],
        widget=forms.TextInput(attrs={"placeholder": "03-08", "pattern": "[0-9]{2}-[0-9]{2}"}),
    )
    description = forms.CharField(label=_("What"), max_length=200)
    remind_days_before = forms.IntegerField(label=_("Remind, days before"), min_value=0, max_value=60, initial=3)


class Twin(forms.Form):
    """The other row of the same human."""

    other_id = forms.IntegerField(label=_("Number of the other buyer"), min_value=1, max_value=2**63 - 1)


class Standing(forms.Form):
    """The same flowers every so many days."""

    product_id = forms.IntegerField(label=_("Product"), min_value=1, max_value=2**63 - 1)
    quantity = forms.IntegerField(label=_("Pieces"), min_value=1, max_value=MOST_PIECES, initial=1)
    every_days = forms.IntegerField(label=_("Every, days"), min_value=1, max_value=366, initial=7)
    days_ahead = forms.IntegerField(label=_("Made ahead, days"), min_value=0, max_value=MOST_DAYS_AHEAD, initial=2)
    next_day = forms.DateField(label=_("First delivery"), widget=forms.DateInput(attrs={"type": "date"}))
    address = forms.CharField(label=_("Address (empty: pickup)"), max_length=500, required=False)
    begins = forms.TimeField(label=_("From"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    ends = forms.TimeField(label=_("To"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    is_invoiced = forms.BooleanField(label=_("By invoice at the end of the month"), required=False)


class Which(forms.Form):
    """One of his standing orders."""

    standing_id = forms.IntegerField(min_value=1, max_value=2**63 - 1)


def columns(given: dict[str, Any]) -> dict[str, Any]:
    """Fields of a form as columns of a buyer."""
    return {name: value if isinstance(value, bool) else value or None for name, value in given.items()}


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@require_safe
@keeps
def listed(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/manager/buyers/: newest first, or whom a name, phone or e-mail finds."""
    form = Search(request.GET)
    form.is_valid()
    search, number = form.cleaned_data.get("search") or "", form.cleaned_data.get("page") or 1
    rows, total = questions.listed(by=by, skip=(number - 1) * ON_A_PAGE, limit=ON_A_PAGE, search=search)
    more: dict[str, Any] = {"number": number, "has_more": number * ON_A_PAGE < total, "search": search}
    return show(request, "florist/buyers.html", by=by, here="more", form=form, rows=rows, total=total, **more)


@require_http_methods(["GET", "HEAD", "POST"])
@keeps
def new(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET, POST /desk/manager/buyers/new: somebody whom the shop writes down itself."""
    form = Profile(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = customers.create(by=by, shop=by.shop, fields=form.columns(), addresses=(), dates=())
            return redirect("florist-pages:buyer", made.pk)
        except Refused as refused:
            form.add_error(None, words_of(refused))
    return show(request, "florist/new_buyer.html", by=by, here="more", status=422 if form.errors else 200, form=form)


@require_safe
@keeps
def one(request: HttpRequest, customer_id: int, *, by: Employee) -> HttpResponse:
    """GET /desk/manager/buyers/<id>/: all that is known, with a form for each part."""
    row = questions.one(by=by, customer_id=customer_id)
    buyer = Customer.objects.visible_to(by).get(pk=customer_id)
    orders: Any = questions.orders_of(by=by, customer_id=customer_id)
    orders = orders.select_related("assigned_florist", "courier").prefetch_related("items")[:LAST_ORDERS]
    context: dict[str, Any] = {
        "row": row,
        "buyer": buyer,
        "profile": Profile(initial={**row, "agrees_to_reminders": buyer.agrees_to_reminders}),
        "address_form": Address(auto_id="address_%s"),
        "date_form": ImportantDay(auto_id="date_%s"),
        "standing_form": Standing(auto_id="standing_%s"),
        "products": boards.goods(by),
        "standing": subscriptions.listed(by=by, customer_id=customer_id)[0],
        "states": dict(StandingOrder.Status.choices),
        "cards": words.cards(orders),
    }
    return show(request, "florist/buyer.html", by=by, here="more", **context)


# ── deeds ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _edit(by: Employee, customer_id: int, fields: dict[str, Any]) -> None:
    customers.edit(by=by, customer_id=customer_id, fields=columns(fields))


def _add_address(by: Employee, customer_id: int, fields: dict[str, Any]) -> None:
    wish = AddressWish(fields["address"], fields["label"] or None, fields["is_primary"])
    customers.add_address(by=by, customer_id=customer_id, wish=wish)


def _add_date(by: Employee, customer_id: int, fields: dict[str, Any]) -> None:
    customers.add_date(by=by, customer_id=customer_id, wish=DateWish(**fields))


def _merge(by: Employee, customer_id: int, fields: dict[str, Any]) -> None:
    customers.merge(by=by, keep_id=customer_id, gone_id=fields["other_id"])


def _stand(by: Employee, customer_id: int, fields: dict[str, Any]) -> None:
    rhythm = {name.name: fields[name.name] for name in dataclasses.fields(Rhythm) if name.name in fields}
    details: dict[str, Any] = {"delivery_method": Order.Method.SELF_PICKUP}
    if fields["address"]:
        details = {"delivery_method": Order.Method.DELIVERY, "address": fields["address"]}
    if fields["begins"] and fields["ends"]:
        details["window"] = {"from": f"{fields['begins']:%H:%M}", "to": f"{fields['ends']:%H:%M}"}
    standing.create(
        by=by,
        shop=by.shop,
        customer_id=customer_id,
        rhythm=Rhythm(**rhythm),
        contents=Contents((LineWish(fields["product_id"], fields["quantity"]),), details),
        is_invoiced=fields["is_invoiced"],
    )


def _step(deed: Any) -> Deed:
    return Deed(lambda by, _id, fields: deed(by=by, standing_id=fields["standing_id"]), Which, _("Done"))


DEEDS = {
    "edit": Deed(_edit, Profile, _("Saved")),
    "address": Deed(_add_address, Address, _("Saved")),
    "date": Deed(_add_date, ImportantDay, _("Saved")),
    "merge": Deed(_merge, Twin, _("They are one buyer now")),
    "stand": Deed(_stand, Standing, _("It is made by itself from now on")),
    "skip": _step(standing.skip),
    "pause": _step(standing.pause),
    "resume": _step(standing.resume),
    "end": _step(standing.end),
}


@require_POST
@keeps
def deed(request: HttpRequest, customer_id: int, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/manager/buyers/<id>/<deed>: one action, its words, back to the buyer."""
    questions.one(by=by, customer_id=customer_id)
    back = reverse("florist-pages:buyer", args=[customer_id])
    answer: HttpResponse = perform(request, DEEDS, name, by=by, subject=customer_id, back=back)
    return answer
