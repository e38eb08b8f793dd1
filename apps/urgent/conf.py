"""Figures of the urgent-services market that an operator may change (contract urgent 3.1 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.core import env

CURRENCY = "RUB"
BOOK = "urgent"
"""The ledger's book of prepaid balances, in whole roubles."""

HOUSE_REVENUE = "urgent:revenue"
"""House account that takes are paid to and refunds are paid from."""

TOPUP = "urgent.topup"
"""What our payments are for, so that the handlers of payment facts know their own."""

PROVIDERS = ("crypto_bot", "telegram_stars", "yukassa")


@dataclass(frozen=True)
class Urgent:
    """Settings of the product; `settings.URGENT` holds one."""

    order_lifetime_minutes: int
    """How long a new order can be taken; copied into the order."""
    no_response_close_minutes: int
    """Minutes after the first take within which the client must answer."""
    max_executors_per_order: int
    """Takes per order; copied into the order."""
    order_take_cost: int
    """Price of a contact, whole roubles."""
    refund_on_expiry: bool
    """Takers get their money back when an order runs out unanswered (D7). Off: the original's behaviour."""
    only_known_cities: bool
    """An order's city must be in the town list (contract urgent 8.18). Off: any 2 to 100 characters."""
    orders_per_hour: int
    """New orders per member and hour; 0 is no limit."""
    takes_per_minute: int
    """Take requests per member and minute; 0 is no limit."""
    recharges_per_hour: int
    """Invoices and developer recharges per member and hour; 0 is no limit."""
    recharge_max: int
    """Largest top-up, whole roubles."""
    payment_provider: str
    """Who collects the money when the caller names nobody, if it is set up; else the first one that is."""
    crypto_invoice_seconds: int
    """How long a provider's bill can be paid."""
    stars_rub_rate: Decimal
    """Roubles that one Telegram Star buys."""
    allow_dev_recharge: bool
    """Anybody may credit himself: never in production."""
    bot_username: str
    """For deep links; without it messages say to open the app."""
    list_cache_seconds: int
    """How long a public list may be served from memory when nothing changed."""


def load(*, embedded: bool) -> Urgent:
    """Read the environment; `URGENT_<NAME>` goes before `<NAME>`. Raises `environs.EnvError` for a malformed value and
    `ValueError` for an unknown provider.
    """
    read = env.for_product("URGENT")
    return Urgent(
        order_lifetime_minutes=read.integer("ORDER_LIFETIME_MINUTES", 60),
        no_response_close_minutes=read.integer("NO_RESPONSE_CLOSE_MINUTES", 15),
        max_executors_per_order=read.integer("MAX_EXECUTORS_PER_ORDER", 3),
        order_take_cost=read.integer("ORDER_TAKE_COST", 2),
        refund_on_expiry=read.flag("REFUND_ON_EXPIRY", True),
        only_known_cities=read.flag("ONLY_KNOWN_CITIES", True),
        orders_per_hour=read.integer("ORDERS_PER_HOUR", 10),
        takes_per_minute=read.integer("TAKES_PER_MINUTE", 60),
        recharges_per_hour=read.integer("RECHARGES_PER_HOUR", 60),
        recharge_max=read.integer("RECHARGE_MAX", 100_000),
        payment_provider=_provider(read.text("PAYMENT_PROVIDER", "crypto_bot")),
        crypto_invoice_seconds=read.integer("CRYPTO_INVOICE_SECONDS", 1800),
        stars_rub_rate=read.decimal("STARS_RUB_RATE", "1.5"),
        allow_dev_recharge=read.flag("ALLOW_DEV_RECHARGE", embedded),
        bot_username=read.text("TELEGRAM_BOT_USERNAME", ""),
        list_cache_seconds=read.integer("LIST_CACHE_SECONDS", 2),
    )


def _provider(name: str) -> str:
    if name.lower() not in PROVIDERS:
        raise ValueError(f"PAYMENT_PROVIDER must be one of {', '.join(PROVIDERS)}, not {name!r}")
    return name.lower()
