"""A buyer's pages: where my flowers are, the picture before they leave, last year's order again (contract 3.8, 6)."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core import throttle
from apps.core.errors import Refused
from apps.core.throttle import Limit
from apps.florist.actions import payments, repeats, tracking
from apps.florist.actions.tracking import NewAddress
from apps.florist.models import Order, OrderPhoto, Shop
from apps.florist.pages.deeds import problems_of
from apps.florist.pages.desk import LANGUAGE, LANGUAGES, SIGNS, language_of, words_of
from apps.florist.pages.forms import PhoneField, Text
from apps.florist.queries import masking
from apps.florist.queries import tracking as questions

View = Callable[..., HttpResponse]
S = Order.Status

WORDS = {
    S.NEW: gettext_lazy("Order received"),
    S.PAID: gettext_lazy("Order confirmed"),
    S.ASSEMBLED: gettext_lazy("The bouquet is ready"),
    S.DELIVERY: gettext_lazy("On the way"),
    S.SELF_PICKUP: gettext_lazy("Ready to be picked up"),
    S.DELIVERED: gettext_lazy("Handed over"),
    S.COMPLETED: gettext_lazy("Handed over"),
    S.ISSUE: gettext_lazy("The shop is dealing with a problem of your order and will call you"),
    S.CANCELLED: gettext_lazy("The order is cancelled"),
}
"""Statuses in the words of a buyer."""


class Find(forms.Form):
    """The number on the receipt, and four digits of the phone."""

    number = forms.CharField(
        label=gettext_lazy("Order number, nine digits"),
        min_length=9,
        max_length=9,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "pattern": "[0-9]{9}", "autocomplete": "off"}),
    )
    last4 = forms.CharField(
        label=gettext_lazy("Last four digits of the buyer's phone"),
        min_length=4,
        max_length=4,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "pattern": "[0-9]{4}", "autocomplete": "off"}),
    )


class AddressForm(forms.Form):
    """Where to instead."""

    address = Text(label=gettext_lazy("New address"), min_length=5, max_length=500)
    recipient_name = forms.CharField(label=gettext_lazy("Recipient"), max_length=100, required=False)
    recipient_phone = PhoneField(label=gettext_lazy("Recipient's phone"), required=False)
    last4 = Find.base_fields["last4"]


class CommentForm(forms.Form):
    """A word to the shop."""

    customer_name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    text = Text(label=gettext_lazy("What should the shop know?"), max_length=2000, rows=3)


class FeedbackForm(forms.Form):
    """Whether he likes it."""

    photo_id = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    feedback = forms.ChoiceField(choices=OrderPhoto.Feedback.choices)
    comment = forms.CharField(max_length=1000, required=False)


class PayForm(forms.Form):
    """By which gateway."""

    method = forms.CharField(max_length=20)


# ── manners ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def for_buyers(view: View) -> View:
    """The buyer's language, so many calls per address and minute, refusals in words; nothing is kept or indexed."""

    @functools.wraps(view)
    def dressed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(language_of(request)):
            try:
                _slow_down(request, view.__name__)
                response = view(request, *args, **kwargs)
            except Refused as refused:
                response = _refusal(request, refused)
            response.headers["Content-Language"] = translation.get_language()
        response.headers.setdefault("Cache-Control", "no-store, private")
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return dressed


def _slow_down(request: HttpRequest, page: str) -> None:
    caller = throttle.neighbourhood(throttle.client_address(request))
    throttle.hit(f"florist.public.page.{page}", caller, Limit(settings.FLORIST.public_per_minute, 60))


def _refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    return _page(request, "florist/track_refused.html", status=refused.status, words=words_of(refused))


def _page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    chosen = {"languages": LANGUAGES, "language": language_of(request)}
    return render(request, template, {**chosen, **context}, status=status)


def _in_zone_of(shop: Shop) -> Any:
    return timezone.override(zoneinfo.ZoneInfo(shop.timezone))


