"""Figures of the restaurant's cashback that an operator may change (contract loyalty 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.core import env

CURRENCY = "UZS"
PRODUCT = "loyalty"
"""Audience of tokens, product of codes and messages."""

DEMO_PHONE = "+998911111111"
"""Where nobody named a demo phone; never in production (contract loyalty 3.2)."""

PRODUCTION = "production"


MAIN_MENU, GIJDUVON_MENU = "main", "gijduvon"
"""Sources of the menu port: Gijduvon has a site of its own."""


@dataclass(frozen=True)
class Store:
    """A restaurant in the menu system: its id, the name that clients show, and whose site answers for it."""

    id: int
    name: str
    source: str


@dataclass(frozen=True)
class Loyalty:
    """Settings of the product; `settings.LOYALTY` holds one."""

    environment: str
    """`production` closes the demo fallback and every shortcut of the sign-in."""

    # ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────
    jwt_secret: str = field(repr=False)
    """Signs access tokens; empty is the house's key."""
    jwt_refresh_secret: str = field(repr=False)
    """Signs refresh tokens; empty is the same as for access tokens."""
    access_minutes: int
    """Life of an access token."""
    refresh_days: int
    """Life of a refresh token."""
    login_rate_limit: int
    """Wrong passwords from one address in one block; 0 is no limit."""
    rate_limit_block_minutes: int
    """Length of the window of that limit and of the codes' limit."""
    otp_length: int
    """Digits of a code, 4 to 8. The mobile client has four boxes."""
    otp_expiration_minutes: int
    """Life of a code."""
    otp_rate_limit: int
    """Codes per phone, and per address, in one block; 0 is no limit."""
    otp_static_code: str = field(repr=False)
    """Sent instead of a random code; refused in production."""
    otp_unlimited_phones: tuple[str, ...] = field(repr=False)
    """Numbers free of limits."""
    otp_bypass_phones: tuple[str, ...] = field(repr=False)
    """Numbers that the demo code lets in without a code sent; refused in production."""
    demo_phone: str = field(repr=False)
    """Signs in to a mock profile with the demo code; empty: there is no demo."""
    otp_demo_code: str = field(repr=False)
    """Code of the demo phone and of the bypass phones."""
    sms_template: str
    """Text of the message with `{code}`; empty is the house's own. The vendor wants it word by word as registered."""
    levels_enabled: bool
    """Show levels and percentages; off: everybody is at the first level."""
    default_admin_name: str
    default_admin_phone: str = field(repr=False)
    default_admin_password: str = field(repr=False)
    """The first manager, made once when absent; no password, no manager."""

    # ── Menu, news, files, vendors ──────────────────────────────────────────────────────────────────────────────────
    stores: Mapping[int, Store]
    """The restaurants of the menu system, by id."""
    menu_cache_seconds: int
    """How long a source's menu counts as fresh."""
    stop_list_cache_seconds: int
    """The same for a store's stop-list."""
    menu_response_cache_seconds: int
    """The same for the merged answer."""
    iiko_terminals: Mapping[str, int]
    """Terminal group of iiko → branch."""
    iiko_reconcile_per_night: int
    """Guests whose purse is compared with iiko each night."""
    max_image_mb: int
    """Largest uploaded picture."""

    @property
    def is_production(self) -> bool:
        """Real guests' money is behind these doors."""
        return self.environment == PRODUCTION


