"""A YooKassa that keeps payments, honours idempotence keys, lets a person pay or cancel, and posts unsigned notices."""

from __future__ import annotations

import base64
import hmac
import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox.vendor import Body, Bounded, Control, ControlRefused, Notice, Vendor, parameters, word

PATH = re.compile(r"/v3/payments(?:/(?P<id>[^/]+))?/?$")
LIFETIME = timedelta(hours=1)
"""A payment that nobody confirms is cancelled after this long."""


class BadRequest(Exception):
    """YooKassa's `type: error`: a status, a code and the parameter that is wrong."""

    def __init__(self, code: str, status: int = 400, parameter: str = "") -> None:
        self.code = code
        self.status = status
        self.parameter = parameter
        super().__init__(code)


@dataclass
class Payment:
    """One payment as YooKassa keeps it. `asked` is the request that made it."""

    id: str
    asked: Body
    amount: Decimal
    currency: str
    description: str
    metadata: dict[str, Any]
    created_at: datetime
    status: str = "pending"
    captured_at: datetime | None = None

    def refresh(self) -> Payment:
        """Cancel by the clock."""
        if self.status == "pending" and timezone.now() >= self.created_at + LIFETIME:
            self.status = "canceled"
        return self


class FakeYooKassa(Vendor):
    """YooKassa for one shop, the configured one."""

    name: ClassVar[str] = "yukassa"

    def forget(self) -> None:
        self.payments: dict[str, Payment] = Bounded()
        self._by_key: dict[str, str] = Bounded()

    # The API

    def answer(self, asked: Asked) -> Reply:
        found = PATH.search(asked.path)
        try:
            if not _is_shop(asked.headers.get("authorization", "")):
                raise BadRequest("invalid_credentials", 401)
            if not found or asked.method != ("GET" if found["id"] else "POST"):
                raise BadRequest("not_found", 404)
            with self.lock:
                payment = self._one(found["id"]) if found["id"] else self._create(asked)
                return Reply.json(self.as_json(payment))
        except BadRequest as refused:
            return _error(refused.status, refused.code, parameter=refused.parameter)

    def failure(self, status: int, retry_after: int | None) -> Reply:
        code = {401: "invalid_credentials", 403: "forbidden", 404: "not_found", 429: "too_many_requests"}.get(status)
        return _error(status, code or ("internal_server_error" if status >= 500 else "invalid_request"), retry_after)

    def _one(self, payment_id: str) -> Payment:
        if payment_id not in self.payments:
            raise BadRequest("not_found", 404)
        return self.payments[payment_id].refresh()

    def _create(self, asked: Asked) -> Payment:
        """The same key with the same request is the same payment; with another request it is an error."""
        key, body = asked.headers.get("idempotence-key", ""), parameters(asked)
        if not 1 <= len(key) <= 64:
            raise BadRequest("invalid_request", parameter="Idempotence-Key")
        if key in self._by_key:
            known = self.payments[self._by_key[key]]
            if known.asked != body:
                raise BadRequest("invalid_request", parameter="Idempotence-Key")
            return known.refresh()
        payment = _read(body)
        self.payments[payment.id], self._by_key[key] = payment, payment.id
        return payment

    def as_json(self, payment: Payment) -> dict[str, Any]:
        """The Payment object of the wire."""
        amount = {"value": f"{payment.amount:.2f}", "currency": payment.currency}
        body: dict[str, Any] = {
            "id": payment.id,
            "status": payment.refresh().status,
            "amount": amount,
            "description": payment.description,
            "recipient": {"account_id": settings.INTEGRATIONS.yukassa_shop_id, "gateway_id": "1"},
            "created_at": _moment(payment.created_at),
            "metadata": payment.metadata,
            "paid": payment.status == "succeeded",
            "refundable": payment.status == "succeeded",
            "test": True,
        }
        if payment.status == "pending":
            body["confirmation"] = {"type": "redirect", "confirmation_url": self.pay_url(payment)}
        if payment.status == "canceled":
            body["cancellation_details"] = {"party": "yoo_money", "reason": "expired_on_confirmation"}
        if payment.captured_at:
            body |= {"captured_at": _moment(payment.captured_at), "refunded_amount": {**amount, "value": "0.00"}}
        return body

    def pay_url(self, payment: Payment) -> str:
        """Our own page with a "pay" button."""
        return f"{settings.INTEGRATIONS.sandbox_url}/__sandbox/yukassa/pay/{payment.id}"

    # Paying

    def pay(self, payment_id: str, *, is_late: bool = False, amount: Decimal | None = None) -> Notice:
        """A person pays: the notice, not yet posted. Paying again only repeats the notice.

        `is_late` lets a cancelled payment be paid all the same; `amount` is what was taken when it is not what we
        asked for.
        """
        with self.lock:
            payment = self._known(payment_id)
            if payment.refresh().status == "canceled" and not is_late:
                raise ControlRefused("The payment is cancelled")
            if payment.status != "succeeded":
                payment.status, payment.captured_at = "succeeded", timezone.now()
                payment.amount = payment.amount if amount is None else amount
        return self.notice("payment.succeeded", self.as_json(payment))

    def cancel(self, payment_id: str) -> Notice:
        """Time is up for an unpaid payment, or the person's bank said no."""
        with self.lock:
            payment = self._known(payment_id)
            if payment.status == "succeeded":
                raise ControlRefused("The payment has succeeded")
            payment.status = "canceled"
        return self.notice("payment.canceled", self.as_json(payment))

    def forge(self, payment_id: str) -> Notice:
        """What anybody on the internet may post: a success that never was."""
        lie = {**self.as_json(self._known(payment_id)), "status": "succeeded", "paid": True}
        return self.notice("payment.succeeded", lie)

    def notice(self, event: str, thing: Any) -> Notice:
        """A notice about anything. YooKassa signs none."""
        body = json.dumps({"type": "notification", "event": event, "object": thing}, ensure_ascii=False).encode()
        return Notice(self.webhook_url(), {"Content-Type": "application/json"}, body)

    def _known(self, payment_id: str) -> Payment:
        if payment_id not in self.payments:
            raise ControlRefused("No such payment", 404)
        return self.payments[payment_id]

    # Control calls

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "pay": self._control_pay,
            "cancel": self._control_cancel,
            "forge": lambda body: {"ok": True, "delivery": self.deliver(self.forge(word(body, "payment_id")))},
        }

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {"payments": [self.as_json(payment) for payment in list(self.payments.values())[-100:]]}

    def _control_pay(self, body: Body) -> dict[str, Any]:
        """`silent` pays without a webhook call, as when it got lost; `amount` takes another sum."""
        amount = _money(body["amount"]) if "amount" in body else None
        notice = self.pay(word(body, "payment_id"), is_late=body.get("late") is True, amount=amount)
        return self._tell(notice, body)

    def _control_cancel(self, body: Body) -> dict[str, Any]:
        return self._tell(self.cancel(word(body, "payment_id")), body)

    def _tell(self, notice: Notice, body: Body) -> dict[str, Any]:
        return {"ok": True} if body.get("silent") is True else {"ok": True, "delivery": self.deliver(notice)}


