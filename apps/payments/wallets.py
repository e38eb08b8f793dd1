"""Wallets behind the port of the cards: CryptoBot, Telegram Stars, YooKassa (contract urgent 3.7 and 10).

Their clients live in `integrations` behind ports of their own; here their words become those of `CardGateway`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from apps.integrations.ports import (
    CardNotice,
    CardOrder,
    CardStanding,
    CryptoInvoice,
    RefundStanding,
    StarsPayment,
    VendorRefused,
    YukassaPayment,
    port,
)

TELEGRAM_LINK = "https://t.me/"
"""The front end's SDK throws on any other address of a page inside Telegram (contract urgent 1.4)."""

RECENT_INVOICES = 1000
"""How far back a bill without a number is looked for; CryptoBot's largest page."""

STARS_PAGE = 100
MOST_STARS_PAGES = 500
STARS_BOOKMARK = "payments:stars-account"
STARS_BOOKMARK_AGE = timedelta(days=2)
"""Pages older than this hold nothing that an open payment may still want."""

UNKNOWN = CardStanding("unknown")


@dataclass(frozen=True)
class Question:
    """One payment to ask about: our name for it, the wallet's when we know it, and when it was made."""

    transaction_id: str
    vendor_id: str
    made_at: datetime


class Wallet:
    """What wallets have in common: one stage, one currency, no parts; notices have ways of their own."""

    two_stages = False
    refunds_in_parts = False
    largest_refund: Decimal | None = None
    currency: ClassVar[str] = "RUB"

    def ask_many(self, questions: Sequence[Question]) -> dict[str, CardStanding]:
        """How payments stand, by our names for them."""
        raise NotImplementedError

    def ask(self, *, transaction_id: str, vendor_id: str = "", on: datetime | None = None) -> CardStanding:
        asked = Question(transaction_id, vendor_id, on or timezone.now())
        return self.ask_many([asked]).get(transaction_id, UNKNOWN)

    def ensure_currency(self, order: CardOrder) -> None:
        """Raises `VendorRefused` for money that the wallet does not hold."""
        if order.currency != self.currency:
            raise VendorRefused(f"only {self.currency}")

    def capture(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        raise VendorRefused("no two-stage payments")

    def cancel(self, *, vendor_id: str, amount: Decimal) -> CardStanding:
        raise VendorRefused("no two-stage payments")

    def refund(self, *, vendor_id: str, refund_id: str, amount: Decimal, payer_id: str = "") -> RefundStanding:
        raise VendorRefused("no refunds by us")

    def read_notice(self, raw: bytes, content_type: str) -> CardNotice:
        raise ValueError("wallets have notices of their own")

    def is_genuine(self, notice: CardNotice) -> bool:
        return False

    def trusts_notices(self) -> bool:
        return True


class CryptoBotWallet(Wallet):
    """Crypto Pay: priced in roubles, paid in any coin."""

    def is_configured(self) -> bool:
        return port("crypto").is_configured()

    def start(self, order: CardOrder) -> CardStanding:
        self.ensure_currency(order)
        issued = port("crypto").create_invoice(
            amount=order.amount,
            fiat=order.currency,
            description=order.description,
            payload=order.transaction_id,
            lifetime_seconds=order.lifetime_minutes * 60,
        )
        standing = _of_crypto(issued)
        return replace(standing, pay_url=issued.pay_url[:2000], mini_app_url=telegram_link(issued.mini_app_url))

    def ask_many(self, questions: Sequence[Question]) -> dict[str, CardStanding]:
        numbered = {int(one.vendor_id): one.transaction_id for one in questions if one.vendor_id.isdecimal()}
        nameless = {one.transaction_id for one in questions if not one.vendor_id}
        found: dict[str, CardStanding] = {}
        if numbered:
            for row in port("crypto").invoices(list(numbered)):
                found[numbered.get(row.invoice_id, "")] = _of_crypto(row)
        if nameless:  # the answer that held the number got lost: our name, which is the payload, finds it
            rows = port("crypto").recent_invoices(count=RECENT_INVOICES)
            found |= {row.payload: _of_crypto(row) for row in reversed(rows) if row.payload in nameless}
        return found


class StarsWallet(Wallet):
    """Telegram Stars: whole Stars, paid inside Telegram, which tells our bot and keeps an account."""

    currency = "XTR"

    def is_configured(self) -> bool:
        return bool(settings.INTEGRATIONS.telegram_bot_token)

    def start(self, order: CardOrder) -> CardStanding:
        self.ensure_currency(order)
        link = port("bot").stars_link(
            title=order.description[:32],
            description=order.description[:255],
            payload=order.transaction_id,
            stars=int(order.amount),
        )
        return CardStanding("open", word="link", pay_url=link, mini_app_url=telegram_link(link))

    def ask_many(self, questions: Sequence[Question]) -> dict[str, CardStanding]:
        """Look for our names in the bot's Stars account, from the oldest of these payments on."""
        wanted = {one.transaction_id: one.vendor_id for one in questions}
        found: dict[str, CardStanding] = {}
        names: dict[str, str] = {}
        for row in _stars_since(min(one.made_at for one in questions)):
            if row.stars < 0 and row.charge_id in names:
                found[names[row.charge_id]] = replace(found[names[row.charge_id]], state="refunded")
            elif row.stars > 0 and row.payload in wanted and wanted[row.payload] in ("", row.charge_id):
                names[row.charge_id] = row.payload
                found.setdefault(row.payload, _of_stars(row))
        return found

    def refund(self, *, vendor_id: str, refund_id: str, amount: Decimal, payer_id: str = "") -> RefundStanding:
        """All of a charge, to whoever paid it; asking twice is harmless."""
        if not vendor_id or not payer_id.isdecimal():
            raise VendorRefused("it is not known who paid")
        is_new = port("bot").refund_stars(telegram_id=int(payer_id), charge_id=vendor_id)
        return RefundStanding("done", word="refunded" if is_new else "was refunded before")


class YukassaWallet(Wallet):
    """YooKassa: cards in roubles. Our name is its idempotency key, so a lost answer is asked for by starting again."""

    def is_configured(self) -> bool:
        return port("yukassa").is_configured()

    def start(self, order: CardOrder) -> CardStanding:
        self.ensure_currency(order)
        made = port("yukassa").create_payment(
            amount=order.amount,
            currency=order.currency,
            description=order.description,
            mark=order.transaction_id,
            return_url=order.return_url,
        )
        return self._standing(made, order.transaction_id)

    def ask_many(self, questions: Sequence[Question]) -> dict[str, CardStanding]:
        found: dict[str, CardStanding] = {}
        for one in questions:
            row = port("yukassa").payment(one.vendor_id) if one.vendor_id else None
            if row is not None:
                found[one.transaction_id] = self._standing(row, one.transaction_id)
        return found

    def _standing(self, row: YukassaPayment, name: str) -> CardStanding:
        """Another's payment is unknown to us; another currency is no sum that we asked for."""
        if row.mark != name:
            return UNKNOWN
        states = {"succeeded": "paid", "canceled": "over"}
        return CardStanding(
            states.get(row.status, "open"),  # type: ignore[arg-type]
            word=row.status[:40],
            vendor_id=row.payment_id,
            pay_url=row.pay_url[:2000],
            amount=row.amount if row.currency == self.currency else Decimal(0),
            refunded=row.refunded or None,
        )


def telegram_link(url: str | None) -> str:
    """The address when Telegram can open it inside the app, else nothing."""
    return url if url and url.startswith(TELEGRAM_LINK) and len(url) <= 512 else ""


def _of_crypto(row: CryptoInvoice) -> CardStanding:
    states = {"paid": "paid", "active": "open", "expired": "over"}
    state = states.get(row.status, "unknown")
    return CardStanding(state, word=row.status[:40], vendor_id=str(row.invoice_id))  # type: ignore[arg-type]


def _of_stars(row: StarsPayment) -> CardStanding:
    return CardStanding(
        "paid",
        word="in the account",
        vendor_id=row.charge_id[:255],
        payer_id=str(row.telegram_id or ""),
        amount=Decimal(row.stars),
    )


def _stars_since(moment: datetime) -> Iterator[StarsPayment]:
    """Rows of the bot's Stars account, oldest first, skipping pages that were over before `moment`.

    Telegram counts from the oldest row, so the place where old pages end is remembered between calls.
    """
    offset, until = cache.get(STARS_BOOKMARK, (0, None))
    if until is None or moment <= until:
        offset = 0
    for _ in range(MOST_STARS_PAGES):
        page = port("bot").stars_payments(offset=offset, limit=STARS_PAGE)
        yield from page
        if len(page) < STARS_PAGE:
            return
        offset += STARS_PAGE
        if page[-1].at < timezone.now() - STARS_BOOKMARK_AGE:
            cache.set(STARS_BOOKMARK, (offset, page[-1].at), None)
