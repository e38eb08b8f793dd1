"""The standing people: Aziza (a client), Bobur (staff), Dana (a stranger), Root (superuser); and what they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission

from apps.accounts.caller import Caller
from apps.accounts.kit import CodeFigures, LoginFigures
from apps.accounts.models import User
from apps.core.throttle import Limit
from apps.integrations.telegram import TelegramProfile

PHONE = "+998901234567"
OTHER_PHONE = "+998907654321"
PASSWORD = "quiet-garden-42"
HOME = Caller(address="203.0.113.5", user_agent="Test phone", product="demo")
CODES = CodeFigures(product="demo", resend_seconds=0, lock_seconds=0, by_phone=Limit(100, 900))
LOGIN = LoginFigures()


def aziza(**more: Any) -> User:
    return User.objects.create_user(
        **{"phone": PHONE, "first_name": "Aziza", "password": PASSWORD, "language": "en"} | more
    )


def dana(**more: Any) -> User:
    return User.objects.create_user(**{"phone": OTHER_PHONE, "first_name": "Dana", "language": "en"} | more)


def bobur(*rights: str) -> User:
    """Staff with these rights of accounts."""
    user = User.objects.create_user(username="bobur", password=PASSWORD, is_staff=True, language="en")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts", codename__in=rights))
    return User.objects.get(pk=user.pk)


def root() -> User:
    return User.objects.create_superuser(username="root", password=PASSWORD, language="en")


def profile(number: int = 777, **more: Any) -> TelegramProfile:
    return TelegramProfile(**{"id": number, "first_name": "Aziza", "username": "aziza_t", "language_code": "uz"} | more)


def figures(**changes: Any) -> Any:
    """The house's settings with some figures changed."""
    return replace(settings.ACCOUNTS, **changes)
