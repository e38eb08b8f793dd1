"""What a password of this product must be (contract tickets 3)."""

from __future__ import annotations

import re

from apps.accounts import actions as accounts
from apps.accounts.models import User

SIGNS = r"""!@#$%^&*(),.?":{}|<>"""
NEEDS = {
    "at least 8 characters": r".{8,}",
    "a letter": "[a-zA-Z]",
    "a digit": "[0-9]",
    f"one of {SIGNS}": f"[{re.escape(SIGNS)}]",
}


def weakness(password: str) -> str:
    """What is missing, or an empty text."""
    return next((need for need, pattern in NEEDS.items() if not re.search(pattern, password, re.DOTALL)), "")


def ensure_strong(password: str, user: User | None = None) -> None:
    """Raises `accounts.PasswordTooWeak` (422) with the first thing that is missing."""
    accounts.check_length(password)
    if missing := weakness(password):
        raise accounts.PasswordTooWeak(why=missing)
