"""Who collects the money of an invoice: CryptoBot, Telegram Stars and YooKassa behind one interface (contract urgent
3.7 and 10).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Protocol

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext

from apps.core.texts import speaking
from apps.integrations.ports import CryptoInvoice, StarsPayment, VendorRefused, YukassaPayment, port
from apps.urgent.conf import CURRENCY
from apps.urgent.models import Invoice

TELEGRAM_LINK = "https://t.me/"
"""The front end's SDK throws on any other address in `mini_app_invoice_url` (contract urgent 1.4)."""

PAID, OPEN, OVER, UNKNOWN, ODD = "paid", "open", "over", "unknown", "odd"
"""What a provider may say about a bill; unknown: it has no such bill; odd: paid, but not as we asked for it."""

RECENT_INVOICES = 1000
"""How far back a bill without a number is looked for; the provider's largest page."""

STARS_PAGE = 100
MOST_STARS_PAGES = 500
STARS_BOOKMARK = "urgent:stars-account"
STARS_BOOKMARK_AGE = timedelta(days=2)
"""Pages older than this hold nothing that an open invoice may still want."""


@dataclass(frozen=True)
class Bill:
    """What the provider issued."""

    provider_invoice_id: int | None
    pay_url: str
    mini_app_url: str
    charge_id: str | None = None


@dataclass(frozen=True)
class Standing:
    """What the provider says now, with its own number of the bill."""

    state: str
    provider_invoice_id: int | None = None
    charge_id: str | None = None
    payer_id: int | None = None


class Gateway(Protocol):
    """A collector of money. Calls raise `VendorBusy`, `VendorRefused` or `VendorUnsure` and nothing else."""

    def is_configured(self) -> bool:
        """False when the operator has not set it up."""

    def price(self, amount: int) -> int | None:
        """The amount in the provider's own unit when that is not roubles."""

    def issue(self, invoice: Invoice) -> Bill:
        """Ask the provider for a bill."""

    def ask(self, invoices: list[Invoice]) -> dict[int, Standing]:
        """What the provider says, by our invoice's primary key; a provider that cannot be asked says nothing."""


class CryptoBot:
    """Crypto Pay: priced in roubles, paid in any coin, can be asked about its bills."""

    def is_configured(self) -> bool:
        return port("crypto").is_configured()

    def price(self, amount: int) -> int | None:
        return None

    def issue(self, invoice: Invoice) -> Bill:
        issued = port("crypto").create_invoice(
            amount=Decimal(invoice.amount),
            fiat="RUB",
            description=gettext("Balance top-up: {amount} RUB").format(amount=invoice.amount),
            payload=invoice.mark,
            lifetime_seconds=settings.URGENT.crypto_invoice_seconds,
        )
        return Bill(issued.invoice_id, issued.pay_url, telegram_link(issued.mini_app_url))

    def ask(self, invoices: list[Invoice]) -> dict[int, Standing]:
        numbered = [row for row in invoices if row.provider_invoice_id]
        nameless = [row for row in invoices if not row.provider_invoice_id]
        return {**_by_number(numbered), **_by_payload(nameless)}


class TelegramStars:
    """Stars: priced in whole Stars, paid inside Telegram, which tells us by bot update and keeps an account."""

    def is_configured(self) -> bool:
        return bool(settings.INTEGRATIONS.telegram_bot_token) and settings.URGENT.stars_rub_rate > 0

    def price(self, amount: int) -> int | None:
        return int((Decimal(amount) / settings.URGENT.stars_rub_rate).to_integral_value(ROUND_CEILING))

    def issue(self, invoice: Invoice) -> Bill:
        link = port("bot").stars_link(
            title=gettext("Balance top-up")[:32],
            description=gettext("Balance top-up: {amount} RUB").format(amount=invoice.amount)[:255],
            payload=invoice.mark,
            stars=invoice.stars or 0,
        )
        return Bill(None, link, telegram_link(link))

    def ask(self, invoices: list[Invoice]) -> dict[int, Standing]:
        """Look for our marks in the bot's Stars account, from the oldest of these invoices on."""
        wanted = {invoice.mark: invoice.pk for invoice in invoices}
        said = {pk: Standing(UNKNOWN) for pk in wanted.values()}
        for payment in _stars_since(min(invoice.created_at for invoice in invoices)):
            pk = wanted.get(payment.payload)
            if pk is not None and payment.stars > 0 and said[pk].state == UNKNOWN:
                said[pk] = Standing(PAID, charge_id=payment.charge_id, payer_id=payment.telegram_id)
        return said


