"""YooKassa, bank cards and wallets in roubles, API v3 (contract urgent 10, roadmap "payments").

The wire is not in the contract: it follows the vendor's public documentation.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings

from apps.integrations import http
from apps.integrations.ports import VendorBusy, VendorRefused, VendorUnsure, YukassaPayment
from apps.integrations.sandbox import vendors

LONGEST_DESCRIPTION = 128
PAYMENT_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class Yukassa:
    """The `Yukassa` port over API v3."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def is_configured(self) -> bool:
        conf = settings.INTEGRATIONS
        return bool(conf.yukassa_shop_id and conf.yukassa_secret_key)

    def create_payment(
        self, *, amount: Decimal, currency: str, description: str, mark: str, return_url: str
    ) -> YukassaPayment:
        asked = {
            "amount": {"value": f"{amount:.2f}", "currency": currency},
            "capture": True,
            "confirmation": {"type": "redirect", "return_url": return_url},
            "description": description[:LONGEST_DESCRIPTION],
            "metadata": {"invoice": mark},
        }
        answer = self._ask("POST", "payments", json=asked, headers={"Idempotence-Key": mark})
        # 5xx and 202 leave open whether the payment was made; the same key gets the same payment later.
        if answer.status >= 500 or answer.status == 202:
            raise VendorUnsure(f"yukassa: status {answer.status}")
        return _payment(_unwrap(answer))

    def payment(self, payment_id: str) -> YukassaPayment | None:
        if not is_payment_id(payment_id):
            return None
        answer = http.refuse_trouble(self._ask("GET", f"payments/{payment_id}"))
        return None if answer.status == 404 else _payment(_unwrap(answer))

    def _ask(self, method: str, path: str, **rest: Any) -> http.Answer:
        if not self.is_configured():
            raise VendorRefused("yukassa is not configured")
        conf = settings.INTEGRATIONS
        return self._send(
            http.Call(
                vendor="yukassa",
                method=method,
                url=f"{conf.yukassa_api_base}/v3/{path}",
                basic=(conf.yukassa_shop_id, conf.yukassa_secret_key),
                # Three silent tries would end as "not done"; one ends as "unsure", which is the truth.
                is_idempotent=method == "GET",
                **rest,
            )
        )


class FakeYukassa(Yukassa):
    """The same client, talking to the fake YooKassa in this process.

    `.vendor` is the one that `/__sandbox/yukassa` serves.
    """

    def __init__(self) -> None:
        self.vendor = vendors.yukassa
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


def is_payment_id(text: str) -> bool:
    """Whether this may be a payment's id: it becomes part of an address."""
    return bool(PAYMENT_ID.fullmatch(text))


def _unwrap(answer: http.Answer) -> dict[str, Any]:
    body = answer.fields()
    if answer.status == 200 and body:
        return body
    if answer.status == 429:
        raise VendorBusy("yukassa: too many requests", retry_after=answer.retry_after)
    if answer.status == 200:
        raise VendorUnsure("yukassa: an answer that cannot be read")
    raise VendorRefused(f"yukassa: status {answer.status} {body.get('code', '')}".rstrip())


def _payment(row: dict[str, Any]) -> YukassaPayment:
    try:
        return YukassaPayment(
            payment_id=_id(row["id"]),
            status=str(row["status"]),
            amount=Decimal(row["amount"]["value"]),
            currency=str(row["amount"]["currency"]),
            refunded=Decimal((row.get("refunded_amount") or {}).get("value", "0")),
            pay_url=str((row.get("confirmation") or {}).get("confirmation_url") or ""),
            mark=str((row.get("metadata") or {}).get("invoice") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation):
        raise VendorUnsure("yukassa: a payment that cannot be read") from None


def _id(given: Any) -> str:
    if not isinstance(given, str) or not is_payment_id(given):
        raise ValueError
    return given
