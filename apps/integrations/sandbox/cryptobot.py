"""A Crypto Pay that keeps invoices, lets them expire, lets a person pay them, and signs its webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox.vendor import Body, Bounded, Control, ControlRefused, Notice, Vendor, parameters, whole

PATH = re.compile(r"/api/(?P<method>\w+)/?$")
# The fiat currencies of our countries and the usual two; the real list is longer.
FIATS = frozenset({"USD", "EUR", "RUB", "UZS", "KZT", "TRY", "UAH", "BYN", "GEL", "AMD"})
ASSETS = frozenset({"USDT", "TON", "BTC", "ETH", "LTC", "BNB", "TRX", "USDC"})
# How many units of fiat one USDT costs here; anything unlisted is 1.
RATES = {"RUB": Decimal(80), "UZS": Decimal(12_500), "TRY": Decimal(40), "KZT": Decimal(520)}


class BadRequest(Exception):
    """Crypto Pay's `ok: false`: a code and a NAME."""

    def __init__(self, name: str, code: int = 400) -> None:
        self.name = name
        self.code = code
        super().__init__(name)


@dataclass
class Invoice:
    """One invoice as Crypto Pay keeps it."""

    invoice_id: int
    hash: str
    currency_type: str
    currency: str
    amount: Decimal
    description: str
    payload: str
    created_at: datetime
    expires_at: datetime | None
    status: str = "active"
    paid_at: datetime | None = None

    def refresh(self) -> Invoice:
        """Expire by the clock."""
        if self.status == "active" and self.expires_at and timezone.now() >= self.expires_at:
            self.status = "expired"
        return self


class FakeCryptoPay(Vendor):
    """Crypto Pay for one app, the configured one. `shows_mini_app` = whether invoices carry a https://t.me/ link."""

    name: ClassVar[str] = "cryptobot"

    def forget(self) -> None:
        self.invoices: dict[int, Invoice] = Bounded()
        self.shows_mini_app = True
        self._last_id = secrets.randbelow(10**6) + 1
        self._update_id = 0

    # The API

    def answer(self, asked: Asked) -> Reply:
        token = settings.INTEGRATIONS.crypto_bot_api_token
        given = asked.headers.get("crypto-pay-api-token", "")
        found = PATH.search(asked.path)
        methods = {"getMe": self._get_me, "createInvoice": self._create, "getInvoices": self._list}
        try:
            if not token or not hmac.compare_digest(given.encode(), token.encode()):
                raise BadRequest("UNAUTHORIZED", 401)
            if not found or found["method"] not in methods:
                raise BadRequest("METHOD_NOT_FOUND", 405)
            with self.lock:
                return Reply.json({"ok": True, "result": methods[found["method"]](parameters(asked))})
        except BadRequest as refused:
            return Reply.json({"ok": False, "error": {"code": refused.code, "name": refused.name}}, refused.code)

    def failure(self, status: int, retry_after: int | None) -> Reply:
        name = "TOO_MANY_REQUESTS" if status == 429 else "INTERNAL_ERROR"
        headers = {"retry_after": str(retry_after)} if retry_after is not None else {}
        return Reply.json({"ok": False, "error": {"code": status, "name": name}}, status, **headers)

    def _get_me(self, asked: Body) -> dict[str, Any]:
        return {"app_id": 7001, "name": "Mahalla sandbox", "payment_processing_bot_username": "CryptoTestnetBot"}

    def _create(self, asked: Body) -> dict[str, Any]:
        kind = asked.get("currency_type", "crypto")
        currency = asked.get("fiat" if kind == "fiat" else "asset")
        if kind not in ("fiat", "crypto") or currency not in (FIATS if kind == "fiat" else ASSETS):
            raise BadRequest("FIAT_INVALID" if kind == "fiat" else "ASSET_INVALID")
        description, payload = str(asked.get("description") or ""), str(asked.get("payload") or "")
        if len(description) > 1024:
            raise BadRequest("DESCRIPTION_TOO_LONG")
        if len(payload.encode()) > 4096:
            raise BadRequest("PAYLOAD_TOO_LONG")
        self._last_id += 1
        now = timezone.now()
        invoice = Invoice(
            invoice_id=self._last_id,
            hash="IV" + secrets.token_hex(6),
            currency_type=str(kind),
            currency=str(currency),
            amount=_amount(asked.get("amount")),
            description=description,
            payload=payload,
            created_at=now,
            expires_at=_expiry(asked, now),
        )
        self.invoices[invoice.invoice_id] = invoice
        return self.as_json(invoice)

    def _list(self, asked: Body) -> dict[str, Any]:
        wanted = _ids(asked.get("invoice_ids"))
        found = [invoice.refresh() for invoice in self.invoices.values() if not wanted or invoice.invoice_id in wanted]
        if status := asked.get("status"):
            found = [invoice for invoice in found if invoice.status == status]
        start, count = _whole(asked.get("offset", 0)), _whole(asked.get("count", 100))
        newest = sorted(found, key=lambda invoice: -invoice.invoice_id)[start : start + min(count, 1000)]
        return {"items": [self.as_json(invoice) for invoice in newest]}

    def as_json(self, invoice: Invoice) -> dict[str, Any]:
        """The Invoice object of the wire."""
        body: dict[str, Any] = {
            "invoice_id": invoice.invoice_id,
            "hash": invoice.hash,
            "currency_type": invoice.currency_type,
            "fiat" if invoice.currency_type == "fiat" else "asset": invoice.currency,
            "amount": f"{invoice.amount:f}",
            "status": invoice.refresh().status,
            "bot_invoice_url": self.pay_url(invoice),
            "pay_url": self.pay_url(invoice),
            "web_app_invoice_url": self.pay_url(invoice),
            "description": invoice.description,
            "payload": invoice.payload,
            "created_at": _moment(invoice.created_at),
            "allow_comments": True,
            "allow_anonymous": True,
        }
        if self.shows_mini_app:
            body["mini_app_invoice_url"] = f"https://t.me/CryptoTestnetBot/app?startapp=invoice-{invoice.hash}"
        if invoice.expires_at:
            body["expiration_date"] = _moment(invoice.expires_at)
        return {**body, **_payment(invoice)}

    def pay_url(self, invoice: Invoice) -> str:
        """Our own page with a "pay" button."""
        return f"{settings.INTEGRATIONS.sandbox_url}/__sandbox/cryptobot/pay/{invoice.hash}"

    def by_hash(self, code: str) -> Invoice | None:
        """The invoice behind a pay page."""
        return next((invoice.refresh() for invoice in self.invoices.values() if invoice.hash == code), None)

    # Paying

    def pay(self, invoice_id: int, *, is_late: bool = False) -> Notice:
        """A person pays: the signed webhook call, not yet posted. Paying again only repeats the notice.

        `is_late` lets an expired invoice be paid all the same, as happens when the money was already on its way.
        """
        with self.lock:
            invoice = self.invoices.get(invoice_id)
            if not invoice:
                raise ControlRefused("No such invoice", 404)
            if invoice.refresh().status == "expired" and not is_late:
                raise ControlRefused("The invoice has expired")
            if invoice.status != "paid":
                invoice.status, invoice.paid_at = "paid", timezone.now()
            self._update_id += 1
            update = {
                "update_id": self._update_id,
                "update_type": "invoice_paid",
                "request_date": _moment(timezone.now()),
                "payload": self.as_json(invoice),
            }
        return self.notice(json.dumps(update, ensure_ascii=False).encode())

    def notice(self, body: bytes) -> Notice:
        """Any body, signed as Crypto Pay signs."""
        key = hashlib.sha256(settings.INTEGRATIONS.crypto_bot_api_token.encode()).digest()
        signature = hmac.new(key, body, "sha256").hexdigest()
        if self._is_forging():
            signature = "0" * 64
        headers = {"Content-Type": "application/json", "crypto-pay-api-signature": signature}
        return Notice(self.webhook_url(), headers, body)

    def expire(self, invoice_id: int) -> None:
        """Time is up for an unpaid invoice."""
        invoice = self.invoices.get(invoice_id)
        if not invoice:
            raise ControlRefused("No such invoice", 404)
        if invoice.status == "active":
            invoice.status, invoice.expires_at = "expired", timezone.now()

    # Control calls

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "pay": self._control_pay,
            "expire": self._control_expire,
            "mini-app": self._control_mini_app,
        }

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"invoices": [self.as_json(invoice) for invoice in list(self.invoices.values())[-100:]]}

    def _control_pay(self, body: Body) -> dict[str, Any]:
        """`silent` pays without a webhook call, as when it got lost."""
        notice = self.pay(whole(body, "invoice_id"), is_late=body.get("late") is True)
        return {"ok": True} if body.get("silent") is True else {"ok": True, "delivery": self.deliver(notice)}

    def _control_expire(self, body: Body) -> dict[str, Any]:
        self.expire(whole(body, "invoice_id"))
        return {"ok": True}

    def _control_mini_app(self, body: Body) -> dict[str, Any]:
        self.shows_mini_app = body.get("shown") is not False
        return {"ok": True}


