"""OCTO, card payments in Uzbekistan (contract integrations 1, contract shop 4.3).

Facts that shape the code: every answer is HTTP 200 and the verdict is `error`; `shop_transaction_id` fixes all other
parameters at the first call, so asking again is safe; the signature of a notice covers neither amount nor order.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from apps.integrations import http
from apps.integrations.ports import (
    BasketLine,
    CardNotice,
    CardOrder,
    CardStanding,
    RefundStanding,
    VendorBusy,
    VendorRefused,
    VendorUnsure,
)
from apps.integrations.sandbox import vendors

log = logging.getLogger(__name__)

TASHKENT = ZoneInfo("Asia/Tashkent")
TOO_OFTEN = 11
TOO_OFTEN_PAUSE_S = 1.1
"""About one status question per second and payment is answered; then error 11."""

DENIED_TO_US = frozenset({2, 403})
"""Errors about our keys: they say nothing about the payment."""

LARGEST_REFUND = Decimal(10_000_000)
LANGUAGES = ("uz", "ru", "en")

STATES = {
    "created": "open",
    "wait_user_action": "open",
    "waiting_user_action": "open",
    "waiting_pay": "open",
    "waiting_for_capture": "held",
    "succeeded": "paid",
    "success": "paid",
    "paid": "paid",
    "captured": "paid",
    "paid_and_captured": "paid",
    "completed": "paid",
    "capture": "paid",
    "refunded": "refunded",
    "refund": "refunded",
    "canceled": "over",
    "cancelled": "over",
    "failed": "failed",
    "error": "failed",
}
"""OCTO's words, those of its older papers and those of clients that we replace; any other word is `open`."""

REFUND_STATES = {
    "succeeded": "done",
    "failed": "failed",
    "error": "failed",
    "canceled": "failed",
    "cancelled": "failed",
}
FIXED_FIELDS = frozenset(
    {
        *("octo_shop_id", "octo_secret", "shop_transaction_id", "total_sum", "currency", "return_url", "notify_url"),
        *("test", "auto_capture", "init_time"),
    }
)
"""`OCTO_EXTRA_PARAMS` may add fields, never change these (contract shop 4.4.1)."""

SHOWN_FIELDS = (
    *("shop_transaction_id", "octo_payment_UUID", "status", "total_sum", "transfer_sum", "refunded_sum"),
    *("card_country", "card_type", "riskLevel", "payed_time"),
)
"""What is kept of a notice: nothing about the card but its country and kind."""

LONGEST_NOTICE = 100_000