def _is_shop(given: str) -> bool:
    conf = settings.INTEGRATIONS
    pair = base64.b64encode(f"{conf.yukassa_shop_id}:{conf.yukassa_secret_key}".encode()).decode()
    return bool(conf.yukassa_secret_key) and hmac.compare_digest(given.encode(), f"Basic {pair}".encode())


def _error(status: int, code: str, retry_after: int | None = None, parameter: str = "") -> Reply:
    body = {"type": "error", "id": str(uuid.uuid4()), "code": code, "description": code.replace("_", " ").capitalize()}
    headers = {"retry_after": str(retry_after)} if retry_after is not None else {}
    return Reply.json({**body, **({"parameter": parameter} if parameter else {})}, status, **headers)


def _read(body: Body) -> Payment:
    amount, metadata = body.get("amount"), body.get("metadata") or {}
    if not isinstance(amount, dict) or amount.get("currency") != "RUB":
        raise BadRequest("invalid_request", parameter="amount.currency")
    description = str(body.get("description") or "")
    if len(description) > 128:
        raise BadRequest("invalid_request", parameter="description")
    confirmation = body.get("confirmation")
    if not isinstance(confirmation, dict) or not str(confirmation.get("return_url") or "").startswith("http"):
        raise BadRequest("invalid_request", parameter="confirmation.return_url")
    if not isinstance(metadata, dict):
        raise BadRequest("invalid_request", parameter="metadata")
    try:
        value = _money(amount.get("value"))
    except ControlRefused:
        raise BadRequest("invalid_request", parameter="amount.value") from None
    return Payment(str(uuid.uuid4()), body, value, "RUB", description, metadata, timezone.now())


def _money(given: Any) -> Decimal:
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        raise ControlRefused("amount must be a decimal") from None
    if not amount.is_finite() or not 0 < amount < 10**9 or amount != amount.quantize(Decimal("0.01")):
        raise ControlRefused("amount must be a decimal")
    return amount


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