def _payment(invoice: Invoice) -> dict[str, Any]:
    """What a paid invoice says more."""
    if not invoice.paid_at:
        return {}
    rate = RATES.get(invoice.currency, Decimal(1))
    return {
        "paid_at": _moment(invoice.paid_at),
        "paid_anonymously": False,
        "paid_asset": "USDT",
        "paid_amount": f"{(invoice.amount / rate).quantize(Decimal('0.000001')):f}",
        "paid_fiat_rate": f"{rate:f}",
        "fee_asset": "USDT",
        "fee_amount": f"{(invoice.amount / rate * Decimal('0.03')).quantize(Decimal('0.000001')):f}",
    }


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _amount(given: Any) -> Decimal:
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        raise BadRequest("AMOUNT_INVALID") from None
    if not amount.is_finite() or not 0 < amount < 10**12:
        raise BadRequest("AMOUNT_INVALID")
    return amount


def _expiry(asked: Body, now: datetime) -> datetime | None:
    if asked.get("expires_in") is None:
        return None
    seconds = _whole(asked["expires_in"])
    if not 1 <= seconds <= 2_678_400:
        raise BadRequest("EXPIRES_IN_INVALID")
    return now + timedelta(seconds=seconds)


def _ids(given: Any) -> set[int]:
    """`1,2` or `[1, 2]`."""
    parts = given if isinstance(given, list) else str(given or "").split(",")
    return {_whole(part) for part in parts if str(part).strip()}


def _whole(given: Any) -> int:
    try:
        return int(given)
    except (TypeError, ValueError, OverflowError):
        raise BadRequest("PARAMETER_INVALID") from None
