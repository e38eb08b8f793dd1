"""What a production start refuses in this product's settings (contract loyalty 7, defects 2 and 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

SHORTEST_ADMIN_PASSWORD = 10


@register(Tags.security)
def refuse_back_doors(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """loyalty.E001–E003: codes that everybody knows, phones that need none, a first manager with a weak password."""
    figures = settings.LOYALTY
    if settings.EMBEDDED and not figures.is_production:
        return []
    return list(_back_doors(figures))


def _back_doors(figures: Any) -> Iterator[CheckMessage]:
    if figures.otp_static_code:
        hint = "Unset OTP_STATIC_CODE."
        yield Error("the same code signs everybody in", hint=hint, id="loyalty.E001")
    if figures.otp_bypass_phones:
        hint = "Unset OTP_BYPASS_VERIFY_PHONES."
        yield Error("some phones sign in without a code of their own", hint=hint, id="loyalty.E002")
    password = figures.default_admin_password
    if password and (len(password) < SHORTEST_ADMIN_PASSWORD or password.isdigit() or password.isalpha()):
        hint = f"At least {SHORTEST_ADMIN_PASSWORD} characters in DEFAULT_ADMIN_PASSWORD, letters and digits."
        yield Error("the first manager's password is weak", hint=hint, id="loyalty.E003")
