"""CryptoBot, also called Crypto Pay (contract integrations 8, contract urgent 3.7 and 4.4)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings

from apps.integrations import http
from apps.integrations.ports import CryptoInvoice, VendorRefused, VendorUnsure
from apps.integrations.sandbox import vendors

PAGE_OF_INVOICES = 100
LONGEST_DESCRIPTION = 1024


class CryptoBot:
    """The `Crypto` port over the Crypto Pay API."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def is_configured(self) -> bool:
        return bool(settings.INTEGRATIONS.crypto_bot_api_token)

    def create_invoice(
        self, *, amount: Decimal, fiat: str, description: str, payload: str, lifetime_seconds: int
    ) -> CryptoInvoice:
        asked = {
            "currency_type": "fiat",
            "fiat": fiat,
            "amount": f"{amount:f}",
            "description": description[:LONGEST_DESCRIPTION],
            "payload": payload,
            "expires_in": lifetime_seconds,
        }
        return _invoice(self._ask("POST", "createInvoice", json=asked))

    def invoices(self, ids: list[int]) -> list[CryptoInvoice]:
        found: list[CryptoInvoice] = []
        for start in range(0, len(ids), PAGE_OF_INVOICES):
            page = ids[start : start + PAGE_OF_INVOICES]
            query = {"invoice_ids": ",".join(map(str, page)), "count": PAGE_OF_INVOICES}
            result = self._ask("GET", "getInvoices", query=query)
            found += [_invoice(row) for row in _rows(result)]
        return found

    def recent_invoices(self, *, count: int = PAGE_OF_INVOICES) -> list[CryptoInvoice]:
        return [_invoice(row) for row in _rows(self._ask("GET", "getInvoices", query={"count": count}))]

    def is_genuine(self, raw: bytes, signature: str) -> bool:
        token = settings.INTEGRATIONS.crypto_bot_api_token
        return bool(token) and http.is_same_secret(signature, sign(token, raw))

    def _ask(self, method: str, name: str, *, json: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        if not self.is_configured():
            raise VendorRefused("crypto bot is not configured")
        conf = settings.INTEGRATIONS
        answer = self._send(
            http.Call(
                vendor="cryptobot",
                method=method,
                url=f"{conf.crypto_bot_api_base}/api/{name}",
                headers={"Crypto-Pay-API-Token": conf.crypto_bot_api_token},
                json=json,
                query=query,
                is_idempotent=method == "GET",
            )
        )
        return _unwrap(http.refuse_trouble(answer))


class FakeCrypto(CryptoBot):
    """The same client, talking to the fake Crypto Pay in this process.

    `.vendor` is the one that `/__sandbox/cryptobot` serves.
    """

    def __init__(self) -> None:
        self.vendor = vendors.cryptobot
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


def sign(token: str, raw: bytes) -> str:
    """Signature of a webhook body: HMAC-SHA256 keyed by the SHA-256 of the token."""
    return hmac.new(hashlib.sha256(token.encode()).digest(), raw, "sha256").hexdigest()


def _unwrap(answer: http.Answer) -> Any:
    body = answer.fields()
    if answer.status == 200 and body.get("ok") is True:
        return body.get("result")
    error = body.get("error")
    if isinstance(error, dict):
        raise VendorRefused(f"cryptobot: {error.get('code')} {error.get('name')}")
    if answer.status == 200:
        raise VendorUnsure("cryptobot: an answer that cannot be read")
    raise VendorRefused(f"cryptobot: status {answer.status}")


def _rows(result: Any) -> list[Any]:
    """`{"items": […]}`, or the bare list that older versions gave."""
    rows = result.get("items") if isinstance(result, dict) else result
    return rows if isinstance(rows, list) else []


def _invoice(row: Any) -> CryptoInvoice:
    try:
        mini_app = row.get("mini_app_invoice_url")
        return CryptoInvoice(
            invoice_id=int(row["invoice_id"]),
            status=str(row["status"]),
            pay_url=str(row.get("bot_invoice_url") or row.get("pay_url") or ""),
            # The front end opens it as a Telegram link, and its SDK throws on anything else (contract urgent 1.4).
            mini_app_url=mini_app if isinstance(mini_app, str) and mini_app.startswith("https://t.me/") else None,
            payload=str(row.get("payload") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise VendorUnsure("cryptobot: an invoice that cannot be read") from None
