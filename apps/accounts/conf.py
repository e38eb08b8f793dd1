"""Figures of sign-in that an operator may change; `settings.ACCOUNTS` holds one `Accounts`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.core import env


@dataclass(frozen=True)
class Accounts:
    """Settings that hold for every product.

    What differs per product stands in `kit.CodeFigures` and `tokens.TokenFigures`.
    """

    allowed_phone_prefixes: tuple[str, ...]
    """Beginnings of E.164 numbers that may receive a code."""
    sms_price: Decimal
    """What one text is counted with until the vendor tells the price, in the currency of the SMS contract."""
    sms_daily_spend_cap: Decimal
    """Most money for codes in one UTC day, same currency; 0 is no cap."""
    code_success_percent: int
    """Alarm when fewer of a prefix's texted codes than this are typed in correctly."""
    code_success_sample: int
    """Texts per prefix and day before the alarm may ring."""
    code_keep_days: int
    """How long used and dead codes stay visible to staff."""
    login_log_keep_days: int
    """How long the login log is kept."""
    staff_second_factor_required: bool
    """Staff without a confirmed TOTP device must enrol before the back office opens."""
    access_seconds: int
    """Life of an access token where a product says nothing else."""
    refresh_seconds: int
    """Life of a refresh token where a product says nothing else."""


def load(*, embedded: bool) -> Accounts:
    """Read the environment. Raises `environs.EnvError` for a malformed value."""
    return Accounts(
        allowed_phone_prefixes=env.words("ALLOWED_PHONE_PREFIXES", ("+998", "+7", "+90")),
        sms_price=env.decimal("SMS_PRICE", "1"),
        sms_daily_spend_cap=env.decimal("SMS_DAILY_SPEND_CAP", "5000"),
        code_success_percent=env.integer("CODE_SUCCESS_ALARM_PERCENT", 30),
        code_success_sample=env.integer("CODE_SUCCESS_ALARM_SAMPLE", 20),
        code_keep_days=env.integer("CODE_KEEP_DAYS", 7),
        login_log_keep_days=env.integer("LOGIN_LOG_KEEP_DAYS", 365),
        staff_second_factor_required=env.flag("STAFF_2FA_REQUIRED", not embedded),
        access_seconds=env.integer("JWT_ACCESS_SECONDS", 3600),
        refresh_seconds=env.integer("JWT_REFRESH_SECONDS", 30 * 86400),
    )