def load(*, embedded: bool) -> Loyalty:
    """Read the environment; `LOYALTY_<NAME>` goes before `<NAME>`. Raises `environs.EnvError` for a malformed value and
    `ValueError` for a code length outside 4 to 8.
    """
    read = env.for_product("LOYALTY")
    environment = read.text("ENVIRONMENT", "development" if embedded else PRODUCTION).lower()
    return Loyalty(
        environment=environment,
        jwt_secret=read.secret("JWT_SECRET_KEY", ""),
        jwt_refresh_secret=read.secret("JWT_REFRESH_SECRET_KEY", ""),
        access_minutes=read.integer("ACCESS_TOKEN_EXPIRE_MINUTES", 30),
        refresh_days=read.integer("REFRESH_TOKEN_EXPIRE_DAYS", 14),
        login_rate_limit=read.integer("LOGIN_RATE_LIMIT_PER_WINDOW", 5),
        rate_limit_block_minutes=read.integer("RATE_LIMIT_BLOCK_MINUTES", 15),
        otp_length=_length(read.integer("OTP_LENGTH", 6)),
        otp_expiration_minutes=read.integer("OTP_EXPIRATION_MINUTES", 5),
        otp_rate_limit=read.integer("OTP_RATE_LIMIT_PER_HOUR", 5),
        otp_static_code=read.secret("OTP_STATIC_CODE", ""),
        otp_unlimited_phones=read.words("OTP_RATE_LIMIT_BYPASS_PHONES", ()),
        otp_bypass_phones=read.words("OTP_BYPASS_VERIFY_PHONES", ()),
        demo_phone=read.text("DEMO_PHONE", "") or ("" if environment == PRODUCTION else DEMO_PHONE),
        otp_demo_code=read.secret("OTP_DEMO_CODE", "1111"),
        sms_template=_template(read.text("ESKIZ_SMS_TEMPLATE", "")),
        levels_enabled=read.flag("LOYALTY_LEVELS_ENABLED", True),
        default_admin_name=read.text("DEFAULT_ADMIN_NAME", "Manager"),
        default_admin_phone=read.text("DEFAULT_ADMIN_PHONE", ""),
        default_admin_password=read.secret("DEFAULT_ADMIN_PASSWORD", ""),
        stores=_stores(read),
        menu_cache_seconds=read.integer("MENU_CACHE_TTL", 120),
        stop_list_cache_seconds=read.integer("STOPLIST_CACHE_TTL", 60),
        menu_response_cache_seconds=read.integer("MENU_RESPONSE_CACHE_TTL", 30),
        iiko_terminals=_terminals(read.words("IIKO_TERMINAL_BRANCHES", ())),
        iiko_reconcile_per_night=read.integer("LOYALTY_IIKO_RECONCILE_PER_NIGHT", 5000),
        max_image_mb=read.integer("MAX_IMAGE_MB", 5),
    )


def _stores(read: env.ProductEnv) -> dict[int, Store]:
    """The four restaurants under the ids that the environment gives them, and whatever else STORE_IDS names."""
    named = (
        Store(read.integer("SARDOBA_GEOFIZIKA", 139235), "Sardoba_Geofizika", MAIN_MENU),
        Store(read.integer("SARDOBA_GIDIVON", 157757), "Sardoba_Gijduvon", GIJDUVON_MENU),
        Store(read.integer("SARDOBA_SEVERNIY", 139350), "Sardoba_Severniy", MAIN_MENU),
        Store(read.integer("SARDOBA_MK5", 139458), "Sardoba_5MK", MAIN_MENU),
    )
    known = {store.id: store for store in named}
    listed = (int(number) for number in read.words("STORE_IDS", ("139350", "139458", "139235", "157757")))
    return known | {number: Store(number, f"Store {number}", MAIN_MENU) for number in listed if number not in known}


def _terminals(pairs: tuple[str, ...]) -> dict[str, int]:
    """`guid=139235,…`. Raises `ValueError` for anything else."""
    return {guid.strip(): int(branch) for guid, _, branch in (pair.partition("=") for pair in pairs)}


def _template(text: str) -> str:
    try:
        filled = text.format(brand="", code="1234", minutes=5)
    except (KeyError, IndexError, ValueError) as problem:
        raise ValueError("ESKIZ_SMS_TEMPLATE: braces are for {code}, {brand} and {minutes} alone") from problem
    if text and "1234" not in filled:
        raise ValueError("ESKIZ_SMS_TEMPLATE must hold {code}")
    return text


def _length(digits: int) -> int:
    if not 4 <= digits <= 8:
        raise ValueError(f"OTP_LENGTH must be 4 to 8, not {digits}")
    return digits
