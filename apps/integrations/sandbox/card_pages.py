"""Where the links of the card gateways lead: small pages on which a buyer pays, mistypes a code or gives up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.octo import Charge
from apps.integrations.sandbox.vendor import ControlRefused
from apps.integrations.sandbox.views import page, sandboxed

OPEN = ("created", "wait_user_action")

# (value, label, is it the quiet one)
Buttons = list[tuple[str, str, bool]]


def octo_buttons(charge: Charge) -> Buttons:
    """What can be done with a payment as it stands."""
    if charge.status in OPEN:
        return [
            ("pay", _("Pay"), False),
            ("wrong", _("Enter a wrong code"), True),
            ("cancel", _("Cancel"), True),
            ("silent", _("Pay, but lose the notice"), True),
        ]
    again = ("again", _("Send the notice again"), True)
    return [again, ("late", _("Pay all the same"), True)] if charge.status == "canceled" else [again]


OCTO_STATUSES: Mapping[str, Callable[[], str]] = {
    "created": lambda: _("Waiting for payment"),
    "wait_user_action": lambda: _("Waiting for payment"),
    "waiting_for_capture": lambda: _("The money is set aside"),
    "succeeded": lambda: _("Paid"),
    "canceled": lambda: _("Cancelled"),
}


@sandboxed
@require_http_methods(["GET", "POST"])
def octo_page(request: HttpRequest, number: str) -> HttpResponse:
    """OCTO's card page, without the card."""
    charge = vendors.octo.charges.get(number)
    if charge is None:
        raise Http404
    told = _octo_deed(charge, request.POST.get("do", "")) if request.method == "POST" else ""
    return page(
        "pay.html",
        title=_("Card payment"),
        hint=_("A rehearsal of OCTO: no money moves."),
        amount=f"{charge.amount:f} {charge.currency}",
        description=charge.description,
        status=told or OCTO_STATUSES[charge.status](),
        buttons=octo_buttons(charge),
        **_back(charge.return_url, charge.status not in OPEN),
    )


def _octo_deed(charge: Charge, wish: str) -> str:
    bank = vendors.octo
    if wish not in [value for value, _label, _quiet in octo_buttons(charge)]:
        return ""
    if wish == "wrong":
        notice = bank.enter_wrong_code(charge.uuid)
        return _answered(bank.tell(notice)) if notice else _("Wrong code, try again")
    if wish == "silent":
        bank.pay(charge.uuid)
        return ""
    notice = bank.notice(charge)
    if wish in ("pay", "late"):
        notice = bank.pay(charge.uuid, is_late=True)
    elif wish == "cancel":
        notice = bank.cancel(charge.uuid)
    return _answered(bank.tell(notice))


def _answered(delivery: Mapping[str, Any]) -> str:
    return _("Done. The shop answered {status}.").format(status=delivery["status"])


@sandboxed
@require_http_methods(["GET", "POST"])
def payme_page(request: HttpRequest, token: str) -> HttpResponse:
    """Payme's checkout, without the card."""
    try:
        checkout = vendors.payme.read_link(token)
    except ControlRefused:
        raise Http404 from None
    told = ""
    if request.method == "POST" and request.POST.get("do") == "pay":
        told = _verdict(vendors.payme.pay(checkout.account, checkout.amount))
    elif request.method == "POST" and request.POST.get("do") == "back":
        told = _verdict({"ok": "result" in vendors.payme.cancel(vendors.payme.transactions[checkout.account])})
    is_paid = checkout.account in vendors.payme.transactions
    return page(
        "pay.html",
        title="Payme",
        hint=_("A rehearsal of Payme: no money moves."),
        amount=f"{Decimal(checkout.amount) / 100:.2f} UZS",
        description=checkout.account,
        status=told or _("Waiting for payment"),
        buttons=[("back", _("Give the money back"), True)] if is_paid else [("pay", _("Pay"), False)],
        **_back(checkout.return_url, is_paid),
    )


@sandboxed
@require_http_methods(["GET", "POST"])
def click_page(request: HttpRequest) -> HttpResponse:
    """Click's page, without the card."""
    mti, amount = request.GET.get("transaction_param", ""), request.GET.get("amount", "")
    if not mti or not amount:
        raise Http404
    told = ""
    if request.method == "POST":
        error = -5017 if request.POST.get("do") == "refuse" else 0
        told = _verdict(vendors.click.pay(mti, amount, error=error))
    return page(
        "pay.html",
        title="Click",
        hint=_("A rehearsal of Click: no money moves."),
        amount=f"{amount} UZS",
        description=mti,
        status=told or _("Waiting for payment"),
        buttons=[("pay", _("Pay"), False), ("refuse", _("Let the card refuse"), True)],
        **_back(request.GET.get("return_url", ""), bool(told)),
    )


def _verdict(outcome: Mapping[str, Any]) -> str:
    return _("Paid") if outcome["ok"] else _("The shop did not agree to the payment")


def _back(url: str, is_done: bool) -> dict[str, str]:
    """The way back to the shop: only to addresses of the web."""
    good = is_done and urlsplit(url).scheme in ("http", "https")
    return {"back": url if good else "", "back_label": _("Back to the shop")}
