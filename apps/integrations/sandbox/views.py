"""The sandbox over HTTP: messages, the vendors' APIs, their control calls and pay pages. 404 unless SANDBOX_ENABLED."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template import Context, Engine
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.integrations import telegram
from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox import recorder, vendors
from apps.integrations.sandbox.cryptobot import Invoice
from apps.integrations.sandbox.telegram import DEMO_PERSON, StarsInvoice
from apps.integrations.sandbox.vendor import ControlRefused, Vendor
from apps.integrations.sandbox.yukassa import Payment

PAGES = Path(__file__).parent / "pages"
# Our pages carry their own style and nothing else, whatever policy the house has for its own.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
SHOWN_MESSAGES = 50
SHOWN_INVOICES = 10

View = Callable[..., HttpResponse]


def sandboxed(view: View) -> View:
    """Exists only while the sandbox is on, takes calls from anywhere (vendors know no CSRF token), is never cached."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.SANDBOX_ENABLED:
            raise Http404
        response = view(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response

    return guarded


# Messages -------------------------------------------------------------------------------------------------------------


@sandboxed
@require_GET
def messages(request: HttpRequest) -> HttpResponse:
    """What would have been sent, newest first: [{channel, to, text, at}]."""
    channel, to = request.GET.get("channel", ""), request.GET.get("to", "")
    if channel and channel not in recorder.CHANNELS:
        return JsonResponse({"detail": f"channel must be one of {', '.join(recorder.CHANNELS)}"}, status=400)
    return _json(recorder.messages(channel=channel, to=to))


@sandboxed
@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    """Forget the messages; the vendors keep their state (each has its own `clear`)."""
    recorder.clear()
    return _json({"ok": True})


# Vendors --------------------------------------------------------------------------------------------------------------


@sandboxed
def vendor_api(request: HttpRequest, vendor: str, rest: str = "") -> HttpResponse:
    """A vendor's own API, in its own wire format."""
    reply = _vendor(vendor).handle(_asked(request))
    if reply.delay_s:
        time.sleep(reply.delay_s)
    if reply.is_lost:
        return _lost()
    return HttpResponse(reply.body, status=reply.status, headers=_headers(reply))


@sandboxed
@require_http_methods(["GET", "POST"])
def vendor_control(request: HttpRequest, vendor: str, verb: str) -> HttpResponse:
    """Control calls: fail, delay, lose, break-signature, resend, log, state, clear, and what each vendor adds."""
    try:
        return _json(_vendor(vendor).control(verb, _body(request)))
    except ControlRefused as refused:
        return JsonResponse({"ok": False, "detail": refused.detail}, status=refused.status)


@sandboxed
@require_POST
def init_data(request: HttpRequest) -> HttpResponse:
    """initData of any person, signed with the configured token, as a Mini App would get it.

    Body: {user?: {...}, age_seconds?: int}; answers {init_data, authorization}.
    """
    try:
        body = _body(request)
    except ControlRefused as refused:
        return JsonResponse({"ok": False, "detail": refused.detail}, status=refused.status)
    given, age = body.get("user", {}), body.get("age_seconds", 0)
    if not isinstance(given, dict) or not isinstance(age, int) or abs(age) > 10**9:
        return JsonResponse({"ok": False, "detail": "user must be an object, age_seconds a whole number"}, status=400)
    person = {**{name: value for name, value in DEMO_PERSON.items() if name != "is_bot"}, **given}
    signed_at = timezone.now() - timedelta(seconds=age)
    raw = telegram.sign_init_data(settings.INTEGRATIONS.telegram_bot_token, person, signed_at, query_id="AAsandbox")
    return _json({"init_data": raw, "authorization": f"Bearer {raw}"})


# Pages ----------------------------------------------------------------------------------------------------------------


@sandboxed
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What is waiting to be paid, and the newest messages."""
    invoices = list(vendors.cryptobot.invoices.values())[-SHOWN_INVOICES:]
    stars = list(vendors.telegram.invoices.values())[-SHOWN_INVOICES:]
    payments = [(f"cryptobot/pay/{made.hash}", f"{made.amount:f} {made.currency} · {made.status}") for made in invoices]
    payments += [
        (f"octo/pay/{made.uuid}", f"OCTO · {made.amount:f} {made.currency} · {made.status}")
        for made in list(vendors.octo.charges.values())[-SHOWN_INVOICES:]
    ]
    cards = list(vendors.yukassa.payments.values())[-SHOWN_INVOICES:]
    payments += [(f"yukassa/pay/{made.id}", f"{made.amount:f} {made.currency} · {made.status}") for made in cards]
    payments += [(f"telegram/pay/{made.slug}", f"{made.stars} ⭐ · {made.title}") for made in stars]
    return page(
        "index.html",
        title=_("Sandbox"),
        hint=_("Nothing here leaves this computer: the vendors are imitations."),
        payments=payments,
        messages_title=_("Messages"),
        messages=recorder.messages()[:SHOWN_MESSAGES],
        nothing=_("No messages yet"),
    )


@sandboxed
@require_http_methods(["GET", "POST"])
def crypto_page(request: HttpRequest, code: str) -> HttpResponse:
    """Where the pay_url of a fake CryptoBot invoice leads: a person pays or lets it expire."""
    invoice = vendors.cryptobot.by_hash(code)
    if not invoice:
        raise Http404
    told = _do_with(invoice, request.POST.get("do", "")) if request.method == "POST" else ""
    return page(
        "pay.html",
        title=_("Invoice {number}").format(number=invoice.invoice_id),
        hint=_("A rehearsal of CryptoBot: no money moves."),
        amount=f"{invoice.amount:f} {invoice.currency}",
        description=invoice.description,
        status=told or _STATUSES[invoice.status](),
        buttons=_BUTTONS[invoice.status](),
    )


@sandboxed
@require_http_methods(["GET", "POST"])
def stars_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Where a Stars link would lead inside Telegram."""
    invoice = vendors.telegram.invoices.get(slug)
    if not invoice:
        raise Http404
    told = _pay_stars(invoice) if request.method == "POST" else ""
    return page(
        "pay.html",
        title=invoice.title,
        hint=_("A rehearsal of Telegram Stars: no money moves."),
        amount=f"{invoice.stars} ⭐",
        description=invoice.description,
        status=told,
        buttons=[("pay", _("Pay"), False)],
    )


@sandboxed
@require_http_methods(["GET", "POST"])
def yukassa_page(request: HttpRequest, code: str) -> HttpResponse:
    """Where the confirmation_url of a fake YooKassa payment leads: a person pays or lets it expire."""
    payment = vendors.yukassa.payments.get(code)
    if not payment:
        raise Http404
    told = _do_at_yukassa(payment.refresh(), request.POST.get("do", "")) if request.method == "POST" else ""
    word = _YUKASSA_WORDS[payment.refresh().status]
    return page(
        "pay.html",
        title=_("Invoice {number}").format(number=payment.id),
        hint=_("A rehearsal of YooKassa: no money moves."),
        amount=f"{payment.amount:f} {payment.currency}",
        description=payment.description,
        status=told or _STATUSES[word](),
        buttons=_BUTTONS[word](),
    )


_YUKASSA_WORDS = {"pending": "active", "succeeded": "paid", "canceled": "expired"}
_STATUSES: Mapping[str, Callable[[], str]] = {
    "active": lambda: _("Waiting for payment"),
    "paid": lambda: _("Paid"),
    "expired": lambda: _("Expired"),
}


# (value, label, is it the quiet one)
_BUTTONS: Mapping[str, Callable[[], list[tuple[str, str, bool]]]] = {
    "active": lambda: [("pay", _("Pay"), False), ("expire", _("Let it expire"), True)],
    "paid": lambda: [("again", _("Send the notice again"), True)],
    "expired": list,
}


def _do_with(invoice: Invoice, wish: str) -> str:
    """One of the buttons; a wish that the invoice's status no longer offers does nothing."""
    if wish not in [value for value, _label, _quiet in _BUTTONS[invoice.status]()]:
        return ""
    if wish == "expire":
        vendors.cryptobot.expire(invoice.invoice_id)
        return ""
    delivery = vendors.cryptobot.deliver(vendors.cryptobot.pay(invoice.invoice_id, is_late=True))
    return _("Paid. The shop answered {status}.").format(status=delivery["status"])


def _do_at_yukassa(payment: Payment, wish: str) -> str:
    """One of the buttons, as above; YooKassa tells of a cancelled payment too."""
    if wish not in [value for value, _label, _quiet in _BUTTONS[_YUKASSA_WORDS[payment.status]]()]:
        return ""
    if wish == "expire":
        vendors.yukassa.deliver(vendors.yukassa.cancel(payment.id))
        return ""
    delivery = vendors.yukassa.deliver(vendors.yukassa.pay(payment.id))
    return _("Paid. The shop answered {status}.").format(status=delivery["status"])


def _pay_stars(invoice: StarsInvoice) -> str:
    told = vendors.telegram.pay(f"https://t.me/${invoice.slug}", DEMO_PERSON)
    if told["ok"]:
        return _("Paid. The shop answered {status}.").format(status=told["successful_payment"]["status"])
    return told["error"] or _("The shop did not agree to the payment")


# Plumbing -------------------------------------------------------------------------------------------------------------


def _vendor(name: str) -> Vendor:
    if name not in vendors.BY_NAME:
        raise Http404
    return vendors.BY_NAME[name]


def _asked(request: HttpRequest) -> Asked:
    return Asked(
        method=request.method or "GET",
        path=request.path,
        query={name: str(value) for name, value in request.GET.items()},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
    )


def _headers(reply: Reply) -> dict[str, str]:
    """A reply without a body has no type either."""
    return {"content-type": "application/octet-stream", **reply.headers}


def _lost() -> HttpResponse:
    """The nearest a WSGI or ASGI application gets to silence: a promise of more bytes than it sends.

    The client sees a broken answer, which to it is the same as none.
    """
    response = HttpResponse(b"", status=200)
    response.headers["Content-Length"] = "64"
    return response


def _body(request: HttpRequest) -> dict[str, Any]:
    """JSON object, form fields, or the query of a GET. Raises `ControlRefused`."""
    if request.method == "GET" or not request.body:
        return {name: str(value) for name, value in request.GET.items()}
    if "json" not in (request.content_type or ""):
        return {name: str(value) for name, value in request.POST.items()}
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise ControlRefused("The body is not JSON") from None
    if not isinstance(body, dict):
        raise ControlRefused("The body must be a JSON object")
    return body


def _json(body: Any) -> HttpResponse:
    return JsonResponse(body, safe=False, json_dumps_params={"ensure_ascii": False})


def page(name: str, **context: Any) -> HttpResponse:
    """One of our pages with its own style."""
    template = Engine().from_string((PAGES / name).read_text(encoding="utf-8"))
    css = mark_safe((PAGES / "base.css").read_text(encoding="utf-8"))  # noqa: S308 - our own file
    html = template.render(Context({"css": css, "language": get_language(), **context}))
    return HttpResponse(html, headers={"Content-Security-Policy": POLICY})