class YuKassa:
    """YooKassa: cards in roubles. Its payment ids are words, kept as `charge_id`; one question per bill."""

    def is_configured(self) -> bool:
        return port("yukassa").is_configured()

    def price(self, amount: int) -> int | None:
        return None

    def issue(self, invoice: Invoice) -> Bill:
        made = _yukassa_payment_for(invoice)
        return Bill(None, made.pay_url, "", made.payment_id)

    def ask(self, invoices: list[Invoice]) -> dict[int, Standing]:
        """A bill that YooKassa refuses to talk about waits, and its neighbours do not; alone it raises."""
        said: dict[int, Standing] = {}
        for invoice in invoices:
            try:
                said[invoice.pk] = _standing_at_yukassa(invoice)
            except VendorRefused:
                if len(invoices) == 1:
                    raise
                said[invoice.pk] = Standing(OPEN)
        return said


GATEWAYS: dict[str, Gateway] = {
    Invoice.Provider.CRYPTO_BOT: CryptoBot(),
    Invoice.Provider.STARS: TelegramStars(),
    Invoice.Provider.YUKASSA: YuKassa(),
}
"""In the order of preference after `PAYMENT_PROVIDER`: the first one set up serves callers that name none."""


def preferred() -> list[tuple[str, Gateway]]:
    """All gateways, the operator's choice first."""
    return sorted(GATEWAYS.items(), key=lambda named: named[0] != settings.URGENT.payment_provider)


def telegram_link(url: str | None) -> str:
    """The address when Telegram can open it inside the app, else nothing."""
    return url if url and url.startswith(TELEGRAM_LINK) and len(url) <= 512 else ""


def _by_number(invoices: list[Invoice]) -> dict[int, Standing]:
    if not invoices:
        return {}
    answers = {
        found.invoice_id: found for found in port("crypto").invoices([row.provider_invoice_id or 0 for row in invoices])
    }
    return {row.pk: _standing(answers.get(row.provider_invoice_id or 0)) for row in invoices}


def _by_payload(invoices: list[Invoice]) -> dict[int, Standing]:
    """Bills whose number never reached us: the provider took the wish, its answer got lost. Our mark finds them."""
    if not invoices:
        return {}
    answers = {found.payload: found for found in port("crypto").recent_invoices(count=RECENT_INVOICES)}
    return {row.pk: _standing(answers.get(row.mark)) for row in invoices}


def _standing(found: CryptoInvoice | None) -> Standing:
    if found is None:
        return Standing(UNKNOWN)
    return Standing({"paid": PAID, "active": OPEN, "expired": OVER}.get(found.status, UNKNOWN), found.invoice_id)


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


def _yukassa_payment_for(invoice: Invoice) -> YukassaPayment:
    """Our mark is the key: a repeat gives the same payment if every word is the same, hence one language for all."""
    with speaking("ru"):
        description = gettext("Balance top-up: {amount} RUB").format(amount=invoice.amount)
    bot = settings.URGENT.bot_username
    return port("yukassa").create_payment(
        amount=Decimal(invoice.amount),
        currency=CURRENCY,
        description=description,
        mark=invoice.mark,
        return_url=f"{TELEGRAM_LINK}{bot}" if bot else settings.PUBLIC_URL,
    )


def _standing_at_yukassa(invoice: Invoice) -> Standing:
    """By its id; a bill whose answer got lost is asked for again as long as somebody may be waiting for it.

    After that it is unknown: nobody ever saw its payment page, so nobody can have paid.
    """
    if invoice.charge_id:
        found = port("yukassa").payment(invoice.charge_id)
    else:
        found = _yukassa_payment_for(invoice) if timezone.now() < invoice.expires_at else None
    if found is None or found.mark != invoice.mark:
        return Standing(UNKNOWN)
    return Standing(_state_at_yukassa(found, invoice), charge_id=found.payment_id)


def _state_at_yukassa(found: YukassaPayment, invoice: Invoice) -> str:
    state = {"succeeded": PAID, "pending": OPEN, "waiting_for_capture": OPEN, "canceled": OVER}
    is_ours = (found.amount, found.currency, found.refunded) == (invoice.amount, CURRENCY, 0)
    said = state.get(found.status, OPEN)
    return ODD if said == PAID and not is_ours else said