class Octo:
    """The `CardGateway` port over OCTO."""

    two_stages = True
    refunds_in_parts = True
    largest_refund: Decimal | None = LARGEST_REFUND

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def is_configured(self) -> bool:
        conf = settings.INTEGRATIONS
        return bool(conf.octo_shop_id and conf.octo_secret)

    def start(self, order: CardOrder) -> CardStanding:
        return _standing(self._ask("prepare_payment", _prepare_body(order), is_safe=True))

    def ask(self, *, transaction_id: str, vendor_id: str = "", on: datetime | None = None) -> CardStanding:
        """OCTO has no path for it: prepare_payment with the three keys alone answers the state of the first call."""
        body = {"shop_transaction_id": transaction_id}
        try:
            return _standing(self._patiently("prepare_payment", body))
        except _Denied as denied:
            if denied.code in DENIED_TO_US:
                raise
            # Never prepared: for it a payment without a sum is a malformed one.
            return CardStanding("unknown", word=f"error {denied.code}")

    def capture(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        return self._set_accept(vendor_id, "capture", amount)

    def cancel(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        return self._set_accept(vendor_id, "cancel", amount)

    def _set_accept(self, vendor_id: str, wish: str, amount: Decimal) -> CardStanding:
        body = {"octo_payment_UUID": vendor_id, "accept_status": wish, "final_amount": _number(amount)}
        return _standing(self._ask("set_accept", body))

    def refund(self, *, vendor_id: str, refund_id: str, amount: Decimal, payer_id: str = "") -> RefundStanding:
        body = {"octo_payment_UUID": vendor_id, "shop_refund_id": refund_id, "amount": _number(amount)}
        fields = self._ask("refund", body)
        word = str(fields.get("status") or "")
        return RefundStanding(
            REFUND_STATES.get(word.lower(), "pending"),  # type: ignore[arg-type]
            word=word,
            vendor_id=str(fields.get("refund_id") or "")[:64],
        )

    def read_notice(self, raw: bytes, content_type: str) -> CardNotice:
        fields = _read(raw, content_type)
        texts = {name: fields.get(name) for name in ("shop_transaction_id", "octo_payment_UUID", "status")}
        for name, value in texts.items():
            if not isinstance(value, str) or not 0 < len(value) <= 64 or "\x00" in value:
                raise ValueError(f"{name} must be a text of 1 to 64 characters")
            value.encode()  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
        return CardNotice(
            transaction_id=str(texts["shop_transaction_id"]),
            vendor_id=str(texts["octo_payment_UUID"]),
            word=str(texts["status"]),
            amount=_decimal(fields.get("total_sum")),
            refunded=_decimal(fields.get("refunded_sum")),
            signature=_text(fields.get("signature")),
            hash_key=_text(fields.get("hash_key")),
            shown={name: _plain(fields[name]) for name in SHOWN_FIELDS if name in fields},
        )

    def is_genuine(self, notice: CardNotice) -> bool:
        conf = settings.INTEGRATIONS
        key = conf.octo_unique_key
        if not key:
            return False
        if conf.octo_signature_scheme == "hash_key":
            expected = sign_legacy(key, notice.hash_key, notice.vendor_id, notice.word)
        else:
            expected = sign(key, notice.vendor_id, notice.word)
        return http.is_same_secret(notice.signature.upper(), expected)

    def trusts_notices(self) -> bool:
        return bool(settings.INTEGRATIONS.octo_signature_scheme != "pull")

    def _patiently(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Once more after the pause that error 11 asks for."""
        try:
            return self._ask(path, body, is_safe=True)
        except _TooOften:
            time.sleep(TOO_OFTEN_PAUSE_S)
        return self._ask(path, body, is_safe=True)

    def _ask(self, path: str, body: Mapping[str, Any], *, is_safe: bool = False) -> dict[str, Any]:
        """One call; its fields from `data` or, as in older papers, from the top. Raises `_Denied` on error ≠ 0.

        `is_safe`: no money moves by it. Nothing is repeated here: a buyer waits, and the schedule asks again.
        """
        if not self.is_configured():
            raise VendorRefused("octo is not configured")
        conf = settings.INTEGRATIONS
        answer = self._send(
            http.Call(
                vendor="octo",
                method="POST",
                url=f"{conf.octo_api_base}/{path}",
                json={**body, "octo_shop_id": _shop_id(conf.octo_shop_id), "octo_secret": conf.octo_secret},
                read_timeout_s=conf.octo_timeout_s,
            )
        )
        return _unwrap(answer, is_safe)


class FakeOcto(Octo):
    """The same client, talking to the fake OCTO in this process: `.vendor` is the one that `/__sandbox/octo` serves."""

    def __init__(self) -> None:
        self.vendor = vendors.octo
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


class _TooOften(VendorBusy):
    """Error 11."""

    def __init__(self) -> None:
        super().__init__("octo: too often", retry_after=2)


class _Denied(VendorRefused):
    """OCTO's `error` ≠ 0, with its number."""

    def __init__(self, code: int, words: str) -> None:
        self.code = code
        super().__init__(words or f"error {code}")


def sign(unique_key: str, uuid: str, status: str) -> str:
    """Signature of a notice: SHA-1 over key, payment and status without separators, upper hex."""
    return hashlib.sha1(f"{unique_key}{uuid}{status}".encode("utf-8", "replace")).hexdigest().upper()  # noqa: S324


def sign_legacy(secret: str, hash_key: str, uuid: str, status: str) -> str:
    """The older form: the key and `hash_key` are hashed first, their digest goes in as lower hex."""
    inner = hashlib.sha1(f"{secret}{hash_key}".encode("utf-8", "replace")).hexdigest()  # noqa: S324
    return hashlib.sha1(f"{inner}{uuid}{status}".encode("utf-8", "replace")).hexdigest().upper()  # noqa: S324


def _prepare_body(order: CardOrder) -> dict[str, Any]:
    conf = settings.INTEGRATIONS
    asked_at = (order.asked_at or timezone.now()).astimezone(TASHKENT)
    body: dict[str, Any] = {
        "shop_transaction_id": order.transaction_id,
        "auto_capture": not order.is_two_stage,
        "init_time": asked_at.strftime("%Y-%m-%d %H:%M:%S"),
        "test": conf.octo_test,
        "total_sum": _number(order.amount),
        "currency": order.currency,
        "description": order.description,
        "notify_url": conf.octo_notify_url,
        "return_url": order.return_url,
        "language": order.language if order.language in LANGUAGES else conf.octo_language,
        "ttl": order.lifetime_minutes,
    }
    if order.payer_phone or order.payer_email:
        # All three or none: OCTO refuses a half.
        phone = "".join(char for char in order.payer_phone if char.isdigit())
        body["user_data"] = {"user_id": order.payer_id, "phone": phone, "email": order.payer_email}
    if order.basket:
        body["basket"] = [_basket_row(line) for line in order.basket]
    extra = json.loads(conf.octo_extra_params)
    return {**body, **{name: value for name, value in extra.items() if name not in FIXED_FIELDS}}


def _basket_row(line: BasketLine) -> dict[str, Any]:
    row: dict[str, Any] = {"position_desc": line.title[:255], "count": line.count, "price": _number(line.price)}
    fiscal = {"spic": line.spic, "inn": line.inn, "package_code": line.package_code, "nds": line.vat_percent}
    return {**row, **{name: value for name, value in fiscal.items() if value not in ("", None)}}


def _shop_id(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _number(amount: Decimal) -> int | float:
    """JSON has no decimals: two digits of soum survive a float up to 10^12."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _unwrap(answer: http.Answer, is_safe: bool) -> dict[str, Any]:
    if answer.status == 429:
        raise VendorBusy("octo: too many requests", retry_after=answer.retry_after)
    if answer.status >= 500:
        # Behind a 5xx the deed may have been done; only where no money moves it is plainly "later".
        raise VendorBusy(f"octo: status {answer.status}") if is_safe else VendorUnsure(f"status {answer.status}")
    body = answer.fields()
    code = body.get("error")
    if not isinstance(code, int) or isinstance(code, bool):
        if answer.status >= 400:
            raise VendorRefused(f"octo: status {answer.status}")
        raise VendorUnsure("octo: an answer that cannot be read")
    if code == TOO_OFTEN:
        raise _TooOften()
    if code != 0:
        raise _Denied(code, str(body.get("errMessage") or body.get("errorMessage") or "")[:300])
    inner = body.get("data")
    return {**body, **inner} if isinstance(inner, dict) else body


def _standing(fields: Mapping[str, Any]) -> CardStanding:
    word = str(fields.get("status") or "")
    return CardStanding(
        STATES.get(word.lower(), "open"),  # type: ignore[arg-type]
        word=word[:40],
        vendor_id=str(fields.get("octo_payment_UUID") or "")[:64],
        pay_url=_https(fields.get("octo_pay_url")),
        amount=_decimal(fields.get("total_sum")),
        refunded=_decimal(fields.get("refunded_sum")) or None,
    )


def _https(url: Any) -> str:
    """A page that a buyer can be sent to; `http` only while the gateway itself is the sandbox."""
    text = str(url or "")[:2000]
    plain = settings.INTEGRATIONS.octo_api_base.startswith("http://")
    return text if text.startswith("https://") or (plain and text.startswith("http://")) else ""


def _decimal(given: Any) -> Decimal | None:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        value = Decimal(str(given)[:40])
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < 10**12 else None


def _read(raw: bytes, content_type: str) -> dict[str, Any]:
    """A JSON object; a form is tolerated (contract shop 1.7). Raises `ValueError`."""
    if len(raw) > LONGEST_NOTICE:
        raise ValueError("too long")
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        if "json" in content_type:
            raise ValueError("not JSON") from None
        parsed = dict(parse_qsl(raw.decode("utf-8", "replace"), max_num_fields=100))
    if not isinstance(parsed, dict) or not parsed:
        raise ValueError("not an object")
    return parsed


def _text(given: Any) -> str:
    return given if isinstance(given, str) and len(given) <= 200 else ""


def _plain(given: Any) -> Any:
    """A scalar of reasonable length that PostgreSQL's JSON can keep: no U+0000, no lone surrogates, no NaN."""
    if isinstance(given, dict | list):
        return type(given).__name__  # as text it could be deeper than Python can walk
    if isinstance(given, bool | int) or (isinstance(given, float) and math.isfinite(given)):
        return given
    return str(given)[:100].replace("\x00", "").encode("utf-8", "replace").decode()
