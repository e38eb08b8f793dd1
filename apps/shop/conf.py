"""Figures of the shop that an operator may change (contract shop 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from apps.core import env

CURRENCY = "UZS"
PRODUCT = "shop"
"""Audience of tokens, product of codes and messages."""

PAYMENT_PURPOSE = "shop.order"
"""What our payments are for, so that the handlers of payment facts know their own."""

SameSite = Literal["Lax", "Strict", "None"]


@dataclass(frozen=True)
class Shop:
    """Settings of the product; `settings.SHOP` holds one."""

    access_minutes: int
    """Life of an access token; `expires_in` on the wire is in minutes too."""
    refresh_days: int
    """Life of a refresh token (seed: 7)."""
    session_max_hours: int
    """Absolute end of a session, however often renewed; goes before the days; 0 is off (K5)."""
    session_max_days: int
    """The same in days; 0 is off."""
    cookie_secure: bool
    """Token cookies over HTTPS only. Can be off on a laptop alone."""
    cookie_same_site: SameSite
    """SameSite of the token cookies."""
    cookie_domain: str
    """Domain of the token cookies; empty is the answering host."""
    login_rate_limit: int
    """Sign-in tries per address and name in one window; successes count too; 0 is no limit."""
    login_rate_window_seconds: int
    """Length of that window."""
    rate_limit_requests: int
    """Requests of one address in one sliding window; 0 is no limit."""
    rate_limit_window_seconds: int
    """Length of that window."""
    notify_rate_limit_requests: int
    """The same for payment notices, which come from few addresses in bursts; 0 is no limit."""
    rate_limit_exclude_paths: tuple[str, ...]
    """Exact paths, without the product base, that are never counted."""
    slow_seconds: float
    """Requests that take longer are logged as slow."""
    order_max_qty_per_item: int
    """Pieces of one product in one order (contract shop 3.3)."""
    order_reserve_minutes: int
    """How long an unpaid order keeps its goods."""
    refund_restocks: bool
    """A full refund puts the goods back, unless they were delivered."""
    merge_minutes: int
    """How old the pending order may be that `X-Merge-With-Latest` adds to."""
    max_image_mb: int
    """Largest picture."""
    max_images_per_product: int
    """Pictures of one product."""
    low_stock: int
    """Staff are told when no more than this many pieces are left; 0 tells only of sold-out products."""
    count_cache_seconds: int
    """How long the `total` of a catalogue list is kept when nothing changed."""
    phone_prefixes: tuple[str, ...]
    """Beginnings of phone numbers that may register."""
    currency: str
    """What prices are in, and what cards are charged in: UZS, USD or RUB."""
    return_url: str
    """Where the bank's page sends the buyer back to; empty is the shop's own front door."""
    fiscal_inn: str
    """Tax number of the seller on card receipts; empty sends no receipt lines to the bank."""
    fiscal_vat_percent: int
    """VAT on those lines."""

    @property
    def session_seconds(self) -> int:
        """Absolute end of a session in seconds; hours win over days; 0 is none."""
        return self.session_max_hours * 3600 or self.session_max_days * 86_400


def load(*, embedded: bool) -> Shop:
    """Read the environment; `SHOP_<NAME>` goes before `<NAME>`. Raises `environs.EnvError` for a malformed value."""
    read = env.for_product("SHOP")
    excluded = ("/docs", "/redoc", "/openapi.json", "/favicon.ico")
    return Shop(
        access_minutes=read.integer("ACCESS_TOKEN_EXPIRE_MINUTES", 15),
        refresh_days=read.integer("REFRESH_TOKEN_EXPIRE_DAYS", 7),
        session_max_hours=read.integer("SESSION_MAX_HOURS", 0),
        session_max_days=read.integer("SESSION_MAX_DAYS", 0),
        cookie_secure=read.flag("COOKIE_SECURE", True) or not embedded,
        cookie_same_site=_same_site(read.text("COOKIE_SAMESITE", "lax")),
        cookie_domain=read.text("COOKIE_DOMAIN", ""),
        login_rate_limit=read.integer("LOGIN_RATE_LIMIT", 5),
        login_rate_window_seconds=read.integer("LOGIN_RATE_WINDOW_SEC", 300),
        rate_limit_requests=read.integer("RATE_LIMIT_REQUESTS", 100),
        rate_limit_window_seconds=read.integer("RATE_LIMIT_WINDOW_SEC", 60),
        notify_rate_limit_requests=read.integer("NOTIFY_RATE_LIMIT_REQUESTS", 6000),
        rate_limit_exclude_paths=read.words("RATE_LIMIT_EXCLUDE_PATHS", excluded),
        slow_seconds=float(read.decimal("SLOW_REQUEST_SECONDS", "1.0")),
        order_max_qty_per_item=_pieces(read.integer("ORDER_MAX_QTY_PER_ITEM", 500)),
        order_reserve_minutes=read.integer("ORDER_RESERVE_MINUTES", 30),
        refund_restocks=read.flag("REFUND_RESTOCKS", True),
        merge_minutes=read.integer("ORDER_MERGE_MINUTES", 5),
        max_image_mb=read.integer("MAX_IMAGE_MB", 5),
        max_images_per_product=read.integer("MAX_IMAGES_PER_PRODUCT", 10),
        low_stock=read.integer("LOW_STOCK", 3),
        count_cache_seconds=read.integer("COUNT_CACHE_SECONDS", 60),
        phone_prefixes=read.words("PHONE_ALLOWED_PREFIXES", ("+", "+998")),
        currency=_currency(read.text("OCTO_CURRENCY", CURRENCY)),
        return_url=read.text("OCTO_RETURN_URL", ""),
        fiscal_inn=read.text("OCTO_FISCAL_INN", ""),
        fiscal_vat_percent=read.integer("OCTO_FISCAL_VAT_PERCENT", 12),
    )


def _same_site(text: str) -> SameSite:
    known: dict[str, SameSite] = {"lax": "Lax", "strict": "Strict", "none": "None"}
    if text.lower() not in known:
        raise ValueError(f"COOKIE_SAMESITE must be lax, strict or none, not {text!r}")
    return known[text.lower()]


def _pieces(count: int) -> int:
    """As many as a line of an order has room for."""
    if not 1 <= count <= 32_767:
        raise ValueError(f"ORDER_MAX_QTY_PER_ITEM must be 1 to 32767, not {count}")
    return count


def _currency(text: str) -> str:
    """Those that OCTO takes (contract integrations 1)."""
    if text.upper() not in ("UZS", "USD", "RUB"):
        raise ValueError(f"OCTO_CURRENCY must be UZS, USD or RUB, not {text!r}")
    return text.upper()
