"""Click: the pay link, the proof of its calls to us, and its Merchant API for status and reversal

(contract integrations 3). The published PHP sample computes the signature wrongly; this is the documented formula.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from apps.integrations import http
from apps.integrations.ports import (
    CardNotice,
    CardOrder,
    CardStanding,
    RefundStanding,
    VendorRefused,
    VendorUnsure,
)
from apps.integrations.sandbox import vendors

TASHKENT = ZoneInfo("Asia/Tashkent")
PAID = 2
REVERSED_MARKS = (-99,)
"""payment_status of a payment that was taken back."""


class ClickMerchant:
    """The `Click` port."""

    two_stages = False
    refunds_in_parts = False
    largest_refund: Decimal | None = None

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def is_configured(self) -> bool:
        conf = settings.INTEGRATIONS
        return bool(conf.click_service_id and conf.click_merchant_id and conf.click_secret_key)

    def start(self, order: CardOrder) -> CardStanding:
        """The pay link: nothing is asked, Click will ask us."""
        if order.currency != "UZS":
            raise VendorRefused("click: only UZS")
        conf = settings.INTEGRATIONS
        query = {
            "service_id": conf.click_service_id,
            "merchant_id": conf.click_merchant_id,
            "amount": f"{order.amount:.2f}",
            "transaction_param": order.transaction_id,
            "return_url": order.return_url,
        }
        filled = urlencode({name: value for name, value in query.items() if value})
        return CardStanding("open", word="link", pay_url=f"{conf.click_pay_base}/services/pay?{filled}")

    def ask(self, *, transaction_id: str, vendor_id: str = "", on: datetime | None = None) -> CardStanding:
        """By our id and the day it was made; Click names no amount here, Prepare and Complete do."""
        if not settings.INTEGRATIONS.click_merchant_user_id or on is None:
            return CardStanding("unknown", word="click calls us")
        fields: dict[str, Any] = {}
        for day in _days(on):
            fields = self._call("GET", f"payment/status_by_mti/{self._service}/{transaction_id}/{day}")
            if fields.get("error_code") == 0:
                break
        else:
            return CardStanding("unknown", word=str(fields.get("error_note") or "")[:40])
        status = fields.get("payment_status")
        word = f"payment_status {status}"
        number = str(fields.get("payment_id") or "")[:20]
        if isinstance(status, int) and status < 0:
            # One try of the buyer failed; the link can be paid again. What we know as paid has been taken back.
            return CardStanding("over" if vendor_id else "open", word=word)
        return CardStanding("paid", word=word, vendor_id=number) if status == PAID else CardStanding("open", word=word)

    def capture(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        raise VendorRefused("click: no two-stage payments")

    def cancel(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        raise VendorRefused("click: no two-stage payments")

    def refund(self, *, vendor_id: str, refund_id: str, amount: Decimal, payer_id: str = "") -> RefundStanding:
        """A reversal of the whole payment. Click knows no refund id, so its state is asked before and after."""
        if not settings.INTEGRATIONS.click_merchant_user_id or not vendor_id:
            return RefundStanding("pending", word="to be done in Click's cabinet")
        if self._is_reversed(vendor_id):
            return RefundStanding("done", word="reversed", vendor_id=vendor_id)
        fields = self._call("DELETE", f"payment/reversal/{self._service}/{vendor_id}")
        if fields.get("error_code") == 0:
            return RefundStanding("done", word="reversed", vendor_id=vendor_id)
        raise VendorRefused(f"click: {str(fields.get('error_note') or fields.get('error_code'))[:200]}")

    def _is_reversed(self, vendor_id: str) -> bool:
        fields = self._call("GET", f"payment/status/{self._service}/{vendor_id}")
        return fields.get("error_code") == 0 and fields.get("payment_status") in REVERSED_MARKS

    def read_notice(self, raw: bytes, content_type: str) -> CardNotice:
        raise ValueError("click has its own two calls")

    def is_genuine(self, notice: CardNotice) -> bool:
        return False

    def trusts_notices(self) -> bool:
        return True

    def is_signed(self, fields: Mapping[str, str]) -> bool:
        secret = settings.INTEGRATIONS.click_secret_key
        return bool(secret) and http.is_same_secret(fields.get("sign_string", "").lower(), sign(fields, secret))

    def is_ours(self, service_id: str) -> bool:
        return bool(service_id == settings.INTEGRATIONS.click_service_id)

    @property
    def _service(self) -> str:
        return str(settings.INTEGRATIONS.click_service_id)

    def _call(self, method: str, path: str) -> dict[str, Any]:
        conf = settings.INTEGRATIONS
        answer = self._send(
            http.Call(
                vendor="click",
                method=method,
                url=f"{conf.click_api_base}/{path}",
                headers={"Auth": auth(conf.click_merchant_user_id, conf.click_secret_key, int(time.time()))},
                is_idempotent=method == "GET",
            )
        )
        fields = http.refuse_trouble(answer).fields()
        if "error_code" not in fields:
            raise VendorUnsure("click: an answer that cannot be read")
        return fields


def _days(made_at: datetime) -> list[str]:
    """The day a link was made and, as it may be paid after midnight, the next one once it has begun."""
    first = made_at.astimezone(TASHKENT).date()
    today = timezone.now().astimezone(TASHKENT).date()
    return [first.isoformat()] if today <= first else [first.isoformat(), (first + timedelta(days=1)).isoformat()]


class FakeClick(ClickMerchant):
    """The same client, talking to the fake Click in this process: `.vendor` is the one of `/__sandbox/click`."""

    def __init__(self) -> None:
        self.vendor = vendors.click
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


def sign(fields: Mapping[str, str], secret: str) -> str:
    """`sign_string` over the raw texts; `merchant_prepare_id` takes part only in Complete."""
    prepared = fields.get("merchant_prepare_id", "") if fields.get("action") == "1" else ""
    parts = (
        *(fields.get("click_trans_id", ""), fields.get("service_id", ""), secret, fields.get("merchant_trans_id", "")),
        *(prepared, fields.get("amount", ""), fields.get("action", ""), fields.get("sign_time", "")),
    )
    return hashlib.md5("".join(parts).encode("utf-8", "replace")).hexdigest()  # noqa: S324


def auth(user_id: str, secret: str, at: int) -> str:
    """The `Auth` header of the Merchant API."""
    digest = hashlib.sha1(f"{at}{secret}".encode()).hexdigest()  # noqa: S324
    return f"{user_id}:{digest}:{at}"
