"""Figures of the flower shops that an operator may change (contract florist 3.3 and 5)."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.core import env

PRODUCT = "florist"
"""Audience of tokens, product of codes and messages."""

PAYMENT_PURPOSE = "florist.order"
"""What payments of orders are called; the reference is the order's id."""


@dataclass(frozen=True)
class Florist:
    """Settings of the product; `settings.FLORIST` holds one."""

    secret_key: str = field(repr=False)
    """Signs tokens; empty: the house's key."""
    access_minutes: int
    """Life of an access token."""
    refresh_days: int
    """Life of a refresh token."""
    registration_minutes: int
    """How long a proved phone may complete its registration."""
    otp_seconds: int
    """Life of a one-time code."""
    otp_tries: int
    """Wrong tries that burn a code."""
    otp_per_minute: int
    """Codes per phone and minute; 0 is no limit."""
    otp_per_hour: int
    """Codes per phone and hour; 0 is no limit."""
    login_limit: int
    """Sign-in tries per name and address in five minutes."""
    test_phone: str
    """Phone with a fixed code, honoured only when DEBUG is on."""
    test_code: str = field(repr=False)
    """Its code; empty: none."""
    webhook_secret: str = field(repr=False)
    """Signs the payment webhook; empty refuses every call."""
    telegram_webhook_secret: str = field(repr=False)
    """What Telegram sends in its header; empty refuses every update."""
    mini_app_url: str
    """Address of the Mini App, for the bot's button."""
    upload_max_mb: int
    """Largest picture, MB."""
    public_per_minute: int
    """Calls of strangers per address and minute on public paths (contract 3.8); 0 is no limit."""
    hold_minutes: int
    """How long an unpaid storefront order keeps its stems."""
    buyer_sms_per_day: int
    """Text messages to buyers per shop and day on its clock; 0 is no limit. Messages of the bot do not count."""
    low_stock: int
    """A batch below this many free stems is critical."""
    timezone: str
    """Time zone of new shops."""


def load() -> Florist:
    """Read the environment; `FLORIST_<NAME>` goes before `<NAME>`. Raises `environs.EnvError` for a malformed value."""
    read = env.for_product("FLORIST")
    return Florist(
        secret_key=env.secret("FLORIST_SECRET_KEY"),
        access_minutes=read.integer("ACCESS_TOKEN_EXPIRE_MINUTES", 30),
        refresh_days=read.integer("REFRESH_TOKEN_DAYS", 7),
        registration_minutes=env.integer("FLORIST_REGISTRATION_MINUTES", 60),
        otp_seconds=read.integer("OTP_TTL_SECONDS", 300),
        otp_tries=env.integer("FLORIST_OTP_MAX_ATTEMPTS", 3),
        otp_per_minute=read.integer("OTP_RATE_PER_MINUTE", 3),
        otp_per_hour=env.integer("FLORIST_OTP_RATE_PER_HOUR", 10),
        login_limit=env.integer("FLORIST_LOGIN_LIMIT", 10),
        test_phone=read.text("TEST_PHONE", "+77011234567"),
        test_code=read.secret("TEST_OTP_CODE"),
        webhook_secret=read.secret("PAYMENT_WEBHOOK_SECRET"),
        telegram_webhook_secret=read.secret("TELEGRAM_WEBHOOK_SECRET"),
        mini_app_url=read.text("TELEGRAM_MINIAPP_URL"),
        upload_max_mb=read.integer("UPLOAD_MAX_MB", 10),
        public_per_minute=env.integer("FLORIST_PUBLIC_PER_MINUTE", 30),
        hold_minutes=env.integer("FLORIST_HOLD_MINUTES", 30),
        buyer_sms_per_day=env.integer("FLORIST_BUYER_SMS_PER_DAY", 300),
        low_stock=env.integer("FLORIST_LOW_STOCK", 15),
        timezone=read.text("DEFAULT_TIMEZONE", "Asia/Almaty"),
    )
