"""Payme (Paycom): the link a buyer is sent to, and the proof of Payme's calls to us (contract integrations 2).

Payme has nothing to be asked: it calls us, and what it says under its key is the truth. Money goes back in its cabinet.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from apps.core.money import Money
from apps.integrations import http
from apps.integrations.ports import CardNotice, CardOrder, CardStanding, RefundStanding, VendorRefused

LOGIN = "Paycom"
LANGUAGES = ("ru", "uz", "en")


class PaymeCheckout:
    """The `Payme` port. It makes no calls, so tests and production use the same."""

    two_stages = False
    refunds_in_parts = False
    largest_refund: Decimal | None = None

    @property
    def account_field(self) -> str:
        return str(settings.INTEGRATIONS.payme_account_field)

    def is_configured(self) -> bool:
        conf = settings.INTEGRATIONS
        return bool(conf.payme_merchant_id and conf.payme_key)

    def start(self, order: CardOrder) -> CardStanding:
        """The checkout link: nothing is asked, Payme will ask us."""
        if order.currency != "UZS":
            raise VendorRefused("payme: only UZS")
        conf = settings.INTEGRATIONS
        parts = [
            f"m={conf.payme_merchant_id}",
            f"ac.{conf.payme_account_field}={order.transaction_id}",
            f"a={Money(order.amount, order.currency).minor_units()}",
            f"l={order.language if order.language in LANGUAGES else 'ru'}",
        ]
        if order.return_url:
            parts.append(f"c={order.return_url}")
        token = base64.b64encode(";".join(parts).encode()).decode()
        return CardStanding("open", word="link", pay_url=f"{conf.payme_checkout_base}/{token}")

    def ask(self, *, transaction_id: str, vendor_id: str = "", on: datetime | None = None) -> CardStanding:
        return CardStanding("unknown", word="payme calls us")

    def capture(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        raise VendorRefused("payme: no two-stage payments")

    def cancel(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        raise VendorRefused("payme: no two-stage payments")

    def refund(self, *, vendor_id: str, refund_id: str, amount: Decimal, payer_id: str = "") -> RefundStanding:
        """Done by a person in Payme's cabinet; its CancelTransaction tells us."""
        return RefundStanding("pending", word="to be done in Payme's cabinet")

    def read_notice(self, raw: bytes, content_type: str) -> CardNotice:
        raise ValueError("payme speaks JSON-RPC")

    def is_genuine(self, notice: CardNotice) -> bool:
        return False

    def trusts_notices(self) -> bool:
        return True

    def key_of(self, authorization: str) -> str:
        scheme, _space, token = authorization.strip().partition(" ")
        try:
            login, _colon, key = base64.b64decode(token.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return ""
        return key if scheme.lower() == "basic" and http.is_same_secret(login, LOGIN) else ""

    def is_key(self, given: str) -> bool:
        key = settings.INTEGRATIONS.payme_key
        return bool(key) and http.is_same_secret(given, key)

    def is_key_digest(self, given: str, digest: str) -> bool:
        return http.is_same_secret(hashlib.sha256(given.encode("utf-8", "replace")).hexdigest(), digest)