# ── one order ───────────────────────────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "HEAD", "POST"])
@for_buyers
def find(request: HttpRequest) -> HttpResponse:
    """GET, POST /track/: by number and digits, for whoever lost the link."""
    form = Find(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            order = tracking.by_number(form.cleaned_data["number"], form.cleaned_data["last4"])
            return redirect("florist-pages:track", order.tracking_token)
        except Refused as refused:
            form.add_error(None, words_of(refused))
    return _page(request, "florist/track_find.html", status=422 if form.errors else 200, form=form)


@require_safe
@for_buyers
def track(request: HttpRequest, token: str) -> HttpResponse:
    """GET /track/<token>: steps with times, pictures, goods, where to, words. htmx takes its live parts out of it."""
    order = questions.by_token(token)
    with _in_zone_of(order.shop):
        return _page(request, "florist/track.html", **_context(order))


def _context(order: Order) -> dict[str, Any]:
    shown = questions.masked(order)
    return {
        "order": order,
        "shop": order.shop,
        "shown": shown,
        "sign": SIGNS.get(order.shop.currency, order.shop.currency),
        "present": WORDS[Order.Status(order.status)],
        "steps": _steps(order, shown["steps"]),
        "photos": [questions.photo_row(photo) for photo in questions.photos(order)[: questions.MOST_PHOTOS]],
        "comments": [questions.comment_row(row) for row in questions.comments(order)[: questions.MOST_COMMENTS]],
        "sender": questions.sender(order),
        "address_form": AddressForm() if _is_address_open(order) else None,
        "comment_form": CommentForm(),
        "gateways": payments.offered(order.shop) if _is_to_be_paid(order) else [],
    }


def _steps(order: Order, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With words; the last one that has a time is the present one."""
    done = [step for step in steps if step["at"]]
    present = done[-1] if done and order.status not in (S.CANCELLED, S.ISSUE) else None
    return [{**step, "title": WORDS[Order.Status(step["status"])], "is_present": step is present} for step in steps]


def _is_address_open(order: Order) -> bool:
    return order.status in tracking.ADDRESS_OPEN and order.delivery_method == Order.Method.DELIVERY


def _is_to_be_paid(order: Order) -> bool:
    return order.outstanding > 0 and order.status not in (S.CANCELLED, S.COMPLETED)


# ── deeds ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@require_POST
@for_buyers
def address(request: HttpRequest, token: str) -> HttpResponse:
    """POST /track/<token>/address."""

    def change(fields: dict[str, Any]) -> None:
        to = NewAddress(fields["address"], fields["recipient_name"], fields["recipient_phone"])
        tracking.change_address(token=token, digits=fields["last4"], to=to)

    return _done(request, token, AddressForm, change, _("The shop has the new address and will check it"))


@require_POST
@for_buyers
def comment(request: HttpRequest, token: str) -> HttpResponse:
    """POST /track/<token>/comment."""
    return _done(
        request,
        token,
        CommentForm,
        lambda fields: tracking.say(token=token, text=fields["text"], name=fields["customer_name"]),
        _("The shop reads it at once"),
    )


@require_POST
@for_buyers
def feedback(request: HttpRequest, token: str) -> HttpResponse:
    """POST /track/<token>/feedback: the picture is liked, or the shop is told what is wrong."""
    return _done(
        request,
        token,
        FeedbackForm,
        lambda fields: tracking.judge(token=token, **fields),
        _("Thank you, the shop knows"),
    )


def _done(
    request: HttpRequest, token: str, kind: type[forms.Form], deed: Callable[[dict[str, Any]], Any], said: str
) -> HttpResponse:
    """A form, one action, a message; then back to the order."""
    form = kind(request.POST)
    if not form.is_valid():
        messages.error(request, problems_of(form))
        return redirect("florist-pages:track", token)
    questions.by_token(token)
    try:
        deed(form.cleaned_data)
    except Refused as refused:
        messages.error(request, words_of(refused))
    else:
        messages.success(request, said)
    return redirect("florist-pages:track", token)


@require_POST
@for_buyers
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """POST /track/<token>/pay: to the gateway's page."""
    order, form = questions.by_token(token), PayForm(request.POST)
    if not form.is_valid():
        return redirect("florist-pages:track", token)
    begun = payments.begin(by=None, order_id=order.pk, method=form.cleaned_data["method"])
    return HttpResponseRedirect(begun.pay_url or f"/track/{token}")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """POST /track/language: kept as long as the session."""
    wanted, back = request.POST.get("language", ""), request.POST.get("next", "")
    if wanted in LANGUAGES:
        request.session[LANGUAGE] = wanted
    return HttpResponseRedirect(back if back.startswith("/track/") else "/track/")


# ── once more ───────────────────────────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "HEAD", "POST"])
@for_buyers
def repeat(request: HttpRequest, signed: str) -> HttpResponse:
    """GET, POST /track/repeat/<signed>: last year's order with the prices of today, and one button."""
    if request.method == "POST":
        order = repeats.repeat(signed)
        messages.success(request, _("Thank you! The shop has your order"))
        return redirect("florist-pages:track", order.tracking_token)
    offer = repeats.read(signed)
    with _in_zone_of(offer.order.shop):
        context: dict[str, Any] = {
            "offer": offer,
            "shop": offer.order.shop,
            "sign": SIGNS.get(offer.order.shop.currency, offer.order.shop.currency),
            "address": masking.address(offer.order.address),
            "recipient": masking.name(offer.order.recipient_name),
        }
        return _page(request, "florist/track_repeat.html", **context)
